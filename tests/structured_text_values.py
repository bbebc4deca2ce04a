"""What Structured Text is about while it runs: kinds, numbers, timers, variables; used by tests/structured_text.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

MOST: Final = {"BOOL": 1, "WORD": 0xFFFF, "UINT": 0xFFFF, "INT": 0x7FFF, "UDINT": 0xFFFF_FFFF, "TIME": 0xFFFF_FFFF}
_NUMBERS: Final = frozenset({"UINT", "INT", "UDINT", ""})
_DO: Final[dict[str, Callable[[int, int], int]]] = {
    "OR": lambda a, b: a | b,
    "XOR": lambda a, b: a ^ b,
    "AND": lambda a, b: a & b,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a // b,
    "MOD": lambda a, b: a % b,
}


@dataclass(frozen=True, slots=True)
class Value:
    """A number and its kind; a literal has none yet."""

    kind: str
    bare: int


@dataclass(slots=True)
class Timer:
    """A TON: ``q`` once its input has been TRUE for its time."""

    since_ms: int | None = None
    q: bool = False

    def call(self, on: bool, patience_ms: int, now_ms: int) -> None:
        """Once in a cycle."""
        self.since_ms = (now_ms if self.since_ms is None else self.since_ms) if on else None
        self.q = self.since_ms is not None and now_ms - self.since_ms >= patience_ms


@dataclass
class Scope:
    """The variables of one call, the functions that it may call, and the time."""

    cells: dict[str, Value | list[Value] | Timer]
    units: dict[str, Unit]
    now_ms: int

    def value(self, name: str) -> Value:
        """A variable."""
        found = self.cells[name]
        assert isinstance(found, Value), f"{name} is no single value"
        return found

    def many(self, name: str) -> list[Value]:
        """An array."""
        found = self.cells[name]
        assert isinstance(found, list), f"{name} is no array"
        return found

    def timer(self, name: str) -> Timer:
        """A timer."""
        found = self.cells[name]
        assert isinstance(found, Timer), f"{name} is no timer"
        return found


Expression: TypeAlias = Callable[[Scope], "Value | list[Value]"]
Statement: TypeAlias = Callable[[Scope], None]


@dataclass
class Variable:
    """A declaration; ``section`` is its VAR word, or RETAIN."""

    section: str
    kind: str
    size: int
    first: Value

    def fresh(self) -> Value | list[Value] | Timer:
        """What it holds at power-up."""
        if self.kind == "TON":
            return Timer()
        return [self.first] * self.size if self.size else self.first


@dataclass
class Unit:
    """A FUNCTION or a FUNCTION_BLOCK."""

    name: str
    gives: str
    variables: dict[str, Variable] = field(default_factory=dict)
    body: list[Statement] = field(default_factory=list)


def fit(kind: str, value: Value) -> Value:
    assert value.kind in ("", kind), f"{value.kind} where {kind} is needed"
    assert 0 <= value.bare <= MOST[kind], f"{value.bare} does not fit {kind}"
    return Value(kind, value.bare)


def single(value: Value | list[Value]) -> Value:
    assert isinstance(value, Value), "an array where a single value is needed"
    return value


def true(value: Value | list[Value]) -> bool:
    return fit("BOOL", single(value)).bare == 1


def combine(operator: str, left: Value, right: Value) -> Value:
    kind = left.kind or right.kind
    assert right.kind in ("", kind), f"{left.kind} {operator} {right.kind}"
    bare = int(_DO[operator](left.bare, right.bare))
    if operator in ("=", "<>"):
        return Value("BOOL", bare)
    assert (kind in ("BOOL", "WORD")) if operator in ("AND", "OR", "XOR") else kind in _NUMBERS, f"{kind} {operator}"
    if operator in ("<", ">", "<=", ">="):
        return Value("BOOL", bare)
    return Value(kind, bare & MOST[kind]) if kind == "UDINT" else fit(kind, Value(kind, bare))


def as_declared(variable: Variable, given: Value | list[Value]) -> Value | list[Value]:
    if isinstance(given, Value):
        assert not variable.size, "a single value where an array is needed"
        return fit(variable.kind, given)
    assert len(given) == variable.size, f"an array of {len(given)} where {variable.size} are needed"
    return [fit(variable.kind, each) for each in given]
