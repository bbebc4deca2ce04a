"""One accepted command on its way: what was read, what was done, who is told, and why it may still not begin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from gateway.crash import point
from gateway.protocol.codes import AckCode
from gateway.protocol.messages import Ack, Deed, Mark
from site_agent import clock
from site_agent.acks import ack_of
from site_agent.device import Device
from site_agent.ends import Ends, ReplyTo
from site_agent.intake import Request
from site_agent.journal import Entry
from site_agent.outcome import Outcome, Task, Trail, Values, refused
from site_agent.turns import Ticket

#: A command that takes longer than this gets an ``accepted`` ack on the way.
ACCEPTED_AFTER_S: Final = 0.2


class Progress:
    """Made for one command; ``veto`` is the executor's own objection, ``held`` what the poller last read."""

    def __init__(
        self,
        request: Request,
        reply: ReplyTo,
        entry: Entry,
        *,
        ends: Ends,
        note: Callable[[Ack], Awaitable[None]],
        epoch: Callable[[], int],
        held: Callable[[], Values],
        on_read: Callable[[Values], None],
        veto: Callable[[], Outcome | None],
    ) -> None:
        self.entry = entry
        self.ticket: Ticket | None = None
        self._request = request
        self._reply = reply
        self._ends = ends
        self._note = note
        self._epoch = epoch
        self._held = held
        self._on_read = on_read
        self._veto = veto
        self._trail = Trail()
        self._read: Values = {}
        self._before: Values | None = None
        self._timer: asyncio.TimerHandle | None = None

    def task(self, device: Device) -> Task:
        """What the procedures that act on a PLC need to know."""
        request = self._request
        return Task(
            id=request.id,
            device=device,
            name=request.topic.name,
            input=request.command.input,
            expect_revision=request.command.expect.revision if request.command.expect else None,
            former=self._former,
            keep_former=self._keep_former,
            on_read=self._take_over,
            remaining_s=lambda: request.deadline_s - clock.elapsed_s(),
            veto=self._objection,
            on_accepted=self._accepted,
            trail=self._trail,
        )

    async def finish(self, found: Outcome) -> None:
        """It has ended: on disk first, then to whoever asked."""
        if self._timer is not None:
            self._timer.cancel()
        outcome = ack_of(self._request, found, self._epoch(), trail=self._trail)
        await self._ends.conclude(self.entry, outcome)
        self._ends.say(self._request.owner, outcome, self._reply)
        point("agent-acked")

    def _former(self) -> Values:
        # What was held when the command arrived may have been overwritten by those before it in the lane.
        return {**self._held(), **self._read} if self._before is None else self._before

    async def _keep_former(self) -> None:
        """After a death the journal must know what the PLC held; mostly it does since the command came."""
        asked, known = self._request.command.input, self.entry.intent.result
        if all(known.get(name) is not None for name in asked):
            return
        former = self._former()
        held = {**known, **{name: former.get(name) for name in asked}}
        begun = Mark(deed=Deed.ACCEPTED, at=clock.wall())
        intent = self.entry.intent.model_copy(update={"result": held, "trail": (begun,)})
        await self._note(intent)
        self.entry = replace(self.entry, intent=intent)

    def _take_over(self, values: Values) -> None:
        self._read = values
        self._on_read(values)

    def _accepted(self) -> None:
        self._before = self._former()
        self._trail.mark(Deed.ACCEPTED)
        if self.ticket is not None:
            self.ticket.begun = True
        ack = self.entry.intent.model_copy(update={"result": {}, "trail": self._trail.marks})
        later = asyncio.get_running_loop().call_later
        self._timer = later(ACCEPTED_AFTER_S, self._ends.say, self._request.owner, ack, self._reply)

    def _objection(self) -> Outcome | None:
        if self.ticket is not None and self.ticket.withdrawn:
            return refused(AckCode.CANCELLED, "cancelled before anything was sent")
        return self._veto()
