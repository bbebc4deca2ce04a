"""Does what a PLC sent answer what it was asked? Pure; judges the bytes themselves.

A Modbus TCP frame is: transaction (2 bytes), protocol (2, always 0), length of the rest (2), unit (1), function
code (1), data (Modbus Messaging on TCP/IP 1.0b, section 3.1.3). The replies to functions 1 to 6, 15
and 16 are in the Modbus Application Protocol 1.1b3, sections 6.1 to 6.6, 6.11 and 6.12.
"""

from __future__ import annotations

from typing import Final

_HEADER: Final = 7
#: A frame has at least a unit and a function code, and at most 253 bytes of function code and data, after `length`.
_LENGTHS: Final = range(2, 255)
_READ_BITS, _READ_WORDS, _WRITE_ONE, _WRITE_MANY = (1, 2), (3, 4), (5, 6), (15, 16)


class MismatchError(ValueError):
    """The bytes are no reply to the request; the text says why."""


def answered(request: bytes, received: bytes) -> bool:
    """Whether ``received`` holds the whole reply to ``request``; False if more bytes must come first.

    A late reply to an earlier request carries another transaction and is passed over.

    Raises:
        MismatchError: it holds something that cannot be trusted as this request's reply.
    """
    while len(received) > _HEADER:
        length = int.from_bytes(received[4:6], "big")
        if received[2:4] != b"\0\0" or length not in _LENGTHS:
            raise MismatchError(f"sent bytes that are no Modbus TCP frame: {received[:12].hex(' ')}")
        frame, received = received[: 6 + length], received[6 + length :]
        if len(frame) < 6 + length:
            return False
        if frame[:2] == request[:2]:
            compare(request, frame)
            return True
        if frame[:2] == b"\0\0":
            # A gateway that always answers 0 can hand us a late reply as this one's (pymodbus lets it pass).
            raise MismatchError("answered with transaction 0, so replies cannot be told apart")
    return False


def compare(request: bytes, reply: bytes) -> None:
    """Both with a header in front; raises MismatchError if the reply is to something else."""
    if reply[6] != request[6]:
        raise MismatchError(f"unit {reply[6]} answered for unit {request[6]}")
    asked, got = request[7], reply[7]
    if got == asked | 0x80:
        if len(reply) != 9:
            raise MismatchError(f"sent an exception of {len(reply) - 8} bytes instead of 1")
    elif got != asked:
        raise MismatchError(f"answered with function {got} to function {asked}")
    elif asked in _READ_BITS + _READ_WORDS:
        _compare_read(request, reply)
    elif asked in _WRITE_ONE + _WRITE_MANY:
        _compare_write(request, reply)
    else:
        raise MismatchError(f"was asked function {asked}, of which no reply is known")


def _compare_read(request: bytes, reply: bytes) -> None:
    count = int.from_bytes(request[10:12], "big")
    size, what = ((count + 7) // 8, "bits") if request[7] in _READ_BITS else (2 * count, "registers")
    if reply[8:9] != bytes([size]) or len(reply) != 9 + size:
        raise MismatchError(f"answered a read of {count} {what} with {len(reply) - 9} bytes")


def _compare_write(request: bytes, reply: bytes) -> None:
    # All confirm the address; functions 5 and 6 echo the value, 15 and 16 the number of cells.
    if reply[8:] != request[8:12]:
        what = "value" if request[7] in _WRITE_ONE else "count"
        raise MismatchError(
            f"confirmed address and {what} {reply[8:].hex(' ')} instead of {request[8:12].hex(' ')} (hexadecimal)"
        )
