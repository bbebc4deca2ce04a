"""When gates were closed, and whose fault it was: told from beats alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.silences import UNSAVED, Cause, Silence, SilenceWatch
from gateway.sites import BeatSeen
from tests.entries import NOON, heartbeat

EXPIRY = timedelta(seconds=25)


def _beat(second: float, epoch: int = 1, site: str = "arava-1") -> dict[str, BeatSeen]:
    return {site: BeatSeen(site=site, heartbeat=heartbeat(epoch=epoch), at=NOON + timedelta(seconds=second))}


@pytest.fixture
def watch() -> SilenceWatch:
    """It has heard the site at noon for the first time."""
    made = SilenceWatch(EXPIRY)
    made.heard(_beat(0))
    made.forget(made.ended)
    return made


def test_first_beat_ends_the_time_in_which_nobody_knew_the_site() -> None:
    """From then on it is counted."""
    watch = SilenceWatch(EXPIRY)
    watch.heard(_beat(0))
    assert [(each.ended_at, each.cause) for each in watch.ended] == [(NOON, Cause.BEFORE)]


def test_beats_in_time_are_no_silence(watch: SilenceWatch) -> None:
    """The gate stays open for the whole of ``expiry``."""
    watch.heard(_beat(20))
    watch.heard(_beat(45))
    assert watch.ended == ()


@pytest.mark.parametrize(("epoch", "cause"), [(2, Cause.AWAY), (1, Cause.UNHEARD)])
def test_silence_is_the_site_s_unless_its_connection_lasted(watch: SilenceWatch, epoch: int, cause: Cause) -> None:
    """A new epoch means that the agent had to connect anew; the same one, that it beat all the time."""
    watch.heard(_beat(100, epoch))
    began, ended = NOON + EXPIRY, NOON + timedelta(seconds=100)
    assert watch.ended == (Silence("arava-1", began, ended, cause),)


def test_watch_that_is_new_goes_on_from_what_is_known(watch: SilenceWatch) -> None:
    """What a gateway forgets is kept until it is saved."""
    watch.heard(_beat(100))
    saved = watch.ended
    watch.heard(_beat(200, 2))
    watch.forget(saved)
    assert [each.cause for each in watch.ended] == [Cause.AWAY]


@pytest.mark.invariant("I15")
def test_silences_that_nobody_can_save_are_bounded() -> None:
    """While the database is away."""
    watch = SilenceWatch(EXPIRY)
    watch.heard({name: beat for number in range(UNSAVED + 5) for name, beat in _beat(0, site=f"site-{number}").items()})
    assert len(watch.ended) == UNSAVED
