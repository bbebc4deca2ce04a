"""The one error tree; a class says who erred, its attributes hold the data.

::

    TidegateError
    ├── InvalidInput     the caller (HTTP, command line, configuration) sent something wrong; lists every fault
    │   └── SettingsError    the operator's settings
    ├── DecodeError      a peer sent a topic or bytes that are not a message of this protocol
    ├── IllegalStep      our own code asked for a step that the lifecycle table forbids
    └── Unavailable      a part we need does not answer (broker, Redis, database)

``code`` is stable and machine-readable; nobody matches on the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


def json_pointer(*levels: str | int) -> str:
    """The levels as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(level).replace("~", "~0").replace("/", "~1") for level in levels)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (a JSON pointer, RFC 6901), which rule, and what to do."""

    pointer: str
    code: str
    detail: str

    def __str__(self) -> str:
        return f"{self.pointer}: {self.detail} [{self.code}]" if self.pointer else f"{self.detail} [{self.code}]"


class TidegateError(Exception):
    """Root of all errors that Tidegate raises on purpose."""

    code: ClassVar[str] = "error"


class InvalidInput(TidegateError):
    """The caller's input breaks the rules; ``faults`` lists all of them at once."""

    code = "invalid-input"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "; ".join(map(str, self.faults))


class SettingsError(InvalidInput):
    """A settings file, environment variable or option is wrong; ``source`` names where it was read."""

    code = "invalid-settings"

    def __init__(self, source: str, faults: Iterable[Fault]) -> None:
        self.source = source
        super().__init__(faults)

    def __str__(self) -> str:
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        return f"{self.source} is not usable:\n{lines}"


class DecodeError(TidegateError):
    """A peer's topic or payload is not a message of this protocol; nothing was guessed."""

    code = "decode-error"

    def __init__(self, topic: str, payload: bytes, faults: Iterable[Fault]) -> None:
        self.topic = topic
        self.payload = payload
        self.faults = tuple(faults)
        super().__init__(topic, payload, self.faults)

    def __str__(self) -> str:
        faults = "; ".join(map(str, self.faults))
        return f"{self.topic[:256]!r} carries no message ({faults}); payload begins {self.payload[:80]!r}"


class IllegalStep(TidegateError):
    """A command was asked to move in a way that the lifecycle table forbids (I6)."""

    code = "illegal-step"

    def __init__(self, before: str, after: str) -> None:
        self.before = before
        self.after = after
        super().__init__(before, after)

    def __str__(self) -> str:
        return f"a command cannot go from {self.before} to {self.after}"


class Unavailable(TidegateError):
    """A part that Tidegate needs does not answer; ``part`` names it."""

    code = "unavailable"

    def __init__(self, part: str, detail: str) -> None:
        self.part = part
        self.detail = detail
        super().__init__(part, detail)

    def __str__(self) -> str:
        return f"{self.part} is unavailable: {self.detail}"
