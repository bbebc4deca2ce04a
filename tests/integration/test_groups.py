"""Groups from HTTP to the broker and back: real facade, broker, Redis and database; only the site is ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from sqlalchemy import func, select, update

from gateway.database import open_engine, reading, writing
from gateway.database.group_tables import group_items, groups
from gateway.database.tables import commands
from gateway.liveness import Liveness, open_redis
from gateway.protocol.codec import encode
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, Command
from gateway.protocol.topics import AckTopic, CommandTopic
from gateway.sites import DescriptionSeen, Sites, StatusSeen
from http_facade.groups.groups import MOST_RUNNING
from http_facade.groups.store import MOST_OPEN
from tests.answering_site import AnsweringSite, applied
from tests.conditions import eventually
from tests.databases import each_database
from tests.entries import NOON, heartbeat, status
from tests.facade_process import FacadeProcess
from tests.fake_parts import DESCRIPTION
from tests.mqtt_client import MqttClient
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade

pytestmark = each_database

Json = dict[str, Any]
Answer = Callable[[CommandTopic, Command], Sequence[tuple[AckTopic, Ack]]]
DEVICES: Final = [f"feeder-{number}" for number in range(1, 21)]


def _introduce(site: str, database_url: str, redis_url: str) -> None:
    """A site with twenty feeders, alive, as a gateway makes it known."""
    engine = open_engine(database_url)
    sites = Sites(engine)
    sites.save_status([StatusSeen(site=site, status=status(), at=NOON)])
    payload = encode(DESCRIPTION)
    seen = [DescriptionSeen(site=site, device=each, payload=payload, epoch=1, at=NOON) for each in DEVICES]
    sites.save_descriptions(seen)
    liveness = Liveness(open_redis(redis_url), expiry_s=25)
    liveness.beat_many([(site, encode(heartbeat()))])
    liveness.close()
    engine.dispose()


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade on the shared broker and Redis."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        yield made


@pytest.fixture
def site(broker: RunningBroker, facade: RunningFacade, site_id: str, redis_url: str) -> Iterator[AnsweringSite]:
    """A site with twenty feeders that obey."""
    with AnsweringSite(broker.add_site(site_id)) as made:
        _introduce(site_id, facade.settings.database_url, redis_url)
        yield made


def _body(site: str, count: int = 20, **changes: object) -> Json:
    targets = [{"site": site, "device": each} for each in DEVICES[:count]]
    return {"targets": targets, "action": "feed", "input": {"grams": 50}, "rate_per_s": 20, **changes}


def _preview(facade: RunningFacade, body: Json) -> Json:
    answer = facade.client.post("/v1/groups", json=body)
    assert answer.status_code == 201, answer.text
    found: Json = answer.get_json()
    assert answer.headers["Location"] == f"/v1/groups/{found['id']}"
    return found


def _run(facade: RunningFacade, group: Json, token: str | None = None) -> tuple[int, Json]:
    answer = facade.client.post(f"/v1/groups/{group['id']}/run", json={"token": token or group["token"]})
    return answer.status_code, answer.get_json()


def _read(facade: RunningFacade, group: Json) -> Json:
    found: Json = facade.client.get(f"/v1/groups/{group['id']}").get_json()
    return found


def _over(facade: RunningFacade, group: Json) -> Json:
    """The group once it is over and nothing of it is open."""

    def settled() -> Json | None:
        found = _read(facade, group)
        open_states = {"pending", "accepted", "begun", "waiting"} & set(found["progress"]["states"])
        return None if found["state"] in {"previewed", "running"} or open_states else found

    return eventually(settled, within_s=30, what="the group's end")


def _refusing(*devices: str) -> Answer:
    """A site that refuses for these devices."""

    def answers(topic: CommandTopic, command: Command) -> Sequence[tuple[AckTopic, Ack]]:
        if topic.device in devices:
            return [applied(topic, command, state=State.REJECTED, code="interlocked", result={})]
        return [applied(topic, command)]

    return answers


@pytest.mark.invariant("I5")
def test_preview_publishes_and_records_nothing(
    facade: RunningFacade, site: AnsweringSite, broker: RunningBroker, database_url: str
) -> None:
    """A witness who hears everything hears nothing of it, and the ledger has no row."""
    with MqttClient(broker.add_auditor("@witness")) as witness:
        witness.subscribe(CommandTopic.filter(site=site.site))
        made = _preview(facade, _body(site.site))
        assert made["summary"]["totals"] == [{"argument": "grams", "unit": "g", "all": 1000, "passing": 1000}]
        assert {each["state"] for each in made["targets"]} == {"waiting"}
        probe = facade.client.patch(f"/v1/sites/{site.site}/devices/feeder-1/settings", json={"portion_g": 5})
        assert probe.status_code == 200
        eventually(witness.received, what="the probe")
        assert len(witness.received()) == 1
    engine = open_engine(database_url)
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(commands)).scalar_one() == 1
        assert made["token"] not in str(connection.execute(select(groups)).all())
    engine.dispose()


def test_run_sends_each_target_one_command_and_tells_its_end(facade: RunningFacade, site: AnsweringSite) -> None:
    """Twenty targets, twenty commands, each in the ledger."""
    made = _preview(facade, _body(site.site))
    assert _run(facade, made)[0] == 202
    found = _over(facade, made)
    assert (found["state"], found["progress"]["states"]) == ("finished", {"applied": 20})
    assert [topic.device for topic, _ in site.heard] == DEVICES
    assert {each["command"] for each in found["targets"]} == {str(command.id) for _, command in site.heard}
    record = facade.services.ledger.get(found["targets"][0]["command"])
    assert record is not None
    assert (record.actor, record.key) == ("http-token", f"group:{made['id']}:0")


def test_run_keeps_its_rate(facade: RunningFacade, site: AnsweringSite) -> None:
    """However quick the site is, starts are a tenth of a second apart; later is fine, earlier is not."""
    heard_s: list[float] = []

    def note(topic: CommandTopic, command: Command) -> Sequence[tuple[AckTopic, Ack]]:
        heard_s.append(command.issued_at.timestamp() if command.issued_at else 0.0)
        return [applied(topic, command)]

    site.answers = note
    made = _preview(facade, _body(site.site, 11, rate_per_s=10, stop_share=1))
    _run(facade, made)
    assert _over(facade, made)["state"] == "finished"
    assert heard_s[-1] - heard_s[0] >= 0.95


def test_run_stops_when_more_than_the_share_failed(facade: RunningFacade, site: AnsweringSite) -> None:
    """Of 20 targets 2 may fail; the third failure is the last command."""
    site.answers = _refusing(*DEVICES)
    made = _preview(facade, _body(site.site))
    _run(facade, made)
    found = _over(facade, made)
    assert (found["state"], found["cause"]) == ("stopped", "failures")
    assert found["progress"] == {"targets": 20, "failed": 3, "states": {"rejected": 3, "not-sent": 17}}
    assert len(site.heard) == 3


def test_run_with_share_zero_stops_at_the_first_failure(facade: RunningFacade, site: AnsweringSite) -> None:
    """Then one command is on its way at a time, so that the first failure is the only one."""
    site.answers = _refusing(*DEVICES[3:])
    made = _preview(facade, _body(site.site, stop_share=0))
    _run(facade, made)
    found = _over(facade, made)
    assert found["progress"]["states"] == {"applied": 3, "rejected": 1, "not-sent": 16}


def test_refusals_of_the_facade_count_and_are_told(facade: RunningFacade, site: AnsweringSite) -> None:
    """A target that is not known is refused at the facade; the others run."""
    body = _body(site.site, 3, stop_share=1)
    body["targets"].insert(1, {"site": site.site, "device": "nobody"})
    made = _preview(facade, body)
    assert made["targets"][1]["refusal"]["code"] == "unknown-device"
    _run(facade, made)
    found = _over(facade, made)
    assert [each["state"] for each in found["targets"]] == ["applied", "refused", "applied", "applied"]
    assert (found["targets"][1]["code"], found["progress"]["failed"]) == ("unknown-device", 1)


@pytest.mark.invariant("I1")
def test_token_is_good_for_one_run_of_many_calls(facade: RunningFacade, site: AnsweringSite) -> None:
    """Eight calls at once: one 202; the second use later is 409 too."""
    made = _preview(facade, _body(site.site, 5))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: _run(facade, made), range(8)))
    assert sorted(number for number, _ in answers) == [202, *[409] * 7]
    assert {body.get("code") for number, body in answers if number == 409} == {"token-used"}
    _over(facade, made)
    assert _run(facade, made)[1]["code"] == "token-used"
    assert len(site.heard) == 5


def test_token_wrong_expired_or_of_another_actor_begins_nothing(
    facade: RunningFacade, site: AnsweringSite, database_url: str
) -> None:
    """403, 410, 403; and the right one is still good afterwards, unless time has passed."""
    made = _preview(facade, _body(site.site, 2))
    assert (_run(facade, made, "x")[0], _run(facade, made, "x")[1]["code"]) == (403, "token-wrong")
    engine = open_engine(database_url)

    def change(**columns: object) -> None:
        with writing(engine) as connection:
            connection.execute(update(groups).where(groups.c.id == made["id"]).values(columns))

    change(actor="dana")
    assert _run(facade, made)[1]["code"] == "not-your-group"
    change(actor="http-token", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    number, body = _run(facade, made)
    assert (number, body["code"], _read(facade, made)["state"]) == (410, "token-expired", "expired")
    change(expires_at=datetime.now(UTC) + timedelta(minutes=1))
    assert site.heard == []
    assert _run(facade, made)[0] == 202
    _over(facade, made)
    engine.dispose()


def test_stop_lets_nothing_more_begin(facade: RunningFacade, site: AnsweringSite) -> None:
    """What was begun ends truly; the rest is not sent."""
    made = _preview(facade, _body(site.site, rate_per_s=2))
    _run(facade, made)
    eventually(lambda: site.heard, what="the first command")
    answer = facade.client.post(f"/v1/groups/{made['id']}/stop")
    assert (answer.status_code, answer.get_json()["state"], answer.get_json()["cause"]) == (200, "stopped", "asked")
    found = _over(facade, made)
    states = found["progress"]["states"]
    assert states["applied"] + states["not-sent"] == 20
    assert len(site.heard) == states["applied"] < 20


def test_stopped_preview_cannot_be_run(facade: RunningFacade, site: AnsweringSite) -> None:
    """Its token is withdrawn."""
    made = _preview(facade, _body(site.site, 2))
    facade.client.post(f"/v1/groups/{made['id']}/stop")
    assert _run(facade, made)[1]["code"] == "token-used"
    assert site.heard == []


@pytest.mark.invariant("I15")
def test_facade_runs_a_bounded_number_of_groups(facade: RunningFacade, site: AnsweringSite) -> None:
    """One more is refused as overloaded, keeps its token, and runs once there is room."""
    site.answers = lambda *_: []
    slow = [_preview(facade, _body(site.site, 20, rate_per_s=0.1)) for _ in range(MOST_RUNNING + 1)]
    assert [_run(facade, each)[0] for each in slow] == [*[202] * MOST_RUNNING, 503]
    listed = facade.client.get("/v1/groups?limit=2").get_json()
    assert [each["id"] for each in listed["items"]] == [slow[-1]["id"], slow[-2]["id"]]
    following = facade.client.get(f"/v1/groups?limit=10&cursor={listed['next']}").get_json()
    assert [each["id"] for each in following["items"]] == [each["id"] for each in slow[-3::-1]]


@pytest.mark.invariant("I1")
@pytest.mark.timeout(90)
def test_facade_killed_in_mid_run_shows_interrupted_and_sends_nothing_twice(
    broker: RunningBroker, facade: RunningFacade, site: AnsweringSite, redis_url: str, database_url: str, tmp_path: Path
) -> None:
    """Another facade tells what was sent; nobody goes on, and the killed one does not either when it is back."""
    broker.add_facade("@facade-2")
    other = FacadeProcess(tmp_path / "other", broker, redis_url, database_url, name="@facade-2")
    with ExitStack() as stack:
        stack.callback(other.child.stop)
        other.start()
        made = requests.post(
            f"{other.url}/v1/groups", json=_body(site.site, rate_per_s=5), headers=other.headers, timeout=5
        ).json()
        url = f"{other.url}/v1/groups/{made['id']}/run"
        assert requests.post(url, json={"token": made["token"]}, headers=other.headers, timeout=5).status_code == 202
        eventually(lambda: len(site.heard) >= 3, what="some commands")
        other.child.kill()
        assert _read(facade, made)["state"] == "running"
        _lapse(database_url, made["id"])
        # No gateway runs here, so the command that the kill caught between its publish and its ack stays pending.
        found = _read(facade, made)
        assert found["state"] == "interrupted"
        sent = [each for each in found["targets"] if each["command"]]
        assert {each["command"] for each in sent} >= {str(command.id) for _, command in site.heard}
        other.start()
        assert _run(facade, made)[1]["code"] == "token-used"
        assert len({topic.device for topic, _ in site.heard}) == len(site.heard) < 20
        assert _read(facade, made)["state"] == "interrupted"


def _lapse(database_url: str, id: str) -> None:
    """As if the time of the lease had passed."""
    engine = open_engine(database_url)
    with writing(engine) as connection:
        past = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(update(groups).where(groups.c.id == id).values(lease_until=past))
    engine.dispose()


def test_run_that_was_called_interrupted_sends_no_more(
    facade: RunningFacade, site: AnsweringSite, database_url: str
) -> None:
    """A runner that slept beyond its lease finds that it may not go on, even if it was told before anybody looked."""
    made = _preview(facade, _body(site.site, rate_per_s=2))
    _run(facade, made)
    eventually(lambda: site.heard, what="the first command")
    _lapse(database_url, made["id"])
    found = _over(facade, made)
    assert found["state"] == "interrupted"
    eventually(lambda: not facade.services.groups._runs, what="the run's end")
    assert len(site.heard) == sum(each["command"] is not None for each in found["targets"]) < 20


@pytest.mark.invariant("I1")
def test_two_facades_with_one_token_give_one_run(
    broker: RunningBroker, facade: RunningFacade, site: AnsweringSite, redis_url: str, database_url: str, tmp_path: Path
) -> None:
    """The database decides; the other one can stop it too."""
    login = broker.add_facade("@facade-3")
    with running_facade(tmp_path / "second", login, redis_url, database_url) as second:
        made = _preview(facade, _body(site.site, rate_per_s=5))
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda each: _run(each, made)[0], (facade, second)))
        assert sorted(answers) == [202, 409]
        eventually(lambda: site.heard, what="the first command")
        loser = second if answers[0] == 202 else facade
        assert loser.client.post(f"/v1/groups/{made['id']}/stop").get_json()["state"] == "stopped"
        found = _over(facade, made)
        assert len(site.heard) == found["progress"]["states"]["applied"] < 20


def test_facade_that_stops_says_that_its_run_is_interrupted(
    broker: RunningBroker, facade: RunningFacade, site: AnsweringSite, redis_url: str, database_url: str, tmp_path: Path
) -> None:
    """At once, without waiting for the lease to lapse."""
    with running_facade(tmp_path / "second", broker.add_facade("@facade-4"), redis_url, database_url) as second:
        made = _preview(second, _body(site.site, rate_per_s=1))
        _run(second, made)
        eventually(lambda: site.heard, what="the first command")
    assert _read(facade, made)["state"] == "interrupted"


def test_old_previews_are_pruned_and_runs_are_kept(
    facade: RunningFacade, site: AnsweringSite, database_url: str
) -> None:
    """An hour later, when the next preview is made."""
    ran, idle = _preview(facade, _body(site.site, 1)), _preview(facade, _body(site.site, 1))
    _run(facade, ran)
    _over(facade, ran)
    engine = open_engine(database_url)
    with writing(engine) as connection:
        connection.execute(update(groups).values(created_at=datetime.now(UTC) - timedelta(minutes=61)))
    _preview(facade, _body(site.site, 1))
    assert facade.client.get(f"/v1/groups/{idle['id']}").get_json()["code"] == "unknown-group"
    assert _read(facade, ran)["state"] == "finished"
    with reading(engine) as connection:
        left = set(connection.execute(select(group_items.c.group_id)).scalars())
    assert idle["id"] not in left
    engine.dispose()


@pytest.mark.invariant("I15")
def test_preview_beyond_the_callers_bound_is_429_until_one_is_stopped(
    facade: RunningFacade, site: AnsweringSite
) -> None:
    """Twenty at a time; nothing was kept of the refused one."""
    body = _body(site.site, 1)
    made = [_preview(facade, body) for _ in range(MOST_OPEN)]
    refused = facade.client.post("/v1/groups", json=body)
    assert (refused.status_code, refused.get_json()["code"]) == (429, "too-many-previews")
    assert int(refused.headers["Retry-After"]) >= 1
    facade.client.post(f"/v1/groups/{made[0]['id']}/stop")
    _preview(facade, body)


def test_preview_of_five_hundred_fits(facade: RunningFacade, site: AnsweringSite) -> None:
    """The largest body that is allowed is not too large, and is answered whole."""
    body = _body(site.site, 1)
    body["targets"] = [{"site": site.site, "device": f"device-{number}"} for number in range(500)]
    made = _preview(facade, body)
    assert (made["summary"]["refused"], len(made["targets"])) == (500, 500)
