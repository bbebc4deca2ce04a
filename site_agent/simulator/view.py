"""The farm as a picture on a terminal. Pure: pictures in, something that rich can draw out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from site_agent.simulator.picture import ALARM_NAMES, LOW_OXYGEN_MG_L, FeederPicture, Picture, Told, clock
from site_agent.simulator.schedule import DAY_S

#: What a fresh hopper holds, and the oxygen between which ponds live: the ends of the bars.
_FULL_KG: Final = 25.0
_LEAST_MG_L, _MOST_MG_L = 2.0, 10.0
_SPARKS: Final = "▁▂▃▄▅▆▇█"
_LABEL, _NUMBER = 8, 10
#: Lines that a picture takes beside its diary, by its columns of cards.
_FRAME: Final = {1: 30, 2: 18}
_NARROW: Final = 72


@dataclass(slots=True)
class Trend:
    """The last values of each feeder's oxygen."""

    _values: dict[str, deque[float]] = field(default_factory=dict)

    def add(self, picture: Picture) -> None:
        """One more of each."""
        for feeder in picture.feeders:
            self._values.setdefault(feeder.name, deque(maxlen=60)).append(feeder.number("oxygen_mg_l"))

    def of(self, feeder: str) -> Sequence[float]:
        """From old to new."""
        return tuple(self._values.get(feeder, ()))


def draw(
    picture: Picture, trend: Trend, diary: Iterable[Told], *, teaches: str, width: int, height: int
) -> RenderableType:
    """The whole farm, to fit a terminal of this size."""
    columns = 1 if width < _NARROW else 2
    cards = Table.grid(expand=True)
    for _ in range(columns):
        cards.add_column(ratio=1)
    drawn = [_card(feeder, trend.of(feeder.name), width // columns) for feeder in picture.feeders]
    for at in range(0, len(drawn), columns):
        cards.add_row(*drawn[at : at + columns])
    return Group(
        _head(picture, width), Text(f" {teaches}", style="dim"), cards, _diary(diary, max(3, height - _FRAME[columns]))
    )


def sparks(values: Sequence[float], width: int) -> str:
    """The last ``width`` values as little bars."""
    top = len(_SPARKS) - 1
    span = _MOST_MG_L - _LEAST_MG_L
    levels = (round(top * min(max((value - _LEAST_MG_L) / span, 0.0), 1.0)) for value in values[-width:])
    return "".join(_SPARKS[level] for level in levels).rjust(width)


def _head(picture: Picture, width: int) -> RenderableType:
    night = not 6 * 3600 <= picture.farm_s % DAY_S < 19 * 3600
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    left = Text.assemble(
        (" ☾ " if night else " ☀ ", "bold blue" if night else "bold yellow"),
        (clock(picture.farm_s), "bold"),
        (f"  x{picture.speed:g}", "cyan"),
    )
    right = Text.assemble(
        ("simulated farm  " if width >= _NARROW else "", "dim"), (f"{picture.scenario} ", "bold cyan")
    )
    line.add_row(left, right)
    return line


def _card(feeder: FeederPicture, oxygen: Sequence[float], width: int) -> Panel:
    span = max(6, width - 4 - _LABEL - _NUMBER)
    hopper_kg, oxygen_mg_l = feeder.number("hopper_kg"), feeder.number("oxygen_mg_l")
    body = Table.grid(expand=True)
    body.add_column(width=_LABEL, style="dim")
    body.add_column(width=span)
    body.add_column(width=_NUMBER, justify="right")
    body.add_row("hopper", _bar(hopper_kg / _FULL_KG, span), f"{hopper_kg:.2f} kg")
    body.add_row("oxygen", Text(sparks(oxygen, span), style=_oxygen_style(oxygen_mg_l)), f"{oxygen_mg_l:.1f} mg/l")
    body.add_row("meals", Text(feeder.rhythm, no_wrap=True, overflow="ellipsis"), "")
    body.add_row("today", f"{feeder.number('fed_today_g'):.0f} g", _doing(feeder))
    alarms = [name for alarm, name in ALARM_NAMES.items() if alarm & feeder.alarms]
    told = Text(f" {' · '.join(alarms)} ", style="bold white on red") if alarms else None
    return Panel(
        body,
        title=Text(feeder.name, style="bold"),
        title_align="left",
        subtitle=told,
        subtitle_align="right",
        border_style=_border(feeder),
    )


def _bar(share: float, width: int) -> Text:
    filled = round(width * min(max(share, 0.0), 1.0))
    style = "green" if share > 0.25 else "yellow" if share > 0.1 else "red"
    return Text.assemble(("█" * filled, style), ("░" * (width - filled), "dim"))


def _oxygen_style(oxygen_mg_l: float) -> str:
    if oxygen_mg_l < LOW_OXYGEN_MG_L:
        return "bold red"
    return "yellow" if oxygen_mg_l < LOW_OXYGEN_MG_L + 1 else "cyan"


def _doing(feeder: FeederPicture) -> Text:
    if feeder.values["feeding"]:
        return Text("● dose" if feeder.status.busy_seq else "● meal", style="bold green")
    if feeder.values["lid_open"]:
        return Text("lid open", style="bold yellow")
    if feeder.values["service_mode"]:
        return Text("service", style="bold yellow")
    return Text("○ waits" if feeder.values["enabled"] else "○ rests", style="dim")


def _border(feeder: FeederPicture) -> str:
    if feeder.alarms:
        return "red"
    return "green" if feeder.values["feeding"] else "bright_black"


def _diary(diary: Iterable[Told], most: int) -> Panel:
    newest = list(diary)[-most:]
    lines = [
        Text.assemble(
            (f"{clock(told.at_s)}  ", "dim"),
            (f"{told.feeder}  ", "bold"),
            (told.text, "bold red" if told.text.startswith("ALARM") else ""),
            no_wrap=True,
            overflow="ellipsis",
        )
        for told in newest
    ]
    lines += [Text("")] * (most - len(lines))
    return Panel(
        Group(*lines), title=Text("what happened", style="bold"), title_align="left", border_style="bright_black"
    )
