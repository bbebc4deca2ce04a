"""Telling a twin from an echo."""

from datetime import UTC, datetime

import pytest

from gateway.protocol.messages import Heartbeat, SiteState, Status
from site_agent.fence import Fence, Verdict

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OURS, THEIRS = "aa" * 4, "bb" * 4
FENCE = Fence(epoch=7, boot=OURS)


def _status(state: SiteState, epoch: int, boot: str) -> Status:
    return Status(state=state, epoch=epoch, boot=boot, since=NOW, version="1")


@pytest.mark.invariant("I11")
@pytest.mark.parametrize(
    ("state", "epoch", "boot", "retained", "verdict"),
    [
        (SiteState.ONLINE, 7, OURS, False, Verdict.CLEAR),
        (SiteState.ONLINE, 6, THEIRS, True, Verdict.CLEAR),
        (SiteState.ONLINE, 7, THEIRS, True, Verdict.DOUBT),
        (SiteState.ONLINE, 8, THEIRS, True, Verdict.DOUBT),
        (SiteState.ONLINE, 7, THEIRS, False, Verdict.TWIN),
        (SiteState.ONLINE, 8, THEIRS, False, Verdict.TWIN),
        (SiteState.OFFLINE, 6, OURS, False, Verdict.REASSERT),
        (SiteState.OFFLINE, 7, OURS, False, Verdict.REASSERT),
        (SiteState.OFFLINE, 6, OURS, True, Verdict.CLEAR),
        (SiteState.OFFLINE, 9, THEIRS, True, Verdict.BEHIND),
        (SiteState.STOPPED, 9, THEIRS, True, Verdict.BEHIND),
        (SiteState.OFFLINE, 7, THEIRS, True, Verdict.BEHIND),
        (SiteState.OFFLINE, 7, OURS, True, Verdict.CLEAR),
        (SiteState.STOPPED, 9, THEIRS, False, Verdict.CLEAR),
        (SiteState.STOPPED, 7, OURS, False, Verdict.CLEAR),
    ],
)
def test_status_is_judged_by_epoch_and_boot(
    state: SiteState, epoch: int, boot: str, retained: bool, verdict: Verdict
) -> None:
    """Every combination that matters has one verdict."""
    assert FENCE.status(_status(state, epoch, boot), retained=retained) is verdict


@pytest.mark.invariant("I12")
@pytest.mark.parametrize(
    ("epoch", "own", "verdict"), [(7, True, Verdict.CLEAR), (6, False, Verdict.CLEAR), (8, False, Verdict.TWIN)]
)
def test_beat_of_another_is_a_twin(epoch: int, own: bool, verdict: Verdict) -> None:
    """Whoever beats under our name at our epoch or above it is alive."""
    beat = Heartbeat(epoch=epoch, seq=1, at=NOW, plcs={})
    assert FENCE.beat(beat, own) is verdict
