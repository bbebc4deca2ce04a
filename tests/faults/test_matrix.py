"""The table of docs/faults.md and the tests that inject its faults: each of them has its row, each row its tests."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path("tests")
TABLE: Final = Path("docs/faults.md")
ROW: Final = re.compile(r"^\| (F\d+): .* \| `(tests/\S+\.py)` \|$")


def _injected() -> dict[str, set[str]]:
    """Fault -> the files of the tests that carry its number, whether on a test, a module or a parameter."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
                (number,) = node.args
                assert isinstance(number, ast.Constant), f"{path}:{node.lineno}: a fault's number is written out"
                found[str(number.value)].add(str(path))
    return found


def _rows() -> dict[str, str]:
    """Fault -> the file that its row names, in the order of the table."""
    lines = (ROW.match(line) for line in TABLE.read_text(encoding="utf-8").splitlines())
    return {row[1]: row[2] for row in lines if row}


def _number(fault: str) -> int:
    return int(fault[1:])


INJECTED: Final = _injected()
ROWS: Final = _rows()
KNOWN: Final[list[str]] = sorted({*ROWS, *INJECTED}, key=_number)


def test_table_numbers_rise() -> None:
    """Each fault once, and whoever looks for a number finds it."""
    numbers = [_number(fault) for fault in ROWS]
    assert numbers == sorted(set(numbers))
    assert len(ROWS) == sum(line.startswith("| F") for line in TABLE.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("fault", KNOWN)
def test_fault_of_the_table_is_injected_by_the_test_it_names(fault: str) -> None:
    """A row without a test would be a claim; a test without a row would not be found."""
    assert ROWS.get(fault) in INJECTED[fault]


def test_list_of_faults_that_wait_is_true() -> None:
    """What the page says to be missing has neither row nor test."""
    page = TABLE.read_text(encoding="utf-8")
    waiting = set(re.findall(r"\bF\d+\b", page[page.index("## Not tested yet") :]))
    known = {f"F{number}" for number in range(1, 1 + max(_number(fault) for fault in ROWS))}
    assert waiting == known - ROWS.keys()
