"""One connection's worth of talk with the broker: who we are, that we live, what our devices hold, what we are told.

Order on every connect: look whether a twin lives, say ``online``, re-publish everything retained, beat, repeat the
acks that the centre has not confirmed. The broker may have forgotten all of it. Now and then those acks go out again,
for the centre may have been unable to write them down.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from gateway import __version__
from gateway.protocol.codec import decode
from gateway.protocol.errors import DecodeError, TidegateError, Unavailable
from gateway.protocol.history import Committed, History
from gateway.protocol.messages import (
    MAX_TEXT,
    DeviceState,
    Event,
    Heartbeat,
    HostStatus,
    Message,
    PlcLink,
    SiteState,
    Status,
)
from gateway.protocol.topics import (
    BAD_MESSAGE,
    DEVICE_REMOVED,
    AlarmTopic,
    CommandTopic,
    CommittedTopic,
    DescriptionTopic,
    EventTopic,
    HeartbeatTopic,
    HistoryTopic,
    HostStatusTopic,
    StateTopic,
    StatusTopic,
    Topic,
    parse,
)
from site_agent import clock
from site_agent.alarm_watch import AlarmWatch
from site_agent.deadline import SentBeats
from site_agent.device import Device
from site_agent.ends import ReplyTo
from site_agent.executor import Executor
from site_agent.fence import SILENCE_S, Fence, Verdict
from site_agent.link import Arrival, Session, Will
from site_agent.outbox import Outbox

#: Beats asked for by events (host birth, a PLC lost) are not sent closer together than this.
LEAST_BEAT_GAP_S = 1.0
#: All agents see a host birth at once; they answer spread over this time.
BIRTH_JITTER_S = 1.0
#: Between two rounds of acks that the centre has not confirmed, give or take a half; so many of them in a round.
REPEAT_EVERY_S = 20.0
REPEATS = 100

log = structlog.get_logger(__name__)


class TwinFound(TidegateError):
    """Another agent lives under our identity, so at most one of us may write (I12)."""

    code = "duplicate-agent"


class EpochBehind(TidegateError):
    """The broker remembers a higher epoch of a former life of ours; go on from there."""

    code = "epoch-behind"

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        super().__init__(epoch)

    def __str__(self) -> str:
        return f"the broker retains epoch {self.epoch} of an agent that is gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a conversation is about; the same for every connection."""

    site: str
    boot: str
    heartbeat_s: float
    devices: Mapping[str, Device]
    states: Callable[[], Mapping[str, DeviceState]]
    plcs: Callable[[], Mapping[str, PlcLink]]
    #: What is wrong with the site's file; empty if nothing is.
    trouble: Callable[[], str]
    beats: SentBeats
    executor: Executor
    alarms: AlarmWatch
    outbox: Outbox


class Conversation:
    """Serves one connection under one epoch; ``doubt`` is the word of a foreign agent that may or may not live."""

    def __init__(self, parts: Parts, epoch: int, former_doubt: Status | None) -> None:
        self._parts = parts
        self.epoch = epoch
        self._fence = Fence(epoch, parts.boot)
        self._since: datetime = clock.wall()
        self._session: Session | None = None
        self._born = False
        self._nudged = asyncio.Event()
        self._twin = asyncio.Event()
        self._woken = asyncio.Event()
        self._former_doubt = former_doubt
        self.doubt: Status | None = None
        self._behind: int | None = None

    def will(self, delay_s: int) -> Will:
        """What the broker shall say if we vanish."""
        return Will(
            topic=StatusTopic(self._parts.site),
            message=self._status(SiteState.OFFLINE, "connection lost"),
            delay_s=delay_s,
        )

    async def hold(self, session: Session) -> None:
        """Talk until the connection ends.

        Raises:
            Unavailable: the link was lost.
            TwinFound: another agent has our identity.
            EpochBehind: a former life of ours had a higher epoch.
        """
        self._session = session
        async with asyncio.TaskGroup() as group:
            group.create_task(session.lost(), name="link watch")
            group.create_task(self._watch_for_twin(), name="twin watch")
            group.create_task(self._watch_for_sleep(), name="sleep watch")
            await self._look_around(session)
            await self._be_born(session)
            group.create_task(self._beat(session), name="heartbeat")
            group.create_task(self._remind(), name="reminders")
            group.create_task(self._parts.outbox.deliver(self._hand_in), name="outbox")

    async def end(self, reason: str) -> None:
        """Say ``stopped``, and wait until the broker has it.

        Raises:
            Unavailable, PublishRefused: it could not be said.
        """
        if self._session is not None and self._born:
            stopped = self._status(SiteState.STOPPED, reason).model_copy(update={"since": clock.wall()})
            await self._session.publish(StatusTopic(self._parts.site), stopped)

    def nudge(self) -> None:
        """Beat soon: something that others should know has changed."""
        self._nudged.set()

    def wake(self) -> None:
        """The process has slept: what lies in our sockets is old, and another agent may have come. Connect anew."""
        self._woken.set()

    def send(self, topic: Topic, message: Message | None) -> None:
        """Publish if the birth is behind us; None clears what is retained.

        Whatever is retained is published again on every connect.
        """
        if self._session is not None and self._born:
            self._session.send(topic, message)

    # Being there.

    async def _look_around(self, session: Session) -> None:
        site = self._parts.site
        # The broker answers in order: with the second SUBACK the retained status has been seen.
        await session.subscribe(StatusTopic.filter(site=site))
        await session.subscribe(
            HeartbeatTopic.filter(site=site), CommittedTopic.filter(site=site), HostStatusTopic.filter()
        )
        if self._behind is not None:
            raise EpochBehind(self._behind)
        if self.doubt is None:
            return
        log.warning("twin-in-doubt", epoch=self.doubt.epoch, boot=self.doubt.boot, listening_s=SILENCE_S)
        former = self._former_doubt
        if former is not None and former.boot == self.doubt.boot and former.epoch < self.doubt.epoch:
            self._parts.executor.fenced = True
            raise TwinFound("it has connected again since we last saw it")
        await asyncio.sleep(SILENCE_S)
        raise EpochBehind(self.doubt.epoch)

    async def _be_born(self, session: Session) -> None:
        site = self._parts.site
        self._parts.executor.begin_epoch(self.epoch)
        await session.subscribe(CommandTopic.filter(site=site))
        await session.publish(StatusTopic(site), self._status(SiteState.ONLINE, self._parts.trouble()))
        self._born = True
        self.introduce(self._parts.devices)
        for (device_id, name), alarm in self._parts.alarms.active.items():
            session.send(AlarmTopic(site, device_id, name), alarm)
        await session.subscribe(AlarmTopic.filter(site=site), DescriptionTopic.filter(site=site))
        self._parts.executor.repeat()
        self._parts.executor.greet()

    async def _watch_for_sleep(self) -> None:
        await self._woken.wait()
        raise Unavailable("agent", "it slept, so it connects anew")

    async def _beat(self, session: Session) -> None:
        seq = 0
        while True:
            self._nudged.clear()
            seq += 1
            self._parts.beats.note(self.epoch, seq, clock.elapsed_s())
            beat = Heartbeat(
                epoch=self.epoch,
                seq=seq,
                at=clock.wall(),
                plcs=dict(self._parts.plcs()),
                outbox=self._parts.outbox.waiting,
            )
            session.send(HeartbeatTopic(self._parts.site), beat)
            gap_s = min(LEAST_BEAT_GAP_S, self._parts.heartbeat_s)
            await asyncio.sleep(gap_s)
            try:
                async with asyncio.timeout(self._parts.heartbeat_s - gap_s):
                    await self._nudged.wait()
            except TimeoutError:
                continue

    async def _remind(self) -> None:
        while True:
            await asyncio.sleep(REPEAT_EVERY_S * random.uniform(0.5, 1.5))  # noqa: S311 # spreads load
            self._parts.executor.remind(REPEATS)

    async def _watch_for_twin(self) -> None:
        await self._twin.wait()
        raise TwinFound("it is alive under our identity")

    def _status(self, state: SiteState, reason: str) -> Status:
        return Status(
            state=state,
            epoch=self.epoch,
            boot=self._parts.boot,
            since=self._since,
            version=__version__,
            reason=reason[:MAX_TEXT],
        )

    def introduce(self, devices: Iterable[str]) -> None:
        """Say what these devices are and hold; those that are gone leave nothing behind.

        Raises:
            Unavailable: the link was lost; then the next connection says it.
        """
        site, states = self._parts.site, self._parts.states()
        for each in devices:
            device = self._parts.devices.get(each)
            self.send(DescriptionTopic(site, each), None if device is None else device.description)
            self.send(StateTopic(site, each), None if device is None else states[each])

    def restate(self) -> None:
        """Say again how we are.

        Raises:
            Unavailable: the link was lost; then the next connection says it.
        """
        if self._session is not None and self._born:
            self._session.send(StatusTopic(self._parts.site), self._status(SiteState.ONLINE, self._parts.trouble()))

    def _hand_in(self, history: History) -> None:
        if self._session is not None:
            self._session.send(HistoryTopic(self._parts.site), history)

    # Being told.

    def hear(self, arrival: Arrival) -> None:
        """Take one message off the wire."""
        try:
            topic = parse(arrival.topic)
            self._take(topic, arrival)
        except DecodeError as error:
            self._report(error)

    def _take(self, topic: Topic, arrival: Arrival) -> None:
        match topic:
            case CommandTopic():
                self._take_command(topic, arrival)
            case CommittedTopic():
                committed = decode(Committed, arrival.topic, arrival.payload)
                self._parts.executor.settle(committed.commands)
                self._parts.outbox.settle(committed.batches)
            case AlarmTopic() if arrival.retained and (topic.device, topic.name) not in self._parts.alarms.active:
                # It was over while nobody could say so.
                self.send(topic, None)
                self._parts.alarms.disown(topic.device, topic.name)
            case DescriptionTopic() if arrival.retained and topic.device not in self._parts.devices:
                # It was taken out of the site's file while we were not connected.
                self.introduce([topic.device])
                event = Event(at=clock.wall(), detail="the site's file does not name it any more")
                self._parts.outbox.add(topic.device, DEVICE_REMOVED, event)
            case HostStatusTopic():
                host = decode(HostStatus, arrival.topic, arrival.payload)
                if host.state is SiteState.ONLINE and not arrival.retained:
                    delay_s = random.uniform(0, BIRTH_JITTER_S)  # noqa: S311 # spreads load, guards no secret
                    asyncio.get_running_loop().call_later(delay_s, self._greet_host)
            case StatusTopic() if arrival.payload:
                self._take_status(decode(Status, arrival.topic, arrival.payload), arrival.retained)
            case HeartbeatTopic() if not arrival.retained:
                beat = decode(Heartbeat, arrival.topic, arrival.payload)
                own = beat.epoch == self.epoch and self.doubt is None
                if self._fence.beat(beat, own) is Verdict.TWIN:
                    self._yield_to_twin()

    def _take_command(self, topic: CommandTopic, arrival: Arrival) -> None:
        if arrival.retained:
            # It would come again at every connect; whoever retained it does not know what it does.
            self._report(DecodeError(arrival.topic, arrival.payload, ()), detail="a retained command is never obeyed")
            return
        reply = ReplyTo(arrival.response_topic, arrival.correlation)
        self._parts.executor.receive(topic, arrival.payload, reply)

    def _take_status(self, status: Status, retained: bool) -> None:
        verdict = self._fence.status(status, retained=retained)
        if verdict is Verdict.TWIN:
            self._yield_to_twin()
        elif verdict is Verdict.DOUBT:
            self.doubt = status
            self._parts.executor.lapse()  # if it lives, what we accepted before is not ours to carry out
        elif verdict is Verdict.BEHIND:
            self._behind = status.epoch
        elif verdict is Verdict.REASSERT and self._session is not None and self._born:
            self.restate()

    def _yield_to_twin(self) -> None:
        # At once: to end a connection takes a while, and what waits in the lanes must not begin meanwhile (I12).
        self._parts.executor.fenced = True
        self._twin.set()

    def _greet_host(self) -> None:
        self._nudged.set()
        self._parts.executor.repeat()
        self._parts.outbox.repeat()

    def _report(self, error: DecodeError, detail: str = "") -> None:
        text = detail or "; ".join(map(str, error.faults))[:500]
        log.warning("bad-message", topic=error.topic, detail=text)
        try:
            topic = parse(error.topic)
        except DecodeError:
            return
        if isinstance(topic, CommandTopic) and topic.device in self._parts.devices:
            event = Event(at=clock.wall(), detail=text, data={"requester": topic.requester, "name": topic.name})
            self.send(EventTopic(self._parts.site, topic.device, BAD_MESSAGE), event)
