"""A write from HTTP to the broker and back: real broker, Redis and database; only the site is ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from gateway.database import open_engine
from gateway.ledger import Ledger
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, Command
from gateway.protocol.topics import AckTopic, CommandTopic
from tests.answering_site import AnsweringSite, applied
from tests.conditions import eventually
from tests.entries import new_id
from tests.fake_parts import DEVICE
from tests.running_broker import BrokerProcess, RunningBroker
from tests.running_facade import RunningFacade, running_facade


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade on the shared broker and Redis."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        yield made


@pytest.fixture
def site(broker: RunningBroker, facade: RunningFacade, site_id: str) -> Iterator[AnsweringSite]:
    """A site that is known, alive, and answers."""
    with AnsweringSite(broker.add_site(site_id)) as made:
        facade.introduce(site_id)
        facade.beat(site_id)
        yield made


def _write(facade: RunningFacade, site: str, grams: int = 120, *, wait_s: int = 5) -> TestResponse:
    url = f"/v1/sites/{site}/devices/{DEVICE}/settings"
    return facade.client.patch(url, json={"portion_g": grams}, headers={"Prefer": f"wait={wait_s}"})


def _json(answer: TestResponse) -> dict[str, Any]:
    body = answer.get_json()
    assert isinstance(body, dict)
    return body


def test_write_applied_is_final_in_the_ledger_when_answered(facade: RunningFacade, site: AnsweringSite) -> None:
    """Whoever asks the ledger right after the answer reads the same."""
    answer = _write(facade, site.site)
    assert answer.status_code == 200
    record = facade.services.ledger.get(_json(answer)["id"])
    assert record is not None
    assert (record.state, record.result) == (State.APPLIED, {"portion_g": 120})
    assert [step.what for step in record.steps] == ["pending", "published", "accepted", "applied"]


@pytest.mark.invariant("I14")
def test_row_is_committed_before_the_command_is_published(
    facade: RunningFacade, site: AnsweringSite, database_url: str
) -> None:
    """Who hears the command on the broker finds its row, over a connection of its own."""
    engine = open_engine(database_url)
    found: list[State | None] = []

    def look(topic: CommandTopic, command: Command) -> list[tuple[AckTopic, Ack]]:
        record = Ledger(engine).get(str(command.id))
        found.append(None if record is None else record.state)
        return [applied(topic, command)]

    site.answers = look
    assert _write(facade, site.site).status_code == 200
    engine.dispose()
    assert found == [State.PENDING]


def test_write_by_many_at_once_is_answered_each_by_its_own(facade: RunningFacade, site: AnsweringSite) -> None:
    """Acks find their requests, whatever the order."""
    held: list[tuple[AckTopic, Ack]] = []

    def hold(topic: CommandTopic, command: Command) -> list[tuple[AckTopic, Ack]]:
        held.append(applied(topic, command))
        return [] if len(held) < 2 else held[::-1]

    site.answers = hold
    open_one = _write(facade, site.site, 5, wait_s=0)
    answer = _write(facade, site.site, 10)
    assert (open_one.status_code, answer.status_code) == (202, 200)
    assert _json(answer)["result"] == {"portion_g": 10}


def test_foreign_and_repeated_acks_are_harmless(facade: RunningFacade, site: AnsweringSite) -> None:
    """Acks of nothing, of another device, under another id, and twice: only the true one counts."""

    def babble(topic: CommandTopic, command: Command) -> list[tuple[AckTopic, Ack]]:
        reply, ack = applied(topic, command)
        stray = applied(topic, command, id=new_id())
        return [
            stray,
            (reply, stray[1]),
            applied(topic, command, device="feeder-9", state=State.FAILED, code="plc-refused"),
            applied(topic, command, state=State.ACCEPTED, code="accepted", result={}),
            (reply, ack),
            (reply, ack.model_copy(update={"duplicate": True})),
            applied(topic, command, state=State.FAILED, code="plc-refused"),
        ]

    site.answers = babble
    for grams in (5, 10, 15):
        answer = _write(facade, site.site, grams)
        assert (answer.status_code, _json(answer)["result"]) == (200, {"portion_g": grams})


@pytest.mark.invariant("I13")
def test_ack_of_another_site_does_not_answer(facade: RunningFacade, site: AnsweringSite, broker: RunningBroker) -> None:
    """The broker lets each site speak under its own name only, and that name must be the one that was asked."""
    with AnsweringSite(broker.add_site(f"{site.site}-b")) as other:

        def let_other_answer(topic: CommandTopic, command: Command) -> list[tuple[AckTopic, Ack]]:
            _, ack = applied(topic, command)
            other.say(AckTopic(site=other.site, requester=topic.requester, id=ack.id), ack)
            return []

        site.answers = let_other_answer
        answer = _write(facade, site.site, wait_s=1)
    assert (answer.status_code, _json(answer)["state"]) == (202, "pending")


@pytest.mark.invariant("I4")
@pytest.mark.invariant("I5")
def test_write_to_a_silent_site_is_refused_and_unheard(
    facade: RunningFacade, broker: RunningBroker, site_id: str
) -> None:
    """The site listens, but has not been heard: nothing reaches it, nothing is recorded."""
    with AnsweringSite(broker.add_site(site_id)) as site:
        facade.introduce(site_id)
        answer = _write(facade, site_id)
        assert (answer.status_code, _json(answer)["code"]) == (503, "site-offline")
        facade.beat(site_id)
        assert _write(facade, site_id, 7 * 5).status_code == 200
        assert [command.input for _, command in site.heard] == [{"portion_g": 35}]


@pytest.mark.invariant("I5")
def test_write_that_the_broker_refuses_is_503_and_rejected(
    broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path, site_id: str
) -> None:
    """A PUBACK with a failure code: nobody got the command, and the ledger says so."""
    not_allowed = broker.add_site(f"{site_id}-x")  # a site may command nobody
    with (
        AnsweringSite(broker.add_site(site_id)) as site,
        running_facade(tmp_path / "facade", not_allowed, redis_url, database_url) as facade,
    ):
        facade.introduce(site_id)
        facade.beat(site_id)
        answer = _write(facade, site_id)
        body = _json(answer)
        assert (answer.status_code, body["code"]) == (503, "broker-unavailable")
        record = facade.services.ledger.get(body["command"]["id"])
        assert record is not None
        assert (record.state, record.code) == (State.REJECTED, "broker-refused")
        assert site.heard == []


@pytest.mark.invariant("I5")
def test_write_while_the_broker_is_down_is_refused_and_never_sent_later(
    own_broker: BrokerProcess, redis_url: str, database_url: str, tmp_path: Path, site_id: str
) -> None:
    """A client library keeps what is published offline and sends it later (P27): here nothing is handed to it."""
    running = RunningBroker(own_broker.files, own_broker)
    with (
        AnsweringSite(running.add_site(site_id)) as site,
        running_facade(tmp_path / "facade", running.login("@facade"), redis_url, database_url) as facade,
    ):
        facade.introduce(site_id)
        facade.beat(site_id)
        own_broker.kill()
        eventually(lambda: not facade.services.link.connected, what="the loss of the link")
        answer = _write(facade, site_id, 5)
        assert (answer.status_code, _json(answer)["code"]) == (503, "broker-unavailable")
        own_broker.start()
        site.wait_connected()
        facade.wait_connected()
        assert _write(facade, site_id, 10).status_code == 200
        assert [command.input for _, command in site.heard] == [{"portion_g": 10}]


def test_write_whose_link_breaks_while_it_waits_is_answered_202(
    own_broker: BrokerProcess, redis_url: str, database_url: str, tmp_path: Path, site_id: str
) -> None:
    """It was handed over, so nobody may call it refused; the ledger holds it open."""
    running = RunningBroker(own_broker.files, own_broker)
    with (
        AnsweringSite(running.add_site(site_id)) as site,
        running_facade(tmp_path / "facade", running.login("@facade"), redis_url, database_url) as facade,
    ):
        facade.introduce(site_id)
        facade.beat(site_id)

        def die(*_: object) -> list[tuple[AckTopic, Ack]]:
            own_broker.kill()
            return []

        site.answers = die
        answer = _write(facade, site_id, wait_s=2)
        assert answer.status_code == 202
        record = facade.services.ledger.get(_json(answer)["id"])
        assert record is not None
        assert record.state is State.PENDING
        own_broker.start()
