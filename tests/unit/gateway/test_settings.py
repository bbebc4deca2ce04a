"""Settings from the environment: defaults, secrets from files, all faults at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.protocol.errors import SettingsError
from gateway.settings import ServerSettings


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment with nothing of ours but a home that holds the gateway's password."""
    for name in [each for each in os.environ if each.startswith("TIDEGATE_")]:
        monkeypatch.delenv(name)
    secret = tmp_path / "secrets" / "@gateway"
    secret.parent.mkdir()
    secret.write_text("tides-come-and-go\n")
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    return monkeypatch


def _faults(environment: pytest.MonkeyPatch, **variables: str) -> set[str]:
    for name, value in variables.items():
        environment.setenv(f"TIDEGATE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        ServerSettings.read()
    return {fault.pointer.removeprefix("TIDEGATE_") for fault in caught.value.faults}


def test_read_with_a_home_alone_uses_defaults_below_it(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:  # noqa: ARG001 # sets it
    """Database and password are looked for in the home folder."""
    settings = ServerSettings.read()
    assert settings.database_url == f"sqlite:///{tmp_path / 'tidegate.db'}"
    assert settings.login.secret == "tides-come-and-go"
    assert (settings.heartbeat_s, settings.alive_expiry_s) == (20, 25)


def test_read_never_shows_the_password(environment: pytest.MonkeyPatch) -> None:  # noqa: ARG001 # sets it
    """Neither the settings nor the login print it."""
    settings = ServerSettings.read()
    assert "tides-come-and-go" not in repr(settings) + repr(settings.login)


def test_read_reports_all_faults_at_once(environment: pytest.MonkeyPatch) -> None:
    """One look at the message is enough to repair everything."""
    faults = _faults(
        environment,
        BROKER_PORT="0",
        BROKER_PASSWORD_FILE="/nowhere",
        REDIS_URL="http://x",
        DATABASE_URL="mysql://x",
        ALIVE_EXPIRY_S="20",
        LOG_LEVEL="LOUD",
    )
    assert faults == {
        "BROKER_PORT",
        "BROKER_PASSWORD_FILE",
        "REDIS_URL",
        "DATABASE_URL",
        "ALIVE_EXPIRY_S",
        "LOG_LEVEL",
    }


@pytest.mark.parametrize(("heartbeat_s", "expiry_s"), [("20", "20"), ("30", "25")])
def test_read_with_an_expiry_within_the_heartbeat_is_refused(
    environment: pytest.MonkeyPatch, heartbeat_s: str, expiry_s: str
) -> None:
    """The gate would close between two beats of a healthy site."""
    assert _faults(environment, HEARTBEAT_S=heartbeat_s, ALIVE_EXPIRY_S=expiry_s) == {"ALIVE_EXPIRY_S"}


def test_read_with_a_password_in_the_redis_url_is_refused(environment: pytest.MonkeyPatch) -> None:
    """Variables are no place for secrets."""
    assert _faults(environment, REDIS_URL="redis://:secret@127.0.0.1/0") == {"REDIS_URL"}


def test_read_with_an_empty_password_file_is_refused(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty secret is none."""
    (tmp_path / "secrets" / "@gateway").write_text("\n")
    assert _faults(environment) == {"BROKER_PASSWORD_FILE"}


@pytest.mark.parametrize(
    "secret", ["changeme", "tidegate", "hunter2", "changeme-changeme", "aaaaaaaaaaaaaaaaaaaaaaaa", "example-password-1"]
)
def test_read_with_a_weak_secret_is_refused(environment: pytest.MonkeyPatch, tmp_path: Path, secret: str) -> None:
    """What anybody would try first, or what stands in examples, does not start (S2); the message does not repeat it."""
    (tmp_path / "secrets" / "@gateway").write_text(secret)
    assert _faults(environment) == {"BROKER_PASSWORD_FILE"}
    with pytest.raises(SettingsError) as caught:
        ServerSettings.read()
    assert secret not in str(caught.value).replace(str(tmp_path), "")


def test_read_with_a_weak_password_in_the_database_url_is_refused(environment: pytest.MonkeyPatch) -> None:
    """The one secret that may stand in a variable is no weaker for that (S2)."""
    assert _faults(environment, DATABASE_URL="postgresql://tidegate:changeme@db/tidegate") == {"DATABASE_URL"}


def test_read_of_a_postgresql_url_names_the_driver(environment: pytest.MonkeyPatch) -> None:
    """People write postgresql://, SQLAlchemy wants to know how."""
    environment.setenv("TIDEGATE_DATABASE_URL", "postgresql://tidegate@db/tidegate")
    assert ServerSettings.read().database_url == "postgresql+psycopg://tidegate@db/tidegate"
