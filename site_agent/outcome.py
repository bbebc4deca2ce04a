"""How a command ended, and what was done on the way: the words of all procedures that act on a PLC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from gateway.protocol.codes import AckCode, Evidence
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Deed, Mark, Value
from site_agent import clock
from site_agent.device import Device

Values = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended, or that nobody knows yet; ``evidence`` is by what that is known."""

    state: State
    code: AckCode
    detail: str = ""
    result: Values = field(default_factory=dict)
    evidence: Evidence | None = None


def refused(code: AckCode, detail: str, result: Values | None = None) -> Outcome:
    """Nothing was or will be written."""
    state = State.EXPIRED if code is AckCode.DEADLINE_PASSED else State.REJECTED
    return Outcome(state=state, code=code, detail=detail, result=result or {}, evidence=Evidence.REFUSAL)


def unanswered(detail: str) -> Outcome:
    """The PLC does not say; somebody has to go on asking it."""
    return Outcome(state=State.UNKNOWN, code=AckCode.PLC_SILENT, detail=detail)


class Trail:
    """What was done for one command, and when; it travels in the ack."""

    def __init__(self, marks: tuple[Mark, ...] = ()) -> None:
        self._marks: dict[Deed, Mark] = {each.deed: each for each in marks}

    @property
    def marks(self) -> tuple[Mark, ...]:
        """In the order in which it was done."""
        return tuple(self._marks.values())

    def mark(self, deed: Deed) -> None:
        """It was done now; of a repeated deed the first time counts."""
        self._marks.setdefault(deed, Mark(deed=deed, at=clock.wall()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One command on its way into a PLC."""

    id: str
    device: Device
    name: str
    input: Mapping[str, Value]
    expect_revision: str | None
    #: What the PLC was last read to hold; empty where that is too long ago to be evidence.
    former: Callable[[], Values]
    #: Makes that durable, directly before a write of settings; raises Unavailable.
    keep_former: Callable[[], Awaitable[None]]
    #: Takes over values that were just read.
    on_read: Callable[[Values], None]
    #: Seconds left until the deadline, asked anew at each call.
    remaining_s: Callable[[], float]
    #: Why it must not begin any more (cancelled, fenced, the agent slept), asked at the last moment.
    veto: Callable[[], Outcome | None]
    #: Called when every refusal is behind and the write begins.
    on_accepted: Callable[[], None]
    trail: Trail
