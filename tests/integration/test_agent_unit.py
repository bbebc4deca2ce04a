"""The systemd unit that `tidegate agent unit` prints, and what the agent tells systemd."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.demo.process import Child
from gateway.protocol.errors import SettingsError
from site_agent.command import agent
from site_agent.site_file import load
from site_agent.unit import unit
from tests.requirements import program
from tests.sealed_site import Engineer, SealedSite

HEAD = 'site = "arava-1"\n[broker]\nhost = "192.0.2.1"\npassword_file = "password"\n'
PLC = '[[plcs]]\nname = "plc-1"\nhost = "192.0.2.9"\n'
SERIAL = '[[plcs]]\nname = "plc-2"\nframing = "rtu"\nserial = {device = "/dev/ttyUSB0", baud_rate = 9600}\n'
ANA = Engineer("ana")
#: systemd's own measure: 0 is a unit that may do nothing, 10 one that may do all.
MOST_EXPOSED = 2.5


def _unit(folder: Path, text: str) -> str:
    (folder / "site.toml").write_text(text)
    return unit(folder / "site.toml", load(folder / "site.toml"), user="tidegate")


@pytest.mark.parametrize("text", [HEAD + PLC, HEAD + PLC + SERIAL], ids=["network", "serial"])
def test_unit_is_hardened(tmp_path: Path, text: str) -> None:
    """By systemd's own measure, with the limit of what we promise."""
    path = tmp_path / "tidegate-agent.service"
    path.write_text(_unit(tmp_path, text))
    command = [str(program("systemd-analyze")), "security", "--offline=true"]
    done = subprocess.run(
        [*command, f"--threshold={MOST_EXPOSED * 10:.0f}", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_unit_is_one_that_systemd_understands(tmp_path: Path) -> None:
    """No unknown line, no value that is none."""
    path = tmp_path / "tidegate-agent.service"
    path.write_text(_unit(tmp_path, HEAD + PLC))
    command = [str(program("systemd-analyze")), "verify", "--man=no", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if path.name in line] == []


def test_unit_opens_only_the_addresses_of_the_file(tmp_path: Path) -> None:
    """Broker and PLCs, and nothing else at all."""
    lines = _unit(tmp_path, HEAD + PLC).splitlines()
    assert "IPAddressDeny=any" in lines
    allowed = [line.split("=")[1] for line in lines if line.startswith("IPAddressAllow=")]
    assert allowed == ["192.0.2.1", "192.0.2.9"]


def test_unit_for_names_opens_their_addresses_and_who_tells_them(tmp_path: Path) -> None:
    """A name is looked up when the unit is made; the agent must be able to look it up again."""
    lines = _unit(tmp_path, HEAD.replace("192.0.2.1", "localhost") + PLC).splitlines()
    allowed = [line.split("=")[1] for line in lines if line.startswith("IPAddressAllow=")]
    assert "127.0.0.1" in allowed[0].split()
    assert len(allowed) == 3


def test_unit_for_a_name_without_address_refused(tmp_path: Path) -> None:
    """Rather than with a hole, or without that PLC."""
    with pytest.raises(SettingsError, match=r"nowhere\.invalid"):
        _unit(tmp_path, HEAD + PLC.replace("192.0.2.9", "nowhere.invalid"))


def test_unit_with_a_serial_line_opens_that_device_alone(tmp_path: Path) -> None:
    """And no other."""
    lines = _unit(tmp_path, HEAD + PLC + SERIAL).splitlines()
    assert [line for line in lines if line.startswith("DeviceAllow")] == ["DeviceAllow=/dev/ttyUSB0 rw"]
    assert "DevicePolicy=closed" in lines


def test_unit_made_where_files_are_sealed_names_the_trust_file(tmp_path: Path) -> None:
    """From then on the agent does not do without it; where nobody is trusted in particular, nothing is named."""
    site = SealedSite.made(tmp_path / "site", ANA)
    site.seal(1, ANA)
    words = ["unit", "--config", str(site.path)]
    assert f"--config {site.path} --trust {site.trust_path}\n" in _printed(*words)
    site.trust_path.unlink()
    assert "--trust" not in _printed(*words)


def test_unit_of_an_altered_file_is_refused(tmp_path: Path) -> None:
    """An address that nobody vouches for is not opened."""
    site = SealedSite.made(tmp_path / "site", ANA)
    site.seal(1, ANA)
    site.change('host = "127.0.0.1"', 'host = "192.0.2.66"')
    with pytest.raises(SettingsError, match="not what version 1"):
        _printed("unit", "--config", str(site.path))


def _printed(*words: str) -> str:
    return CliRunner().invoke(agent, words, catch_exceptions=False).output


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[socket.socket]:
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        yield listening


def test_agent_tells_that_it_serves_that_its_loop_turns_and_that_it_stops(
    supervisor: socket.socket, tmp_path: Path
) -> None:
    """In that order, as a unit of type notify with a watchdog needs it."""
    (tmp_path / "password").write_text("good-for-these-tests-only")
    (tmp_path / "site.toml").write_text(HEAD.replace("192.0.2.1", "127.0.0.1") + "port = 1\n")
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
    argv = [sys.executable, "-m", "gateway", "agent", "--config", str(tmp_path / "site.toml")]
    child = Child("agent", argv, log=tmp_path / "agent.log", environment={**os.environ, **environment})
    child.start()
    try:
        words = {supervisor.recv(64) for _ in range(4)}
        assert words == {b"READY=1", b"WATCHDOG=1"}
        child.ask_to_stop()
        while supervisor.recv(64) != b"STOPPING=1":
            pass
    finally:
        child.stop()
