"""What happened in a run, as everybody saw it: the material of the checker.

All times are seconds on one monotonic clock of the test host. Every command of a run asks for a value that no other
command for the same thing of the same device asks for at the time, so that an effect at the PLC names its command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.protocol.lifecycle import State

#: What a command is about: site, device, and the setting's or the action's name.
Thing = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of a web client and its answer; ``status`` is None if the connection broke.

    ``command`` is the id that the answer named. Calls with one ``key`` ask for one command.
    """

    at: float
    answered_at: float
    thing: Thing
    value: int
    key: str | None = None
    status: int | None = None
    code: str | None = None
    state: str | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A command as the broker delivered it to the tap; ``beat`` is the epoch and seq that it relies on."""

    at: float
    id: str
    thing: Thing
    value: int
    requester: str
    retained: bool = False
    #: With 0 it is a question, which starts nothing.
    ttl_s: float = 0.0
    beat: tuple[int, int] | None = None
    age_s: float = 0.0
    #: Boot and number, by which the requester orders its commands.
    order: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acked:
    """An ack as the broker delivered it to the tap."""

    at: float
    site: str
    id: str
    state: State
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A heartbeat as the broker delivered it to the tap."""

    at: float
    site: str
    epoch: int
    seq: int
    retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSeen:
    """The epoch of a site's key in Redis."""

    at: float
    site: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A command in the ledger at the end; ``steps`` are its time line, in the ledger's order."""

    id: str
    thing: Thing
    value: int
    state: State
    code: str | None = None
    requester: str = "@facade"
    actor: str | None = None
    key: str | None = None
    issued_at: float | None = None
    ttl_s: float | None = None
    counted: int | None = None
    steps: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a PLC really did, by its own log: a write of ``value``, or a dose that asked for it.

    ``counted`` is what its sensor counted of a dose, None for writes and for doses that still run.
    """

    at: float
    thing: Thing
    value: int
    counted: int | None = None
    fence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A value of a setting as the agent reported it."""

    at: float
    thing: Thing
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Energised:
    """How long a PLC has not heard from its agent, while an actuator runs by the agent's order."""

    at: float
    thing: Thing
    silent_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """History that an agent has deleted: its batch, and how often the centre has each of its rows."""

    at: float
    site: str
    batch: str
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the run's configuration promises."""

    #: A beat opens the gate for so long; plus what the way of a beat or of a command may take.
    alive_expiry_s: float = 25.0
    #: The longest that something sent in time may be under way to a PLC, or frozen on its way.
    in_flight_s: float = 5.0
    #: The longest that a request may take, its own wait included.
    answer_s: float = 60.0
    watchdog_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One run, when everything is mended and quiet; each list in the order of its times.

    ``gaps`` are the times in which the tap may have missed something. ``first`` are the values that things had before.
    """

    calls: tuple[Call, ...] = ()
    published: tuple[Published, ...] = ()
    acks: tuple[Acked, ...] = ()
    beats: tuple[Beat, ...] = ()
    gate: tuple[GateSeen, ...] = ()
    rows: tuple[Row, ...] = ()
    effects: tuple[Effect, ...] = ()
    shown: tuple[Shown, ...] = ()
    energised: tuple[Energised, ...] = ()
    delivered: tuple[Delivered, ...] = ()
    gaps: tuple[tuple[float, float], ...] = ()
    first: Mapping[Thing, int] = field(default_factory=dict)
    bounds: Bounds = field(default_factory=Bounds)
    #: Whether every unknown must have found its end.
    unknown_allowed: bool = True

    def gap_in(self, start: float, end: float) -> bool:
        """Whether the tap may have missed something between these times."""
        return any(begun <= end and ended >= start for begun, ended in self.gaps)
