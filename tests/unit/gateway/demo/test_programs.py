"""Where Mosquitto and Redis come from, and what is said when they cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.demo import programs
from gateway.demo.programs import Programs, Source, choose
from gateway.protocol.errors import SettingsError

MOSQUITTO, REDIS, WHEEL = Path("/x/mosquitto"), Path("/x/redis-server"), Path("/x/wheel")


class Machine:
    """A machine whose programs a test chooses."""

    def __init__(self) -> None:
        self.programs: dict[str, Path] = {}
        self.packages: dict[str, Path] = {}
        self.wheels = True
        self.installed = 0

    def find(self, *names: str) -> Path | None:
        """What is there."""
        return next((self.programs[name] for name in names if name in self.programs), None)

    def install(self, _tell: object) -> bool:
        """What the package manager has."""
        self.installed += 1
        self.programs.update(self.packages)
        return bool(self.packages)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(programs, "find", made.find)
    monkeypatch.setattr(programs, "install", made.install)
    monkeypatch.setattr(programs, "_redis_from_wheel", lambda: WHEEL if made.wheels else None)
    monkeypatch.setattr(programs, "find_spec", lambda _name: object() if made.wheels else None)
    return made


def nothing(_text: str) -> None:
    """Say nothing."""


def test_choose_programs_there_used_and_nothing_installed(machine: Machine) -> None:
    """What is on the machine is used."""
    machine.programs = {"mosquitto": MOSQUITTO, "redis-server": REDIS}
    assert choose(Source.AUTO, nothing) == Programs(MOSQUITTO, REDIS)
    assert machine.installed == 0


def test_choose_valkey_in_place_of_redis_used(machine: Machine) -> None:
    """Valkey serves as well."""
    machine.programs = {"mosquitto": MOSQUITTO, "valkey-server": REDIS}
    assert choose(Source.PATH, nothing) == Programs(MOSQUITTO, REDIS)


def test_choose_programs_missing_installed_by_the_system(machine: Machine) -> None:
    """The system's package manager is asked before the wheels are."""
    machine.packages = {"mosquitto": MOSQUITTO, "redis-server": REDIS}
    assert choose(Source.AUTO, nothing) == Programs(MOSQUITTO, REDIS)


@pytest.mark.usefixtures("machine")
def test_choose_programs_not_to_be_had_wheels_used() -> None:
    """Without a package manager the wheels do; no Mosquitto means the broker of the wheel."""
    assert choose(Source.AUTO, nothing) == Programs(None, WHEEL)


def test_choose_wheels_asked_for_nothing_else_touched(machine: Machine) -> None:
    """Whoever asks for the wheels gets them, and nothing is installed."""
    machine.programs = {"mosquitto": MOSQUITTO, "redis-server": REDIS}
    assert choose(Source.WHEELS, nothing) == Programs(None, WHEEL)
    assert machine.installed == 0


@pytest.mark.parametrize("source", Source)
def test_choose_nothing_to_be_had_says_both(machine: Machine, source: Source) -> None:
    """Both programs that are missing are named, with what to do."""
    machine.wheels = False
    with pytest.raises(SettingsError) as raised:
        choose(source, nothing)
    assert {fault.pointer for fault in raised.value.faults} == {"/broker", "/redis"}


def test_choose_path_only_never_installs_nor_takes_wheels(machine: Machine) -> None:
    """With 'path' the machine stays as it is."""
    machine.packages = {"mosquitto": MOSQUITTO, "redis-server": REDIS}
    with pytest.raises(SettingsError):
        choose(Source.PATH, nothing)
    assert machine.installed == 0
