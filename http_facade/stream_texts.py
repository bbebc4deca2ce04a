"""Changes as Server-Sent Events (WHATWG HTML, section 9.2): a name, a number to go on from, and one line of JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from gateway.changed_things import AlarmNow, ChangedThings, DeviceNow, Now
from gateway.changes import Change, Kind, Thing
from gateway.events import EventRecord
from gateway.ledger import CommandRecord
from gateway.liveness import Alive
from gateway.sites import SiteRecord
from http_facade import representations
from http_facade.feed import Told
from http_facade.representations import Json, to_json

Beats = Callable[[Sequence[str]], tuple[Mapping[str, Alive | None], str | None]]
_NAMES = {Kind.DEVICE: "state"}


def sent(name: str, number: int, body: Json) -> str:
    """One event."""
    return f"event: {name}\nid: {number}\ndata: {to_json(body)}\n\n"


class StreamTexts:
    """``beats`` tells which sites are alive; see :meth:`http_facade.services.Services.beats`.

    ``alive_expiry_s`` is how long one beat keeps a gate open.
    """

    def __init__(self, things: ChangedThings, *, beats: Beats, alive_expiry_s: float) -> None:
        self._things = things
        self._beats = beats
        self._alive_expiry_s = alive_expiry_s

    def render(self, changes: Sequence[Change]) -> Sequence[Told]:
        """The events of these changes; raises Unavailable."""
        known = self._things.now(each.thing for each in changes)
        told = sorted({each.thing.site for each in changes if each.thing.kind is Kind.STATUS})
        alive, cause = self._beats(told) if told else ({}, None)
        now = datetime.now(UTC)
        found = []
        for each in changes:
            now_is = known.get(each.thing)
            if isinstance(now_is, SiteRecord):
                beat = alive.get(now_is.site)
                body = representations.site(now_is, beat, cause, now, alive_expiry_s=self._alive_expiry_s)
            else:
                body = _body(each.thing, now_is)
            name = _NAMES.get(each.thing.kind, each.thing.kind.value)
            found.append(Told(each.number, each.thing.site, sent(name, each.number, body)))
        return found


def _body(thing: Thing, now_is: Now) -> Json:
    match now_is:
        case DeviceNow():
            return _state(now_is)
        case CommandRecord():
            return representations.recorded_command(now_is)
        case EventRecord():
            return representations.event(now_is)
        case AlarmNow():
            return {"active": now_is.active, **representations.alarm(now_is.record)}
    return {"site": thing.site, "gone": True, **({"device": thing.key} if thing.kind is Kind.DEVICE else {})}


def _state(now_is: DeviceNow) -> Json:
    state = now_is.state
    return {
        "site": now_is.site,
        "device": now_is.device,
        "at": None if state is None else representations.instant(state.at),
        "quality": None if state is None else state.quality,
        "cause": "" if state is None else state.cause,
        "revision": None if state is None else state.revision,
        "properties": {} if state is None else dict(state.properties),
    }
