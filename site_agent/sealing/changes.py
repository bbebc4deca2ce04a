"""What is another value in one configuration than in another, first of all in what keeps fish from harm. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.protocol.errors import json_pointer
from site_agent.configuration import SiteConfiguration

#: Parts of a place that are about limits, whatever stands above them.
_LIMITS: Final = frozenset({"limits", "interlocks", "minimum", "maximum", "step", "writable", "watchdog_s"})


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """``old`` and ``new`` are JSON; None: there is, or was, nothing."""

    place: str
    old: str | None
    new: str | None

    @property
    def of_limits(self) -> bool:
        """Whether a limit or an interlock is another one, or gone."""
        return not _LIMITS.isdisjoint(self.place.split("/"))

    def __str__(self) -> str:
        return f"{self.place}: {self.old or 'nothing'} -> {self.new or 'nothing'}"


def changes(old: SiteConfiguration | None, new: SiteConfiguration) -> tuple[Change, ...]:
    """Every value that differs; of nothing at all, every value. Limits come first."""
    before, after = {} if old is None else _flat(old), _flat(new)
    found = [
        Change(place, before.get(place), after.get(place))
        for place in {*before, *after}
        if before.get(place) != after.get(place)
    ]
    return tuple(sorted(found, key=lambda each: (not each.of_limits, each)))


def _flat(configuration: SiteConfiguration) -> dict[str, str]:
    whole = configuration.model_dump(mode="json", by_alias=True, exclude_none=True)
    # Escaped, so that nothing in a text can pass for another line, or hide one.
    return {ascii(place)[1:-1]: json.dumps(value) for place, value in _leaves("", whole)}


def _leaves(place: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 # any piece of the file
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _leaves(place + json_pointer(key), each)
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        for number, each in enumerate(value):
            yield from _leaves(place + json_pointer(each.get("id") or each.get("name") or number), each)
    else:
        yield place, value
