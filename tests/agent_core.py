"""The agent without its link: a real executor, journal and lanes on a real PLC, for faults that need exact timing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from typing_extensions import override

from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import Ack, Value
from gateway.protocol.topics import AckTopic, CommandTopic
from site_agent import clock
from site_agent.attention import Attention
from site_agent.configuration import SiteConfiguration
from site_agent.deadline import SentBeats
from site_agent.device import Device
from site_agent.drivers.modbus import ModbusTcpDriver
from site_agent.ends import NOWHERE_ELSE
from site_agent.executor import Executor
from site_agent.journal import Entry, Journal
from site_agent.lane import Job, Lane, LaneFull, R
from tests.agents import fresh_id
from tests.conditions import STRETCH

TIMEOUT_S = 0.4


class SlowDriver(ModbusTcpDriver):
    """Takes ``open_s`` to connect, as over a radio link."""

    open_s = 0.0

    @override
    async def open(self) -> None:
        await asyncio.sleep(self.open_s)
        await super().open()


class CrowdedLane(Lane):
    """Turns commands away while it is ``full``."""

    full = False
    turned_away = 0

    @override
    def submit_write(self, job: Job[R]) -> asyncio.Future[R]:
        if self.full:
            self.turned_away += 1
            raise LaneFull("full")
        return super().submit_write(job)


class FrailJournal(Journal):
    """Takes no new command while the disk is ``full``."""

    full = False

    @override
    async def begin(self, entry: Entry, unix_s: int) -> Entry | None:
        if self.full:
            raise Unavailable("journal", "database or disk is full")
        return await super().begin(entry, unix_s)


class Core:
    """One run of an agent; ``acks`` is everything that it has said, oldest first."""

    def __init__(self, configuration: SiteConfiguration, *, epoch: int) -> None:
        self.acks: list[Ack] = []
        (plc,) = configuration.plcs
        self.driver = SlowDriver(plc.host or "", plc.port, plc.unit, plc.timeout_s)
        self.lane = CrowdedLane(plc.name, self.driver, settle_s=plc.timeout_s, on_link=lambda: None)
        self.journal = FrailJournal(configuration.agent.folder / "journal.db")
        self.attention = Attention(clock.elapsed_s())
        self.executor = Executor(
            site=configuration.site,
            devices={table.id: Device(configuration.site, table) for table in configuration.devices},
            lanes={plc.name: self.lane},
            journal=self.journal,
            beats=SentBeats(),
            attention=self.attention,
            outlet=self,
            held=lambda _device: {},
            on_read=lambda _device, _values: None,
            on_seen=lambda _device, _values: None,
        )
        self.executor.begin_epoch(epoch)

    def send_ack(self, topic: AckTopic, ack: Ack, *, at: str | None = None, correlation: bytes | None = None) -> None:
        """Where the executor's acks go."""
        assert (topic.id, at, correlation) == (ack.id, None, None)
        self.acks.append(ack)

    def send(self, name: str, values: Mapping[str, Value], *, id: str | None = None, **parts: object) -> str:
        """Hand in a command for feeder-1, as if it came off the wire; its id."""
        command = id or fresh_id()
        body = {"id": command, "input": values, **parts}
        topic = CommandTopic("arava-1", "@ana", "feeder-1", name)
        self.executor.receive(topic, json.dumps(body).encode(), NOWHERE_ELSE)
        return command

    def feed(self, grams: int, *, id: str | None = None, **parts: object) -> str:
        """Ask for a dose."""
        return self.send("feed", {"grams": grams}, id=id, **parts)

    def said(self, id: str) -> list[Ack]:
        """What it has said about a command."""
        return [ack for ack in self.acks if ack.id == id]

    async def final(self, id: str) -> Ack:
        """The first final ack of a command."""
        ack: Ack = await until(lambda: next((ack for ack in self.said(id) if ack.final), None))
        return ack

    async def fed(self, grams: int) -> Ack:
        """A dose, and its end."""
        return await self.final(self.feed(grams))

    async def stay_awake(self) -> None:
        """Note that the event loop runs, as the agent does."""
        while True:
            self.attention.note(clock.elapsed_s())
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running(configuration: SiteConfiguration, *, epoch: int = 100) -> AsyncIterator[Core]:
    """One run; at its end the process is gone, and nothing more is done or written down."""
    before = asyncio.all_tasks()
    core = Core(configuration, epoch=epoch)
    configuration.agent.folder.mkdir(exist_ok=True)
    left = await core.journal.open()
    started = [asyncio.create_task(each) for each in (core.lane.run(), core.stay_awake())]
    await core.executor.start(left)
    try:
        yield core
    finally:
        ended = (asyncio.all_tasks() - before) | set(started)
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
        await core.journal.close()


async def until(question: Callable[[], Any], *, within_s: float = 8.0) -> Any:  # noqa: ANN401 # whatever it answers
    """The first true answer, while the event loop runs."""
    return await asyncio.wait_for(_until(question), within_s * STRETCH)


async def _until(question: Callable[[], Any]) -> Any:  # noqa: ANN401 # whatever it answers
    while not (answer := question()):  # noqa: ASYNC110 # what is waited for happens in another thread, too
        await asyncio.sleep(0.01)
    return answer
