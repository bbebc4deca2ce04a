"""The executor: takes commands, keeps the journal's promises, and answers each with a true ack.

Order of one command: judged -> intent durable -> lane -> last checks -> written once -> verified -> result durable
-> ack, and the ack again until the centre names it in ``committed``.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from gateway.protocol.codes import AckCode
from gateway.protocol.errors import Unavailable
from gateway.protocol.ids import command_id, is_facade
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack
from gateway.protocol.topics import AckTopic, CommandTopic, reply_topic
from site_agent import clock
from site_agent.deadline import SentBeats
from site_agent.device import Device
from site_agent.evidence import Evidence
from site_agent.intake import Request, judge
from site_agent.journal import Entry, Journal
from site_agent.lane import Lane, LaneFull
from site_agent.writing import Outcome, Values, Write, perform

#: Ends that the centre has not yet confirmed; above it new commands are refused (I15).
UNSETTLED_LIMIT = 10_000
#: A command that takes longer than this gets an ``accepted`` ack on the way.
ACCEPTED_AFTER_S = 0.2
#: Refusals that could not be journaled and are remembered in memory; a repeat follows within seconds or never.
REFUSED_UNWRITTEN_LIMIT = 1_000
_JOURNAL_RETRY_S = 1.0

log = structlog.get_logger(__name__)


class Outlet(Protocol):
    """Where acks go; losing one is harmless, it is repeated until committed."""

    def send_ack(self, topic: AckTopic, ack: Ack, *, at: str | None = None, correlation: bytes | None = None) -> None:
        """Publish if connected; ``at`` is the Response Topic, where it is another than the ack's own."""


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """The MQTT 5 Response Topic and Correlation Data of a command."""

    topic: str | None = None
    correlation: bytes | None = None


class Executor:
    """Commands of one site; ``start`` recovers what a former run left open."""

    def __init__(
        self,
        *,
        site: str,
        devices: Mapping[str, Device],
        lanes: Mapping[str, Lane],
        journal: Journal,
        beats: SentBeats,
        outlet: Outlet,
        held: Callable[[str], Values],
        on_read: Callable[[str, Values], None],
    ) -> None:
        self._site = site
        self._devices = devices
        self._lanes = lanes
        self._journal = journal
        self._beats = beats
        self._outlet = outlet
        self._held = held
        self._on_read = on_read
        #: Writes begun for each device: evidence about one of them counts only while it is the last.
        self._begun: Counter[str] = Counter()
        self._unsettled: dict[str, tuple[str, Ack]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._evidence = Evidence(
            devices=devices, lanes=lanes, begun=self._begun, on_read=on_read, on_found=self._resolve
        )
        self._refused_unwritten: OrderedDict[str, Ack] = OrderedDict()
        self.epoch = 0
        #: Why no new command is taken, or None; set when the agent stops or learns of a twin.
        self.closed: str | None = None
        #: A twin lives: what waits in the lanes must not be written any more either (I12).
        self.fenced = False

    def start(self, left: tuple[Entry, ...]) -> None:
        """Take over the journal's open commands: repeat ends, look for evidence about the rest."""
        for entry in left:
            if entry.outcome is not None:
                self._unsettled[entry.id] = (entry.requester, entry.outcome)
            # What a person has to look at stays with that person.
            if entry.outcome is None or entry.outcome.code == AckCode.PLC_SILENT:
                self._evidence.seek(entry, entry.intent.result, turn=0)

    def receive(self, topic: CommandTopic, payload: bytes, reply: ReplyTo) -> None:
        """Take one command off the wire.

        Raises:
            DecodeError: the bytes are no command; there is nobody to answer.
        """
        fresh = command_id(time.time_ns() // 1_000_000, secrets.randbits(80))
        request = judge(
            topic, payload, devices=self._devices, beats=self._beats, now_s=clock.elapsed_s(), fresh_id=fresh
        )
        task = asyncio.create_task(self._carry_out(request, reply), name=f"command {request.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def repeat(self) -> None:
        """Send every end again that the centre has not confirmed."""
        for requester, ack in self._unsettled.values():
            self._outlet.send_ack(AckTopic(self._site, requester, ack.id), ack)

    def settle(self, ids: tuple[str, ...]) -> None:
        """The centre has these ends now."""
        known = [each for each in ids if each in self._unsettled and self._unsettled[each][1].final]
        for each in known:
            del self._unsettled[each]
        if known:
            self._journal.settle(known)

    async def idle(self) -> None:
        """Wait until no command is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """End the searches for evidence."""
        await self._evidence.stop()

    # One command.

    async def _carry_out(self, request: Request, reply: ReplyTo) -> None:
        refusal, detail = self._refusal(request)
        intent = self._ack(request, State.ACCEPTED, AckCode.ACCEPTED, result=self._held(request.topic.device))
        outcome = None
        if refusal is not None:
            state = State.EXPIRED if refusal is AckCode.DEADLINE_PASSED else State.REJECTED
            outcome = self._ack(request, state, refusal, detail)
        entry = Entry(requester=request.topic.requester, intent=intent, outcome=outcome)
        try:
            known = await self._begin(request, entry)
        except Unavailable as error:
            self._answer(request, reply, self._refuse_unwritten(request, str(error)))
            return
        if known is not None:
            self._answer_repeat(request, reply, known)
        elif outcome is not None:
            self._keep(request.topic.requester, outcome)
            self._answer(request, reply, outcome)
        else:
            await self._execute(request, reply, entry)

    async def _begin(self, request: Request, entry: Entry) -> Entry | None:
        said = self._refused_unwritten.get(request.id)
        if said is not None:
            return Entry(requester=request.topic.requester, intent=entry.intent, outcome=said)
        return await self._journal.begin(entry, int(time.time()))

    def _refuse_unwritten(self, request: Request, detail: str) -> Ack:
        # The journal does not know this one, but a repeat of it must not be carried out once the journal is back.
        ack = self._ack(request, State.REJECTED, AckCode.JOURNAL_UNAVAILABLE, detail)
        self._refused_unwritten[request.id] = ack
        if len(self._refused_unwritten) > REFUSED_UNWRITTEN_LIMIT:
            self._refused_unwritten.popitem(last=False)
        return ack

    def _refusal(self, request: Request) -> tuple[AckCode | None, str]:
        if request.refusal is not None:
            return request.refusal, request.detail
        if self.closed is not None:
            return AckCode.OVERLOADED, self.closed
        if len(self._unsettled) >= UNSETTLED_LIMIT:
            return AckCode.OVERLOADED, f"{UNSETTLED_LIMIT} results wait for the centre already"
        return None, ""

    async def _execute(self, request: Request, reply: ReplyTo, entry: Entry) -> None:
        assert request.device is not None  # noqa: S101 # judge() refuses a command for an unknown device
        device = request.device
        loop = asyncio.get_running_loop()
        on_the_way: list[asyncio.TimerHandle] = []
        former: Values = {}
        turn = 0

        def accepted() -> None:
            # What was held when the command arrived may have been overwritten by those before it in the lane.
            nonlocal former, turn
            former = self._held(device.id)
            self._begun[device.id] += 1
            turn = self._begun[device.id]
            ack = entry.intent.model_copy(update={"result": {}})
            on_the_way.append(loop.call_later(ACCEPTED_AFTER_S, self._answer, request, reply, ack))

        write = Write(
            device=device,
            values=request.command.input,
            expect_revision=request.command.expect.revision if request.command.expect else None,
            former=lambda: former,
            remaining_s=lambda: request.deadline_s - clock.elapsed_s(),
            on_accepted=accepted,
        )

        async def job(lane: Lane) -> Outcome:
            if self.fenced:
                return Outcome(state=State.REJECTED, code=AckCode.OVERLOADED, detail=self.closed or "fenced")
            found = await perform(lane, write)
            self._on_read(device.id, found.result)
            return found

        try:
            found = await self._lanes[device.plc].write_job(job)
        except LaneFull as error:
            found = Outcome(state=State.REJECTED, code=AckCode.OVERLOADED, detail=str(error))
        for timer in on_the_way:
            timer.cancel()
        outcome = self._ack(request, found.state, found.code, found.detail, found.result)
        await self._conclude(entry, outcome)
        self._answer(request, reply, outcome)
        if outcome.state is State.UNKNOWN and found.code is AckCode.PLC_SILENT:
            self._evidence.seek(entry, former, turn)

    async def _conclude(self, entry: Entry, outcome: Ack) -> None:
        # No ack may leave before its result is on disk, so this waits for a full disk to be cleared.
        while True:
            try:
                await self._journal.conclude(outcome, int(time.time()))
            except Unavailable as error:
                log.error("journal-unavailable", command=outcome.id, cause=str(error))
                await asyncio.sleep(_JOURNAL_RETRY_S)
            else:
                self._keep(entry.requester, outcome)
                return

    def _keep(self, requester: str, outcome: Ack) -> None:
        self._unsettled[outcome.id] = (requester, outcome)

    async def _resolve(self, entry: Entry, found: Outcome) -> None:
        outcome = entry.intent.model_copy(
            update={
                "state": found.state,
                "code": found.code.value,
                "detail": found.detail,
                "result": dict(found.result),
                "epoch": self.epoch,
                "at": clock.wall(),
            }
        )
        await self._conclude(entry, outcome)
        log.info("resolved", command=entry.id, state=found.state.value, code=found.code.value)
        self._outlet.send_ack(AckTopic(self._site, entry.requester, entry.id), outcome)

    # Answers.

    def _ack(
        self, request: Request, state: State, code: AckCode, detail: str = "", result: Values | None = None
    ) -> Ack:
        return Ack(
            id=request.id,
            device=request.topic.device,
            name=request.topic.name,
            input=request.command.input,
            actor=request.command.actor if is_facade(request.topic.requester) else None,
            state=state,
            code=code.value,
            detail=detail,
            result=dict(result or {}),
            epoch=self.epoch,
            at=clock.wall(),
        )

    def _answer_repeat(self, request: Request, reply: ReplyTo, known: Entry) -> None:
        if known.requester != request.topic.requester:
            detail = "another requester already used this id; nothing was done"
            self._answer(request, reply, self._ack(request, State.REJECTED, AckCode.ID_CONFLICT, detail))
        elif known.outcome is not None:
            self._answer(request, reply, known.outcome.model_copy(update={"duplicate": True}))
        # Otherwise the first one is still under way and its end will be acked on the same topic.

    def _answer(self, request: Request, reply: ReplyTo, ack: Ack) -> None:
        home = AckTopic(self._site, request.topic.requester, ack.id)
        self._outlet.send_ack(home, ack, correlation=reply.correlation)
        asked = reply_topic(reply.topic, home)
        if asked != str(home):
            self._outlet.send_ack(home, ack, at=asked, correlation=reply.correlation)
