"""A site's TOML file: read, filled up from profiles, and checked as a whole.

Everything wrong with it is reported at once, each fault with its key and the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from gateway.protocol.errors import Fault, SettingsError, json_pointer
from site_agent import mailbox
from site_agent.action_tables import ArgumentTable, action_faults, interlock_faults
from site_agent.alarm_tables import alarm_faults, meal_faults
from site_agent.claims import Claim, overlaps
from site_agent.configuration import DeviceTable, SiteConfiguration
from site_agent.explanation import causes, explained
from site_agent.nearest import hint
from site_agent.node_places import node_faults, with_addresses, with_device_addresses
from site_agent.plc_table import MarkerTable, PlcTable, marker_faults
from site_agent.profile import Profiles, Raw, profiles_of
from site_agent.property_tables import PropertyTable, property_faults, value_types
from site_agent.reading import Reads
from site_agent.registers import Space
from site_agent.site_texts import SiteTexts, read_texts

C = TypeVar("C", PropertyTable, MarkerTable, ArgumentTable)


def load(path: Path) -> SiteConfiguration:
    """Read a site's file; paths in it are taken relative to the file.

    Raises:
        SettingsError: unreadable, not TOML, or breaking a rule; lists every fault with its key.
    """
    return configuration_of(read_texts(path))


def configuration_of(texts: SiteTexts) -> SiteConfiguration:
    """What the texts say; raises as :func:`load`."""
    path = texts.path
    profiles = profiles_of(texts.profiles, texts.unreadable)
    whole, faults = _filled(texts.raw, profiles)
    faults += profiles.faults
    try:
        configuration = SiteConfiguration.model_validate(whole)
    except ValidationError as error:
        found = (*faults, *explained(error, SiteConfiguration, whole), *_beside(whole))
        raise SettingsError(str(path), causes(found, whole)) from None
    faults += _contradictions(configuration)
    if faults:
        raise SettingsError(str(path), causes(faults, whole))
    loaded = _with_orders(_with_absolute_paths(configuration, path.resolve().parent))
    unreadable = tuple(_secret_faults(loaded))
    if unreadable:
        raise SettingsError(str(path), unreadable)
    return loaded


def _secret_faults(configuration: SiteConfiguration) -> Iterator[Fault]:
    """Passwords of servers that cannot be read; a running agent must know before it takes the file over."""
    for number, plc in enumerate(configuration.plcs):
        if plc.opcua is not None and plc.opcua.password_file is not None:
            try:
                plc.opcua.password_file.read_text(encoding="utf-8")
            except (OSError, ValueError) as error:
                yield Fault(f"/plcs/{number}/opcua/password_file", "unreadable", str(error))


def _filled(raw: Raw, profiles: Profiles) -> tuple[Raw, list[Fault]]:
    """The file with what profiles give its devices."""
    devices, faults = raw.get("devices"), list[Fault]()
    if not isinstance(devices, list):
        return raw, faults
    filled = []
    for number, each in enumerate(devices):
        whole, found = profiles.device(each, f"/devices/{number}") if isinstance(each, dict) else (each, ())
        filled.append(whole)
        faults += found
    return with_addresses(raw | {"devices": filled}), faults


def _beside(whole: Raw) -> Iterator[Fault]:
    """What contradicts itself in those devices that are well-formed, in a file that is not."""
    devices, plcs = whole.get("devices"), whole.get("plcs")
    names = {str(each.get("name")) for each in plcs if isinstance(each, dict)} if isinstance(plcs, list) else None
    for number, each in enumerate(devices if isinstance(devices, list) else ()):
        try:
            device = DeviceTable.model_validate(each)
        except ValidationError:
            continue
        if names is not None and device.plc not in names:
            yield _unknown_plc(number, device, names)
        yield from _device_contradictions(device, f"/devices/{number}")


def _unknown_plc(number: int, device: DeviceTable, names: Collection[str]) -> Fault:
    detail = f"there is no PLC {device.plc!r}.{hint(device.plc, names)}"
    return Fault(f"/devices/{number}/plc", "unknown-plc", detail)


def _contradictions(configuration: SiteConfiguration) -> Iterator[Fault]:
    plcs = {plc.name for plc in configuration.plcs}
    for kind, names in (
        ("plcs", [plc.name for plc in configuration.plcs]),
        ("devices", [device.id for device in configuration.devices]),
    ):
        for name, times in Counter(names).items():
            if times > 1:
                yield Fault(f"/{kind}", "twice", f"{name!r} is there {times} times; every name must be unique")
    for number, device in enumerate(configuration.devices):
        if device.plc not in plcs:
            yield _unknown_plc(number, device, plcs)
        if not device.properties:
            yield Fault(f"/devices/{number}/properties", "missing", "a device has properties of its own or a profile's")
        yield from _device_contradictions(device, f"/devices/{number}")
    yield from _plc_contradictions(configuration)
    yield from node_faults(configuration)
    yield from overlaps(_claims(configuration))


def _plc_contradictions(configuration: SiteConfiguration) -> Iterator[Fault]:
    addresses: dict[str, str] = {}
    for number, plc in enumerate(configuration.plcs):
        if plc.marker is not None:
            yield from marker_faults(plc.marker, f"/plcs/{number}/marker")
        if (other := addresses.setdefault(plc.address, plc.name)) != plc.name:
            detail = f"{plc.name} and {other} are both at {plc.address}; one PLC has one name, or its commands collide"
            yield Fault(f"/plcs/{number}", "twice", detail)
    reads = {plc.name: plc.reads for plc in configuration.plcs}
    for number, device in enumerate(configuration.devices):
        if device.plc in reads:
            yield from _unreadable(device, reads[device.plc], f"/devices/{number}")


def _unreadable(device: DeviceTable, reads: Reads, place: str) -> Iterator[Fault]:
    """What the PLC's own table says that nobody can read."""
    for name, each in device.properties.items():
        (space, first), size, here = each.read_at, each.layout.words, f"{place}/properties{json_pointer(name)}"
        if size > reads.largest_of(space):
            yield Fault(here, "too-large", f"it takes {size} registers, and largest_read is {reads.largest}")
        if reads.refuses(space, first, first + size - 1):
            yield Fault(here, "unreadable", "it lies in a range that its PLC's table calls unreadable")
    box = device.mailbox
    if box is not None and reads.refuses(Space.HOLDING, box.register_, box.register_ + mailbox.SIZE - 1):
        yield Fault(f"{place}/mailbox", "unreadable", "it lies in a range that its PLC's table calls unreadable")


def _unmet(device: DeviceTable, place: str) -> Iterator[Fault]:
    """Interlocks and alarms that could never hold, since their property never has that value."""
    stated = [(f"interlocks/{number}", each.property, each.value) for number, each in enumerate(device.interlocks)]
    stated += [(f"alarms{json_pointer(name)}", each.property, each.value) for name, each in device.alarms.items()]
    for here, name, value in stated:
        choices = device.properties[name].choices if name in device.properties else {}
        if choices and value not in choices:
            detail = f"{name} never reads {value!r}.{hint(value, choices.keys())}"
            yield Fault(f"{place}/{here}/value", "not-in-choices", detail)


def _device_contradictions(device: DeviceTable, place: str) -> Iterator[Fault]:
    yield from property_faults(device.properties, place)
    counts = {name for name, each in device.properties.items() if each.counts}
    yield from action_faults(device.actions, device.mailbox is not None, counts, place)
    yield from interlock_faults(device.interlocks, device.actions, value_types(device.properties), place)
    yield from _unmet(device, place)
    yield from alarm_faults(device.alarms, value_types(device.properties), place)
    if device.meals is not None:
        yield from meal_faults(device.meals, value_types(device.properties), counts, place)


def device_faults(raw: Raw) -> tuple[Fault, ...]:
    """What is wrong with one device's table, filled up, whatever its site is like."""
    whole = with_device_addresses(raw, Counter())
    try:
        device = DeviceTable.model_validate(whole)
    except ValidationError as error:
        return tuple(explained(error, DeviceTable, whole))
    mine = ((device.plc, device.id, "", claim) for claim in device.claims())
    return (*_device_contradictions(device, ""), *overlaps(mine))


def _claims(configuration: SiteConfiguration) -> Iterator[tuple[str, str, str, Claim]]:
    for number, device in enumerate(configuration.devices):
        for claim in device.claims():
            yield device.plc, device.id, f"/devices/{number}", claim


def _with_orders(configuration: SiteConfiguration) -> SiteConfiguration:
    """Whatever names no order of words and bytes has that of its PLC."""
    plcs = {plc.name: plc for plc in configuration.plcs}
    devices = [_ordered_device(device, plcs[device.plc]) for device in configuration.devices]
    return configuration.model_copy(
        update={
            "plcs": tuple(
                plc if plc.marker is None else plc.model_copy(update={"marker": _ordered(plc.marker, plc)})
                for plc in configuration.plcs
            ),
            "devices": tuple(devices),
        }
    )


def _ordered_device(device: DeviceTable, plc: PlcTable) -> DeviceTable:
    properties = {name: _ordered(each, plc) for name, each in device.properties.items()}
    actions = {
        name: action.model_copy(
            update={"input": {argument: _ordered(each, plc) for argument, each in action.input.items()}}
        )
        for name, action in device.actions.items()
    }
    return device.model_copy(update={"properties": properties, "actions": actions})


def _ordered(cells: C, plc: PlcTable) -> C:
    orders = {"word_order": cells.word_order or plc.word_order, "byte_order": cells.byte_order or plc.byte_order}
    return cells.model_copy(update=orders)


def _with_absolute_paths(configuration: SiteConfiguration, folder: Path) -> SiteConfiguration:
    table = configuration.broker
    named = {"identity": table.identity, "password_file": table.password_file, "ca_file": table.ca_file}
    broker: dict[str, Any] = {key: None if path is None else folder / path for key, path in named.items()}
    agent: dict[str, Any] = {"folder": folder / configuration.agent.folder}
    return configuration.model_copy(
        update={
            "broker": table.model_copy(update=broker),
            "agent": configuration.agent.model_copy(update=agent),
            "plcs": tuple(_with_absolute_password(plc, folder) for plc in configuration.plcs),
        }
    )


def _with_absolute_password(plc: PlcTable, folder: Path) -> PlcTable:
    if plc.opcua is None or plc.opcua.password_file is None:
        return plc
    server = plc.opcua.model_copy(update={"password_file": folder / plc.opcua.password_file})
    return plc.model_copy(update={"opcua": server})
