from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.broker import Login
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Event, Heartbeat, PlcLink
from gateway.protocol.topics import EventTopic, HeartbeatTopic
from tests.fake_site import DEVICE, EPOCH, FakeSite
from tests.running_broker import RunningBroker
from tests.terminals import Terminal, environment, tidegate

WATCH = [sys.executable, "-m", "gateway", "watch"]


@pytest.fixture(scope="module")
def ana(broker: RunningBroker) -> Login:
    return broker.add_person("@ana")


@pytest.fixture
def env(ana: Login, tmp_path: Path) -> dict[str, str]:
    return environment(ana, tmp_path)


@pytest.fixture
def site(broker: RunningBroker, site_id: str) -> Iterator[FakeSite]:
    with FakeSite(broker.add_site(site_id)) as running:
        yield running


def test_watch_once_shows_how_it_is_and_ends(site: FakeSite, env: dict[str, str]) -> None:
    """Status, device and state that the broker keeps, in plain lines without colours."""
    done = tidegate("watch", "--once", site.name, env=env)
    assert done.returncode == 0, done.stderr
    assert f"epoch {EPOCH}, version 0.1.0" in done.stdout
    assert 'feeder-1 is "Feeder 1" on plc-1; settings: enabled, portion_g; readings: hopper_kg' in done.stdout
    assert "portion_g=100" in done.stdout
    assert "\x1b" not in done.stdout


def test_watch_shows_live_what_happens(site: FakeSite, env: dict[str, str]) -> None:
    """Beats, changes, events, commands and acks appear as they come, and Ctrl-C ends it cleanly."""
    with Terminal([*WATCH, site.name], env) as terminal:
        terminal.shows("feeder-1", "portion_g=100")
        beat = Heartbeat(epoch=EPOCH, seq=1, at=datetime.now(UTC), plcs={"plc-1": PlcLink.OK})
        site.publish(HeartbeatTopic(site=site.name), beat)
        site.publish(
            EventTopic(site=site.name, device=DEVICE, name="jammed"), Event(at=datetime.now(UTC), detail="\x1b[2Jlook")
        )
        site.show(portion_g=120, enabled=True, hopper_kg=12.5)
        site.answer = lambda _: (State.REJECTED, "overloaded", "ask again")
        tidegate("send", site.name, DEVICE, "portion_g=130", env=env)
        terminal.shows("beat", "1  plc-1 ok")
        terminal.shows("event", r"feeder-1 jammed \x1b[2Jlook")
        terminal.shows("state", "portion_g 100 → 120")
        terminal.shows("command", "portion_g=130", "by @ana")
        terminal.shows("rejected", "overloaded: ask again")
    assert terminal.exit_code == 0, terminal.lines


def test_watch_on_a_terminal_is_coloured(site: FakeSite, env: dict[str, str]) -> None:
    """Whoever looks at a screen sees states in colours; a pipe gets none (see above)."""
    ours, theirs = pty.openpty()
    subprocess.run(
        [*WATCH, "--once", site.name],
        env={**env, "TERM": "xterm"},
        stdout=theirs,
        stderr=theirs,
        check=True,
        timeout=60,
    )
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    assert "\x1b[32m\x1b[1monline" in shown


def test_watch_json_gives_one_object_a_line(site: FakeSite, env: dict[str, str]) -> None:
    """A program can read every line."""
    done = tidegate("watch", "--once", "--json", site.name, env=env)
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    states = [each["message"]["properties"] for each in seen if each["topic"].endswith("/state")]
    assert states == [{"portion_g": 100, "enabled": True, "hopper_kg": 12.5}]
    assert all(each["retained"] for each in seen)


def test_watch_one_site_shows_no_other(
    site: FakeSite, broker: RunningBroker, site_id: str, env: dict[str, str]
) -> None:
    """Who asks for one site is not shown the others."""
    other = site_id + "-b"
    with FakeSite(broker.add_site(other)):
        assert other not in tidegate("watch", "--once", site.name, env=env).stdout
        everything = tidegate("watch", "--once", env=env).stdout
    assert site.name in everything
    assert other in everything


def test_watch_without_a_broker_ends_with_2(env: dict[str, str], site_id: str) -> None:
    """A broker that is not there is told within seconds."""
    done = tidegate("watch", site_id, env={**env, "TIDEGATE_BROKER_PORT": "1"})
    assert done.returncode == 2
    assert "no connection to" in done.stderr


def test_watch_name_that_is_no_site_is_refused(env: dict[str, str]) -> None:
    """A wildcard is no site's name."""
    assert tidegate("watch", "+", env=env).returncode == 2
