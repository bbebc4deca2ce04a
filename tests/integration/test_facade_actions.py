"""Actions through two facades: one key is one command, and a cancel reaches it from either; all parts are real."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, Command
from gateway.protocol.topics import CANCEL, AckTopic, CommandTopic
from tests.answering_site import AnsweringSite, applied
from tests.conditions import eventually
from tests.entries import new_id
from tests.fake_parts import DEVICE
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade

SECOND = "@facade-2"


@pytest.fixture
def facades(
    broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path
) -> Iterator[tuple[RunningFacade, RunningFacade]]:
    """Two facades with an identity each, on one broker and one ledger."""
    with (
        running_facade(tmp_path / "one", broker.login("@facade"), redis_url, database_url) as one,
        running_facade(tmp_path / "two", broker.add_facade(SECOND), redis_url, database_url) as two,
    ):
        yield one, two


@pytest.fixture
def site(broker: RunningBroker, facades: tuple[RunningFacade, RunningFacade], site_id: str) -> Iterator[AnsweringSite]:
    """A site that is known, alive, and feeds."""
    with AnsweringSite(broker.add_site(site_id)) as made:
        facades[0].introduce(site_id)
        facades[0].beat(site_id)
        yield made


def _feed(facade: RunningFacade, site: str, key: str, *, grams: int = 50, wait_s: int = 10) -> TestResponse:
    # A client of its own for each request: Flask's is not made for threads.
    client = facade.client.application.test_client()
    client.environ_base.update(facade.client.environ_base)
    headers = {"Idempotency-Key": key, "Prefer": f"wait={wait_s}"}
    return client.post(f"/v1/sites/{site}/devices/{DEVICE}/actions/feed", json={"grams": grams}, headers=headers)


def _body(answer: TestResponse) -> dict[str, Any]:
    body = answer.get_json()
    assert isinstance(body, dict)
    return body


@pytest.mark.fault("F27")
@pytest.mark.invariant("I1")
def test_one_key_at_two_facades_at_once_is_one_command(
    facades: tuple[RunningFacade, RunningFacade], site: AnsweringSite
) -> None:
    """Fifty requests, half at each: one id, one publish, and everybody hears the same end."""
    key = new_id()
    with ThreadPoolExecutor(50) as pool:
        asked = [pool.submit(_feed, facades[index % 2], site.site, key) for index in range(50)]
        answers = [each.result(30) for each in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert len({_body(answer)["id"] for answer in answers}) == 1
    assert len(site.heard) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1


@pytest.mark.fault("F27")
@pytest.mark.invariant("I1")
def test_key_is_known_at_the_other_facade_when_the_first_one_is_gone(
    facades: tuple[RunningFacade, RunningFacade], site: AnsweringSite
) -> None:
    """The ledger holds it, so a client may ask anybody; another request under it is refused."""
    first = _feed(facades[0], site.site, "k-1")
    facades[0].services.stop()
    again = _feed(facades[1], site.site, "k-1")
    assert (again.status_code, _body(again)["id"]) == (200, _body(first)["id"])
    other = _feed(facades[1], site.site, "k-1", grams=55)
    assert (other.status_code, _body(other)["first"]) == (422, _body(first)["id"])
    assert len(site.heard) == 1


def _cancelled(topic: CommandTopic, command: Command) -> list[tuple[AckTopic, Ack]]:
    """An agent that has not begun: the command stays open until it is cancelled, then its requester hears so."""
    if topic.name != CANCEL:
        return []
    _, ack = applied(topic, command, name="feed", state=State.REJECTED, code="cancelled", result={})
    return [(AckTopic(site=topic.site, requester=command.asked_by or topic.requester, id=ack.id), ack)]


def test_cancel_wakes_who_waits_for_the_command(
    facades: tuple[RunningFacade, RunningFacade], site: AnsweringSite
) -> None:
    """Who asked for the dose hears 409, who cancelled it 200; the time line tells both."""
    site.answers = _cancelled
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(_feed, facades[0], site.site, "k-1", wait_s=30)
        eventually(lambda: site.heard, what="the dose at the site")
        cancelled = facades[0].client.post(f"/v1/commands/{site.heard[0][1].id}/cancel")
        assert (cancelled.status_code, _body(cancelled)["code"]) == (200, "cancelled")
        assert asked.result(10).status_code == 409
    steps = _body(facades[1].client.get(f"/v1/commands/{site.heard[0][1].id}"))["steps"]
    assert [step["what"] for step in steps] == ["pending", "published", "rejected"]


def test_cancel_at_another_facade_reaches_the_command(
    facades: tuple[RunningFacade, RunningFacade], site: AnsweringSite
) -> None:
    """It names whose command it is, and learns of the end from the ledger."""
    site.answers = _cancelled
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(_feed, facades[0], site.site, "k-1", wait_s=30)
        eventually(lambda: site.heard, what="the dose at the site")
        cancelled = facades[1].client.post(f"/v1/commands/{site.heard[0][1].id}/cancel")
        assert (cancelled.status_code, _body(cancelled)["code"]) == (200, "cancelled")
        assert asked.result(10).status_code == 409
    ((_, _), (topic, cancel)) = site.heard
    assert (topic.requester, cancel.asked_by) == (SECOND, "@facade")
