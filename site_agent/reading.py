"""Which requests read a set of values: few, none too large, none across registers that the PLC refuses. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from site_agent.registers import Space

#: A read of bits carries at most 2000 of them (Modbus Application Protocol 1.1b3, sections 6.1 and 6.2).
LARGEST_BITS: Final = 2000


@dataclass(frozen=True, slots=True)
class Block:
    """Cells of one space that are read in one request."""

    address: int
    count: int
    space: Space = Space.HOLDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What a PLC lets itself be asked; ``gap`` is how many unused registers are cheaper to read than to skip.

    ``unreadable`` are first and last of ranges that the PLC refuses, among holding and input registers alike.
    """

    largest: int = 120
    gap: int = 16
    unreadable: tuple[tuple[int, int], ...] = ()

    def largest_of(self, space: Space) -> int:
        """Cells of one request."""
        return min(LARGEST_BITS, 16 * self.largest) if space.bits else self.largest

    def gap_of(self, space: Space) -> int:
        """Unused cells that are read along."""
        return 16 * self.gap if space.bits else self.gap

    def refuses(self, space: Space, first: int, last: int) -> bool:
        """Whether a read of these, both included, would touch what cannot be read."""
        return not space.bits and any(low <= last and first <= high for low, high in self.unreadable)


def plan(spans: Iterable[Block], reads: Reads) -> tuple[Block, ...]:
    """Requests that cover all ``spans``, each of which stays whole; values that overlap are read together."""
    blocks: list[Block] = []
    for span in sorted(spans, key=_place):
        joined = _joined(blocks[-1], span, reads) if blocks else None
        if joined is None:
            blocks.append(span)
        else:
            blocks[-1] = joined
    return tuple(blocks)


def _place(span: Block) -> tuple[Space, int, int]:
    return span.space, span.address, span.count


def _joined(block: Block, span: Block, reads: Reads) -> Block | None:
    """Both in one request; None if that would be too large, too wasteful, or refused."""
    if block.space is not span.space:
        return None
    end = max(block.address + block.count, span.address + span.count)
    gap = range(block.address + block.count, span.address)
    if len(gap) > reads.gap_of(block.space) or end - block.address > reads.largest_of(block.space):
        return None
    if gap and reads.refuses(block.space, gap[0], gap[-1]):
        return None
    return Block(block.address, end - block.address, block.space)
