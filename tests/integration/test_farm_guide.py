"""docs/farm.md says what the simulated farm does, and its lines work as they stand."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from gateway.demo.command import demo
from site_agent.simulator import block
from site_agent.simulator.command import simulate
from site_agent.simulator.farm import Farm
from site_agent.simulator.scenario import BY_NAME, SCENARIOS
from tests.documentation import DOCS, fences
from tests.farms import Clock, values
from tests.requirements import program
from tests.terminals import Terminal

PAGE = DOCS / "farm.md"
LINES = [line for fence in fences(PAGE, "sh") for line in fence.text.splitlines()]


def test_farm_page_lists_every_scenario() -> None:
    """By name, with the time at which it begins and what it teaches."""
    rows = re.findall(r"^\| `([a-z-]+)` \| *([0-9:]*) *\| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(each.name, each.start or "", each.teaches) for each in SCENARIOS]


def test_farm_page_lists_every_register() -> None:
    """As the program does."""
    (fence,) = fences(PAGE, "text", "registers")
    assert fence.text.strip() == block.table()


def test_farm_page_list_of_scenarios_is_printed() -> None:
    """And nothing is started."""
    (line,) = (line for line in LINES if line.endswith("list"))
    done = CliRunner().invoke(simulate, shlex.split(line)[2:])
    assert done.exit_code == 0
    assert [each.split()[0] for each in done.output.splitlines()] == list(BY_NAME)


def test_farm_page_line_to_watch_shows_the_jam() -> None:
    """As it stands, but for the port."""
    (line,) = (line for line in LINES if "--watch" in line)
    argv = [sys.executable, "-m", "gateway", *shlex.split(line)[1:], "--port", "0"]
    with Terminal(argv, {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path.cwd())}) as opened:
        opened.shows("feeder-1 ALARM jam", within_s=20)


def test_farm_page_line_of_make_runs_the_demo_so() -> None:
    """The Makefile hands the words on, and the demo knows them."""
    (line,) = (line for line in LINES if line.startswith("make "))
    told = subprocess.run([*shlex.split(line), "-n"], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "tidegate demo --speed 60 --scenario jam-at-noon" in told
    assert {"speed", "scenario"} <= {each.name for each in demo.params}


async def test_farm_page_lines_by_hand_do_what_they_say() -> None:
    """In their order, with the program that technicians use; noon's jam is cleared by the service mode."""
    clock = Clock(hour=8)
    jam = BY_NAME["jam-at-noon"]
    async with Farm(tick_s=0, now=clock, scenario=jam, start_s=11 * 3600 + 58 * 60) as farm:
        clock.now_s += 300
        await farm.tick()
        port = str(farm.addresses["plc-1"].port)
        shown = [await asyncio.to_thread(_poll, line, port) for line in LINES if line.startswith("mbpoll ")]
        clock.now_s += 60
        await farm.tick()
        assert re.search(r"\[17\]:\s+9\b", shown[0])
        assert await farm.read("plc-1", block.ALARMS, 1) == (8,)
        held = await values(farm, base=100)
        assert (held["lid_open"], held["portion_g"]) == (True, 80)
        assert await farm.read("plc-1", block.SCHEDULE, 9) == (1, 480, 200, 960, 300, 0, 0, 0, 0)


def _poll(line: str, port: str) -> str:
    assert " -p 5020 " in line
    words = shlex.split(line.replace(" -p 5020 ", f" -p {port} "))
    argv = [str(program("mbpoll")), *words[1:]]
    return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout
