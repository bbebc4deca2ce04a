"""Does what came over a serial line answer what was asked? Pure; judges the bytes themselves.

An RTU frame is: unit (1 byte), function code (1), data, CRC-16 with its low byte first (Modbus over Serial Line 1.02,
section 2.5.1). It has neither a length nor a transaction id, so the length follows from the request, and anything more
or less is no answer.
"""

from __future__ import annotations

from typing import Final

from site_agent.drivers.frames import MismatchError, compare

_EXCEPTION: Final = 5
_WRITE_REPLY: Final = 8
_READ_BITS, _READS = (1, 2), (1, 2, 3, 4)
#: Where Modbus TCP has its header; both have unit, function and data alike behind it.
_HEADER: Final = bytes(6)


def answered(request: bytes, received: bytes) -> bool:
    """Whether ``received`` is the whole reply to ``request``; False if more bytes must come first.

    Raises:
        MismatchError: it is something that cannot be trusted as this request's reply.
    """
    if len(received) < 2:
        return False
    if received[0] != request[0] or received[1] & 0x7F != request[1]:
        raise MismatchError(f"sent bytes that answer something else: {received[:8].hex(' ')}")
    length = _EXCEPTION if received[1] & 0x80 else _length(request)
    if len(received) < length:
        return False
    if len(received) > length:
        raise MismatchError(f"sent {len(received) - length} bytes more than the answer has")
    if crc(received[:-2]) != received[-2:]:
        raise MismatchError("sent an answer whose check does not fit")
    compare(_HEADER + request[:-2], _HEADER + received[:-2])
    return True


def _length(request: bytes) -> int:
    if request[1] not in _READS:
        return _WRITE_REPLY
    count = int.from_bytes(request[4:6], "big")
    return 5 + ((count + 7) // 8 if request[1] in _READ_BITS else 2 * count)


def crc(data: bytes) -> bytes:
    """CRC-16 of Modbus, low byte first."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register.to_bytes(2, "little")
