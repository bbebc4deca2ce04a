"""The marker of a PLC: a value that tells the right one from all others, which may answer at its address. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.protocol.messages import Value
from site_agent.layout import Layout
from site_agent.plc_table import MarkerTable
from site_agent.reading import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Where it lies, how, and what it must read."""

    block: Block
    layout: Layout
    value: Value

    @classmethod
    def of(cls, table: MarkerTable) -> Marker:
        """As the site's file says."""
        layout = table.layout
        return cls(block=Block(table.register_, layout.words, table.table), layout=layout, value=table.value)

    def fault(self, words: Sequence[int | None]) -> str | None:
        """What is wrong with these words; None if they are the marker's."""
        known = [word for word in words if word is not None]
        read = self.layout.decode(known) if len(known) == len(words) else None
        if read is not None and self.layout.same(self.value, read):
            return None
        place = f"{self.block.space} {self.block.address}"
        return f"another PLC answers: the marker at {place} reads {read} and should be {self.value}"
