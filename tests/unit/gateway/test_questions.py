"""When a site is asked again."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gateway.ledger_questions import Question
from gateway.protocol.messages import Command
from gateway.protocol.topics import CommandTopic
from gateway.questions import (
    FIRST_DELAY_S,
    LAST_DELAY_S,
    PER_ROUND,
    REMEMBERED,
    ROUND_S,
    SETTLING_S,
    SITES,
    Questions,
)
from tests.entries import new_id

SITE = "arava-1"
EXPIRY_S = 25.0


def _question(site: str = SITE) -> Question:
    command = Command(id=new_id(), input={"portion_g": 5}, ttl_s=0, asked_by="@facade")
    return Question(id=command.id or "", topic=CommandTopic(site, "@gateway", "feeder-1", "write"), command=command)


def _ask(questions: Questions, page: list[Question], now_s: float, *, epoch: int = 1) -> list[Question]:
    """One round of the site, which beats all the time; what it asks."""
    questions.heard(SITE, epoch, now_s)
    if not questions.due({SITE}, now_s):
        return []
    chosen = questions.choose(SITE, page, now_s)
    for each in chosen:
        questions.asked(each, now_s)
    return chosen


def test_site_that_was_never_heard_is_not_asked() -> None:
    """Nobody is there to answer."""
    assert Questions(expiry_s=EXPIRY_S).due({SITE}, 0.0) == []


def test_site_is_asked_soon_after_it_connects() -> None:
    """After a moment, in which it repeats its acks by itself."""
    questions = Questions(expiry_s=EXPIRY_S)
    questions.heard(SITE, 1, 100.0)
    assert questions.due({SITE}, 100.0) == []
    assert questions.due({SITE}, 100.0 + SETTLING_S) == [SITE]


def test_site_without_unresolved_commands_is_left_alone() -> None:
    """It is not even looked at."""
    questions = Questions(expiry_s=EXPIRY_S)
    questions.heard(SITE, 1, 0.0)
    assert questions.due((), 10.0) == []


def test_site_that_fell_silent_is_not_asked() -> None:
    """No beat within the expiry: the gate is shut, and so is this."""
    questions = Questions(expiry_s=EXPIRY_S)
    questions.heard(SITE, 1, 0.0)
    assert questions.due({SITE}, EXPIRY_S) == [SITE]
    assert questions.due({SITE}, EXPIRY_S + 0.1) == []


def test_site_whose_connection_ended_is_not_asked_until_the_next() -> None:
    """A will of an older connection says nothing about the newer one."""
    questions = Questions(expiry_s=EXPIRY_S)
    questions.heard(SITE, 2, 0.0)
    questions.ended(SITE, 1)
    assert questions.due({SITE}, 5.0) == [SITE]
    questions.ended(SITE, 2)
    assert questions.due({SITE}, 5.0) == []


def test_unanswered_question_comes_again_more_and_more_rarely() -> None:
    """The waits double up to ten minutes."""
    questions, question = Questions(expiry_s=EXPIRY_S), _question()
    questions.heard(SITE, 1, 0.0)
    times = [now_s for now_s in range(1, 4_000) if _ask(questions, [question], float(now_s))]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[:4] == [2 * FIRST_DELAY_S**number for number in range(4)]
    assert waits[-1] == LAST_DELAY_S


def test_new_connection_is_asked_at_once_about_everything() -> None:
    """What kept the answers away may be over."""
    questions, question = Questions(expiry_s=EXPIRY_S), _question()
    questions.heard(SITE, 1, 0.0)
    for now_s in range(1, 400):
        _ask(questions, [question], float(now_s))
    assert _ask(questions, [question], 401.0, epoch=2) == []
    assert _ask(questions, [question], 401.0 + SETTLING_S, epoch=2) == [question]
    assert _ask(questions, [question], 401.0 + SETTLING_S + FIRST_DELAY_S, epoch=2) == [question]


def test_newly_unknown_command_is_asked_while_others_wait() -> None:
    """Each command has a back-off of its own."""
    questions, old, new = Questions(expiry_s=EXPIRY_S), _question(), _question()
    questions.heard(SITE, 1, 0.0)
    for now_s in range(1, 400):
        _ask(questions, [old], float(now_s))
    assert _ask(questions, [old, new], 400.0 + ROUND_S) == [new]


def test_what_was_not_asked_stays_due() -> None:
    """A broker that was down costs a round."""
    questions, question = Questions(expiry_s=EXPIRY_S), _question()
    questions.heard(SITE, 1, 0.0)
    assert questions.choose(SITE, [question], 1.0) == [question]
    assert questions.choose(SITE, [question], 1.0 + ROUND_S) == [question]


def test_full_page_is_followed_by_the_next() -> None:
    """The cursor goes on behind a full page, and back to the start after the last one."""
    questions = Questions(expiry_s=EXPIRY_S)
    questions.heard(SITE, 1, 0.0)
    page = [_question() for _ in range(PER_ROUND)]
    questions.choose(SITE, page, 1.0)
    assert questions.cursor(SITE) == page[-1].id
    questions.choose(SITE, page[:3], 2.0)
    assert questions.cursor(SITE) == ""


@pytest.mark.invariant("I15")
def test_round_is_bounded_and_no_site_is_left_out() -> None:
    """Many sites share the rounds; whoever waited longest is first."""
    questions = Questions(expiry_s=EXPIRY_S)
    sites = [f"site-{number}" for number in range(3 * SITES)]
    for each in sites:
        questions.heard(each, 1, 0.0)
    seen: set[str] = set()
    for now_s in (1.0, 1.1, 1.2):
        due = questions.due(sites, now_s)
        assert len(due) == SITES
        for each in due:
            questions.choose(each, [], now_s)
        seen.update(due)
    assert seen == set(sites)


@pytest.mark.invariant("I15")
def test_memory_of_turns_is_bounded() -> None:
    """The oldest turn is forgotten, which only means that it is asked about early."""
    questions = Questions(expiry_s=EXPIRY_S)
    questions.heard(SITE, 1, 0.0)
    first = _question()
    questions.asked(first, 1.0)
    for _ in range(REMEMBERED):
        questions.asked(_question(), 1.0)
    assert len(questions._turns) == REMEMBERED
    assert questions.choose(SITE, [first], 1.1) == [first]
