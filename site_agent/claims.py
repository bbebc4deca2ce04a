"""Which registers belong to whom: two owners of one would overwrite each other, and both read back wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.protocol.errors import Fault
from site_agent.registers import Space


class Claim(NamedTuple):
    """Registers, or one bit of one, that have an owner; ``key`` is its place in the device's table."""

    key: str
    space: Space
    first: int
    size: int
    bit: int | None = None

    @property
    def where(self) -> str:
        """In words."""
        what = "bit" if self.space.bits else "register"
        if self.bit is not None:
            return f"bit {self.bit} of {self.space} register {self.first}"
        if self.size == 1:
            return f"{self.space} {what} {self.first}"
        return f"one of the {self.space} {what}s {self.first} to {self.first + self.size - 1}"

    def cells(self) -> Iterator[tuple[Space, int, int]]:
        """All bits of it."""
        bits = range(16) if self.bit is None else (self.bit,)
        return ((self.space, self.first + offset, bit) for offset in range(self.size) for bit in bits)


def _owner(key: str) -> str:
    """Actions of a device may share an argument's register, or a trigger's; nothing else is shared."""
    parts = key.split("/")
    if parts[0] == "actions":
        return f"action argument {parts[-1]}" if parts[2] == "input" else "action trigger"
    return parts[-1] if parts[0] == "properties" else f"its {key}"


def overlaps(claims: Iterable[tuple[str, str, str, Claim]]) -> Iterator[Fault]:
    """Of all claims, each with its PLC, device and the device's JSON pointer, those that another has made before."""
    owners: dict[tuple[str, Space, int, int], str] = {}
    for plc, device, place, claim in claims:
        me = f"{device}.{_owner(claim.key)}"
        taken = {owners.setdefault((plc, *cell), me) for cell in claim.cells()} - {me}
        for owner in sorted(taken):
            detail = f"{claim.where} of {plc} belongs to {owner} already"
            yield Fault(f"{place}/{claim.key}/register", "overlap", detail)
