"""The demo's site file is one that the agent takes."""

from __future__ import annotations

from pathlib import Path

from gateway.demo.site import PROBE_DEVICE, PROBE_PROPERTY, PROBE_REGISTER, Site, site_toml
from site_agent.registers import RegisterType
from site_agent.simulator.farm import LAYOUT
from site_agent.site_file import load


def written(folder: Path) -> Path:
    site = Site(
        name="arava-1",
        broker_host="127.0.0.1",
        broker_port=1884,
        password_file=Path("secrets/arava-1"),
        folder=Path("agent"),
        modbus_port=5020,
        heartbeat_s=20,
    )
    path = folder / "site.toml"
    path.write_text(site_toml(site), encoding="utf-8")
    return path


def test_site_toml_loaded_by_the_agent_without_fault(tmp_path: Path) -> None:
    """The agent reads what we write, paths taken from the file's folder."""
    site = load(written(tmp_path))
    assert (site.site, site.broker.port, site.agent.heartbeat_s) == ("arava-1", 1884, 20)
    assert site.broker.password_file == tmp_path.resolve() / "secrets" / "arava-1"
    assert [plc.port for plc in site.plcs] == [5020, 5021]


def test_site_toml_devices_lie_where_the_farm_has_them(tmp_path: Path) -> None:
    """Each feeder's first register is its base in the simulated PLC."""
    site = load(written(tmp_path))
    bases = {device.id: min(each.register_ for each in device.properties.values()) for device in site.devices}
    farm = {feeder: base for feeders in LAYOUT.values() for feeder, base in feeders.items()}
    plcs = {device.id: device.plc for device in site.devices}
    assert bases == farm
    assert plcs == {feeder: plc for plc, feeders in LAYOUT.items() for feeder in feeders}


def test_site_toml_probe_is_a_writable_uint16(tmp_path: Path) -> None:
    """What demo.json calls the probe is one, at the register it names."""
    device = next(each for each in load(written(tmp_path)).devices if each.id == PROBE_DEVICE)
    probe = device.properties[PROBE_PROPERTY]
    assert (probe.type, probe.register_, probe.writable) == (RegisterType.UINT16, PROBE_REGISTER, True)
