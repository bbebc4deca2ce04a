"""The checks of docs/security.md: all thirty-two, each with a test that is there, or with what is missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROW: Final = re.compile(r"^\| (S\d+) \| .+ \| (?:`(tests/\S+\.py)`|missing: .+) \|$", re.MULTILINE)
ROWS: Final = ROW.findall(Path("docs/security.md").read_text(encoding="utf-8"))


def test_page_has_every_check_once() -> None:
    """S1 to S32, in order."""
    assert [name for name, _ in ROWS] == [f"S{number}" for number in range(1, 33)]


@pytest.mark.parametrize(("check", "path"), [row for row in ROWS if row[1]], ids=lambda value: value)
def test_check_names_a_test_that_is_there(check: str, path: str) -> None:
    """A row without a test would be a claim."""
    assert Path(path).is_file(), check
