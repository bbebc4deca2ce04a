"""What the agent asks of a PLC, and what a PLC's misbehaviour is called.

The errors say what is known about the effect of the request, since that decides what may be told to the
person who asked::

    PlcError
    ├── PlcUnreachable   no connection, nothing was sent: no effect
    │   └── PlcMistaken  what answers is another PLC, by its marker
    ├── PlcRefused       the PLC answered with an exception that rules out an effect
    ├── PlcSilent        sent, but no whole answer came in time, or the link broke: effect unknown
    │   └── PlcUnsure    the PLC answered a write with an exception that does not rule out an effect
    └── PlcConfused      the answer is no reply to the request: effect unknown
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, Protocol

from gateway.protocol.errors import TidegateError
from site_agent.registers import Space

#: Names of exception codes (Modbus Application Protocol 1.1b3, section 7).
EXCEPTION_NAMES: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge, still working on it",
    6: "server device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}
#: The PLC has no time now; it did not act, and may be asked again.
BUSY: Final = 6
#: With these the request was turned away before it was carried out. The others (4: failed while acting,
#: 5: accepted and still acting, 11: passed on by a gateway but not answered) leave the effect of a write open.
RULES_OUT_EFFECT: Final = frozenset({1, 2, 3, 6, 10})


class PlcError(TidegateError):
    """A request to a PLC did not succeed; ``plc`` is the name its lane gives it."""

    code: ClassVar[str] = "plc-error"

    def __init__(self, detail: str) -> None:
        self.detail = detail
        self.plc = ""
        super().__init__(detail)

    def __str__(self) -> str:
        return f"{self.plc}: {self.detail}" if self.plc else self.detail


class PlcUnreachable(PlcError):
    """There is no connection; nothing was sent."""

    code = "plc-lost"


class PlcMistaken(PlcUnreachable):
    """Something answers, but it is not the PLC of the site's file; nothing was asked of it but who it is."""

    code = "plc-mistaken"


class PlcRefused(PlcError):
    """The PLC answered with an exception and did not act."""

    code = "plc-refused"

    def __init__(self, exception_code: int) -> None:
        self.exception_code = exception_code
        super().__init__(f"refused with {_exception(exception_code)}")


class PlcDeclined(PlcRefused):
    """As :class:`PlcRefused`, in the words of another protocol; ``reason`` is what was given."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.exception_code = 0
        PlcError.__init__(self, f"refused: {reason}")


class PlcSilent(PlcError):
    """Sent, but no whole answer came in time, or the link broke; the effect of a write is unknown."""

    code = "plc-silent"


class PlcUnsure(PlcSilent):
    """The PLC answered a write with an exception that does not rule out an effect."""

    def __init__(self, exception_code: int) -> None:
        self.exception_code = exception_code
        super().__init__(f"answered with {_exception(exception_code)}, which does not rule out an effect")


class PlcUndecided(PlcUnsure):
    """As :class:`PlcUnsure`, in the words of another protocol."""

    def __init__(self, reason: str) -> None:
        self.exception_code = 0
        PlcError.__init__(self, f"answered {reason}, which does not rule out an effect")


class PlcConfused(PlcError):
    """The answer is no reply to the request; the effect of a write is unknown."""

    code = "plc-confused"


class Driver(Protocol):
    """One PLC's cells, zero-based. The caller sends one request at a time.

    After :class:`PlcSilent` or :class:`PlcConfused` the connection is closed, since its next bytes cannot be
    trusted; open it again and read the truth before anything is said about the write.
    """

    @property
    def connected(self) -> bool:
        """Whether a request could be sent now."""

    @property
    def watching(self) -> bool:
        """Whether the PLC tells of changes by itself, so that it need not be polled."""

    async def open(self) -> None:
        """Connect; does nothing when connected.

        Raises:
            PlcUnreachable: no connection within the time-out.
        """

    async def close(self) -> None:
        """Disconnect, after a write on its way has ended; never raises and may be repeated."""

    async def read(self, address: int, count: int, space: Space = Space.HOLDING) -> tuple[int | None, ...]:
        """Read ``count`` cells from ``address`` on; every one comes from a reply to this very request (I17).

        None stands for a cell whose value the PLC itself calls missing.

        Raises:
            PlcUnreachable, PlcRefused, PlcSilent, PlcConfused: see the classes.
            ValueError: no PLC could be asked this.
        """

    async def write(
        self, address: int, words: Sequence[int], space: Space = Space.HOLDING, function: int | None = None
    ) -> None:
        """Write the words once, in one request, and check the PLC's confirmation (which proves no effect: read back).

        ``function`` is Modbus' number of the request (5, 6, 15, 16); by default the one for as many cells as there are.

        Cancelling the caller does not cancel a write on its way: it ends by itself within the time-out.

        Raises:
            PlcUnreachable, PlcRefused, PlcSilent, PlcUnsure, PlcConfused: see the classes.
            ValueError: no PLC could be asked this; nothing was sent.
        """


def _exception(code: int) -> str:
    return f"Modbus exception {code} ({EXCEPTION_NAMES.get(code, 'not in the standard')})"
