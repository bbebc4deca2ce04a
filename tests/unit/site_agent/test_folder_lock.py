"""One agent per folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.protocol.errors import SettingsError
from site_agent.folder_lock import held


@pytest.mark.invariant("I12")
def test_lock_on_a_folder_in_use_is_refused_and_names_folder_and_process(tmp_path: Path) -> None:
    """The second agent learns where the first one works, and which process it is."""
    with held(tmp_path), pytest.raises(SettingsError) as refused, held(tmp_path):
        pass
    assert str(tmp_path) in str(refused.value)
    assert str(os.getpid()) in str(refused.value)


def test_lock_after_its_holder_ended_is_free(tmp_path: Path) -> None:
    """A restart finds its folder free."""
    for _ in range(2):
        with held(tmp_path):
            pass
