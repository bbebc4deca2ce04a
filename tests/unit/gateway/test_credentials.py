"""Secrets: made at random, kept to their owner, hashed as Mosquitto reads them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.credentials import (
    hash_secret,
    matches,
    new_secret,
    private_folder,
    read_secret,
    secret_in,
    write_private,
)
from gateway.protocol.errors import SettingsError

#: Made by mosquitto_passwd 2.0.11 from the password "a".
FROM_MOSQUITTO = (
    "$7$101$ky2BXj8MX1TJG4Zr$lJyYlwlsjtuWGnltOSYDshyE9pdnuGI600Z2jEfdLrDLSf6AhZ8qY+zlFH/9EF1s/7dwJluvRo1C0NPu7bIyig=="
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_secret_twice_differs_and_has_256_bits() -> None:
    """No two installations share a secret, and none can be guessed."""
    one, other = new_secret(), new_secret()
    assert one != other
    assert len(bytes.fromhex(one)) == 32


def test_matches_hash_of_mosquittos_own_tool_accepted() -> None:
    """Our reading of the format is Mosquitto's."""
    assert matches("a", FROM_MOSQUITTO)


@pytest.mark.parametrize("hashed", ["", "plain", "$6$x$y", "$7$ten$aaaa$bbbb", "$7$10$not base64!$aaaa", "$7$1$a"])
def test_matches_foreign_format_refused(hashed: str) -> None:
    """What is not our format matches nothing, and raises nothing."""
    assert not matches("a", hashed)


def test_hash_secret_same_secret_twice_differs() -> None:
    """Every hash has its own salt."""
    assert hash_secret("same") != hash_secret("same")


def test_matches_other_secret_refused() -> None:
    """A hash matches its own secret only."""
    assert not matches("other", hash_secret("one"))


def test_write_private_replacing_public_file_is_private(tmp_path: Path) -> None:
    """A file that others could read is replaced by one that only its owner can."""
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (path.read_text(), mode(path)) == ("new", 0o600)


def test_write_private_leaves_no_other_file(tmp_path: Path) -> None:
    """Nothing is left of the way it was written."""
    write_private(tmp_path / "secret", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_private_folder_new_closed_to_others(tmp_path: Path) -> None:
    """Only the owner may enter."""
    assert mode(private_folder(tmp_path / "home")) == 0o700


def test_secret_in_twice_same(tmp_path: Path) -> None:
    """A secret is made once."""
    path = tmp_path / "secrets" / "redis"
    assert secret_in(path) == secret_in(path)


@pytest.mark.parametrize("weak", ["", "changeme", "secret", " " * 40])
def test_read_secret_weak_refused(tmp_path: Path, weak: str) -> None:
    """A secret that somebody typed is refused, and the text does not repeat it."""
    path = tmp_path / "secret"
    path.write_text(weak)
    with pytest.raises(SettingsError) as raised:
        read_secret(path)
    assert raised.value.faults[0].code == "weak-secret"


def test_read_secret_absent_says_where(tmp_path: Path) -> None:
    """A missing file is named."""
    with pytest.raises(SettingsError, match="absent"):
        read_secret(tmp_path / "absent")
