"""The gate: open only for a live beat, whatever clocks do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.liveness import Alive
from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import Heartbeat, PlcLink
from http_facade.gate import Gate
from http_facade.refusals import GateUnavailable, PlcLost, SiteOffline

EXPIRY_S = 25.0


class _Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class _Mirror:
    def __init__(self) -> None:
        self.alive: Alive | None = None
        self.down = False

    def read(self, site: str) -> Alive | None:
        assert site == "arava-1"
        if self.down:
            raise Unavailable("redis", "no answer within 0.3 s")
        return self.alive


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def mirror() -> _Mirror:
    return _Mirror()


@pytest.fixture
def gate(mirror: _Mirror, clock: _Clock) -> Gate:
    return Gate(mirror, expiry_s=EXPIRY_S, silent_s=lambda _: 41.7, clock=clock)


def _alive(seq: int = 7, *, age_s: float = 3.0, epoch: int = 5, plc: PlcLink = PlcLink.OK) -> Alive:
    beat = Heartbeat(epoch=epoch, seq=seq, at=datetime.now(UTC), plcs={"plc-1": plc})
    return Alive(heartbeat=beat, age_s=age_s)


def test_check_with_live_beat_names_it(gate: Gate, mirror: _Mirror) -> None:
    """The agent learns which beat the write relies on, and how old it is."""
    mirror.alive = _alive()
    after = gate.check("arava-1", "plc-1")
    assert (after.epoch, after.seq, after.age_s) == (5, 7, 3.0)


@pytest.mark.invariant("I4")
def test_check_without_beat_is_refused_with_the_silence(gate: Gate) -> None:
    """No key, no write; the caller learns for how long."""
    with pytest.raises(SiteOffline) as refused:
        gate.check("arava-1", "plc-1")
    assert refused.value.facts == {"silent_s": 41.7}


@pytest.mark.invariant("I4")
def test_check_without_mirror_is_refused(gate: Gate, mirror: _Mirror) -> None:
    """Losing Redis never opens the gate."""
    mirror.alive, mirror.down = _alive(), True
    with pytest.raises(GateUnavailable):
        gate.check("arava-1", "plc-1")


def test_check_with_lost_plc_is_refused(gate: Gate, mirror: _Mirror) -> None:
    """The site is there, the device's PLC is not."""
    mirror.alive = _alive(plc=PlcLink.LOST)
    with pytest.raises(PlcLost):
        gate.check("arava-1", "plc-1")


def test_check_with_another_plc_lost_passes(gate: Gate, mirror: _Mirror) -> None:
    """One PLC's trouble does not stop the others."""
    mirror.alive = _alive(plc=PlcLink.LOST)
    assert gate.check("arava-1", "plc-2").seq == 7


@pytest.mark.fault("F31")
@pytest.mark.invariant("I4")
def test_check_of_a_key_that_outlives_its_beat_is_refused(gate: Gate, mirror: _Mirror, clock: _Clock) -> None:
    """Redis' clock set back keeps the key alive; our own clock shuts the gate."""
    mirror.alive = _alive(age_s=0.0)
    gate.check("arava-1", "plc-1")
    clock.now_s += EXPIRY_S + 0.1
    mirror.alive = _alive(age_s=-3_575.0)
    with pytest.raises(SiteOffline):
        gate.check("arava-1", "plc-1")


@pytest.mark.fault("F31")
def test_age_after_a_step_back_of_redis_grows_by_our_own_clock(gate: Gate, mirror: _Mirror, clock: _Clock) -> None:
    """What we have seen ourselves is a lower bound of the age."""
    mirror.alive = _alive(age_s=1.0)
    gate.check("arava-1", "plc-1")
    clock.now_s += 4.0
    mirror.alive = _alive(age_s=0.0)
    assert gate.check("arava-1", "plc-1").age_s == 4.0


@pytest.mark.fault("F31")
@pytest.mark.invariant("I2")
def test_age_after_a_step_forward_of_redis_is_bounded_by_our_own_clock(
    gate: Gate, mirror: _Mirror, clock: _Clock
) -> None:
    """A beat is no older than the time since we saw the mirror without it: too old an age would stretch deadlines."""
    mirror.alive = _alive(seq=7)
    gate.check("arava-1", "plc-1")
    clock.now_s += 2.0
    mirror.alive = _alive(seq=8, age_s=20.0)
    assert gate.check("arava-1", "plc-1").age_s == 2.0


@pytest.mark.invariant("I2")
def test_age_after_an_absence_is_bounded_by_it(gate: Gate, mirror: _Mirror, clock: _Clock) -> None:
    """The same holds when there was no beat at all."""
    with pytest.raises(SiteOffline):
        gate.check("arava-1", "plc-1")
    clock.now_s += 2.0
    mirror.alive = _alive(age_s=20.0)
    assert gate.check("arava-1", "plc-1").age_s == 2.0


def test_age_of_the_first_beat_ever_seen_is_the_mirrors(gate: Gate, mirror: _Mirror) -> None:
    """A facade that has just started knows nothing better."""
    mirror.alive = _alive(age_s=20.0)
    assert gate.check("arava-1", "plc-1").age_s == 20.0


@pytest.mark.invariant("I2")
@given(steps=st.lists(st.tuples(st.floats(0.01, 30), st.booleans(), st.floats(-100, 100)), min_size=1, max_size=20))
def test_age_of_a_beat_never_reaches_before_our_last_look_without_it(steps: list[tuple[float, bool, float]]) -> None:
    """Whatever Redis' clock says; and if it tells the truth, the truth it is."""
    clock, mirror = _Clock(), _Mirror()
    gate = Gate(mirror, expiry_s=1e9, silent_s=lambda _: None, clock=clock)
    with pytest.raises(SiteOffline):
        gate.check("arava-1", "plc-1")
    seq, looked_s, before_s, received_s = 0, clock.now_s, 0.0, 0.0
    for wait_s, fresh, error_s in [(1.0, True, 0.0), *steps]:
        clock.now_s += wait_s
        if fresh:
            seq, before_s, received_s = seq + 1, looked_s, clock.now_s - wait_s / 2
        true_s = clock.now_s - received_s
        mirror.alive = _alive(seq=seq, age_s=true_s + error_s)
        age_s = gate.check("arava-1", "plc-1").age_s
        assert age_s <= clock.now_s - before_s
        assert error_s != 0 or age_s == pytest.approx(true_s)
        looked_s = clock.now_s
