"""The function block of docs/plc, step by step beside the simulated PLC's program: they never disagree."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from site_agent.mailbox import MailboxCommand, MailboxStatus, Result
from site_agent.simulator.dosing import Doser, Watch, power_up, scan
from tests.plc_structured_text import SOURCE
from tests.structured_text import Block

TEXT = SOURCE.read_text(encoding="utf-8")
NOTHING = MailboxStatus(done_seq=0, done_check=0, result=0, counter_before=0, counter_after=0, busy_seq=0, fence=0)
#: As many scans as a new dose needs until its timer runs.
SCANS = 3


@dataclass(frozen=True)
class Step:
    """What happens next; the numbers of a command are told from the state, so that many of them fit."""

    seq: int = 1
    upon: int = 0
    fence: int = 0
    op: int = 1
    grams: int = 100
    flip: int = 0
    lid: bool = False
    count: bool = False
    wait_s: int = 0
    cut: bool = False
    write: bool = True


STEPS = some.lists(
    some.builds(
        Step,
        seq=some.sampled_from([1, 1, 1, 0, 70_000, -1]),
        upon=some.sampled_from([0, 0, 0, 0, 1, -1]),
        fence=some.sampled_from([0, 0, 1, -1, 70_000]),
        op=some.sampled_from([1, 1, 1, 0, 2]),
        grams=some.sampled_from([100, 5, 500, 4, 501]),
        flip=some.sampled_from([0, 0, 0, 1, 0x8000]),
        lid=some.booleans(),
        count=some.booleans(),
        wait_s=some.sampled_from([0, 1, 2, 5, 61, 130]),
        cut=some.sampled_from([False, False, False, True]),
        write=some.booleans(),
    ),
    max_size=12,
)


class Pair:
    """Both, with the same registers, counter and time; a hopper of 1.2 kg, which some doses empty."""

    def __init__(self, text: str = TEXT) -> None:
        self.model = Doser(status=NOTHING, total_g=0xFFFF_FF00, hopper_g=1200)
        self.block = Block(text, "TidegateMailbox")
        self._watch = Watch()
        self._words = [0] * 10
        self._count = 0
        self._now_s = 1000.0

    def take(self, step: Step) -> None:
        """One step, and they must agree in all that anybody sees."""
        self._now_s += step.wait_s
        if step.cut:
            self._cut()
        self._count = (self._count + step.count) % 0x1_0000
        if step.write:
            self._words = self._command(step)
        for _ in range(SCANS):
            self._scan(interlocked=step.lid)
            assert tuple(self.block.words("answer")) == self.model.status.words()
            assert self.block["running"] == (self.model.run is not None)
        assert self.block["alive"] == self._watch.alive(self._now_s)

    def _cut(self) -> None:
        """Power off and on; whoever had a dose under way spends the first cycle on its end."""
        ends = self.model.run is not None
        self.model, self._watch, self._count = power_up(self.model), Watch(), 0
        self.block.power_cycle()
        if ends:
            self._scan_block(finished=False, interlocked=False)

    def _command(self, step: Step) -> list[int]:
        status = self.model.status
        command = MailboxCommand(
            cmd_seq=max(0, status.done_seq + step.seq),
            last_seq=max(0, status.done_seq + step.upon),
            fence=max(0, status.fence + step.fence),
            op=step.op,
            arg_1=step.grams,
        )
        return [*command.words()[:9], command.check ^ step.flip]

    def _scan(self, *, interlocked: bool) -> None:
        before = self.model
        self._watch = self._watch.see(self._count, self._now_s)
        alive = self._watch.alive(self._now_s)
        self.model = scan(before, self._words, self._now_s, interlocked=interlocked, alive=alive)
        if self.model.run is not None and before.run is None:
            self._watch = self._watch.anew(self._now_s)
        over = before.run is not None and self.model.status.result in (Result.DONE, Result.SHORT)
        self._scan_block(finished=over and self.model.run is None, interlocked=interlocked)

    def _scan_block(self, *, finished: bool, interlocked: bool) -> None:
        self.block.scan(
            now_ms=round(1000 * self._now_s),
            command=self._words,
            watchdog=self._count,
            counter=self.model.total_g,
            finished=finished,
            interlock=interlocked,
        )


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_block_and_simulated_plc_answer_alike_whatever_happens(steps: list[Step]) -> None:
    """Commands that fit and that do not, cuts, silences, lids, an empty hopper, a total that starts anew."""
    pair = Pair()
    for step in steps:
        pair.take(step)


DRILL = [
    Step(fence=70_000, count=True),
    Step(wait_s=5, write=False),
    Step(wait_s=1, op=0, seq=70_000),
    Step(cut=True, write=False),
    Step(grams=500),
    Step(wait_s=1, cut=True, write=False),
    Step(write=False, wait_s=5),
    Step(grams=500, count=True),
    Step(wait_s=61, write=False),
    Step(fence=-1),
    Step(op=2),
    Step(lid=True),
]


def _drilled(text: str) -> None:
    pair = Pair(text)
    for step in DRILL:
        pair.take(step)


def _retentive() -> list[str]:
    section = re.search(r"VAR RETAIN\n(.*?)END_VAR", TEXT, re.DOTALL)
    assert section
    return re.findall(r"^ +(\w+) :", section[1], re.MULTILINE)


def test_drill_finds_no_fault_in_the_block_as_it_is() -> None:
    """What the next test relies on."""
    _drilled(TEXT)
    assert len(_retentive()) == 9


@pytest.mark.parametrize("name", _retentive())
def test_variable_that_is_not_retentive_although_it_must_be_is_found(name: str) -> None:
    """Every word of VAR RETAIN is needed, and a drill with power cuts shows it."""
    declaration = re.search(rf"^ +{name} : .*\n", TEXT, re.MULTILINE)
    assert declaration
    text = TEXT.replace(declaration[0], "", 1).replace("\nVAR\n    powered", f"\nVAR\n{declaration[0]}    powered")
    with pytest.raises(AssertionError):
        _drilled(text)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("upon = done_seq", "TRUE", id="any last_seq"),
        pytest.param("asked_fence >= fence", "TRUE", id="any fence"),
        pytest.param("16#A001", "16#A011", id="another polynomial"),
        pytest.param("ended := 4", "ended := 5", id="another result"),
        pytest.param("AND NOT start,", ",", id="a watchdog that goes on into the dose"),
        pytest.param("counted AND watchdog", "watchdog", id="a watchdog that nobody counts"),
        pytest.param("IF NOT powered THEN", "IF FALSE THEN", id="a dose that is resumed"),
    ],
)
def test_block_with_a_fault_is_found(right: str, wrong: str) -> None:
    """The comparison has teeth."""
    assert TEXT.count(right) == 1
    with pytest.raises(AssertionError):
        _drilled_long(TEXT.replace(right, wrong))


def _drilled_long(text: str) -> None:
    pair = Pair(text)
    for step in [*DRILL, Step(count=True, write=False), Step(wait_s=130, write=False), Step(grams=500, wait_s=1)]:
        pair.take(step)
    pair = Pair(text)
    for step in [Step(grams=500), Step(upon=1, wait_s=5), replace(DRILL[0], upon=-1), Step(upon=1)]:
        pair.take(step)
    pair = Pair(text)
    for wait_s in (0, 1, 61):
        pair.take(Step(grams=500, wait_s=wait_s))
