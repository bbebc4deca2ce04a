"""The gate's key on a real Redis: one SET with expiry, compare and delete, bounded waits."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from gateway.liveness import TIMEOUT_S, Liveness, open_redis
from gateway.protocol.codec import encode
from gateway.protocol.errors import Unavailable
from tests.entries import heartbeat
from tests.running_redis import RedisProcess

EXPIRY_S = 25


@pytest.fixture
def client(redis_url: str) -> Iterator[Redis]:
    client = open_redis(redis_url)
    yield client
    client.close()
    client.connection_pool.disconnect()


@pytest.fixture
def liveness(client: Redis) -> Liveness:
    return Liveness(client, expiry_s=EXPIRY_S)


def _key(site: str) -> str:
    return f"tidegate:alive:{site}"


@pytest.mark.invariant("I4")
def test_beat_sets_the_key_to_the_bytes_as_sent_with_its_expiry(
    liveness: Liveness, client: Redis, site_id: str
) -> None:
    """The value is the heartbeat as it came, and it expires by itself."""
    payload = encode(heartbeat(epoch=3, seq=9))
    liveness.beat_many([(site_id, payload)])
    assert client.get(_key(site_id)) == payload
    assert 0 < client.pttl(_key(site_id)) <= EXPIRY_S * 1_000


@pytest.mark.invariant("I4")
def test_beat_costs_exactly_one_command(liveness: Liveness, client: Redis, site_id: str) -> None:
    """One SET with EX per beat, and nothing else, reaches Redis."""
    before = client.info("commandstats")
    liveness.beat_many([(site_id, encode(heartbeat(seq=seq))) for seq in range(5)])
    after = client.info("commandstats")
    changed = {
        name: stats["calls"] - before.get(name, {"calls": 0})["calls"]
        for name, stats in after.items()
        if stats["calls"] != before.get(name, {"calls": 0})["calls"]
    }
    changed.pop("cmdstat_info", None)
    assert changed == {"cmdstat_set": 5}


def test_read_gives_the_beat_and_its_age(liveness: Liveness, client: Redis, site_id: str) -> None:
    """The age is what the expiry has lost."""
    liveness.beat_many([(site_id, encode(heartbeat(epoch=3, seq=9)))])
    client.pexpire(_key(site_id), 15_000)
    alive = liveness.read(site_id)
    assert alive is not None
    assert alive.heartbeat == heartbeat(epoch=3, seq=9)
    assert alive.age_s == pytest.approx(10, abs=1)


def test_read_of_a_silent_site_is_none(liveness: Liveness, site_id: str) -> None:
    """Absent means that nobody may write."""
    assert liveness.read(site_id) is None


@pytest.mark.invariant("I4")
@pytest.mark.parametrize("life", ["none", "long", "not-a-beat"])
def test_read_of_a_key_that_no_beat_made_is_none(liveness: Liveness, client: Redis, site_id: str, life: str) -> None:
    """A key without expiry, one that lives too long (a clock went back), or a strange value opens nothing."""
    payload = b"yes" if life == "not-a-beat" else encode(heartbeat())
    client.set(_key(site_id), payload, ex={"none": None, "long": 3_600, "not-a-beat": EXPIRY_S}[life])
    assert liveness.read(site_id) is None


def test_read_many_tells_the_living_from_the_silent(liveness: Liveness, site_id: str) -> None:
    """One round trip answers for all."""
    liveness.beat_many([(site_id, encode(heartbeat()))])
    found = liveness.read_many([site_id, f"{site_id}-b"])
    assert {site: alive is not None for site, alive in found.items()} == {site_id: True, f"{site_id}-b": False}


@pytest.mark.invariant("I11")
@pytest.mark.parametrize(("ended", "open_"), [(4, True), (5, False), (6, False)])
def test_forget_deletes_a_key_at_or_below_the_epoch_that_ended(
    liveness: Liveness, site_id: str, ended: int, open_: bool
) -> None:
    """The late will of an old connection does not close the gate of the new one."""
    liveness.beat_many([(site_id, encode(heartbeat(epoch=5)))])
    liveness.forget(site_id, ended)
    assert (liveness.read(site_id) is not None) is open_


def test_forget_compares_large_epochs_exactly(liveness: Liveness, site_id: str) -> None:
    """Counters near 2^53 are told apart."""
    liveness.beat_many([(site_id, encode(heartbeat(epoch=2**53 - 1)))])
    liveness.forget(site_id, 2**53 - 2)
    assert liveness.read(site_id) is not None


def test_forget_of_what_is_not_a_heartbeat_deletes_it(liveness: Liveness, client: Redis, site_id: str) -> None:
    """Rubbish in the key is no reason to leave it."""
    client.set(_key(site_id), b"rubbish", ex=EXPIRY_S)
    liveness.forget(site_id, 1)
    assert client.get(_key(site_id)) is None


@pytest.mark.fault("F29")
@pytest.mark.invariant("I4")
def test_read_of_a_frozen_redis_is_unavailable_soon(own_redis: RedisProcess) -> None:
    """The library's own retries are off: one time-out, not twenty-five."""
    client = open_redis(own_redis.url)
    liveness = Liveness(client, expiry_s=EXPIRY_S)
    liveness.ping()
    own_redis.freeze()
    started_s = time.monotonic()
    try:
        with pytest.raises(Unavailable):
            liveness.read("arava-1")
        # A promise of the design, not a measure of speed: 300 ms to Redis, an answer within 500 ms.
        assert time.monotonic() - started_s < TIMEOUT_S + 0.2
    finally:
        own_redis.thaw()
        liveness.close()


def test_redis_that_is_back_is_used_again(own_redis: RedisProcess) -> None:
    """A restart costs the calls of that time, nothing later."""
    liveness = Liveness(open_redis(own_redis.url), expiry_s=EXPIRY_S)
    liveness.beat_many([("arava-1", encode(heartbeat()))])
    own_redis.kill()
    with pytest.raises(Unavailable):
        liveness.read("arava-1")
    own_redis.start()
    assert liveness.read("arava-1") is None
    liveness.close()


@pytest.mark.parametrize(
    "words", [("FLUSHALL",), ("SHUTDOWN",), ("CONFIG", "GET", "*"), ("KEYS", "*"), ("SET", "somebody:elses", "1")]
)
def test_user_of_gateway_and_facade_may_do_nothing_but_its_work(
    own_redis: RedisProcess, words: tuple[str, ...]
) -> None:
    """Nothing that empties, ends or lists the server, and no key but ours (S31)."""
    with Redis.from_url(own_redis.user_url) as client, pytest.raises(NoPermissionError):
        client.execute_command(*words)
