"""Cuts the bytes of a connection into whole MQTT packets or Modbus TCP frames, for proxies that choose among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

#: The DUP flag in the first byte of a PUBLISH.
_DUP: Final = 0x08


class Packet(IntEnum):
    """The types of MQTT packets that scripts name; a frame's ``kind``."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One whole frame. ``kind`` is the packet's type or the function code, ``number`` its packet or transaction id."""

    raw: bytes
    kind: int
    number: int = 0
    topic: str = ""
    mqtt: bool = False

    def again(self) -> bytes:
        """The bytes of a second copy: a repeated PUBLISH carries the DUP flag, as a client's own repeat would."""
        if self.mqtt and self.kind == Packet.PUBLISH and self.raw[0] & 0x06:
            return bytes([self.raw[0] | _DUP]) + self.raw[1:]
        return self.raw


#: Makes frames of a buffer, and takes their bytes out of it; what is not whole yet stays.
Cutter = Callable[[bytearray], list[Frame]]


def mqtt(buffer: bytearray) -> list[Frame]:
    """Packets of MQTT 3.1.1 or 5."""
    frames = []
    while (size := _mqtt_size(buffer)) is not None and len(buffer) >= size:
        raw = bytes(buffer[:size])
        del buffer[:size]
        frames.append(_mqtt_frame(raw))
    return frames


def modbus(buffer: bytearray) -> list[Frame]:
    """Frames of Modbus TCP; an exception has its function code plus 128."""
    frames = []
    while len(buffer) >= 8 and len(buffer) >= (size := 6 + int.from_bytes(buffer[4:6], "big")):
        raw = bytes(buffer[:size])
        del buffer[:size]
        frames.append(Frame(raw=raw, kind=raw[7], number=int.from_bytes(raw[:2], "big")))
    return frames


def _length(buffer: bytes | bytearray) -> tuple[int, int] | None:
    """The remaining length, and the bytes before what it counts; None while it has not come."""
    value = 0
    for index, byte in enumerate(buffer[1:5]):
        value |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return value, 2 + index
    return None


def _mqtt_size(buffer: bytearray) -> int | None:
    found = _length(buffer)
    return None if found is None else sum(found)


def _mqtt_frame(raw: bytes) -> Frame:
    kind, found = raw[0] >> 4, _length(raw)
    assert found is not None
    body = raw[found[1] :]
    if kind == Packet.PUBLISH:
        end = 2 + int.from_bytes(body[:2], "big")
        number = int.from_bytes(body[end : end + 2], "big") if raw[0] & 0x06 else 0
        return Frame(raw=raw, kind=kind, number=number, topic=body[2:end].decode(), mqtt=True)
    has_id = kind in {Packet.PUBACK, Packet.SUBSCRIBE, Packet.SUBACK}
    return Frame(raw=raw, kind=kind, number=int.from_bytes(body[:2], "big") if has_id else 0, mqtt=True)
