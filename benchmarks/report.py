"""The figures: a table for people, ``build/bench.json`` for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

PATH = Path("build") / "bench.json"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured cost: less is better, and it is reached if ``ratio`` is not above ``limit``."""

    value: float
    unit: str
    baseline: float
    limit: float

    @property
    def ratio(self) -> float:
        """The value against its baseline of the same run."""
        return self.value / self.baseline if self.baseline else self.value


def publish(figures: dict[str, Figure], remarks: list[str]) -> None:
    """Print the table, write the file."""
    table = Table(title="Tidegate against its raw parts, same run, same machine", caption="\n".join(remarks))
    for heading in ("what", "value", "unit", "baseline", "ratio", "limit", ""):
        table.add_column(heading, justify="left" if heading in {"what", "unit", ""} else "right")
    for name, figure in figures.items():
        reached = figure.ratio <= figure.limit
        numbers = (f"{figure.value:.3f}", figure.unit, f"{figure.baseline:.3f}")
        ratios = (f"{figure.ratio:.2f}", f"{figure.limit:.2f}")
        table.add_row(name, *numbers, *ratios, "[green]reached[/]" if reached else "[red]missed[/]")
    Console(width=120).print(table)
    PATH.parent.mkdir(exist_ok=True)
    document = {name: {**asdict(each), "ratio": each.ratio} for name, each in figures.items()}
    PATH.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
