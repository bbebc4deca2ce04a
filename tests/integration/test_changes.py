"""The order of changes in the database: what is forgotten, while others write."""

from __future__ import annotations

import threading

from sqlalchemy import Engine, text, update

from gateway.changes import Changes, ChangeWriter, Kind, Thing
from gateway.database import reading, writing
from gateway.database.change_tables import change_head
from tests.conditions import eventually
from tests.databases import each_database, not_sqlite

pytestmark = each_database


def _things(count: int) -> list[Thing]:
    return [Thing(Kind.EVENT, "arava-1", f"event-{number}") for number in range(count)]


def _add(engine: Engine, things: list[Thing]) -> None:
    with writing(engine) as connection:
        ChangeWriter(engine.dialect.name).add(connection, things)


def test_forgetting_never_takes_back_what_another_gateway_has_forgotten(engine: Engine) -> None:
    """The slower of two has looked before the other one removed more: readers must not be told that it is there."""
    changes = Changes(engine)
    _add(engine, _things(10))
    first = changes.span().last - 9
    with writing(engine) as connection:
        connection.execute(update(change_head).values(forgotten=first + 7))
    assert changes.forget(kept=5) == 5
    assert changes.span().forgotten == first + 7


@not_sqlite
def test_forgetting_waits_for_a_writer_that_holds_the_head(engine: Engine) -> None:
    """Both take the head first; the other way round each would hold what the other one needs."""
    changes, writer, gone = Changes(engine), ChangeWriter(engine.dialect.name), list[int]()
    _add(engine, _things(10))
    with writing(engine) as connection:
        connection.execute(update(change_head).values(number=change_head.c.number))
        forgetting = threading.Thread(target=lambda: gone.append(changes.forget(kept=1)))
        forgetting.start()
        eventually(lambda: _waits(engine), what="the other transaction to wait for the head")
        writer.add(connection, _things(1))  # the oldest moves to the end, and its row is free
    forgetting.join()
    assert gone == [9]


def _waits(engine: Engine) -> bool:
    with reading(engine) as connection:
        query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = :name")
        return bool(connection.execute(query, {"name": engine.url.database}).scalar_one())
