"""``tidegate profile``: which profiles there are, what is in one, is a new one right; and schemas for editors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from gateway.protocol.errors import Fault, InvalidInput, SettingsError
from site_agent.configuration import DeviceTable
from site_agent.console import console
from site_agent.nearest import hint
from site_agent.profile import Profile, Profiles, read_profiles
from site_agent.profile_schema import profile_schema, site_schema
from site_agent.site_file import device_faults

_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("profiles"),
    show_default=True,
    help="Where your own profiles are, beside the shipped ones.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.group(
    epilog="""\b
tidegate profile list
tidegate profile show fish-feeder-mailbox
tidegate profile check profiles/my-feeder.toml
"""
)
def profile() -> None:
    """Device types: registers, actions and interlocks, written once.

    A device in a site's file names a profile, its base register, and what differs.
    """


@profile.command("list")
@_FOLDER
@_JSON
def list_profiles(folder: Path, as_json: bool) -> None:
    """All profiles, shipped and your own."""
    known = _read(folder).by_name.values()
    if as_json:
        click.echo(json.dumps([_summary(each) for each in known], indent=2))
        return
    shipped = read_profiles().by_name
    table = Table("profile", "title", "extends", "values", "actions", "from", box=None, pad_edge=False)
    table.columns[0].no_wrap = table.columns[2].no_wrap = True
    table.columns[-1].overflow = "fold"
    for each in known:
        found = _summary(each)
        actions, source = ", ".join(found["actions"]), each.source if each.name not in shipped else "shipped"
        cells: Iterable[object] = (each.name, each.title, each.extends or "", found["properties"], actions, source)
        table.add_row(*(Text(str(cell)) for cell in cells))
    console().print(table)


@profile.command()
@click.argument("name")
@_FOLDER
@_JSON
def show(name: str, folder: Path, as_json: bool) -> None:
    """All that a device of this profile has; registers count from its base."""
    known = _read(folder).by_name
    if name not in known:
        raise InvalidInput([Fault("", "unknown-profile", f"there is no profile {name!r}.{hint(name, {*known})}")])
    found = known[name]
    if as_json:
        click.echo(json.dumps(found.table | {"title": found.title, "description": found.description}, indent=2))
        return
    screen = console()
    screen.print(Text(f"{found.name}: {found.title}. {found.description}"))
    screen.print(_properties(_device(found)))
    for line in _behaviour(_device(found)):
        screen.print(Text(line))


@profile.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True))
def check(files: tuple[Path, ...]) -> None:
    """Read profiles of your own, and tell every mistake at once."""
    for path in files:
        known = read_profiles(path.parent)
        faults = [each for each in known.faults if each.pointer.startswith(str(path))]
        found = known.by_name.get(path.stem)
        if found is not None and found.source == str(path):
            filled, more = known.device(_placed(found), "")
            faults += (*more, *device_faults(filled))
        if faults:
            raise SettingsError(str(path), faults)
        assert found is not None  # noqa: S101 # or there would be a fault
        made = _summary(found)
        actions = f", actions: {', '.join(made['actions'])}" if made["actions"] else ""
        click.echo(f"{path}: right; {made['properties']} values{actions}")


@profile.command(
    epilog="""\b
tidegate profile schema site > site.schema.json
and as the first line of site.toml:   #:schema ./site.schema.json
"""
)
@click.argument("kind", type=click.Choice(["site", "profile"]))
def schema(kind: str) -> None:
    """The JSON Schema of a site's file, or of a profile, for editors that complete and check TOML."""
    click.echo(json.dumps(site_schema() if kind == "site" else profile_schema(), indent=2))


def _read(folder: Path) -> Profiles:
    known = read_profiles(folder)
    if known.faults:
        raise SettingsError(str(folder), known.faults)
    return known


def _summary(found: Profile) -> dict[str, Any]:
    table = found.table
    return {
        "name": found.name,
        "title": found.title,
        "description": found.description,
        "extends": found.extends,
        "source": found.source,
        "properties": len(table.get("properties", {})),
        "actions": list(table.get("actions", {})),
    }


def _placed(found: Profile) -> dict[str, Any]:
    """A device of this profile, anywhere."""
    return {"id": "device", "plc": "plc", "profile": found.name}


def _device(found: Profile) -> DeviceTable:
    return DeviceTable.model_validate({"id": "device", "plc": "plc"} | found.table)


def _properties(device: DeviceTable) -> Table:
    table = Table("value", "type", "table", "register", "unit", "set", "meaning", box=None, pad_edge=False)
    for name, each in device.properties.items():
        place = f"+{each.register_}" if each.bit is None else f"+{each.register_}.{each.bit}"
        allowed = _allowed(each.minimum, each.maximum) if each.writable else ""
        cells: Iterable[object] = (name, each.type, each.table, place, each.unit or "", allowed, each.title or "")
        table.add_row(*(Text(str(cell)) for cell in cells))
    return table


def _allowed(minimum: float | None, maximum: float | None) -> str:
    if minimum is None and maximum is None:
        return "yes"
    return f"{'' if minimum is None else f'{minimum:g}'}..{'' if maximum is None else f'{maximum:g}'}"


def _behaviour(device: DeviceTable) -> Iterable[str]:
    if device.mailbox is not None:
        yield f"mailbox at +{device.mailbox.register_}"
    for name, action in device.actions.items():
        limits = ", ".join(f"{limit} {value:g}" for limit, value in action.limits.by_name().items())
        yield f"action {name} ({', '.join(action.input)}), {action.effect}; limits: {limits or 'none'}"
    for each in device.interlocks:
        yield f"interlock {each.name}: refused while {each.property} {each.comparison} {_text(each.value)}"
    for name, alarm in device.alarms.items():
        after = f" for {alarm.delay_s:g} s" if alarm.delay_s else ""
        yield f"alarm {name} ({alarm.severity}): {alarm.property} {alarm.comparison} {_text(alarm.value)}{after}"
    if device.meals is not None:
        yield f"missed meals: told by {device.meals.counter}, {device.meals.window_min:g} min after the plan"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
