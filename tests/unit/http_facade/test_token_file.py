"""The bearer token's file."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.protocol.errors import SettingsError
from http_facade.token_file import SHORTEST_TOKEN, ensure_token


def test_token_at_first_start_has_256_bits(tmp_path: Path) -> None:
    """43 characters of base64 carry 256 random bits, and no two are alike."""
    one, other = ensure_token(tmp_path / "one"), ensure_token(tmp_path / "other")
    assert len(one) == 43
    assert one != other


def test_token_at_second_start_is_the_same(tmp_path: Path) -> None:
    """The file decides."""
    path = tmp_path / "secrets" / "http-token"
    assert ensure_token(path) == ensure_token(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such mode bits")
def test_token_file_is_private(tmp_path: Path) -> None:
    """Nobody else on the machine may read it."""
    path = tmp_path / "secrets" / "http-token"
    ensure_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_token_made_by_many_at_once_is_one(tmp_path: Path) -> None:
    """Processes that start together agree."""
    path = tmp_path / "http-token"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: ensure_token(path), range(32)))
    assert len(found) == 1
    assert os.listdir(tmp_path) == ["http-token"]


@pytest.mark.parametrize("text", ["", "changeme", "x" * (SHORTEST_TOKEN - 1), "ключ" * 20])
def test_token_that_could_be_guessed_is_refused(tmp_path: Path, text: str) -> None:
    """The facade does not start with a weak or unreadable token."""
    path = tmp_path / "http-token"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError):
        ensure_token(path)


def test_token_file_that_cannot_be_made_is_an_error_of_settings(tmp_path: Path) -> None:
    """The operator reads which file it was."""
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(SettingsError, match="http-token"):
        ensure_token(blocker / "http-token")
