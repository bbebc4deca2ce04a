"""What we are made of: locked with hashes, and listed."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Final

import pytest

from tests.browser import built_console
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
def test_wheel_has_the_built_console_and_its_bill_of_materials_what_it_runs_with() -> None:
    """No source of the console and no tool; CycloneDX, made from an environment in which nothing else is."""
    done = subprocess.run(["make", "sbom"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        absent(f"'make sbom' needs a package index: {done.stderr[-500:]}")
    (wheel,) = (ROOT / "build" / "wheel").glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    console = {path.relative_to(ROOT).as_posix() for path in built_console().resolve().rglob("*") if path.is_file()}
    assert console <= packed
    assert [name for name in packed if "node_modules" in name or name.endswith((".ts", ".tsx"))] == []
    bill = json.loads((ROOT / "build" / "tidegate.cdx.json").read_text())
    found = {each["name"].lower().replace("_", "-"): each["version"] for each in bill["components"]}
    assert bill["bomFormat"] == "CycloneDX"
    assert found.pop("tidegate")
    locked = {name.replace(".", "-"): version for name, version in _pins(ROOT / "locks/runtime.txt").items()}
    assert found.items() <= locked.items()
    assert {"paho-mqtt", "aiomqtt", "pymodbus", "flask", "redis", "cryptography"} <= found.keys()
