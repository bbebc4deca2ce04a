"""What waits between the broker's thread and the recorder's worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from gateway.broker import Incoming, Login
from gateway.database import open_engine
from gateway.events import Events
from gateway.ledger import Ledger
from gateway.liveness import Liveness, open_redis
from gateway.recorder import WAITING, WAITING_BYTES, Recorder
from gateway.sites import Sites


@pytest.fixture
def recorder(database_url: str) -> Iterator[Recorder]:
    """One that was never started, so nothing is taken from its queue, and nothing connects."""
    engine, redis = open_engine(database_url), open_redis("redis://127.0.0.1:1")
    login = Login(host="127.0.0.1", port=1, username="@gateway", password=SecretStr("a made up secret"))
    yield Recorder(
        login,
        ledger=Ledger(engine),
        sites=Sites(engine),
        liveness=Liveness(redis, expiry_s=25),
        events=Events(engine),
    )
    redis.close()
    engine.dispose()


def _incoming(size: int) -> Incoming:
    return Incoming(topic="tidegate/v1/a/heartbeat", payload=bytes(size), retained=False, received_s=0.0)


@pytest.mark.invariant("I15")
@pytest.mark.parametrize(("size", "kept"), [(1, WAITING), (256 * 1024, WAITING_BYTES // (256 * 1024))])
def test_queue_of_the_recorder_is_bounded_in_messages_and_bytes(recorder: Recorder, size: int, kept: int) -> None:
    """Beyond the bound the newest is dropped and counted, and the broker's thread never waits."""
    incoming = _incoming(size)
    for _ in range(kept + 7):
        recorder._enqueue(incoming)
    assert (len(recorder._waiting), recorder._dropped) == (kept, 7)
