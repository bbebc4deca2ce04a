"""What was found, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.protocol.messages import Value
from site_agent.commissioning.findings import PlcFound, ValueFound
from site_agent.commissioning.scan import Range
from site_agent.commissioning.trial import Trial

#: What a value would be with its words, its bytes, or both the other way round; as ``ValueFound.others`` has them.
_TURNED: Final = ("words turned", "bytes turned", "both turned")


def show(console: Console, found: Sequence[PlcFound], *, everything: bool) -> None:
    """Each PLC with its values; ``everything`` also in other orders."""
    for plc in found:
        console.print(Text(f"{plc.name}  {plc.address}", style="bold"))
        for line in _facts(plc):
            console.print(Text(f"  {line}"))
        for fault in plc.faults:
            console.print(Text(f"  WRONG: {fault}", style="red"))
        if plc.values:
            console.print(_values(plc.values, everything=everything))
        for each in plc.values:
            if each.fault is not None:
                console.print(Text(f"  LOOK AT {each.device}.{each.name}: {each.fault}", style="yellow"))
        console.print()


def show_ranges(console: Console, found: Iterable[Range]) -> None:
    """What can be read."""
    table = Table("table", "from", "to", "cells", "not zero", box=None, pad_edge=False)
    for each in found:
        table.add_row(
            each.space.value, str(each.first), str(each.last), str(each.last - each.first + 1), str(each.used)
        )
    console.print(table if table.row_count else Text("nothing in this range can be read"))


def show_trial(console: Console, found: Trial) -> None:
    """How it went, in a line."""
    if found.fault is not None:
        console.print(Text(f"{found.device}.{found.name}: WRONG: {found.fault}", style="red"))
        return
    line = f"{found.device}.{found.name}: {found.former} -> {found.held} -> {found.restored}, as asked and back again"
    console.print(Text(line, style="green"))


def _facts(plc: PlcFound) -> Iterable[str]:
    if plc.marker is not None:
        yield f"marker: {plc.marker}"
    if plc.timing is not None:
        timing = plc.timing
        spread = f"{timing.least_ms:g} to {timing.most_ms:g}, {timing.requests} requests"
        yield f"answers in {timing.median_ms:g} ms ({spread})"
    if plc.largest_read is not None:
        yield f"answers {plc.largest_read} registers in one request, or has no more of them there"
    if plc.echoes_transactions is not None:
        yield "echoes transaction ids" if plc.echoes_transactions else "does not echo transaction ids"
    yield f"{plc.requests_per_poll} requests for {len(plc.values)} values at each poll"


def _values(values: Sequence[ValueFound], *, everything: bool) -> Table:
    turned = _TURNED if everything and any(each.others for each in values) else ()
    table = Table("device", "value", "table", "register", "type", "words", "reads", *turned, box=None, pad_edge=False)
    table.columns[5].no_wrap = True
    for each in values:
        place = str(each.register) if each.bit is None else f"{each.register}.{each.bit}"
        raw = " ".join(f"{word:04x}" for word in each.words) if not each.table.bits else " ".join(map(str, each.words))
        cells = [each.device, each.name, each.table.value, place, each.type, raw, _shown(each.value, each.unit)]
        if turned:
            cells += [_shown(value, None) for value in each.others.values()]
        style = "yellow" if each.fault is not None else ""
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def _shown(value: Value | None, unit: str | None) -> str:
    if value is None:
        return "-"
    text = str(value).lower() if isinstance(value, bool) else f"{value:.7g}" if isinstance(value, float) else str(value)
    return f"{text} {unit}" if unit else text
