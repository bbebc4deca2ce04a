"""The lines of the page about sealed files, in its order, as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from site_agent.sealing.custody import Custody
from tests.conditions import STRETCH
from tests.documentation import DOCS, fences
from tests.sealed_site import TEXT, SealedSite

PAGE = DOCS / "sealing.md"
PHRASE = "a long pass phrase"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an engineer works; the site's owner's trust file is to come."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tidegate").write_text(f'#!/bin/sh\nexec {sys.executable} -m gateway "$@"\n')
    (tmp_path / "bin" / "tidegate").chmod(0o755)
    return SealedSite.made(tmp_path / "site").folder


def _type(folder: Path, kind: str, answers: str = "", line: str | None = None) -> str:
    (fence,) = fences(PAGE, "sh", kind)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line or fence.text],
        cwd=folder,
        env={"PATH": f"{folder.parent / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(Path.cwd())},
        input=answers,
        capture_output=True,
        text=True,
        check=True,
        timeout=60 * STRETCH,
        start_new_session=True,  # so that a pass phrase is read from here, not from whoever runs the tests
    )
    return done.stdout


def test_lines_of_the_page_seal_a_site_by_two_persons(folder: Path) -> None:
    """Keys, trust, a first version, a second one by both, and what one sees of it."""
    (keys,) = fences(PAGE, "sh", "keys")
    lines = {
        name: _type(folder, "keys", f"{PHRASE}\n{PHRASE}\n", keys.text.replace("ana", name)).splitlines()[-1]
        for name in ("ana", "bo")
    }
    (trust,) = fences(PAGE, "toml", "trust")
    text = trust.text
    for name, line in lines.items():
        text = text.replace(f'{name} = "tgk1_..."', line[line.index(f"{name} = ") :])
    (folder / "trust.toml").write_text(text)
    _type(folder, "sign", f"y\n{PHRASE}\n")
    (folder / "site.toml").write_text(TEXT.replace("most_per_day = 3000", "most_per_day = 2000"))
    for kind in ("sign", "cosign"):
        assert "most_per_day: 3000.0 -> 2000.0" in _type(folder, kind, f"y\n{PHRASE}\n")
    (look,) = fences(PAGE, "sh", "look")
    shown = _type(folder, "look", line="".join(look.text.splitlines(keepends=True)[:2]))
    assert "version 2 of arava-1, sealed by ana, bo" in shown
    assert Custody(folder / "site.toml").begin().trouble == ""
