"""The tables of what happened: every event once, and the alarms that follow from them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table, Text

from gateway.database.tables import Moment, metadata

#: One row per event, however often it was sent. ``source`` is the site's agent, or the centre.
events = Table(
    "events",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site", String(48), nullable=False),
    Column("device", String(48), nullable=False),
    Column("name", String(64), nullable=False),
    Column("source", String(8), nullable=False),
    Column("at", Moment, nullable=False),
    Column("detail", Text, nullable=False),
    Column("active", Boolean),
    Column("severity", String(16)),
    Column("data", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
)
Index(None, events.c.site, events.c.device, events.c.id)
Index(None, events.c.name, events.c.id)

#: The last turn of each alarm, in the order in which they were told: outboxes keep it. Who has taken note of it is of
#: this activation alone: raised anew, the columns are empty again.
alarms = Table(
    "alarms",
    metadata,
    Column("site", String(48), primary_key=True),
    Column("device", String(48), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("source", String(8), primary_key=True),
    Column("active", Boolean, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", Text),
    Column("acknowledged_note", Text),
)
Index(None, alarms.c.active, alarms.c.site)
