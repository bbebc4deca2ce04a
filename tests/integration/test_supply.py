"""What we are made of: locked with hashes, and listed."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.requirements import absent

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = sorted((ROOT / "locks").glob("*.txt"))
_PIN: Final = re.compile(r"^([a-z0-9][a-z0-9.-]*)(?:\[[a-z0-9,-]+\])?==(\S+)", re.MULTILINE)


def _pins(path: Path) -> dict[str, str]:
    return dict(_PIN.findall(path.read_text()))


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_lock_has_a_hash_for_every_requirement(path: Path) -> None:
    """Pip takes nothing that was replaced since it was locked."""
    blocks = re.split(r"^(?=[a-z0-9])", path.read_text(), flags=re.MULTILINE)[1:]
    assert len(blocks) == len(_pins(path)) > 10
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_lock_has_the_versions_of_the_constraints(path: Path) -> None:
    """One version of each library everywhere; 'make lock' makes all files at once."""
    assert _pins(path).items() <= _pins(ROOT / "constraints.txt").items()


@pytest.mark.timeout(300)
def test_bill_of_materials_lists_the_wheel_and_what_it_runs_with() -> None:
    """CycloneDX, made from an environment in which nothing else is."""
    done = subprocess.run(["make", "sbom"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        absent(f"'make sbom' needs a package index: {done.stderr[-500:]}")
    bill = json.loads((ROOT / "build" / "tidegate.cdx.json").read_text())
    found = {each["name"].lower().replace("_", "-"): each["version"] for each in bill["components"]}
    assert bill["bomFormat"] == "CycloneDX"
    assert found.pop("tidegate")
    locked = {name.replace(".", "-"): version for name, version in _pins(ROOT / "locks/runtime.txt").items()}
    assert found.items() <= locked.items()
    assert {"paho-mqtt", "aiomqtt", "pymodbus", "flask", "redis", "cryptography"} <= found.keys()
