"""``tidegate plc``: commissioning on the command line."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway import __version__, logs
from gateway.protocol.errors import Fault, InvalidInput
from gateway.protocol.messages import Value
from site_agent import clock
from site_agent.commissioning.findings import PlcFound
from site_agent.commissioning.report import show, show_ranges, show_trial
from site_agent.commissioning.scan import Range, scan
from site_agent.commissioning.survey import survey
from site_agent.commissioning.trial import Trial, trial
from site_agent.configuration import SiteConfiguration
from site_agent.console import console
from site_agent.device import Device
from site_agent.driver_choice import driver_of
from site_agent.drivers.modbus import ModbusDriver
from site_agent.drivers.port import Driver
from site_agent.drivers.wires import TcpWire
from site_agent.folder_lock import held
from site_agent.lane import Lane
from site_agent.marker import Marker
from site_agent.nearest import hint
from site_agent.plc_table import PlcTable
from site_agent.registers import Space
from site_agent.site_file import load

R = TypeVar("R")

_FILE = click.Path(path_type=Path, dir_okay=False)
_SITE = click.argument("path", metavar="SITE.TOML", type=_FILE, default="site.toml")
_PLC = click.option("--plc", "only", metavar="NAME", help="Only this PLC.")
_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")
_REPORT = click.option("--report", "file", metavar="FILE", type=_FILE, help="Keep all of it as JSON.")


@click.group(
    epilog="""\b
tidegate plc scan 192.168.10.11           which registers there are
tidegate plc read site.toml               every value of the file, as words and decoded
tidegate plc check site.toml              the same, and whether all of it is believable
tidegate plc check site.toml --try feeder-1.portion_g=125
"""
)
def plc() -> None:
    """Compare a site's file with its PLCs before an agent may write.

    Nothing is written, but by --try: that writes one setting, reads it, and puts the former value back.
    """
    # What is found is what is told; a line of the log among it would break the JSON.
    logs.configure("plc", level="ERROR")


@plc.command("scan")
@click.argument("address", metavar="HOST[:PORT]")
@click.option("--unit", type=click.IntRange(0, 255), default=1, show_default=True)
@click.option(
    "--table", "tables", multiple=True, type=click.Choice([str(each) for each in Space]), help="Default: all."
)
@click.option("--to", "last", type=click.IntRange(0, 65_535), default=999, show_default=True, help="The last address.")
@click.option("--timeout-s", type=click.FloatRange(0.05, 30), default=1.0, show_default=True)
@_JSON
def scan_plc(address: str, unit: int, tables: Sequence[str], last: int, timeout_s: float, as_json: bool) -> None:
    """Find out which registers and bits a PLC lets itself be asked for."""
    host, _, port = address.rpartition(":") if ":" in address else (address, "", "502")
    if not port.isdecimal():
        raise InvalidInput([Fault("", "no-port", f"{port!r} is no port; write HOST or HOST:PORT")])
    driver = ModbusDriver(TcpWire(host, int(port)), unit, timeout_s)
    found = _run(_scan(driver, [Space(each) for each in tables] or list(Space), last))
    if as_json:
        click.echo(json.dumps([each.as_dict() for each in found], indent=2))
    elif found:
        show_ranges(console(), found)
    else:
        click.echo(f"{host}:{port} answers, but unit {unit} lets nothing be read from 0 to {last}. Is it another unit?")
    if not found:
        raise SystemExit(1)


@plc.command("read")
@_SITE
@_PLC
@_JSON
@_REPORT
def read_plc(path: Path, only: str | None, as_json: bool, file: Path | None) -> None:
    """Read every mapped value: words beside what they mean, in all orders where there is a choice.

    Exit code 1 if a PLC, or a value, could not be read.
    """
    configuration = load(path)
    found = _survey(configuration, only)
    _keep(file, configuration, found)
    if as_json:
        click.echo(_as_json(found))
    else:
        show(console(), found, everything=True)
    if any(each.faults or any(value.value is None for value in each.values) for each in found):
        raise SystemExit(1)


@plc.command("check")
@_SITE
@_PLC
@click.option(
    "--try", "wish", metavar="DEVICE.SETTING=VALUE", help="Write this, see it held, put the former value back."
)
@_JSON
@_REPORT
def check_plc(path: Path, only: str | None, wish: str | None, as_json: bool, file: Path | None) -> None:
    """Is everything there, believable, and quick enough? Exit code 1 if not."""
    configuration = load(path)
    found = _survey(configuration, only)
    tried = None
    if wish is not None and all(each.right for each in found):
        tried = _try(configuration, wish, {each.name for each in found})
    _keep(file, configuration, found, tried)
    if as_json:
        click.echo(_as_json(found, tried))
    else:
        screen = console()
        show(screen, found, everything=False)
        if tried is not None:
            show_trial(screen, tried)
        elif wish is not None:
            click.echo("Nothing was tried: first make right what is wrong above.")
    if not all(each.right for each in found) or (tried is not None and tried.fault is not None):
        raise SystemExit(1)


def _run(work: Coroutine[Any, Any, R]) -> R:
    return asyncio.run(work)


def _tell(line: str) -> None:
    # Progress is for people who watch, not for pipes and files.
    if sys.stderr.isatty():
        click.echo(line, err=True)


async def _scan(driver: ModbusDriver, spaces: Sequence[Space], last: int) -> tuple[Range, ...]:
    found: list[Range] = []
    await driver.open()
    try:
        for space in spaces:
            found += await scan(driver, space, last, _teller(space))
    finally:
        await driver.close()
    return tuple(found)


def _teller(space: Space) -> Callable[[int], None]:
    return lambda first: _tell(f"{space} from {first}")


def _survey(configuration: SiteConfiguration, only: str | None) -> tuple[PlcFound, ...]:
    names = {each.name for each in configuration.plcs}
    if only is not None and only not in names:
        raise InvalidInput([Fault("", "unknown-plc", f"there is no PLC {only!r}.{hint(only, names)}")])
    wanted = [each for each in configuration.plcs if only in (None, each.name)]
    return _run(_surveys(configuration, wanted))


async def _surveys(configuration: SiteConfiguration, wanted: Sequence[PlcTable]) -> tuple[PlcFound, ...]:
    found = []
    for each in wanted:
        devices = [device for device in configuration.devices if device.plc == each.name]
        found.append(await survey(each, devices, driver_of(each, devices), _tell))
    return tuple(found)


def _try(configuration: SiteConfiguration, wish: str, checked: Collection[str]) -> Trial:
    place, _, text = wish.partition("=")
    device_id, _, name = place.partition(".")
    tables = {each.id: each for each in configuration.devices}
    if device_id not in tables or not name or not text:
        detail = f"write --try DEVICE.SETTING=VALUE.{hint(device_id, tables.keys())}"
        raise InvalidInput([Fault("", "not-understood", detail)])
    device = Device(configuration.site, tables[device_id])
    if device.plc not in checked:
        detail = f"{device_id} is on {device.plc}, which was not checked; leave --plc out, or name that one"
        raise InvalidInput([Fault("", "not-checked", detail)])
    (table,) = (each for each in configuration.plcs if each.name == device.plc)
    folder = configuration.agent.folder
    # An agent at work would see the trial as somebody's edit at the panel, and could write in between.
    alone: AbstractContextManager[None] = held(folder) if folder.exists() else nullcontext()
    with alone:
        return _run(_tried(device, name, _value(text), table, driver_of(table, configuration.devices)))


async def _tried(device: Device, name: str, value: Value, table: PlcTable, driver: Driver) -> Trial:
    marker = None if table.marker is None else Marker.of(table.marker)
    lane = Lane(table.name, driver, settle_s=table.timeout_s, on_link=lambda: None, marker=marker)
    try:
        return await trial(device, name, value, lane, _tell)
    finally:
        await driver.close()


def _value(text: str) -> Value:
    """JSON where it is JSON, else the words themselves."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float | str) else text


def _as_json(found: Sequence[PlcFound], tried: Trial | None = None) -> str:
    body: dict[str, Any] = {"plcs": [each.as_dict() for each in found]}
    if tried is not None:
        body["trial"] = asdict(tried)
    return json.dumps(body, indent=2)


def _keep(
    file: Path | None, configuration: SiteConfiguration, found: Sequence[PlcFound], tried: Trial | None = None
) -> None:
    """As a report, which somebody may read in a year."""
    if file is not None:
        about = {"site": configuration.site, "at": clock.wall().isoformat(timespec="seconds"), "version": __version__}
        body = {**about, **json.loads(_as_json(found, tried))}
        file.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
