"""Hypothesis strategies: any message, topic and hostile body of the wire protocol."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from hypothesis import strategies as st

from gateway.protocol import history as h
from gateway.protocol import messages as m
from gateway.protocol import topics as t
from gateway.protocol.codes import Evidence
from gateway.protocol.description import (
    ActionAffordance,
    Comparison,
    DataSchema,
    Description,
    EventAffordance,
    Form,
    Interlock,
    Limit,
    ObjectSchema,
    PropertyAffordance,
    SecurityScheme,
    ValueType,
)
from gateway.protocol.ids import COMMAND_ID_PATTERN, ID_PATTERN, NAME_PATTERN, PRINCIPAL_PATTERN
from gateway.protocol.lifecycle import State
from gateway.protocol.meals import MealPlan, MealSlot


def matching(pattern: str) -> st.SearchStrategy[str]:
    """Any text that an anchored pattern allows, without the newline that Python's ``$`` would let pass."""
    return st.from_regex(pattern.removeprefix("^").removesuffix("$"), fullmatch=True)


ids: Final = matching(ID_PATTERN)
principals: Final = matching(PRINCIPAL_PATTERN)
names: Final = matching(NAME_PATTERN)
command_ids: Final = matching(COMMAND_ID_PATTERN)
boots: Final = matching(r"[0-9a-f]{8,32}")
codes: Final = matching(r"[a-z][a-z0-9-]{0,62}")
revisions: Final = matching(r"[0-9a-f]{8,64}")
counters: Final = st.integers(0, m.MAX_COUNTER)
texts: Final = st.text(max_size=40)
zones: Final = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments: Final = st.datetimes(
    min_value=datetime(m.FIRST_YEAR, 1, 2),  # hypothesis wants naive bounds and adds the zone
    max_value=datetime(m.LAST_YEAR, 12, 30),  # same
    timezones=zones,
)
values: Final[st.SearchStrategy[Any]] = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False), texts
)
value_maps: Final = st.dictionaries(names, values, max_size=5)
reading_maps: Final = st.dictionaries(names, st.none() | values, max_size=5)
many_ids: Final = st.lists(command_ids, max_size=4).map(tuple)

alarm_parts: Final[dict[str, st.SearchStrategy[Any]]] = {
    "active": st.none() | st.booleans(),
    "title": texts,
    "severity": st.none() | st.sampled_from(m.Severity),
}
events: Final = st.builds(m.Event, at=moments, detail=texts, data=value_maps, **alarm_parts)
points: Final = st.lists(st.tuples(st.integers(0, h.MAX_OFFSET_US), st.none() | values), min_size=1, max_size=3)
happenings: Final = st.builds(
    h.Happening, id=command_ids, at=moments, detail=texts, data=value_maps, device=ids, name=names, **alarm_parts
)


@st.composite
def series(draw: st.DrawFn) -> h.Series:
    """Any values at any times."""
    found = draw(points)
    return h.Series(
        device=draw(ids),
        name=draw(names),
        start=draw(moments),
        offset_us=tuple(offset for offset, _ in found),
        values=tuple(value for _, value in found),
        quality=draw(st.sampled_from(m.Quality)),
        every_s=draw(st.floats(0.001, h.MAX_EVERY_S)),
    )


afters: Final = st.builds(m.After, epoch=counters, seq=counters, age_s=st.floats(0, 86_400))

numbers: Final = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
steps: Final = st.integers(1, 1000) | st.floats(1e-6, 1e6)
forms: Final = st.lists(st.builds(Form, href=texts, op=st.just(("readproperty",))), max_size=2).map(tuple)
SCHEMA: Final[dict[str, st.SearchStrategy[Any]]] = {
    "type": st.sampled_from(ValueType),
    "title": st.none() | texts,
    "unit": st.none() | texts,
    "minimum": st.none() | numbers,
    "maximum": st.none() | numbers,
    "multiple_of": st.none() | steps,
    "max_length": st.none() | st.integers(0, 100),
    "enum": st.none() | st.lists(values, max_size=3).map(tuple),
}
schemas: Final = st.builds(DataSchema, **SCHEMA)


def _description(**parts: Any) -> Description:  # noqa: ANN401 # the strategies below give the parts
    return Description(**parts)


descriptions: Final = st.builds(
    _description,
    id=texts,
    title=texts,
    security=st.lists(names, max_size=2).map(tuple),
    properties=st.dictionaries(
        names, st.builds(PropertyAffordance, **SCHEMA, read_only=st.booleans(), forms=forms), max_size=3
    ),
    actions=st.dictionaries(
        names,
        st.builds(
            ActionAffordance,
            input=st.builds(ObjectSchema, properties=st.dictionaries(names, schemas, max_size=2)),
            limits=st.dictionaries(st.sampled_from(Limit), st.integers(0, 10_000), max_size=3),
            interlocks=st.lists(
                st.builds(Interlock, name=names, property=names, comparison=st.sampled_from(Comparison), value=values),
                max_size=2,
            ).map(tuple),
            forms=forms,
        ),
        max_size=2,
    ),
    events=st.dictionaries(
        names,
        st.builds(EventAffordance, title=texts, severity=st.none() | st.sampled_from(m.Severity), forms=forms),
        max_size=2,
    ),
    meals=st.none()
    | st.builds(
        MealPlan,
        counter=names,
        interval=st.none() | names,
        slots=st.lists(st.builds(MealSlot, minute=names, grams=names), max_size=2).map(tuple),
        window_min=st.floats(1, 60),
    ),
    security_definitions=st.dictionaries(names, st.just(SecurityScheme(scheme="basic")), max_size=2),
    plc=names,
)

#: For every body of the protocol, any message of it.
MESSAGES: Final[dict[type[m.Message], st.SearchStrategy[Any]]] = {
    m.Status: st.builds(
        m.Status,
        state=st.sampled_from(m.SiteState),
        epoch=counters,
        boot=boots,
        since=moments,
        version=texts,
        reason=texts,
    ),
    m.Heartbeat: st.builds(
        m.Heartbeat,
        epoch=counters,
        seq=counters,
        at=moments,
        plcs=st.dictionaries(names, st.sampled_from(m.PlcLink), max_size=3),
        outbox=counters,
    ),
    Description: descriptions,
    m.DeviceState: st.builds(
        m.DeviceState,
        at=moments,
        quality=st.sampled_from(m.Quality),
        revision=st.none() | revisions,
        properties=reading_maps,
    ),
    m.Event: events,
    m.Alarm: st.builds(m.Alarm, since=moments, severity=st.sampled_from(m.Severity), title=texts, detail=texts),
    m.Command: st.builds(
        m.Command,
        id=st.none() | command_ids,
        input=value_maps,
        issued_at=st.none() | moments,
        ttl_s=st.floats(0, 300),
        after=st.none() | afters,
        expect=st.none() | st.builds(m.Expect, revision=revisions),
        order=st.none() | st.builds(m.Order, boot=boots, number=counters),
        asked_by=st.none() | principals,
        actor=st.none() | texts,
        reason=st.none() | texts,
    ),
    m.Ack: st.builds(
        m.Ack,
        id=command_ids,
        device=ids,
        name=names,
        input=value_maps,
        actor=st.none() | texts,
        state=st.sampled_from([state for state in State if state is not State.PENDING]),
        code=codes,
        detail=texts,
        result=reading_maps,
        evidence=st.none() | st.sampled_from(Evidence),
        trail=st.lists(st.builds(m.Mark, deed=st.sampled_from(m.Deed), at=moments), max_size=3).map(tuple),
        epoch=counters,
        at=moments,
        duplicate=st.booleans(),
    ),
    h.History: st.builds(
        h.History,
        batch=command_ids,
        series=st.lists(series(), max_size=2).map(tuple),
        events=st.lists(happenings, max_size=2).map(tuple),
    ),
    h.Committed: st.builds(h.Committed, batches=many_ids, commands=many_ids),
    m.HostStatus: st.builds(
        m.HostStatus,
        state=st.sampled_from([m.SiteState.ONLINE, m.SiteState.OFFLINE]),
        boot=boots,
        since=moments,
        version=texts,
    ),
}

_LEVELS: Final = {"site": ids, "device": ids, "name": names, "requester": principals, "id": command_ids}

#: For every topic of the protocol, any topic of it.
TOPICS: Final[dict[type[t.Topic], st.SearchStrategy[Any]]] = {
    cls: st.builds(cls, **{level.name: _LEVELS[level.name] for level in fields(cls)}) for cls in t.TOPICS
}
topics: Final = st.one_of(*TOPICS.values())

#: Any JSON that Python can hold, numbers that JSON does not know (NaN) included.
junk: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20) | values,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | names, inner, max_size=4),
    max_leaves=12,
)


def _places(document: object, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: list[tuple[Any, object]] = []
    if isinstance(document, dict):
        items = list(document.items())
    elif isinstance(document, list):
        items = list(enumerate(document))
    return [here, *(place for key, inner in items for place in _places(inner, (*here, key)))]


def _replaced(document: object, place: tuple[Any, ...], value: object) -> object:
    if not place:
        return value
    assert isinstance(document, dict | list)
    document[place[0]] = _replaced(document[place[0]], place[1:], value)
    return document


@st.composite
def almost(draw: st.DrawFn, body: type[m.Message]) -> bytes:
    """A valid body of which one place was replaced by junk, or one byte by another."""
    payload: bytes = draw(MESSAGES[body]).model_dump_json(by_alias=True, exclude_none=True).encode()
    if draw(st.booleans()):
        document = json.loads(payload)
        place = draw(st.sampled_from(_places(document)))
        return json.dumps(_replaced(document, place, draw(junk))).encode("utf-8", "surrogatepass")
    at = draw(st.integers(0, len(payload) - 1))
    return payload[:at] + draw(st.binary(max_size=3)) + payload[at + draw(st.integers(0, 3)) :]


NOW: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
