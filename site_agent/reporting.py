"""Which readings are worth a message: changes that matter, and everything now and then. Pure; time is an argument.

A setting that changes is always told at once. A reading is told when it has left its dead band around what was told
last, and not more often than its least interval allows; what was held back is told when the interval is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.protocol.messages import Value
from site_agent.property_tables import PropertyTable

Values = Mapping[str, Value | None]
_LONG_AGO: Final = float("-inf")


class Reporting:
    """What was told of one device, and when; everything is told again every ``refresh_s``."""

    def __init__(self, properties: Mapping[str, PropertyTable], *, refresh_s: float) -> None:
        self._properties = properties
        self._refresh_s = refresh_s
        self._told: dict[str, Value | None] = {}
        self._told_s: dict[str, float] = {}
        self._all_s = _LONG_AGO

    def due(self, values: Values, now_s: float) -> bool:
        """Whether these values are worth a message now."""
        if now_s - self._all_s >= self._refresh_s:
            return True
        return any(self._is_news(name, value, now_s) for name, value in values.items())

    def tell(self, values: Values, now_s: float) -> None:
        """They are told now, all of them: a message carries the whole device."""
        for name, value in values.items():
            if name not in self._told or value != self._told[name]:
                self._told_s[name] = now_s
        self._told = dict(values)
        self._all_s = now_s

    def _is_news(self, name: str, value: Value | None, now_s: float) -> bool:
        if name not in self._told:
            return True
        since_s = now_s - self._told_s.get(name, _LONG_AGO)
        return is_news(self._properties[name], value, self._told[name], since_s)


def is_news(table: PropertyTable, value: Value | None, told: Value | None, since_s: float) -> bool:
    """Whether a value is worth telling, when ``told`` was told ``since_s`` ago."""
    if value == told and type(value) is type(told):
        return False
    if table.writable:
        return True
    if since_s < table.least_interval_s:
        return False
    return not (_is_number(value) and _is_number(told) and abs(_number(value) - _number(told)) <= table.dead_band)


def _is_number(value: Value | None) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Value | None) -> float:
    return value if isinstance(value, int | float) else 0.0
