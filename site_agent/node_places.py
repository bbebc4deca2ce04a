"""Where the values of an OPC UA server lie among our own addresses, and what its devices cannot have. Pure.

The file names nodes; each gets an address before anything is checked, so that what follows knows of cells only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any, Final

from gateway.protocol.errors import Fault, json_pointer
from site_agent.configuration import DeviceTable, SiteConfiguration
from site_agent.drivers.nodes import VARIANTS, Place
from site_agent.plc_table import PlcTable
from site_agent.property_tables import LONGEST_STRING, Cells, PropertyTable
from site_agent.registers import ByteOrder, RegisterType, Space, WordOrder, words_of

Raw = dict[str, Any]
_KINDS: Final = frozenset(map(str, RegisterType))
_EXTRA: Final = "OPC UA needs more than is installed; type: pip install 'tidegate[opcua]'"


def with_addresses(raw: Raw) -> Raw:
    """The whole file, in which every value with a node, and every one of an OPC UA server, has a register."""
    plcs, devices = raw.get("plcs"), raw.get("devices")
    if not isinstance(plcs, list) or not isinstance(devices, list):
        return raw
    ours = {each.get("name") for each in plcs if isinstance(each, dict) and "opcua" in each}
    next_free: Counter[Any] = Counter()
    return raw | {
        "plcs": [_marked(each, next_free) if isinstance(each, dict) else each for each in plcs],
        "devices": [
            with_device_addresses(each, next_free, every=each.get("plc") in ours) if isinstance(each, dict) else each
            for each in devices
        ],
    }


def with_device_addresses(raw: Raw, next_free: Counter[Any], *, every: bool = False) -> Raw:
    """One device's table; ``next_free`` counts the addresses of each PLC, ``every`` takes in what has no node too."""
    properties = raw.get("properties")
    if not isinstance(properties, dict):
        return raw
    return raw | {
        "properties": {name: _placed(each, next_free, raw.get("plc"), every) for name, each in properties.items()}
    }


def _marked(plc: Raw, next_free: Counter[Any]) -> Raw:
    marker = plc.get("marker")
    return plc if marker is None else plc | {"marker": _placed(marker, next_free, plc.get("name"), "opcua" in plc)}


def _placed(table: Any, next_free: Counter[Any], plc: object, every: bool) -> Any:  # noqa: ANN401 # any piece of TOML
    if not isinstance(table, dict) or "register" in table or not ("node" in table or every):
        return table
    placed = table | {"register": next_free[plc]}
    next_free[plc] += _size(table) + 1
    verify = table.get("verify")
    if isinstance(verify, dict) and "register" not in verify:
        placed["verify"] = verify | {"register": next_free[plc]}
        next_free[plc] += _size(table) + 1
    return placed


def _size(table: Raw) -> int:
    """How many cells it takes; what is wrong with it is told later."""
    kind, length = table.get("type"), table.get("length")
    if kind == RegisterType.STRING:
        return length if isinstance(length, int) and 0 < length <= LONGEST_STRING else LONGEST_STRING
    return words_of(RegisterType(kind)) if isinstance(kind, str) and kind in _KINDS else 4


def places(plc: PlcTable, devices: Sequence[DeviceTable]) -> dict[int, Place]:
    """The nodes of one server, by address."""
    found = {} if plc.marker is None else {plc.marker.register_: _place(plc.marker, plc.marker.node)}
    for device in devices:
        for each in device.properties.values():
            found[each.register_] = _place(each, each.node)
            if each.verify is not None:
                found[each.verify.register_] = _place(each, each.verify.node)
    return found


def _place(cells: Cells, node: str | None) -> Place:
    assert node is not None  # noqa: S101 # node_faults() has looked
    bit = isinstance(cells, PropertyTable) and cells.bit is not None
    return Place(node, RegisterType.UINT16 if bit else cells.type, cells.layout.words)


def node_faults(configuration: SiteConfiguration) -> Iterator[Fault]:
    """What contradicts itself between PLCs and the nodes of their devices."""
    plcs = {plc.name: plc for plc in configuration.plcs}
    for number, plc in enumerate(configuration.plcs):
        if plc.marker is not None:
            yield from _cell_faults(plc.marker, plc.marker.node, plc.opcua is not None, f"/plcs/{number}/marker")
        if plc.opcua is not None:
            yield from _server_faults(plc, f"/plcs/{number}")
    for number, device in enumerate(configuration.devices):
        if device.plc in plcs:
            yield from _device_faults(device, f"/devices/{number}", opcua=plcs[device.plc].opcua is not None)


def _server_faults(plc: PlcTable, here: str) -> Iterator[Fault]:
    if find_spec("asyncua") is None:
        yield Fault(f"{here}/opcua", "not-installed", _EXTRA)
    if plc.word_order is not WordOrder.BIG or plc.byte_order is not ByteOrder.BIG:
        yield Fault(here, "not-on-opcua", "values of an OPC UA server have no order of words or bytes")
    assert plc.opcua is not None  # noqa: S101 # the caller has looked
    if (plc.opcua.user is None) is not (plc.opcua.password_file is None):
        yield Fault(f"{here}/opcua", "login", "user and password_file belong together")


def _device_faults(device: DeviceTable, here: str, *, opcua: bool) -> Iterator[Fault]:
    for name, each in device.properties.items():
        place = f"{here}/properties{json_pointer(name)}"
        yield from _cell_faults(each, each.node, opcua, place)
        if each.verify is not None:
            yield from _cell_faults(each, each.verify.node, opcua, f"{place}/verify")
        if opcua and each.write_function is not None:
            yield Fault(f"{place}/write_function", "not-on-opcua", "only Modbus has functions")
    if not opcua:
        return
    if device.mailbox is not None:
        yield Fault(f"{here}/mailbox", "not-on-opcua", "a mailbox is made of Modbus registers")
    for name in device.actions:
        place = f"{here}/actions{json_pointer(name)}"
        yield Fault(place, "not-on-opcua", "actions need Modbus; an OPC UA server has settings and readings here")


def _cell_faults(cells: Cells, node: str | None, opcua: bool, here: str) -> Iterator[Fault]:
    if not opcua:
        if node is not None:
            yield Fault(
                f"{here}/node", "not-on-modbus", "its PLC is asked over Modbus; say with register where it lies"
            )
        return
    if node is None:
        yield Fault(f"{here}/node", "missing", "its PLC is an OPC UA server: say with node which value it is")
    if cells.type not in VARIANTS:
        known = ", ".join(VARIANTS)
        yield Fault(f"{here}/type", "not-on-opcua", f"OPC UA has no {cells.type}; it has: {known}")
    if cells.table is not Space.HOLDING:
        yield Fault(f"{here}/table", "not-on-opcua", "an OPC UA server has no tables")
    for order in ("word_order", "byte_order"):
        if getattr(cells, order) is not None:
            yield Fault(f"{here}/{order}", "not-on-opcua", "values of an OPC UA server have no order of words or bytes")
