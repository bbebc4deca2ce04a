"""The executor: takes commands, keeps the journal's promises, and answers each with a true ack.

Order of one command: judged -> intent durable -> its turn -> last checks -> written -> verified -> result durable ->
ack, and the ack again until the centre names it in ``committed``.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from gateway.crash import point
from gateway.protocol.codes import AckCode, Evidence
from gateway.protocol.errors import Unavailable
from gateway.protocol.ids import command_id
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, Deed
from gateway.protocol.topics import CommandTopic
from site_agent import clock
from site_agent.acks import ack_of, end_of
from site_agent.acting import Acting
from site_agent.attention import Attention
from site_agent.deadline import SentBeats
from site_agent.device import Device
from site_agent.dosage import Dosage
from site_agent.ends import UNSETTLED_LIMIT, Ends, Outlet, ReplyTo
from site_agent.holding import Holding
from site_agent.intake import Kind, Request, judge
from site_agent.journal import Entry, Journal
from site_agent.lane import Lane
from site_agent.order import Orders
from site_agent.outcome import Outcome, Trail, Values, refused
from site_agent.progress import Progress

#: Refusals that could not be journaled and are remembered in memory; a repeat follows within seconds or never.
REFUSED_UNWRITTEN_LIMIT = 1_000
#: A mailbox compares 32 bits of the epoch; a counter that starts at Unix time stays below that until 2106.
_FENCE_BITS: Final = 0xFFFF_FFFF
#: Evidence that was got by reading the PLC.
_LOOKED: Final = frozenset({Evidence.READ_BACK, Evidence.MAILBOX, Evidence.COUNTER})
#: Of an unknown end: the agent goes on asking the PLC.
_SOUGHT: Final = frozenset({AckCode.PLC_SILENT.value})
#: Of a command that came in while its connection was already given up: no number of lapses fits.
_STALE: Final = -1
_DISK_RETRY_S: Final = 5.0
_ACCEPTED: Final = Outcome(state=State.ACCEPTED, code=AckCode.ACCEPTED)

log = structlog.get_logger(__name__)


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
        attention: Attention,
        outlet: Outlet,
        held: Callable[[str], Values],
        on_read: Callable[[str, Values], None],
        on_seen: Callable[[str, Values], None],
    ) -> None:
        self._devices = devices
        self._journal = journal
        self._beats = beats
        self._attention = attention
        self._held = held
        #: Takes over what was read before anything was written.
        self._on_seen = on_seen
        self._orders = Orders()
        self._dosage = Dosage(journal)
        self._ends = Ends(site, journal, outlet, self._dosage)
        self._acting = Acting(
            devices=devices,
            lanes=lanes,
            journal=journal,
            dosage=self._dosage,
            fence=lambda: self.epoch & _FENCE_BITS,
            on_read=on_read,
            conclude=self._resolve,
        )
        #: Commands on their way, by id.
        self._under_way: dict[str, Entry] = {}
        self._lapses = 0
        #: The connection in which it did: what still comes through it is refused.
        self._lapsed_epoch: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._holding = Holding()
        self._refused_unwritten: OrderedDict[str, Ack] = OrderedDict()
        self.epoch = 0
        #: Why no new command is taken, or None; set when the agent stops or learns of a twin.
        self.closed: str | None = None
        #: A twin lives: what waits in the lanes must not be written any more either (I12).
        self.fenced = False

    async def start(self, left: tuple[Entry, ...]) -> None:
        """Take over the journal's open commands: repeat ends, look for evidence about the rest."""
        self._dosage.recall(await self._journal.recent_attempts(int(time.time())))
        for entry in left:
            if entry.outcome is not None:
                self._ends.keep(entry.requester, entry.outcome)
            else:
                self._under_way[entry.id] = entry
        # What a person has to look at stays with that person.
        await self._acting.recover([each for each in left if each.outcome is None or each.outcome.code in _SOUGHT])

    def receive(self, topic: CommandTopic, payload: bytes, reply: ReplyTo) -> None:
        """Take one command off the wire.

        Raises:
            DecodeError: the bytes are no command; there is nobody to answer.
        """
        point("agent-received")
        now_s = clock.elapsed_s()
        judged = partial(
            judge,
            topic,
            payload,
            devices=self._devices,
            beats=self._beats,
            now_s=now_s,
            received_s=self._attention.received_s(now_s),
            fresh_id=command_id(time.time_ns() // 1_000_000, secrets.randbits(80)),
        )
        request = judged()
        # What comes in after a sleep and before the new connection is as old as the sleep.
        stale = self.epoch == self._lapsed_epoch or self._attention.asleep(now_s)
        lapses = _STALE if stale else self._lapses
        # A cancel does not wait: what it is about may be what keeps the device from being replaced.
        if not self._holding.holds(topic.device) or request.kind is Kind.CANCEL:
            self._begin_to_serve(request, reply, lapses)
        elif self._holding.full:
            full = replace(request, refusal=AckCode.OVERLOADED, detail="too many wait for the site's file already")
            self._begin_to_serve(full, reply, lapses)
        else:
            # Judged again by then: the device may have other settings and limits, or be gone.
            self._holding.park(lambda: self._begin_to_serve(judged(), reply, lapses))

    def _begin_to_serve(self, request: Request, reply: ReplyTo, lapses: int) -> None:
        device = request.topic.device
        self._holding.enter(device)
        task = self._keep_busy(self._serve(request, reply, lapses), f"{request.kind.name.lower()} {request.id}")
        task.add_done_callback(lambda _: self._holding.leave(device))

    @asynccontextmanager
    async def replacing(self, devices: Collection[str]) -> AsyncIterator[None]:
        """While the block runs, nothing is under way at these devices, and commands for them wait.

        At its end they are what the mapping of devices says, and what the journal holds open is looked for again.
        """
        try:
            await self._holding.hold(devices)
            await self._acting.let_go(devices)
            yield
            present = [each for each in devices if each in self._devices]
            self._acting.take_on(present)
            left = [each for each in await self._left() if each.intent.device in devices]
            await self._acting.recover([each for each in left if each.outcome is None or each.outcome.code in _SOUGHT])
            if self.epoch:
                self.greet(present)
        finally:
            self._holding.release()

    def begin_epoch(self, epoch: int) -> None:
        """A new connection, which is yet to ask for commands: from now on they are of this epoch."""
        self.epoch = epoch
        self._attention.subscribe(clock.elapsed_s())

    async def _left(self) -> tuple[Entry, ...]:
        while True:
            try:
                return await self._journal.left()
            except Unavailable as error:
                log.error("journal-unavailable", cause=str(error))
                await asyncio.sleep(_DISK_RETRY_S)

    def doubtful(self, device: str) -> bool:
        """Whether a write of ours may have changed its settings, and is not found out about yet."""
        return self._acting.doubtful(device)

    def lapse(self) -> None:
        """Note that this process has slept: what was accepted before may have been overtaken by another agent (I12)."""
        self._lapses += 1
        self._lapsed_epoch = self.epoch

    def greet(self, devices: Collection[str] | None = None) -> None:
        """Our epoch has begun: let the PLCs' mailboxes (those of these devices) know."""
        for each in self._acting.greet(devices):
            self._tasks.add(each)
            each.add_done_callback(self._tasks.discard)

    def repeat(self) -> None:
        """Say every end again that the centre has not confirmed."""
        self._ends.repeat()

    def remind(self, limit: int) -> None:
        """Say some of them again, in turn."""
        self._ends.remind(limit)

    def settle(self, ids: tuple[str, ...]) -> None:
        """The centre has these ends now."""
        self._ends.settle(ids)

    async def idle(self) -> None:
        """Wait until no command is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """End the searches for evidence."""
        await self._acting.stop()

    def _keep_busy(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # One message.

    async def _serve(self, request: Request, reply: ReplyTo, lapses: int) -> None:
        if request.refusal is not None or request.kind is Kind.COMMAND:
            await self._carry_out(request, reply, lapses)
        elif not (request.kind is Kind.CANCEL and await self._withdraw(request)):
            await self._inform(request, reply)

    async def _carry_out(self, request: Request, reply: ReplyTo, lapses: int) -> None:
        refusal = self._refusal(request)
        intent = self._ack(request, _ACCEPTED, result=self._held(request.topic.device))
        outcome = None if refusal is None else self._ack(request, refusal)
        device, name = request.device, request.topic.name
        place = None if refusal is not None or device is None else device.place(name, request.command.input)
        entry = Entry(requester=request.owner, intent=intent, outcome=outcome, place=place)
        known = await self._begin(request, reply, entry)
        if known is None:
            return
        if known is not entry:
            self._answer_repeat(request, reply, known)
        elif outcome is not None:
            self._ends.turn_away(request.owner, outcome, reply)
        else:
            point("agent-journaled")
            await self._execute(request, reply, entry, lapses)

    async def _inform(self, request: Request, reply: ReplyTo) -> None:
        """Answer a question, or a cancel of what does not wait here; a command nobody knows can never begin after."""
        try:
            never = await self._never(request)
        except Unavailable:
            return  # what is not known is not said; the question comes again
        outcome = self._ack(request, never)
        entry = Entry(requester=request.owner, intent=self._ack(request, _ACCEPTED), outcome=outcome)
        known = await self._begin(request, reply, entry)
        if known is entry:
            self._ends.turn_away(request.owner, outcome, reply)
        elif known is not None:
            self._answer_repeat(request, reply, known)

    async def _never(self, request: Request) -> Outcome:
        """What is to be said of a command that this agent has never seen; raises Unavailable."""
        after = request.command.after
        cancelled = request.kind is Kind.CANCEL
        if cancelled and after is None:
            return refused(AckCode.CANCELLED, "cancelled before it came")
        if await self._journal.covers(None if after is None else after.epoch, request.command.issued_at):
            if cancelled:
                return refused(AckCode.CANCELLED, "cancelled before it came")
            detail = "this site never saw the command, and will not carry it out any more"
            return Outcome(
                state=State.EXPIRED, code=AckCode.DEADLINE_PASSED, detail=detail, evidence=Evidence.NEVER_SEEN
            )
        detail = "the agent's journal does not reach back to this command"
        return Outcome(state=State.UNKNOWN, code=AckCode.JOURNAL_LOST, detail=detail)

    async def _begin(self, request: Request, reply: ReplyTo, entry: Entry) -> Entry | None:
        """Make it durable: ``entry`` itself, or what is known of the id already; None if it was refused unwritten."""
        said = self._refused_unwritten.get(request.id)
        if said is not None:
            return Entry(requester=request.owner, intent=entry.intent, outcome=said)
        try:
            return await self._journal.begin(entry, int(time.time())) or entry
        except Unavailable as error:
            # Only what nobody has begun can be refused. A repeat, a question and a cancel may be about another.
            open_here = request.id in self._under_way or self._ends.last(request.id) is not None
            if request.kind is Kind.COMMAND and not open_here:
                self._ends.say(request.owner, self._refuse_unwritten(request, str(error)), reply)
            return None

    def _refuse_unwritten(self, request: Request, detail: str) -> Ack:
        # The journal does not know this one, but a repeat of it must not be carried out once the journal is back.
        ack = self._ack(request, refused(AckCode.JOURNAL_UNAVAILABLE, detail))
        self._refused_unwritten[request.id] = ack
        if len(self._refused_unwritten) > REFUSED_UNWRITTEN_LIMIT:
            self._refused_unwritten.popitem(last=False)
        return ack

    def _refusal(self, request: Request) -> Outcome | None:
        overtaken = request.kind is Kind.COMMAND and self._orders.overtaken(
            request.owner, request.topic.device, request.command.order
        )
        if request.refusal is not None:
            return refused(request.refusal, request.detail)
        if overtaken:
            return refused(AckCode.OUT_OF_ORDER, "a later command of yours for this device came first; ask again")
        if self.fenced:
            return refused(AckCode.FENCED, self.closed or "fenced")
        if self.closed is not None:
            return refused(AckCode.OVERLOADED, self.closed)
        if self._ends.full:
            return refused(AckCode.OVERLOADED, f"{UNSETTLED_LIMIT} results wait for the centre already")
        return None

    async def _withdraw(self, request: Request) -> bool:
        """Keep a command that waits from beginning, and say so to whoever sent it; False if none waits."""
        entry = self._under_way.get(request.id)
        if entry is None or entry.requester != request.owner or not self._acting.withdraw(request.id):
            return False
        outcome = end_of(
            entry.intent, refused(AckCode.CANCELLED, f"cancelled by {request.topic.requester}"), self.epoch
        )
        await self._ends.conclude(entry, outcome)
        self._ends.say(entry.requester, outcome)
        return True

    async def _execute(self, request: Request, reply: ReplyTo, entry: Entry, lapses: int) -> None:
        assert request.device is not None  # noqa: S101 # judge() refuses a command for an unknown device
        device = request.device
        progress = Progress(
            request,
            reply,
            entry,
            ends=self._ends,
            note=self._journal.note,
            epoch=lambda: self.epoch,
            held=lambda: self._held(device.id),
            on_read=lambda values: self._on_seen(device.id, values),
            veto=lambda: self._veto(lapses),
        )
        self._under_way[entry.id] = entry
        try:
            await self._acting.act(progress.task(device), progress)
        finally:
            self._under_way.pop(entry.id, None)

    def _veto(self, lapses: int) -> Outcome | None:
        if self.fenced:
            return refused(AckCode.FENCED, self.closed or "fenced")
        if lapses != self._lapses or self._attention.asleep(clock.elapsed_s()):
            return refused(AckCode.STALE_EPOCH, "the agent slept while the command waited; ask again")
        return None

    # Ends.

    async def _resolve(self, entry: Entry, found: Outcome) -> None:
        said = self._ends.last(entry.id)
        trail = Trail(entry.intent.trail if said is None else said.trail)
        if found.evidence in _LOOKED:
            trail.mark(Deed.VERIFIED)
        outcome = end_of(entry.intent, found, self.epoch, trail)
        await self._ends.conclude(entry, outcome)
        self._under_way.pop(entry.id, None)
        log.info("resolved", command=entry.id, state=found.state.value, code=found.code.value)
        self._ends.say(entry.requester, outcome)

    def _answer_repeat(self, request: Request, reply: ReplyTo, known: Entry) -> None:
        if known.requester != request.owner:
            conflict = refused(AckCode.ID_CONFLICT, "another requester already used this id; nothing was done")
            self._ends.say(request.owner, self._ack(request, conflict), reply)
        elif known.outcome is not None:
            self._ends.say(request.owner, known.outcome.model_copy(update={"duplicate": True}), reply)
        # Otherwise the first one is still under way and its end will be acked on the same topic.

    def _ack(self, request: Request, found: Outcome, *, result: Values | None = None) -> Ack:
        return ack_of(request, found, self.epoch, result=result)
