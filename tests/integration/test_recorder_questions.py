"""The gateway asks again what became of commands that are unknown (I7)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.broker import Login
from gateway.ledger import Asked
from gateway.protocol.codes import Evidence
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import After, SiteState
from tests.centre import Centre, running_centre
from tests.conditions import eventually
from tests.databases import each_database
from tests.entries import answer, asked
from tests.fake_agent import FakeAgent
from tests.running_broker import BrokerProcess, RunningBroker

pytestmark = each_database


@pytest.fixture
def centre(broker: RunningBroker, redis_url: str, database_url: str) -> Iterator[Centre]:
    """A recorder that runs."""
    with running_centre(broker.login("@gateway"), redis_url, database_url) as centre:
        yield centre


@pytest.fixture
def login(broker: RunningBroker, site_id: str) -> Login:
    return broker.add_site(site_id)


@pytest.fixture
def agent(centre: Centre, login: Login) -> Iterator[FakeAgent]:  # noqa: ARG001 # the recorder must be there first
    with FakeAgent(login) as agent:
        yield agent


def _ids(agent: FakeAgent) -> list[str | None]:
    return [command.id for _, command in agent.questions]


def _overdue(centre: Centre, agent: FakeAgent, **fields: object) -> Asked:
    """A command whose answer never came; the sweep will find it."""
    command = asked(site=agent.site, **fields)
    centre.ledger.record([command])
    return command


@pytest.mark.invariant("I7")
@pytest.mark.parametrize("requester", ["@facade", "@ana"])
def test_unknown_command_is_asked_about_until_there_is_evidence(
    centre: Centre, agent: FakeAgent, requester: str
) -> None:
    """The question names whose command it is; the answer to that requester ends both."""
    command = _overdue(centre, agent, requester=requester, asked_epoch=3)
    agent.beat(epoch=4)
    topic, question = eventually(lambda: agent.questions, what="a question")[0]
    assert (topic.site, topic.requester, topic.device, topic.name) == (agent.site, "@gateway", "feeder-1", "write")
    assert (question.id, question.asked_by, question.input) == (command.id, requester, {"portion_g": 120})
    assert (question.ttl_s, question.after) == (0, After(epoch=3, seq=0, age_s=0))
    agent.ack(answer(command, State.EXPIRED, code="deadline-passed", evidence=Evidence.NEVER_SEEN, duplicate=True))
    eventually(lambda: command.id in agent.committed, what="committed")
    record = centre.ledger.get(command.id)
    assert record is not None
    assert (record.state, record.evidence) == (State.EXPIRED, "never-seen")


@pytest.mark.invariant("I7")
def test_unanswered_question_comes_again(centre: Centre, agent: FakeAgent) -> None:
    """A lost question costs two seconds."""
    command = _overdue(centre, agent)
    agent.beat()
    eventually(lambda: _ids(agent) == [command.id] * 2, within_s=8, what="the second question")


@pytest.mark.invariant("I7")
def test_new_connection_is_asked_at_once(centre: Centre, agent: FakeAgent) -> None:
    """An agent that comes back is asked at once about what is open; one that is gone, not at all."""
    agent.beat(epoch=1)
    agent.status(SiteState.OFFLINE, epoch=1)
    command = _overdue(centre, agent)
    eventually(lambda: _state(centre, command) is State.UNKNOWN, what="the sweep")
    centre.settled_up_to(agent)
    assert agent.questions == []
    agent.beat(epoch=2)
    eventually(lambda: _ids(agent) == [command.id], within_s=4, what="a question")


def _state(centre: Centre, command: Asked) -> State | None:
    record = centre.ledger.get(command.id)
    return None if record is None else record.state


@pytest.mark.invariant("I7")
def test_restarted_gateway_goes_on_asking(centre: Centre, agent: FakeAgent) -> None:
    """What is open stands in the ledger, not in a process."""
    command = _overdue(centre, agent)
    agent.beat(seq=1)
    eventually(lambda: _ids(agent) == [command.id], what="a question")
    centre.new()
    agent.beat(seq=2)
    eventually(lambda: _ids(agent)[1:2] == [command.id], what="a question of the new process")


@pytest.mark.invariant("I7")
@pytest.mark.parametrize("code", ["journal-lost", "no-evidence"])
def test_what_only_a_person_can_resolve_is_not_asked(centre: Centre, agent: FakeAgent, code: str) -> None:
    """The agent has said that it cannot know; another one, asked beside it, shows that questions flow."""
    lost, open_ = _overdue(centre, agent), _overdue(centre, agent)
    agent.ack(answer(lost, State.UNKNOWN, code=code))
    centre.settled_up_to(agent)
    agent.beat()
    eventually(lambda: open_.id in _ids(agent), what="a question")
    assert lost.id not in _ids(agent)


def test_question_survives_a_broker_that_is_down(own_broker: BrokerProcess, redis_url: str, database_url: str) -> None:
    """What could not be asked is asked once the broker is back."""
    own = RunningBroker(own_broker.files, own_broker)
    site = own.add_site("arava-1")
    with running_centre(own.login("@gateway"), redis_url, database_url) as centre:
        with FakeAgent(site) as agent:
            agent.beat(epoch=1)
            eventually(lambda: centre.alive(agent.site), what="an open gate")
            command = _overdue(centre, agent)
            own_broker.kill()
        eventually(lambda: _state(centre, command) is State.UNKNOWN, what="the sweep")
        own_broker.start()
        with FakeAgent(site) as agent:
            eventually(lambda: command.id in _ids(agent), within_s=20, what="a question")
