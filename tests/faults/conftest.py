"""One system for all fault tests, which mend what they break; it is healed before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.auditor import Auditor
from tests.system import System


@pytest.fixture(scope="session")
def lasting_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """With a beat every second and a gate that shuts after three."""
    with System.running(tmp_path_factory.mktemp("faults") / "home") as running:
        yield running


@pytest.fixture
def system(lasting_system: System) -> System:
    """In good health at the start of each test, whatever the one before did."""
    lasting_system.heal()
    return lasting_system


@pytest.fixture
def auditor(system: System) -> Iterator[Auditor]:
    """Ana, who sees all that is said on the broker."""
    with system.auditor() as ana:
        yield ana
