"""Commands that change the broker's files do so one after the other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway import folder_turn
from gateway.broker_files import BrokerFiles
from gateway.folder_turn import FolderTurn
from gateway.protocol.errors import SettingsError


def test_users_that_are_added_and_taken_away_at_once_all_are(tmp_path: Path) -> None:
    """Nobody who was put out comes back because somebody else was let in meanwhile."""
    folder = tmp_path / "broker"
    gone, there, news = ([f"@{kind}-{number}" for number in range(4)] for kind in ("gone", "there", "new"))
    BrokerFiles(folder).write([*gone, *there])
    barrier = threading.Barrier(8)

    def change(names: list[str], without: list[str]) -> None:
        barrier.wait()
        BrokerFiles(folder).write_users(names, without=without)

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(change, [], [each]) for each in gone] + [pool.submit(change, [each], []) for each in news]
        for each in done:
            each.result()
    assert BrokerFiles(folder).users().keys() == {*there, *news}


def test_turn_is_had_by_one_at_a_time_and_again_by_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for too long is told so; afterwards it is free."""
    monkeypatch.setattr(folder_turn, "PATIENCE_S", 0.1)
    turn, other = FolderTurn(tmp_path), FolderTurn(tmp_path)
    with turn.held(), turn.held(), pytest.raises(SettingsError, match="another command"), other.held():
        pass
    with other.held():
        pass


def test_turn_is_free_again_after_a_fault(tmp_path: Path) -> None:
    """Whatever went wrong inside."""
    turn = FolderTurn(tmp_path)
    with pytest.raises(RuntimeError, match="inside"), turn.held(), turn.held():
        raise RuntimeError("inside")
    with FolderTurn(tmp_path).held():
        pass
