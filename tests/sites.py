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
    "lid_open": {"type": "bool", "register": 10},
    "fed_total_g": {"type": "uint32", "register": 14, "unit": "g"},
}
#: The rest of a feeder with a mailbox, as in a site's file.
FEED: dict[str, Any] = {
    "title": "Feed now",
    "op": 1,
    "argument": "grams",
    "longest_s": 20,
    "input": {"grams": {"type": "uint16", "slot": 1, "unit": "g", "minimum": 5, "maximum": 500, "step": 5}},
}
MAILBOX: dict[str, Any] = {"register": 20, "watchdog_s": 0.5}
INTERLOCK: dict[str, Any] = {"name": "lid-open", "property": "lid_open", "comparison": "equals", "value": True}


def site(
    name: str = "arava-1",
    *,
    folder: Path = Path("agent"),
    plc_port: int = 502,
    login: Login | None = None,
    heartbeat_s: float = 20.0,
    timeout_s: float = 0.4,
    poll_s: float = 0.2,
    limits: dict[str, float] | None = None,
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
            "devices": [
                {
                    "id": "feeder-1",
                    "title": "Feeder 1",
                    "plc": "plc-1",
                    "properties": FEEDER,
                    "mailbox": MAILBOX,
                    "actions": {"feed": FEED | {"limits": limits or {}}},
                    "interlocks": [INTERLOCK],
                }
            ],
        }
    )


NO_PASSWORD = SecretStr("")
