"""Which driver serves a PLC of the site's file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import SecretStr

from gateway.protocol.errors import Fault, SettingsError
from site_agent.configuration import DeviceTable
from site_agent.drivers.modbus import ModbusDriver
from site_agent.drivers.port import Driver
from site_agent.node_places import places
from site_agent.plc_table import OpcUaTable, PlcTable


def driver_of(
    plc: PlcTable, devices: Sequence[DeviceTable], on_change: Callable[[int], None] = lambda _address: None
) -> Driver:
    """The driver of a PLC with its devices; ``on_change`` hears where a value has changed, if the PLC tells.

    Raises:
        SettingsError: the password's file cannot be read.
    """
    if plc.opcua is None:
        return ModbusDriver(plc.wire, plc.unit, plc.timeout_s)
    from site_agent.drivers.opcua import OpcUaDriver  # noqa: PLC0415 # its library is an extra

    return OpcUaDriver(
        plc.opcua.endpoint,
        places(plc, [each for each in devices if each.plc == plc.name]),
        timeout_s=plc.timeout_s,
        publish_s=plc.poll_s,
        login=_login(plc.opcua),
        on_change=on_change,
    )


def _login(server: OpcUaTable) -> tuple[str, SecretStr] | None:
    if server.user is None or server.password_file is None:
        return None
    return server.user, SecretStr(_password(server.password_file))


def _password(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError("the site's file", [Fault("/plcs/opcua/password_file", "unreadable", str(error))]) from None
