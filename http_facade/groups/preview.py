"""What a group would do if it ran now: effect, limits, interlocks and refusal per device. Without any effect itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from gateway.protocol.codes import AckCode
from gateway.protocol.description import ActionAffordance, DataSchema, Description, Interlock, Limit
from gateway.protocol.errors import InvalidInput, TidegateError, Unavailable
from gateway.protocol.messages import DeviceState, Value
from gateway.protocol.topics import WRITE
from gateway.sites import DeviceRecord
from http_facade.dispatch import Request
from http_facade.groups.asked import GroupAsked, Target
from http_facade.refusals import BrokerUnavailable, GateUnavailable, NotFound
from http_facade.representations import Json, instant

#: A fault of ours is the same for every target, so the preview as a whole is refused, at once.
_OURS: Final = (GateUnavailable, BrokerUnavailable, Unavailable)


class Checker(Protocol):
    """The checks of a command; :class:`http_facade.dispatch.Dispatch`."""

    def check(self, request: Request) -> object:
        """All that is looked at before anything happens; raises what a command would be refused with."""


class Reports(Protocol):
    """Devices as last reported; raises Unavailable."""

    def devices(self, site: str) -> Sequence[DeviceRecord]:
        """The devices of a site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would happen: per target, in their order, and in total."""

    items: Sequence[tuple[str, str, Json]]
    summary: Json


def preview(
    asked: GroupAsked, *, checker: Checker, reports: Reports, actor: str, address: str | None, now: datetime
) -> Preview:
    """Look at every target.

    Raises:
        GateUnavailable, BrokerUnavailable, Unavailable: nobody can tell now.
    """
    sites = {site: _devices(reports, site) for site in {each.site for each in asked.targets}}
    items = []
    for target in asked.targets:
        refusal = _refusal(checker, _request(asked, target, actor, address))
        items.append((target.site, target.device, _item(asked, sites[target.site].get(target.device), refusal, now)))
    return Preview(items=items, summary=_summary([item for _, _, item in items]))


def refusal_of(error: TidegateError) -> Json:
    """Why a target is refused, as the problem of a single command would say it."""
    code = f"unknown-{error.what}" if isinstance(error, NotFound) else error.code
    if isinstance(error, Unavailable):
        code = "ledger-unavailable" if error.part == "database" else f"{error.part}-unavailable"
    faults = error.faults if isinstance(error, InvalidInput) else ()
    errors = [{"pointer": each.pointer, "code": each.code, "detail": each.detail} for each in faults]
    return {"code": code, "detail": str(error) if errors else getattr(error, "detail", str(error)), "errors": errors}


def _devices(reports: Reports, site: str) -> Mapping[str, DeviceRecord]:
    return {each.device: each for each in reports.devices(site)}


def _request(asked: GroupAsked, target: Target, actor: str, address: str | None) -> Request:
    return Request(
        site=target.site,
        device=target.device,
        name=asked.name,
        input=asked.values,
        ttl_s=asked.ttl_s,
        wait_s=0,
        revision=None,
        actor=actor,
        source_address=address,
    )


def _refusal(checker: Checker, request: Request) -> Json | None:
    try:
        checker.check(request)
    except _OURS:
        raise
    except TidegateError as error:
        return refusal_of(error)
    return None


def _item(asked: GroupAsked, record: DeviceRecord | None, refusal: Json | None, now: datetime) -> Json:
    description = None if record is None else record.description
    state = None if record is None else record.state
    item: Json = {"effect": None, "limits": {}, "interlocks": [], "refusal": refusal, "reported": _reported(state, now)}
    if description is None:
        return item
    if asked.name == WRITE:
        return item | {
            "effect": {"settings": [_change(description, state, *each) for each in asked.values.items()]},
            "limits": {name: _range(description.properties.get(name)) for name in asked.values},
        }
    action = description.actions.get(asked.name)
    if action is None:
        return item
    interlocks = [_interlock(each, state) for each in action.interlocks]
    return item | {
        "effect": _dose(action, asked.values),
        "limits": {str(name): bound for name, bound in action.limits.items()},
        "interlocks": interlocks,
        "refusal": refusal or _by_the_site(action, asked.values, interlocks),
    }


def _reported(state: DeviceState | None, now: datetime) -> Json:
    if state is None:
        return {"quality": None, "at": None, "age_s": None, "revision": None}
    age_s = round(max(0.0, (now - state.at).total_seconds()), 1)
    return {"quality": state.quality, "at": instant(state.at), "age_s": age_s, "revision": state.revision}


def _change(description: Description, state: DeviceState | None, name: str, new: object) -> Json:
    schema = description.properties.get(name)
    old = None if state is None else state.properties.get(name)
    same = old is not None and old == new and isinstance(old, bool) is isinstance(new, bool)
    unit = None if schema is None else schema.unit
    return {"setting": name, "unit": unit, "old": old, "new": new, "unchanged": same}


def _range(schema: DataSchema | None) -> Json:
    words = ("minimum", "maximum", "multiple_of", "max_length", "enum")
    return (
        {} if schema is None else {word: getattr(schema, word) for word in words if getattr(schema, word) is not None}
    )


def _dose(action: ActionAffordance, values: Mapping[str, object]) -> Json:
    counted = action.input.properties.get(action.argument or "")
    return {
        "arguments": dict(values),
        "counted": action.argument,
        "amount": _amount(values.get(action.argument or "")),
        "unit": None if counted is None else counted.unit,
    }


def _amount(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _interlock(interlock: Interlock, state: DeviceState | None) -> Json:
    """Its live value as last reported; of a device that has never reported, nobody can tell whether it holds."""
    live: Value | None = None if state is None else state.properties.get(interlock.property)
    return {
        "name": interlock.name,
        "title": interlock.title,
        "property": interlock.property,
        "comparison": interlock.comparison,
        "value": interlock.value,
        "live": live,
        "holds": None if state is None else interlock.holds(live),
    }


def _by_the_site(action: ActionAffordance, values: Mapping[str, object], interlocks: Iterable[Json]) -> Json | None:
    """What the site would refuse, as far as its description and last report tell."""
    holding = [str(each["name"]) for each in interlocks if each["holds"]]
    if holding:
        detail = f"as last reported, the site's interlock holds: {', '.join(holding)}"
        return {"code": AckCode.INTERLOCKED.value, "detail": detail, "errors": []}
    largest, amount = action.limits.get(Limit.LARGEST), _amount(values.get(action.argument or ""))
    if largest is not None and amount is not None and amount > largest:
        detail = f"{action.argument} {amount} is above the site's largest of {largest}"
        return {"code": AckCode.LIMIT_EXCEEDED.value, "detail": detail, "errors": []}
    return None


def _summary(items: Sequence[Json]) -> Json:
    passing = [each for each in items if each["refusal"] is None]
    changes = [each["effect"]["settings"] for each in items if each["effect"] and "settings" in each["effect"]]
    return {
        "targets": len(items),
        "pass": len(passing),
        "refused": len(items) - len(passing),
        "unchanged": sum(all(each["unchanged"] for each in settings) for settings in changes),
        "totals": _totals(items),
    }


def _totals(items: Sequence[Json]) -> list[Json]:
    """The counted argument summed up; one row for each unit, since grams and seconds do not add up."""
    rows: dict[tuple[str, str | None], Json] = {}
    for item in items:
        effect = item["effect"] or {}
        if effect.get("amount") is not None:
            key = (effect["counted"], effect["unit"])
            row = rows.setdefault(key, {"argument": key[0], "unit": key[1], "all": 0, "passing": 0})
            row["all"] += effect["amount"]
            row["passing"] += effect["amount"] if item["refusal"] is None else 0
    return list(rows.values())
