"""How accepted commands reach their PLCs: in turn, each by the procedure that its device needs, to a proven end.

Settings are written and read back, actions go through the PLC's mailbox, or once where there is none. What stays
unknown is looked for until there is evidence.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import structlog

from gateway.protocol.codes import AckCode, Evidence
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack
from gateway.protocol.topics import WRITE
from site_agent import clock
from site_agent.checks import too_late
from site_agent.delivery import LOOK_EVERY_S, Busy, Delivery, Open
from site_agent.device import Device
from site_agent.dosage import Dosage
from site_agent.drivers.port import PlcError
from site_agent.journal import Attempt, Entry, Journal
from site_agent.lane import Lane, LaneFull
from site_agent.once import follow, send_once, unconfirmed
from site_agent.outcome import Outcome, Task, Values, refused, unanswered
from site_agent.progress import Progress
from site_agent.search import Search
from site_agent.settling import OpenWrite, OpenWrites
from site_agent.turns import Ticket, TooManyWait, Turns
from site_agent.writing import perform

#: Says how a command ended of which only the journal's entry is at hand: on disk first, then to whoever asked.
Conclude = Callable[[Entry, Outcome], Awaitable[None]]

log = structlog.get_logger(__name__)


class Acting:
    """The ways to the PLCs of one site."""

    def __init__(
        self,
        *,
        devices: Mapping[str, Device],
        lanes: Mapping[str, Lane],
        journal: Journal,
        dosage: Dosage,
        fence: Callable[[], int],
        on_read: Callable[[str, Values], None],
        conclude: Conclude,
    ) -> None:
        self._devices = devices
        self._lanes = lanes
        self._dosage = dosage
        self._on_read = on_read
        self._conclude = conclude
        self._journal = journal
        self._turns = Turns()
        self._fence = fence
        self._open_writes: dict[str, OpenWrites] = {}
        #: Devices whose last write is not among the open ones yet.
        self._doubted: set[str] = set()
        #: Commands that are open in some mailbox.
        self._left: dict[str, Entry] = {}
        self._search = Search()
        #: Actions under way without a mailbox, by device.
        self._at_work: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._deliveries: dict[str, Delivery] = {}
        self.take_on(devices)

    def doubtful(self, device: str) -> bool:
        """Whether a write to it is open."""
        opened = self._open_writes.get(device)
        return device in self._doubted or opened is None or bool(opened)

    def withdraw(self, id: str) -> bool:
        """Keep a command that waits from beginning; its :meth:`act` then ends without a word."""
        return self._turns.withdraw(id)

    async def act(self, task: Task, progress: Progress) -> None:
        """Carry a command out when it is its turn; ``progress`` hears of its end, unless it was withdrawn."""
        try:
            async with self._turns.place(task.id, task.device.id) as ticket:
                progress.ticket = ticket
                if task.name == WRITE:
                    await self._write(task, ticket, progress)
                elif task.device.id in self._deliveries and task.device.actions[task.name].op is not None:
                    await self._deliver(task, ticket, progress)
                else:
                    await self._send_once(task, ticket, progress)
        except (LaneFull, TooManyWait) as error:
            if progress.ticket is None or not progress.ticket.withdrawn:
                await progress.finish(refused(AckCode.OVERLOADED, str(error)))
        except Exception:
            # No command ends in silence: what is in the journal and in the PLC decides, as after a restart.
            log.exception("command-broke", command=task.id)
            await self.recover([await self._journal.find(task.id) or progress.entry])

    def greet(self, devices: Iterable[str] | None = None) -> list[asyncio.Task[None]]:
        """Let every mailbox (of these devices) know our epoch, so that no agent of the past can use it any more."""
        wanted = self._deliveries if devices is None else [each for each in devices if each in self._deliveries]
        return [asyncio.create_task(self._greet(each)) for each in wanted]

    def take_on(self, devices: Iterable[str]) -> None:
        """These devices are new, or are not what they were; nothing of theirs is under way."""
        for each in devices:
            device = self._devices[each]
            self._open_writes[each] = OpenWrites(device, on_read=self._on_read, conclude=self._conclude)
            if device.mailbox is not None:
                self._deliveries[each] = Delivery(
                    device, fence=self._fence, dosage=self._dosage, on_resolved=self._resolved
                )

    async def let_go(self, devices: Collection[str]) -> None:
        """Forget these devices, and end what searches there; the journal remembers what was looked for."""
        left = [id for id, entry in self._left.items() if entry.intent.device in devices]
        await self._search.drop([*devices, *left])
        for id in left:
            self._left.pop(id, None)
        for each in devices:
            self._open_writes.pop(each, None)
            self._deliveries.pop(each, None)
            self._at_work.pop(each, None)

    async def stop(self) -> None:
        """End the searches; the journal remembers what they were looking for."""
        await self._search.stop()

    # Settings.

    async def _write(self, task: Task, ticket: Ticket, progress: Progress) -> None:
        device, lane = task.device, self._lanes[task.device.plc]
        opened = self._open_writes[device.id]

        async def job(lane: Lane) -> Outcome:
            if opened and not await opened.settle(lane):
                return refused(AckCode.PLC_LOST, "the PLC does not answer for an earlier command yet; nothing was sent")
            found = await perform(lane, task)
            if found.code is AckCode.PLC_SILENT:
                self._doubted.add(device.id)  # before the next poll can see what we may have written
            self._on_read(device.id, found.result)
            return found

        # Held until the end is on disk: after a death at most one write of a device is in question.
        async with self._turns.turn(ticket):
            try:
                found = await lane.write_job(job)
                if ticket.withdrawn:
                    return
                await progress.finish(found)
                if found.code is AckCode.PLC_SILENT:
                    self._seek_write(progress.entry, [task.former()])
            finally:
                self._doubted.discard(device.id)

    def _seek_write(self, entry: Entry, formers: Sequence[Values]) -> None:
        device = self._devices[entry.intent.device]
        lane, opened = self._lanes[device.plc], self._open_writes[device.id]
        settled_at_s = clock.elapsed_s() + lane.settle_s
        opened.add(OpenWrite(entry=entry, formers=formers, settled_at_s=settled_at_s))
        self._search.seek(device.id, lambda: lane.write_job(opened.settle))

    # The mailbox.

    async def _deliver(self, task: Task, ticket: Ticket, progress: Progress) -> None:
        delivery, lane = self._deliveries[task.device.id], self._lanes[task.device.plc]
        async with self._turns.turn(ticket):
            await delivery.turn.acquire()
            try:
                self._left[task.id] = progress.entry
                found = await self._begin_delivery(delivery, lane, task)
            except BaseException:
                self._left.pop(task.id, None)
                delivery.turn.release()
                raise
        try:
            if found is None:
                found = await self._follow(delivery, lane, task)
            if found.code is not AckCode.PLC_SILENT:
                self._left.pop(task.id, None)
            if not ticket.withdrawn:
                await progress.finish(found)
        finally:
            delivery.turn.release()
        if delivery.is_open(task.id):
            self._seek_delivery(delivery, lane, progress.entry)

    async def _begin_delivery(self, delivery: Delivery, lane: Lane, task: Task) -> Outcome | None:
        while True:
            try:
                return await lane.write_job(partial(delivery.deliver, task=task))
            except Busy:
                refusal = too_late(task)
                if refusal is not None:
                    return refusal
                await asyncio.sleep(LOOK_EVERY_S)

    async def _follow(self, delivery: Delivery, lane: Lane, task: Task) -> Outcome:
        longest_s = task.device.actions[task.name].longest_s
        until_s = clock.elapsed_s() + longest_s
        while True:
            found = None
            with suppress(LaneFull):  # it has begun, so that is no reason to refuse it
                found = await lane.write_job(partial(delivery.look, id=task.id))
            if found is not None and (found.code is not AckCode.PLC_SILENT or task.remaining_s() <= 0):
                return found
            if clock.elapsed_s() > until_s:
                detail = f"the PLC is still at work after {longest_s:g} s"
                return found or Outcome(state=State.UNKNOWN, code=AckCode.PLC_SILENT, detail=detail)
            await asyncio.sleep(LOOK_EVERY_S)

    def _seek_delivery(self, delivery: Delivery, lane: Lane, entry: Entry) -> None:
        async def look() -> bool:
            async with delivery.turn:
                if not delivery.is_open(entry.id):
                    return True  # a later command has found it out on its own way into the mailbox
                found = await lane.write_job(partial(delivery.look, id=entry.id))
                if found is None or found.code is AckCode.PLC_SILENT:
                    return False
                await self._resolved(entry.id, found)
                return True

        self._left[entry.id] = entry
        self._search.seek(entry.id, look)

    async def _resolved(self, id: str, found: Outcome) -> None:
        entry = self._left.pop(id, None)
        if entry is not None:
            await self._conclude(entry, found)

    async def _greet(self, device: str) -> None:
        delivery, lane = self._deliveries[device], self._lanes[self._devices[device].plc]
        with suppress(PlcError, Busy, LaneFull):  # then it is done before the next command
            async with delivery.turn:
                await lane.write_job(delivery.greet)

    # Without a mailbox.

    async def _send_once(self, task: Task, ticket: Ticket, progress: Progress) -> None:
        lane = self._lanes[task.device.plc]
        async with self._turns.turn(ticket):
            # One at a time, for they share the counter that proves them.
            counting = self._counting(task.device.id)
            await counting.acquire()
            try:
                attempt, found = await lane.write_job(lambda lane: send_once(lane, task, self._dosage))
            except BaseException:
                counting.release()
                raise
        try:
            if found is None and attempt is not None:
                found = await follow(lane, task, attempt)
            if found is not None and not ticket.withdrawn:
                await progress.finish(found)
        finally:
            counting.release()

    def _counting(self, device: str) -> asyncio.Lock:
        delivery = self._deliveries.get(device)
        return self._at_work[device] if delivery is None else delivery.turn

    # After a restart.

    async def recover(self, left: Sequence[Entry]) -> None:
        """Take over commands that a former run left without an end: find out what became of each."""
        for entry in left:
            if entry.outcome is not None and entry.outcome.code != AckCode.PLC_SILENT:
                continue
            device = self._devices.get(entry.intent.device)
            if _is_over(entry):
                await self._conclude(entry, _without_looking(entry))
            elif device is None or not _still_configured(device, entry):
                log.error("no-evidence-possible", command=entry.id, cause="it is not configured as it was")
                # Not the last word: it is looked for again when the file is as it was then.
                await self._conclude(
                    entry, unanswered("the site's file does not say any more where the PLC shows what became of it")
                )
            elif entry.intent.name == WRITE:
                await self._recover_write(entry, left)
            else:
                self._recover_delivery(device, entry, entry.attempt)

    async def _recover_write(self, entry: Entry, left: Sequence[Entry]) -> None:
        # One of those that a device had open may have begun. If the PLC holds what another one asked for, or what was
        # read after an earlier one, then this one has not.
        device = entry.intent.device
        results = [each.result for each in await self._journal.results(device)]
        others = [each.intent.input for each in left if _is_other_write(each, entry)]
        self._seek_write(entry, [entry.intent.result, *results, *others])

    def _recover_delivery(self, device: Device, entry: Entry, attempt: Attempt | None) -> None:
        assert attempt is not None  # noqa: S101 # recover() has looked
        delivery = self._deliveries[device.id]
        delivery.reopen(Open.from_attempt(entry.id, entry.intent.name, attempt))
        self._seek_delivery(delivery, self._lanes[device.plc], entry)


def _is_over(entry: Entry) -> bool:
    """Whether the PLC cannot tell more than the journal about what a former run left."""
    if entry.intent.name == WRITE:
        return not _begun(entry.intent)
    return entry.attempt is None or entry.attempt.cmd_seq is None


def _begun(intent: Ack) -> bool:
    """Whether a write of settings may have begun: what the PLC held is noted first, or that it held nothing."""
    return bool(intent.trail) or all(intent.result.get(name) is not None for name in intent.input)


def _without_looking(entry: Entry) -> Outcome:
    """The end of what a former run left, where no PLC knows more than the journal."""
    if entry.attempt is not None:
        return unconfirmed("the agent died while it was sent; nothing confirms it", {})
    detail = "the agent died before anything was sent"
    return Outcome(state=State.FAILED, code=AckCode.NOT_WRITTEN, detail=detail, evidence=Evidence.NOT_BEGUN)


def _is_other_write(entry: Entry, than: Entry) -> bool:
    return entry.intent.name == WRITE and entry.intent.device == than.intent.device and entry.id != than.id


def _still_configured(device: Device, entry: Entry) -> bool:
    """Whether the PLC would show it where it was to be done; another place may show what another command did."""
    if entry.intent.name == WRITE:
        known = set(entry.intent.input) <= device.settings
    else:
        mailbox = entry.attempt is not None and entry.attempt.cmd_seq is not None
        known = entry.intent.name in device.actions and (device.mailbox is not None or not mailbox)
    return known and entry.place in {None, device.place(entry.intent.name, entry.intent.input)}
