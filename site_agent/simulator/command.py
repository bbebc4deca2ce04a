"""``tidegate simulate``: the simulated farm as a program."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from dataclasses import asdict
from pathlib import Path

import click

from gateway import logs
from site_agent.mailbox import STATUS_SIZE, MailboxCommand
from site_agent.simulator import block
from site_agent.simulator.dosing import FEED, LARGEST_G, SMALLEST_G
from site_agent.simulator.farm import LAYOUT, Address, Farm
from site_agent.simulator.scenario import BY_NAME, CALM, Scenario, scenario_list
from site_agent.simulator.watch import watch

_LIST = "list"
_EXAMPLE = " ".join(map(str, MailboxCommand(cmd_seq=7, last_seq=0, fence=3, op=FEED, arg_1=100).words()))


def _places(plc: str) -> str:
    return ", ".join(f"{name} at {base}" for name, base in LAYOUT[plc].items())


def _teach() -> str:
    feeders = "; ".join(f"{plc} has {_places(plc)}" for plc in LAYOUT)
    # \b keeps click from joining lines.
    return (
        f"\b\nHolding registers, zero-based, unit 1; add a feeder's base:\n{feeders}\n\n"
        + "\b\n"
        + block.table()
        + "\n\n"
        + "float32: two registers, most significant word first. Any other write gets exception 2, a value outside "
        "the range exception 3; both change nothing.\n\n"
        "\b\nWhat may happen, by the farm's clock (--scenario NAME; those with 'from' begin at that time):\n"
        f"{scenario_list()}\n\n"
        "Whoever sets service_mode to 1 and back to 0 has repaired what was jammed or broken.\n\n"
        "\b\n"
        "Look, as a technician does (portion_g of feeder-1, then of feeder-2):\n"
        "  mbpoll -m tcp -p 5020 -0 -r 0 -1 127.0.0.1\n"
        "  mbpoll -m tcp -p 5020 -0 -r 100 -1 127.0.0.1\n"
        "Change feeder-1's portion as its panel does:\n"
        "  mbpoll -m tcp -p 5020 -0 -r 0 127.0.0.1 130\n\n"
        "Through the mailbox a PLC takes a command exactly once: +20..29 in one request, and only if check fits, "
        "last_seq is its done_seq, cmd_seq is another and not 0, and fence is not below its own. Anything else is "
        f"stored and does nothing. op 1 feeds arg_1 grams ({SMALLEST_G} to {LARGEST_G}), op 0 only moves done_seq on. "
        "check is the CRC-16/MODBUS of +20..28, high byte first. result: 1 done, 2 short, 3 interrupted, "
        "4 interlocked, 5 bad argument. Each number of two registers has its high word first.\n\n"
        "\b\n"
        "Feed 100 g at a fresh feeder-1 (a second time it does nothing), and look at the answer:\n"
        f"  mbpoll -m tcp -p 5020 -0 -r {block.MAILBOX} -1 127.0.0.1 {_EXAMPLE}\n"
        f"  mbpoll -m tcp -p 5020 -0 -r {block.STATUS} -c {STATUS_SIZE} -1 127.0.0.1\n"
    )


@click.command(epilog=_teach())
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_534),
    default=5020,
    show_default=True,
    envvar="TIDEGATE_MODBUS_PORT",
    show_envvar=True,
    help="Port of plc-1; plc-2 takes the next one. 0: two free ports.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0, 100_000, min_open=True),
    default=1.0,
    show_default=True,
    help="Farm seconds per second: 60 makes an hour pass in a minute.",
)
@click.option(
    "--scenario",
    "name",
    type=click.Choice([*BY_NAME, _LIST]),
    default=CALM.name,
    metavar="NAME",
    show_default=True,
    help=f"What the farm is like, see below; '{_LIST}' tells them all.",
)
@click.option(
    "--start",
    metavar="HH:MM",
    help="Where the farm's clock begins, or 'now'; without it at the scenario's own time, if it has one.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same one gives the same scatter and drift.")
@click.option(
    "--watch", "watched", is_flag=True, help="Show the farm, redrawn; without a terminal one line for each change."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that keeps the registers over a restart, like a PLC's battery. Without it every start is fresh.",
)
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help='When listening, write {"plcs": {name: {"host", "port", "unit"}}} there.',
)
@click.option(
    "--log-level",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]),
    envvar="TIDEGATE_LOG_LEVEL",
    help="[default: INFO; with --watch WARNING]",
)
def simulate(  # one parameter for each option
    *,
    host: str,
    port: int,
    speed: float,
    name: str,
    start: str | None,
    seed: int,
    watched: bool,
    state: Path | None,
    ready_file: Path | None,
    log_level: str | None,
) -> None:
    """Run a simulated farm of two PLCs: four feeders that feed, empty their hoppers and report, over Modbus TCP.

    The registers are all the state there is: change a setting with any Modbus client and the feeder obeys. Ends on
    Ctrl-C or SIGTERM.
    """
    if name == _LIST:
        click.echo(scenario_list())
        return
    logs.configure("farm", level=log_level or ("WARNING" if watched else "INFO"))
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)  # one left by a killed farm names ports of the past
    scenario = BY_NAME[name]
    start_s = _start_s(start or scenario.start)
    farm = Farm(host=host, port=port, speed=speed, memory=state, scenario=scenario, start_s=start_s, seed=seed)
    asyncio.run(_serve(farm, ready_file, scenario if watched else None))


def _start_s(text: str | None) -> float | None:
    if text is None or text == "now":
        return None
    if found := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text):
        return float(3600 * int(found[1]) + 60 * int(found[2]))
    raise click.BadParameter(f"{text!r} is no time of day; write it as 11:58, or 'now'", param_hint="--start")


async def _serve(farm: Farm, ready_file: Path | None, watched: Scenario | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        # signal.signal works on Windows too, where loops have no signal handlers.
        signal.signal(number, ask_to_stop)
    async with farm:
        click.echo(_greeting(farm.addresses, table=watched is None))
        if ready_file is not None:
            _report_ready(ready_file, farm.addresses)
        if watched is not None:
            await watch(farm, watched, stop)
        await stop.wait()


def _greeting(addresses: dict[str, Address], *, table: bool) -> str:
    lines = ["The simulated farm is running.", ""]
    for plc, address in addresses.items():
        lines.append(f"{plc}  {address.host}:{address.port}  unit {address.unit}  {_places(plc)}")
    return "\n".join([*lines, "", block.table(), ""] if table else [*lines, ""])


def _report_ready(path: Path, addresses: dict[str, Address]) -> None:
    """Appears as a whole or not at all, so that a waiting program never reads half of it."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(json.dumps({"plcs": {name: asdict(each) for name, each in addresses.items()}}), encoding="utf-8")
    os.replace(fresh, path)
