"""The counter that only rises."""

from pathlib import Path

import pytest

from site_agent.epoch import LATEST_S, EpochFile, next_epoch


@pytest.mark.invariant("I11")
@pytest.mark.parametrize(
    ("stored", "retained", "epoch"),
    [(5, None, 1000), (1005, None, 1006), (1005, 1009, 1010), (1005, 3, 1006), (None, None, 1000), (None, 2000, 2001)],
)
def test_next_epoch_is_above_everything_known(stored: int | None, retained: int | None, epoch: int) -> None:
    """Above the own counter, above the broker's memory, and never below the clock."""
    assert next_epoch(stored=stored, retained=retained, unix_s=1000) == epoch


def test_next_epoch_a_clock_of_another_century_is_not_believed() -> None:
    """It would use up the bits that a mailbox compares."""
    assert next_epoch(stored=5, retained=None, unix_s=10**10) == LATEST_S


def test_epoch_file_keeps_what_was_stored(tmp_path: Path) -> None:
    """What was stored is read again."""
    EpochFile(tmp_path / "epoch").store(41)
    assert EpochFile(tmp_path / "epoch").read() == 41


@pytest.mark.parametrize("content", [None, "", "not a number"])
def test_epoch_file_unreadable_counts_as_lost(tmp_path: Path, content: str | None) -> None:
    """A new disk or a torn file is a lost counter, not a crash."""
    path = tmp_path / "epoch"
    if content is not None:
        path.write_text(content)
    assert EpochFile(path).read() is None
