"""A device's Thing Description, made from its tables in the site's file."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.protocol.description import (
    ActionAffordance,
    DataSchema,
    Description,
    EventAffordance,
    Form,
    Interlock,
    ObjectSchema,
    PropertyAffordance,
    SecurityScheme,
    ValueType,
)
from gateway.protocol.ids import Id, Name
from gateway.protocol.meals import MEAL_MISSED_TITLE, MealPlan
from gateway.protocol.messages import Severity
from gateway.protocol.topics import (
    CHANGED_AT_SITE,
    MEAL_MISSED,
    WRITE,
    AlarmTopic,
    CommandTopic,
    EventTopic,
    StateTopic,
    Topic,
)
from site_agent.action_tables import ActionTable, ArgumentTable, InterlockTable
from site_agent.configuration import DeviceTable
from site_agent.property_tables import PropertyTable


def describe(site: Id, table: DeviceTable, meals: MealPlan | None = None) -> Description:
    """What the device has and can do."""
    state = str(StateTopic(site, table.id))
    write = CommandTopic.filter(site=site, device=table.id, name=WRITE)
    return Description(
        id=f"urn:tidegate:{site}:{table.id}",
        title=table.title or table.id,
        security_definitions={"login": SecurityScheme(scheme="basic")},
        security=("login",),
        plc=table.plc,
        properties={name: _property(each, state, write) for name, each in table.properties.items()},
        events=_events(site, table),
        actions={
            name: _action(
                each,
                interlocks_of(table.interlocks, name),
                CommandTopic.filter(site=site, device=table.id, name=name),
            )
            for name, each in table.actions.items()
        },
        meals=meals,
    )


def _events(site: Id, table: DeviceTable) -> dict[Name, EventAffordance]:
    events: dict[Name, EventAffordance] = {}
    if any(each.writable for each in table.properties.values()):
        events[CHANGED_AT_SITE] = _event(site, table.id, CHANGED_AT_SITE, "A setting was changed at the site")
    for name, each in table.alarms.items():
        events[name] = _event(site, table.id, name, each.title or name, each.severity)
    if table.meals is not None:
        events[MEAL_MISSED] = _event(site, table.id, MEAL_MISSED, MEAL_MISSED_TITLE, table.meals.severity)
    return events


def _event(site: Id, device: Id, name: Name, title: str, severity: Severity | None = None) -> EventAffordance:
    """An event; one with a severity is an alarm, which has a retained topic too."""
    places: list[Topic] = [EventTopic(site, device, name)]
    if severity is not None:
        places.append(AlarmTopic(site, device, name))
    forms = tuple(Form(href=f"mqtt:///{place}", op=("subscribeevent",)) for place in places)
    return EventAffordance(title=title, severity=severity, forms=forms)


def interlocks_of(tables: Sequence[InterlockTable], command: str) -> tuple[Interlock, ...]:
    """Those that are about ``command``."""
    return tuple(
        Interlock(
            name=each.name,
            property=each.property,
            comparison=each.comparison,
            value=each.value,
            title=each.title,
        )
        for each in tables
        if each.refuses(command)
    )


def _property(table: PropertyTable, state: str, write: str) -> PropertyAffordance:
    forms = [Form(href=f"mqtt:///{state}", op=("observeproperty",))]
    if table.writable:
        forms.append(Form(href=f"mqtt:///{write}", op=("writeproperty",)))
    schema = _schema(table).model_dump()
    return PropertyAffordance(
        **schema | {"description": table.description}, read_only=not table.writable, forms=tuple(forms)
    )


def _action(table: ActionTable, interlocks: tuple[Interlock, ...], command: str) -> ActionAffordance:
    return ActionAffordance(
        title=table.title,
        description=table.description,
        input=ObjectSchema(
            properties={name: _schema(each) for name, each in table.input.items()}, required=tuple(table.input)
        ),
        effect=table.effect,
        argument=table.argument,
        limits={limit: _tidy(value) for limit, value in table.limits.by_name().items()},
        interlocks=interlocks,
        forms=(Form(href=f"mqtt:///{command}", op=("invokeaction",)),),
    )


def _schema(table: PropertyTable | ArgumentTable) -> DataSchema:
    found = table.layout.schema()
    whole = found["type"] is ValueType.INTEGER
    stated = {"minimum": table.minimum, "maximum": table.maximum, "multiple_of": table.step}
    found |= {name: _tidy(value, whole=whole) for name, value in stated.items() if value is not None}
    return DataSchema(title=table.title, unit=table.unit, **found)


def _tidy(value: float, *, whole: bool = True) -> int | float:
    return int(value) if whole and value == int(value) else value
