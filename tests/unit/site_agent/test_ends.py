"""Ends that the centre has not confirmed: said again now and then, in turn, and no more once it has them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack
from gateway.protocol.topics import AckTopic
from site_agent.dosage import Dosage
from site_agent.ends import Ends
from site_agent.journal import Journal

IDS = tuple(f"0199f000-0000-7000-8000-{number:012d}" for number in range(5))


class _Mouth:
    """Remembers which commands were spoken of."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def send_ack(self, topic: AckTopic, ack: Ack, *, at: str | None = None, correlation: bytes | None = None) -> None:
        assert (topic.id, at, correlation) == (ack.id, None, None)
        self.said.append(ack.id)

    def taken(self) -> list[str]:
        said, self.said = self.said, []
        return said


@pytest.fixture
def mouth() -> _Mouth:
    return _Mouth()


@pytest.fixture
def ends(mouth: _Mouth, tmp_path: Path) -> Ends:
    """Five ends that nobody has confirmed."""
    journal = Journal(tmp_path / "journal.db")
    made = Ends("arava-1", journal, mouth, Dosage(journal))
    for id in IDS:
        made.keep("@ana", _applied(id))
    return made


def _applied(id: str) -> Ack:
    return Ack(
        id=id,
        device="feeder-1",
        name="write",
        input={"portion_g": 5},
        state=State.APPLIED,
        code=AckCode.APPLIED,
        epoch=1,
        at=datetime.now(UTC),
    )


@pytest.mark.invariant("I7")
def test_remind_says_all_in_turn_a_few_at_a_time(ends: Ends, mouth: _Mouth) -> None:
    """Nobody is left out, however many wait."""
    ends.remind(2)
    assert mouth.taken() == []  # they were said a moment ago
    rounds = []
    for _ in range(3):
        ends.remind(2)
        rounds.append(mouth.taken())
    assert rounds == [list(IDS[:2]), list(IDS[2:4]), [IDS[4], IDS[0]]]


def test_remind_leaves_out_what_is_confirmed_or_new(ends: Ends, mouth: _Mouth) -> None:
    """The centre has some, others have just been said."""
    ends.remind(10)
    ends.settle(IDS[:3])
    ends.keep("@ana", _applied("0199f000-0000-7000-8000-00000000000a"))
    ends.remind(10)
    assert mouth.taken() == list(IDS[3:])
