"""``tidegate simulate --watch``: the farm on a terminal, or one line for each change where there is none."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

import click
from rich.console import Console, RenderableType
from rich.live import Live

from site_agent.simulator.farm import Farm
from site_agent.simulator.picture import Diary, Told, clock
from site_agent.simulator.scenario import Scenario
from site_agent.simulator.view import Trend, draw

_REDRAW_S: Final = 0.25
_REMEMBERED: Final = 60


async def watch(farm: Farm, scenario: Scenario, stop: asyncio.Event) -> None:
    """Show a running farm until ``stop`` is set."""
    console = Console()
    if console.is_terminal and not console.is_dumb_terminal:
        await _redraw(farm, scenario, console, stop)
    else:
        await _print(farm, stop)


async def _redraw(farm: Farm, scenario: Scenario, console: Console, stop: asyncio.Event) -> None:
    diary, trend, lines = Diary(), Trend(), deque[Told](maxlen=_REMEMBERED)

    async def look() -> RenderableType:
        picture = await farm.picture()
        trend.add(picture)
        lines.extend(diary.turn(picture))
        size = console.size
        return draw(picture, trend, lines, teaches=scenario.teaches, width=size.width, height=size.height)

    drawn = await look()
    with Live(drawn, console=console, screen=True, auto_refresh=False) as live:
        while not await _stopped(stop):
            drawn = await look()
            live.update(drawn, refresh=True)
    console.print(drawn)  # the other screen is gone; what was on it last stays to be read


async def _print(farm: Farm, stop: asyncio.Event) -> None:
    diary, ended = Diary(), False
    while not ended:
        for told in diary.turn(await farm.picture()):
            click.echo(f"{clock(told.at_s)} {told.feeder} {told.text}")
        ended = await _stopped(stop)


async def _stopped(stop: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(_REDRAW_S):
            return await stop.wait()
    except TimeoutError:
        return False
