"""A small site for tests: one PLC, one feeder, described as its TOML file would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from gateway.broker import Login
from site_agent.configuration import SiteConfiguration

FEEDER: dict[str, Any] = {
    "portion_g": {"type": "uint16", "register": 0, "writable": True, "unit": "g", "maximum": 2000, "step": 5},
    "interval_min": {"type": "uint16", "register": 1, "writable": True, "unit": "min", "minimum": 1},
    "enabled": {"type": "bool", "register": 2, "writable": True},
    "hopper_kg": {"type": "float32", "register": 4, "unit": "kg"},
    "target_c": {"type": "float32", "register": 8, "writable": True, "word_order": "little"},
}


def site(
    name: str = "arava-1",
    *,
    folder: Path = Path("agent"),
    plc_port: int = 502,
    login: Login | None = None,
    heartbeat_s: float = 20.0,
    timeout_s: float = 0.4,
    poll_s: float = 0.2,
) -> SiteConfiguration:
    """A site with the device ``feeder-1`` on ``plc-1``."""
    broker = {"host": login.host, "port": login.port} if login else {}
    return SiteConfiguration.model_validate(
        {
            "site": name,
            "broker": {**broker, "password_file": folder / "password", "will_delay_s": 1, "keepalive_s": 2},
            "agent": {"folder": folder, "heartbeat_s": heartbeat_s},
            "plcs": [
                {"name": "plc-1", "host": "127.0.0.1", "port": plc_port, "timeout_s": timeout_s, "poll_s": poll_s}
            ],
            "devices": [{"id": "feeder-1", "title": "Feeder 1", "plc": "plc-1", "properties": FEEDER}],
        }
    )


NO_PASSWORD = SecretStr("")
