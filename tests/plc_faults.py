"""What can be wrong with one answer of a Modbus TCP server, and the bytes of such answers; used by tests/plc.py."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

READ, WRITE_ONE, WRITE_MANY = 3, 6, 16
READS: Final = frozenset({READ})
WRITES: Final = frozenset({WRITE_ONE, WRITE_MANY})
ALL: Final = READS | WRITES


class Kind(StrEnum):
    """What goes wrong with one request; the executed ones carry out a write before they go wrong."""

    OK = auto()
    LOST = auto()  # executed, never answered
    DROP = auto()  # neither executed nor answered
    DELAY = auto()  # answered rightly, but late
    RESET_BEFORE = auto()  # connection reset, not executed
    RESET_AFTER = auto()  # executed, connection reset
    REFUSE = auto()  # an exception, not executed
    ANOTHER_FUNCTION = auto()  # executed, answered with another function code
    SHORT = auto()  # executed, half of the answer
    ANOTHER_ADDRESS = auto()  # executed, another address echoed (a read: as OK)
    ANOTHER_VALUE = auto()  # executed, another value echoed (a read: as OK)
    ANOTHER_COUNT = auto()  # executed, one register more or less confirmed or sent
    TRANSACTION_0 = auto()  # executed, answered with transaction id 0
    ANOTHER_UNIT = auto()  # executed, answered for another unit
    TWICE = auto()  # executed once, answered twice
    GARBAGE = auto()  # executed, answered with bytes that are no frame
    LATE = auto()  # executed only after the delay, then answered
    LIE = auto()  # confirmed but not executed
    CLAMP = auto()  # confirmed as asked, but each word is held at `value`


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of misbehaviour with its parameters."""

    kind: Kind
    exception_code: int = 0
    delay_s: float = 0.0
    value: int = 0


OK, LOST, DROP = Fault(Kind.OK), Fault(Kind.LOST), Fault(Kind.DROP)
RESET_BEFORE, RESET_AFTER = Fault(Kind.RESET_BEFORE), Fault(Kind.RESET_AFTER)
ANOTHER_FUNCTION, ANOTHER_UNIT = Fault(Kind.ANOTHER_FUNCTION), Fault(Kind.ANOTHER_UNIT)
ANOTHER_ADDRESS, ANOTHER_VALUE = Fault(Kind.ANOTHER_ADDRESS), Fault(Kind.ANOTHER_VALUE)
ANOTHER_COUNT, TRANSACTION_0 = Fault(Kind.ANOTHER_COUNT), Fault(Kind.TRANSACTION_0)
SHORT, TWICE, GARBAGE, LIE = Fault(Kind.SHORT), Fault(Kind.TWICE), Fault(Kind.GARBAGE), Fault(Kind.LIE)


def refuse(exception_code: int) -> Fault:
    """Answer with an exception instead of acting."""
    return Fault(Kind.REFUSE, exception_code=exception_code)


def delay(delay_s: float) -> Fault:
    """Act at once and answer rightly, but late."""
    return Fault(Kind.DELAY, delay_s=delay_s)


def late(delay_s: float) -> Fault:
    """Act only after a while, even if nobody waits for it any more, as behind a gateway with a queue."""
    return Fault(Kind.LATE, delay_s=delay_s)


def clamp(value: int) -> Fault:
    """Confirm the write as asked, but hold ``value``, as a PLC program with limits of its own does."""
    return Fault(Kind.CLAMP, value=value)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as received, executed or not; ``words`` only for writes, ``count`` for all."""

    transaction: int
    unit: int
    function_code: int
    address: int
    count: int
    words: tuple[int, ...] = ()


def parse(header: bytes, body: bytes) -> Request:
    """A request from its seven header bytes and the rest."""
    transaction, unit = int.from_bytes(header[:2], "big"), header[6]
    code, address, last = body[0], int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    if code == WRITE_ONE:
        return Request(transaction, unit, code, address, 1, (last,))
    words = struct.unpack(f">{last}H", body[6:]) if code == WRITE_MANY else ()
    return Request(transaction, unit, code, address, last, words)


def frame(request: Request, body: bytes, *, transaction: int | None = None, unit: int | None = None) -> bytes:
    """A whole frame around function code and data, addressed as the request was unless told otherwise."""
    return struct.pack(
        ">HHHB",
        request.transaction if transaction is None else transaction,
        0,
        len(body) + 1,
        request.unit if unit is None else unit,
    ) + bytes(body)


def spoilt(request: Request, body: bytes, fault: Fault) -> bytes:
    """The bytes of the whole answer, wrong in the one way that the fault names."""
    spoil = _SPOIL.get(fault.kind)
    return frame(request, body) if spoil is None else spoil(request, body)


def _add(body: bytes, offset: int) -> bytes:
    value = (int.from_bytes(body[offset : offset + 2], "big") + 1) & 0xFFFF
    return body[:offset] + value.to_bytes(2, "big") + body[offset + 2 :]


def _recounted(request: Request, body: bytes) -> bytes:
    if request.function_code == READ:
        return bytes([body[0], body[1] + 2]) + body[2:] + b"\0\0"
    return _add(body, 3)


def _another_function(request: Request, body: bytes) -> bytes:
    other = READ if request.function_code in WRITES else 4
    return frame(request, bytes([other]) + body[1:])


def _another_address(request: Request, body: bytes) -> bytes:
    return frame(request, _add(body, 1) if request.function_code in WRITES else body)


def _another_value(request: Request, body: bytes) -> bytes:
    return frame(request, _add(body, 3) if request.function_code == WRITE_ONE else body)


def _another_count(request: Request, body: bytes) -> bytes:
    if request.function_code == READ:
        return frame(request, bytes([body[0], body[1] + 2]) + body[2:] + b"\0\0")
    return frame(request, _add(body, 3))


_SPOIL: Final[dict[Kind, Callable[[Request, bytes], bytes]]] = {
    Kind.ANOTHER_FUNCTION: _another_function,
    Kind.SHORT: lambda request, body: frame(request, body)[:-1],
    Kind.ANOTHER_ADDRESS: _another_address,
    Kind.ANOTHER_VALUE: _another_value,
    Kind.ANOTHER_COUNT: _another_count,
    Kind.TRANSACTION_0: lambda request, body: frame(request, body, transaction=0),
    Kind.ANOTHER_UNIT: lambda request, body: frame(request, body, unit=request.unit + 1),
    Kind.TWICE: lambda request, body: frame(request, body) * 2,
    Kind.GARBAGE: lambda _request, _body: b"HTTP/1.1 400 Bad Request\r\n\r\n",
}
