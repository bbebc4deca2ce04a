"""I6 by search: whatever acks, repeats and sweeps come in whatever order, states only move forward."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from gateway.database import open_engine, upgrade
from gateway.ledger import Asked, Ledger
from gateway.protocol.lifecycle import STEPS, State
from tests.databases import each_database
from tests.entries import NOON, answer, asked, new_id

pytestmark = each_database

reportable = st.sampled_from([state for state in State if state is not State.PENDING])


class Ledgers(RuleBasedStateMachine):
    """Two ledgers over one database, as facade and recorder are."""

    commands: Bundle[Asked] = Bundle("commands")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._engine = open_engine(f"sqlite:///{Path(self._folder.name) / 'tidegate.db'}")
        upgrade(self._engine)
        self._ledgers = (Ledger(self._engine), Ledger(self._engine))
        self._seen: dict[str, State] = {}

    def teardown(self) -> None:
        """Give files and connections back."""
        self._engine.dispose()
        self._folder.cleanup()

    @rule(target=commands)
    def ask(self) -> Asked:
        """The facade records a command."""
        command = asked()
        self._ledgers[0].record([command])
        self._seen[command.id] = State.PENDING
        return command

    @rule(target=commands)
    def ask_unseen(self) -> Asked:
        """A technician's command that only its ack will show."""
        return asked(id=new_id(), requester="@ana")

    @rule(command=commands, states=st.lists(reportable, min_size=1, max_size=3), who=st.integers(0, 1))
    def answer(self, command: Asked, states: list[State], who: int) -> None:
        """Acks arrive at one of the two, in one batch."""
        self._seen.setdefault(command.id, State.PENDING)
        held = self._ledgers[who].settle([answer(command, state) for state in states])
        record = self._ledgers[who].get(command.id)
        assert record is not None
        assert (command.id in held) == record.state.final

    @rule(command=commands, state=reportable)
    def answer_foreign(self, command: Asked, state: State) -> None:
        """An ack to somebody else about the same command."""
        if command.id in self._seen:
            assert not self._ledgers[1].settle([answer(command, state, requester="@mallory")])

    @rule(hours=st.integers(0, 1))
    def sweep(self, hours: int) -> None:
        """Time passes."""
        self._ledgers[1].overdue(NOON + timedelta(hours=hours), 5.0)

    @invariant()
    def only_forward(self) -> None:
        """Every change since the last look follows the table, and what was final stays."""
        for command_id, before in self._seen.items():
            record = self._ledgers[0].get(command_id)
            assert record is not None
            assert record.state in _reachable(before)
            assert [step.what for step in record.steps][-1:] in ([record.state], [])
            self._seen[command_id] = record.state


def _reachable(state: State) -> set[State]:
    found = {state}
    while more := {step for each in found for step in STEPS[each]} - found:
        found |= more
    return found


TestLedgers = pytest.mark.invariant("I6")(Ledgers.TestCase)
TestLedgers.settings = settings(
    max_examples=15, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
