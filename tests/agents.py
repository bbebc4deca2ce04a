"""A real agent process on a real broker, for tests that kill it and ask it things."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from gateway.broker import Login
from gateway.crash import VARIABLE
from gateway.protocol.codec import decode, encode
from gateway.protocol.ids import command_id
from gateway.protocol.messages import Ack, Command, DeviceState, Heartbeat, Message, Status, Value
from gateway.protocol.topics import AckTopic, CommandTopic, HeartbeatTopic, StateTopic, StatusTopic
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.sites import FEED, FEEDER, INTERLOCK, MAILBOX

M = TypeVar("M", bound=Message)


def _toml_value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml_value(each)}" for key, each in value.items()) + "}"
    return json.dumps(str(value) if isinstance(value, Path) else value)


def site_toml(
    login: Login,
    folder: Path,
    plc_port: int,
    *,
    heartbeat_s: float,
    timeout_s: float,
    feed: Mapping[str, object] | None,
    plc: Mapping[str, object],
    properties: Mapping[str, Mapping[str, object]],
    device: Mapping[str, object],
) -> str:
    """A site's file with one feeder on one PLC; ``feed`` adds to the action's table, None: it has no mailbox.

    ``plc`` and ``device`` add to their tables.
    """
    lines = [
        f"site = {_toml_value(login.username)}",
        "[broker]",
        f"host = {_toml_value(login.host)}",
        f"port = {login.port}",
        'password_file = "password"',
        "keepalive_s = 2",
        "will_delay_s = 1",
        "[agent]",
        f"folder = {_toml_value(folder / 'agent')}",
        f"heartbeat_s = {heartbeat_s}",
        "[[plcs]]",
        'name = "plc-1"',
        'host = "127.0.0.1"',
        f"port = {plc_port}",
        f"timeout_s = {timeout_s}",
        "poll_s = 0.2",
        *(f"{key} = {_toml_value(value)}" for key, value in plc.items()),
        "[[devices]]",
        'id = "feeder-1"',
        'title = "Feeder 1"',
        'plc = "plc-1"',
    ]
    if feed is not None:
        lines += [
            f"mailbox = {_toml_value(MAILBOX)}",
            f"actions.feed = {_toml_value({**FEED, **feed})}",
            f"interlocks = [{_toml_value(INTERLOCK)}]",
        ]
    lines += [f"{key} = {_toml_value(value)}" for key, value in device.items()]
    for name, table in properties.items():
        lines.append(f"[devices.properties.{name}]")
        lines += [f"{key} = {_toml_value(value)}" for key, value in table.items()]
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)
    return text


@dataclass
class AgentProcess:
    """An agent that can be killed, frozen and started again on the same folder."""

    login: Login
    folder: Path
    plc_port: int
    heartbeat_s: float = 1.0
    timeout_s: float = 0.4
    #: What the action's table has beside the usual; None: the feeder has no mailbox, so it only has settings.
    feed: Mapping[str, object] | None = field(default_factory=dict)
    #: What the PLC's table has beside the usual, and the device's properties.
    plc: Mapping[str, object] = field(default_factory=dict)
    properties: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: FEEDER)
    device: Mapping[str, object] = field(default_factory=dict)
    #: Where the process is to die, see gateway.crash.
    crash_at: str = ""
    #: More variables of the process.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Words of the site's file, each with what stands there instead.
    edits: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Write its files and start it; use :meth:`Technician.online` to wait for its birth."""
        self.write()
        self.run()

    def write(self) -> None:
        """Its file and its password."""
        self.folder.mkdir(exist_ok=True)
        text = site_toml(
            self.login,
            self.folder,
            self.plc_port,
            heartbeat_s=self.heartbeat_s,
            timeout_s=self.timeout_s,
            feed=self.feed,
            plc=self.plc,
            properties=self.properties,
            device=self.device,
        )
        for old, new in self.edits.items():
            assert old in text, f"{old} is not in the site's file"
            text = text.replace(old, new)
        (self.folder / "site.toml").write_text(text)
        (self.folder / "password").write_text(self.login.secret)

    def run(self) -> None:
        """Start it on the files that are there."""
        command = [sys.executable, "-m", "gateway", "agent", "--config", str(self.folder / "site.toml")]
        environment = {**os.environ, **self.environment, VARIABLE: self.crash_at}
        with (self.folder / "agent.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, no goodbye is said."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(20)

    def log(self) -> str:
        """Everything it logged."""
        return (self.folder / "agent.log").read_text()

    @contextlib.contextmanager
    def running(self) -> Iterator[AgentProcess]:
        """Started; killed at the end if it still lives."""
        self.start()
        try:
            yield self
        finally:
            self.end()

    def end(self) -> None:
        """Dead, if it still lives."""
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.kill()


class Technician:
    """A person with an MQTT client: sees everything of a site, and commands it."""

    def __init__(self, client: MqttClient, site: str, principal: str) -> None:
        self._client = client
        self.site = site
        self.principal = principal
        # Not events alone: a technician's terminal shows all of it.
        client.subscribe(
            StatusTopic.filter(site=site),
            HeartbeatTopic.filter(site=site),
            StateTopic.filter(site=site),
            AckTopic.filter(site=site),
        )

    def send(self, values: dict[str, Value], *, id: str | None = None, **parts: Any) -> str:  # noqa: ANN401 # fields of Command
        """Send a write to feeder-1; its id."""
        command = id or fresh_id()
        self.send_bytes(encode(Command(id=command, input=values, **parts)))
        return command

    def feed(self, grams: int, *, id: str | None = None, **parts: Any) -> str:  # noqa: ANN401 # fields of Command
        """Ask feeder-1 for a dose; its id."""
        command = id or fresh_id()
        self.send_bytes(encode(Command(id=command, input={"grams": grams}, **parts)), name="feed")
        return command

    def cancel(self, id: str) -> None:
        """Cancel a command of feeder-1."""
        self.send_bytes(encode(Command(id=id, input={})), name="cancel")

    def send_bytes(self, payload: bytes, *, retain: bool = False, name: str = "write") -> None:
        """Send raw bytes as a command to feeder-1."""
        topic = str(CommandTopic(self.site, self.principal, "feeder-1", name))
        code = self._client.publish(topic, payload, retain=retain)
        assert code < 0x80, f"the broker refused the command: {code:#x}"

    def acks(self, id: str) -> list[Ack]:
        """All acks of a command so far, oldest first."""
        topic = str(AckTopic(self.site, self.principal, id))
        return [decode(Ack, topic, each.payload) for each in self._client.received() if each.topic == topic]

    def final(self, id: str, *, within_s: float = 8.0) -> Ack:
        """The first final ack of a command."""
        return eventually(
            lambda: next((ack for ack in self.acks(id) if ack.final), None), within_s=within_s, what=f"end of {id}"
        )

    def statuses(self) -> list[Status]:
        """All statuses so far."""
        return self._bodies(Status, str(StatusTopic(self.site)))

    def beats(self) -> list[Heartbeat]:
        """All heartbeats so far."""
        return self._bodies(Heartbeat, str(HeartbeatTopic(self.site)))

    def states(self) -> list[DeviceState]:
        """All states of feeder-1 so far."""
        return self._bodies(DeviceState, str(StateTopic(self.site, "feeder-1")))

    def online(self, *, above: int = 0, within_s: float = 10.0) -> Status:
        """The first ``online`` with a higher epoch, once its first beat and a good state have come too."""
        status = eventually(
            lambda: next((each for each in self.statuses() if each.state == "online" and each.epoch > above), None),
            within_s=within_s,
            what="online",
        )
        eventually(lambda: any(beat.epoch == status.epoch for beat in self.beats()), what="a beat")
        return status

    def _bodies(self, body: type[M], topic: str) -> list[M]:
        return [decode(body, topic, each.payload) for each in self._client.received() if each.topic == topic]


def fresh_id() -> str:
    """A command id of a technician: any UUID."""
    return command_id(0x0199_0000_0000 + secrets.randbits(20), secrets.randbits(80))
