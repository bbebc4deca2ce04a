"""Which beats and statuses count."""

from __future__ import annotations

import pytest

from gateway.epochs import Epochs
from gateway.protocol.messages import SiteState
from gateway.sites import SiteRecord
from tests.entries import NOON, heartbeat, status

SITE = "arava-1"


def _record(state: SiteState | None, *, epoch: int, beat: tuple[int, int] | None = None) -> SiteRecord:
    return SiteRecord(
        site=SITE,
        epoch=epoch,
        boot=None,
        state=state,
        since=None,
        version=None,
        reason=None,
        last_beat_at=None,
        last_beat_epoch=beat[0] if beat else None,
        last_beat_seq=beat[1] if beat else None,
        plcs={},
        outbox=None,
        updated_at=NOON,
    )


def test_first_beat_counts() -> None:
    """A site that nobody heard of is alive once it beats."""
    assert Epochs().take_beat(SITE, heartbeat(epoch=1, seq=1))


@pytest.mark.invariant("I11")
@pytest.mark.parametrize(
    ("epoch", "seq", "counts"), [(5, 4, True), (5, 3, False), (5, 2, False), (4, 9, False), (6, 1, True)]
)
def test_beat_counts_only_if_newer(epoch: int, seq: int, counts: bool) -> None:
    """After epoch 5, seq 3: a newer seq of it, or a higher epoch."""
    epochs = Epochs()
    epochs.take_beat(SITE, heartbeat(epoch=5, seq=3))
    assert epochs.take_beat(SITE, heartbeat(epoch=epoch, seq=seq)) is counts


@pytest.mark.invariant("I11")
@pytest.mark.parametrize(("epoch", "counts"), [(4, False), (5, True), (6, True)])
def test_status_of_a_lower_epoch_does_not_count(epoch: int, counts: bool) -> None:
    """Neither does the late will of an old connection."""
    epochs = Epochs()
    epochs.take_beat(SITE, heartbeat(epoch=5))
    assert epochs.take_status(SITE, status(SiteState.OFFLINE, epoch=epoch), retained=False) is counts


def test_beat_of_an_ended_connection_does_not_count() -> None:
    """What was on its way when the connection ended proves nothing."""
    epochs = Epochs()
    epochs.take_status(SITE, status(SiteState.OFFLINE, epoch=5), retained=False)
    assert not epochs.take_beat(SITE, heartbeat(epoch=5, seq=9))


def test_beat_counts_again_once_the_agent_contradicts_its_will() -> None:
    """An agent that sees itself declared dead says online again, live."""
    epochs = Epochs()
    epochs.take_status(SITE, status(SiteState.OFFLINE, epoch=5), retained=False)
    epochs.take_status(SITE, status(SiteState.ONLINE, epoch=5), retained=False)
    assert epochs.take_beat(SITE, heartbeat(epoch=5, seq=9))


def test_retained_online_does_not_reopen_an_ended_connection() -> None:
    """What the broker has stored is no sign of life (P5)."""
    epochs = Epochs()
    epochs.take_status(SITE, status(SiteState.OFFLINE, epoch=5), retained=False)
    epochs.take_status(SITE, status(SiteState.ONLINE, epoch=5), retained=True)
    assert not epochs.take_beat(SITE, heartbeat(epoch=5, seq=9))


@pytest.mark.invariant("I11")
@pytest.mark.parametrize(
    ("state", "epoch", "seq", "counts"),
    [
        (SiteState.ONLINE, 6, 1, False),
        (SiteState.ONLINE, 7, 3, False),
        (SiteState.ONLINE, 7, 4, True),
        (SiteState.OFFLINE, 7, 4, False),
        (SiteState.OFFLINE, 8, 1, True),
        (None, 7, 4, True),
    ],
)
def test_loaded_epochs_bound_what_counts(state: SiteState | None, epoch: int, seq: int, counts: bool) -> None:
    """A new gateway goes on from what the last one wrote down."""
    epochs = Epochs()
    epochs.load([_record(state, epoch=7, beat=(7, 3))])
    assert epochs.take_beat(SITE, heartbeat(epoch=epoch, seq=seq)) is counts


def test_highest_of_an_unknown_site_is_zero() -> None:
    """Nothing was seen of it."""
    assert Epochs().highest(SITE) == 0


@pytest.mark.invariant("I15")
def test_memory_is_one_entry_for_each_site() -> None:
    """However many connections a site had, and however often it was asked about."""
    epochs = Epochs()
    for epoch in range(1, 50):
        epochs.take_status(SITE, status(epoch=epoch), retained=False)
        epochs.take_beat(SITE, heartbeat(epoch=epoch))
        epochs.highest(f"never-heard-{epoch}")
    assert len(epochs._sites) == 1
