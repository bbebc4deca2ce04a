"""Which readings become samples: those that changed, and each one now and then. Pure; times are arguments.

A sample bears the time of the very read it came from. Where a device could not be read one sample without a value says
so, so that a chart shows a gap there and not a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.protocol.messages import Quality, Value
from site_agent.property_tables import PropertyTable
from site_agent.reporting import is_news

Values = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Point:
    """One sample; ``every_s`` is the longest that the next one takes while the property is read well."""

    device: str
    name: str
    at: datetime
    value: Value | None
    quality: Quality
    every_s: float


class Sampling:
    """Of one device; ``periods`` says how often each property is read."""

    def __init__(
        self,
        device: str,
        properties: Mapping[str, PropertyTable],
        *,
        refresh_s: float,
        periods: Mapping[str, float],
    ) -> None:
        self._device = device
        self._properties = properties
        self._refresh_s = refresh_s
        # A sample is due at the first read after refresh_s, and that read may be a period late.
        self._every_s = {name: 2 * max(refresh_s, period_s) for name, period_s in periods.items()}
        self._sampled: dict[str, tuple[Value | None, Quality]] = {}
        self._sampled_s: dict[str, float] = {}

    def read(self, values: Values, *, at: datetime, now_s: float) -> tuple[Point, ...]:
        """What of a good read is to be kept."""
        return tuple(
            self._take(name, value, Quality.GOOD, at=at, now_s=now_s)
            for name, value in values.items()
            if self._is_due(name, value, now_s)
        )

    def failed(self, names: Iterable[str], quality: Quality, *, at: datetime, now_s: float) -> tuple[Point, ...]:
        """These could not be read; told once, and only of what had been read."""
        return tuple(
            self._take(name, None, quality, at=at, now_s=now_s)
            for name in names
            if name in self._sampled and self._sampled[name][1] is not quality
        )

    def _is_due(self, name: str, value: Value | None, now_s: float) -> bool:
        if name not in self._sampled:
            return True
        told, quality = self._sampled[name]
        since_s = now_s - self._sampled_s[name]
        if quality is not Quality.GOOD or since_s >= self._refresh_s:
            return True
        return is_news(self._properties[name], value, told, since_s)

    def _take(self, name: str, value: Value | None, quality: Quality, *, at: datetime, now_s: float) -> Point:
        self._sampled[name] = value, quality
        self._sampled_s[name] = now_s
        return Point(self._device, name, at, value, quality, self._every_s[name])
