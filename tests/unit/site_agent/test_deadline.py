"""The agent's judgement of a command's age."""

import pytest

from gateway.protocol.codes import AckCode
from gateway.protocol.messages import After, Command
from site_agent.deadline import REMEMBERED_BEATS, SentBeats


def _command(*, ttl_s: float = 10.0, epoch: int = 7, seq: int = 3, age_s: float = 2.0) -> Command:
    return Command(input={"portion_g": 5}, ttl_s=ttl_s, after=After(epoch=epoch, seq=seq, age_s=age_s))


def _beats() -> SentBeats:
    beats = SentBeats()
    beats.note(7, 3, 100.0)
    return beats


@pytest.mark.invariant("I2")
def test_timing_known_beat_counts_from_its_sending() -> None:
    """Sent at 100, 2 s old at issue, now 105: at most 3 s old, so 7 s are left of 10."""
    assert _beats().timing(_command(), 105.0, 105.0).remaining_s == 7.0


@pytest.mark.invariant("I2")
def test_timing_held_up_command_has_nothing_left() -> None:
    """A command held up for twelve seconds is out of time whatever any wall clock says."""
    assert _beats().timing(_command(age_s=0.0), 112.0, 112.0).remaining_s < 0


@pytest.mark.invariant("I2")
def test_timing_foreign_epoch_is_stale() -> None:
    """A beat of another connection bounds nothing."""
    assert _beats().timing(_command(epoch=6), 101.0, 101.0).refusal is AckCode.STALE_EPOCH


@pytest.mark.invariant("I2")
def test_timing_unknown_beat_is_stale() -> None:
    """A beat that was never sent bounds nothing."""
    assert _beats().timing(_command(seq=4), 101.0, 101.0).refusal is AckCode.STALE_EPOCH


def test_timing_new_epoch_forgets_the_former_beats() -> None:
    """The sequence starts anew with every connection."""
    beats = _beats()
    beats.note(8, 1, 200.0)
    assert beats.timing(_command(), 201.0, 201.0).refusal is AckCode.STALE_EPOCH


@pytest.mark.invariant("I2")
def test_timing_technicians_command_has_30_s_at_most() -> None:
    """Without a causal reference a ttl of minutes is cut."""
    command = Command(input={"portion_g": 5}, ttl_s=300.0)
    assert _beats().timing(command, 101.0, 101.0).remaining_s == 30.0


@pytest.mark.invariant("I15")
def test_beats_many_are_forgotten_oldest_first() -> None:
    """The memory of beats is bounded."""
    beats = SentBeats()
    for seq in range(REMEMBERED_BEATS + 1):
        beats.note(7, seq, float(seq))
    assert beats.timing(_command(seq=0), 300.0, 300.0).refusal is AckCode.STALE_EPOCH
    assert beats.timing(_command(seq=1, ttl_s=300, age_s=0), 300.0, 300.0).refusal is None
