"""A recorder on a real broker, Redis and database, and a look at what it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.broker import Login
from gateway.database import open_engine, upgrade
from gateway.events import Events
from gateway.ledger import Asked, Ledger, utc_now
from gateway.liveness import Liveness, open_redis
from gateway.recorder import Recorder
from gateway.sites import Sites
from tests.conditions import eventually
from tests.entries import answer, asked, new_id
from tests.fake_agent import FakeAgent


@dataclass(frozen=True)
class Centre:
    """A recorder and what it writes."""

    ledger: Ledger
    sites: Sites
    events: Events
    liveness: Liveness
    #: Ends the recorder that runs and starts another.
    new: Callable[[], Recorder]
    stop: Callable[[], None]

    def alive(self, site: str) -> bool:
        """Whether the site's gate is open."""
        return self.liveness.read(site) is not None

    def settled_up_to(self, agent: FakeAgent) -> None:
        """Return when all that ``agent`` said so far has been handled: its own later ack is committed."""
        marker = fresh_asked(id=new_id(), site=agent.site, requester="@ana")
        agent.ack(answer(marker))
        eventually(lambda: marker.id in agent.committed, what="the marker's commit")


def fresh_asked(**fields: object) -> Asked:
    """A command that is not overdue, so that the sweep leaves it alone."""
    return asked(issued_at=utc_now(), **fields)


@contextmanager
def running_centre(login: Login, redis_url: str, database_url: str, *, expiry_s: int = 25) -> Iterator[Centre]:
    """A recorder that runs until the end of the block."""
    engine = open_engine(database_url)
    upgrade(engine)
    redis = open_redis(redis_url)
    ledger, sites, liveness = Ledger(engine), Sites(engine), Liveness(redis, expiry_s=expiry_s)
    events = Events(engine)
    made: list[Recorder] = []

    def stop() -> None:
        while made:
            made.pop().stop()

    def new() -> Recorder:
        stop()
        made[:] = [Recorder(login, ledger=ledger, sites=sites, liveness=liveness, events=events)]
        made[0].start()
        eventually(lambda: made[0]._link.connected, within_s=15, what="the recorder's link")
        return made[0]

    new()
    yield Centre(ledger=ledger, sites=sites, events=events, liveness=liveness, new=new, stop=stop)
    stop()
    redis.close()
    redis.connection_pool.disconnect()
    engine.dispose()
