"""The gate's key: which sites were alive a moment ago (I4).

One key per site, ``tidegate:alive:{site}``, whose value is the last heartbeat as it was sent. It expires by itself;
absent means that nobody may write. Redis is a mirror: to lose it closes gates and opens none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

from pydantic import SecretStr
from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from gateway.protocol.codec import decode
from gateway.protocol.errors import DecodeError, Unavailable
from gateway.protocol.messages import Heartbeat

#: redis-py retries by itself, for many times the time-out; so we say how often: never.
TIMEOUT_S: Final = 0.3
CONNECTIONS: Final = 64
_KEY: Final = "tidegate:alive:"
#: Clocks of Redis and ours tick alike enough; a key that lives for longer than it may was not made by a beat of now.
_TOLERANCE_S: Final = 1.0

# A beat of a later connection stays: the will of an old connection may come long after its successor's first beat.
# What is not a heartbeat goes too; counters are below 2^53, which Lua's numbers keep exact.
_FORGET: Final = """
local value = redis.call('GET', KEYS[1])
if not value then return 0 end
local read, beat = pcall(cjson.decode, value)
local epoch = read and type(beat) == 'table' and tonumber(beat['epoch'])
if epoch and epoch > tonumber(ARGV[1]) then return 0 end
return redis.call('DEL', KEYS[1])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """The last heartbeat and the seconds since the gateway wrote it down."""

    heartbeat: Heartbeat
    age_s: float


def open_redis(url: str, password: SecretStr | None = None) -> Redis:
    """A client for many threads that answers or fails within :data:`TIMEOUT_S`; connects on first use."""
    pool = BlockingConnectionPool.from_url(
        url,
        password=None if password is None else password.get_secret_value(),
        max_connections=CONNECTIONS,
        timeout=TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis(connection_pool=pool)


class Liveness:
    """Reads and writes the keys; ``expiry_s`` is how long one heartbeat keeps a gate open."""

    def __init__(self, redis: Redis, *, expiry_s: int) -> None:
        self._redis = redis
        self.expiry_s: Final = expiry_s
        self._forget = redis.register_script(_FORGET)

    def beat_many(self, beats: Iterable[tuple[str, bytes]]) -> None:
        """Keep the gates of these sites open; each beat is (site, the heartbeat's bytes as they came).

        Raises:
            Unavailable: some or all were not written.
        """
        with _answering(), self._redis.pipeline(transaction=False) as pipeline:
            for site, payload in beats:
                pipeline.set(_KEY + site, payload, ex=self.expiry_s)
            pipeline.execute()

    def forget(self, site: str, epoch: int) -> None:
        """Close the gate of a site whose connection ``epoch`` has ended; a later one's beat stays.

        Raises:
            Unavailable: it may still be open, until it expires.
        """
        self.forget_many({site: epoch})

    def forget_many(self, ended: Mapping[str, int]) -> None:
        """As :meth:`forget`, for many sites in one round trip; maps each site to the epoch that has ended.

        Raises:
            Unavailable: some or all may still be open, until they expire.
        """
        with _answering(), self._redis.pipeline(transaction=False) as pipeline:
            for site, epoch in ended.items():
                self._forget(keys=[_KEY + site], args=[epoch], client=pipeline)
            pipeline.execute()

    def read(self, site: str) -> Alive | None:
        """The site's last heartbeat, or None: then nothing may be written there.

        Raises:
            Unavailable: nobody knows; then nothing may be written either.
        """
        return self.read_many([site])[site]

    def read_many(self, sites: Sequence[str]) -> Mapping[str, Alive | None]:
        """As :meth:`read`, for many sites in one round trip.

        Raises:
            Unavailable: as :meth:`read`.
        """
        with _answering(), self._redis.pipeline(transaction=False) as pipeline:
            for site in sites:
                # In this order: should a beat come in between, the older beat gets the smaller age, which makes
                # a command look older at the agent than it is, never younger.
                pipeline.get(_KEY + site)
                pipeline.pttl(_KEY + site)
            answers = pipeline.execute()
        pairs = zip(answers[::2], answers[1::2], strict=True)
        return {site: self._alive(value, left_ms) for site, (value, left_ms) in zip(sites, pairs, strict=True)}

    def _alive(self, value: bytes | None, left_ms: int) -> Alive | None:
        left_s = left_ms / 1_000
        if value is None or not 0 < left_s <= self.expiry_s + _TOLERANCE_S:
            return None
        try:
            heartbeat = decode(Heartbeat, _KEY, value)
        except DecodeError:
            return None
        return Alive(heartbeat=heartbeat, age_s=max(0.0, self.expiry_s - left_s))

    def ping(self) -> None:
        """Ask whether Redis answers.

        Raises:
            Unavailable: it does not.
        """
        with _answering():
            cast("object", self._redis.ping())

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()
        self._redis.connection_pool.disconnect()


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("redis", str(error) or type(error).__name__) from error
