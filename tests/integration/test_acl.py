"""The broker's rights, cell by cell, as the table in ``mosquitto/README.md`` wants them.

Always by delivery: Mosquitto grants subscriptions that it then never serves, so a SUBACK proves nothing.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from gateway.protocol.topics import ROOT
from tests.containers import BrokerContainer
from tests.identities import SecureBroker, new_authority
from tests.mqtt_client import MqttClient
from tests.requirements import engine
from tests.running_broker import BrokerProcess, RunningBroker

README: Final = Path("mosquitto/README.md")
SITE: Final = "acl-1"
OTHER_SITE: Final = "acl-2"
AUDITOR: Final = "@auditor"
#: the table's columns -> users
USERS: Final = {
    "the site": SITE,
    "another site": OTHER_SITE,
    "`@gateway`": "@gateway",
    "`@facade`": "@facade",
    "`@ana`": "@ana",
    "`@bo`": "@bo",
}
COMMAND_ID: Final = "0193510c-2f00-7000-8000-000000000000"
NOT_AUTHORIZED: Final = 0x87
#: Where every user may read: a message there tells that all earlier ones have been delivered, or never will be.
FENCE: Final = f"{ROOT}/@gateway/status"
#: Closed to all but those who read the whole tree, and to writers altogether.
FORBIDDEN_TO_WRITE: Final = (
    f"{ROOT}/@ana/status",
    f"{ROOT}/@facade/heartbeat",
    f"{ROOT}/@gateway/heartbeat",
    f"{ROOT}/@gateway/history",
    f"{ROOT}/@gateway/devices/feeder-1/state",
    f"{ROOT}/{SITE}",
    f"{ROOT}/{SITE}/status/deeper",
    f"{ROOT}/{SITE}/commands/@ana/feeder-1",
    f"{ROOT}/{SITE}/commands/@ana/feeder-1/write/deeper",
    "tidegate/v2/anything",
    "somewhere/else",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One topic, and what each user may do with it."""

    topic: str
    rights: dict[str, str]


def table() -> list[Row]:
    """The rights as the README has them."""
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    start = next(number for number, line in enumerate(lines) if line.startswith("| topic |"))
    head = [cell.strip() for cell in lines[start].strip("|").split("|")][1:]
    rows = []
    for line in lines[start + 2 :]:
        topic, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        levels = {"site": SITE, "device": "feeder-1", "name": "write", "id": COMMAND_ID}
        name = f"{ROOT}/{topic.strip('`').format(**levels)}"
        rows.append(Row(name, dict(zip((USERS[column] for column in head), cells, strict=True))))
    return rows


ROWS: Final = table()


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came through: (user, topic) pairs that could write, and that could read; and the PUBACKs."""

    written: frozenset[tuple[str, str]]
    read: frozenset[tuple[str, str]]
    codes: dict[tuple[str, str], int]
    seen: dict[str, frozenset[str]]


def _publish_everywhere(
    clients: dict[str, MqttClient], topics: list[str]
) -> tuple[dict[bytes, tuple[str, str]], dict[tuple[str, str], int]]:
    sent: dict[bytes, tuple[str, str]] = {}
    codes: dict[tuple[str, str], int] = {}
    for user, client in clients.items():
        for topic in topics:
            payload = uuid.uuid4().bytes
            sent[payload] = (user, topic)
            codes[user, topic] = client.publish(topic, payload)
    return sent, codes


@pytest.fixture(scope="module", params=["plain", "tls"])
def broker(
    request: pytest.FixtureRequest, backend: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningBroker]:
    """A broker; reached in clear, as from its own machine, and with TLS, as from anywhere else."""
    folder = tmp_path_factory.mktemp("rights")
    authority = new_authority(folder / "ca") if request.param == "tls" else None
    if backend == "containers":
        engine()
    running = BrokerContainer(folder, authority) if backend == "containers" else BrokerProcess(folder, authority)
    running.start()
    yield RunningBroker(running.files, running) if authority is None else SecureBroker(running, folder)
    running.stop()


@pytest.fixture(scope="module")
def delivered(broker: RunningBroker) -> Iterator[Delivered]:
    """Every user publishes to every topic; then an auditor, who may all, does, and every user listens to all."""
    for user in USERS.values():
        if user not in {"@gateway", "@facade"}:
            broker.add_person(user) if user.startswith("@") else broker.add_site(user)
    auditor_login = broker.add_auditor(AUDITOR)
    topics = [row.topic for row in ROWS] + list(FORBIDDEN_TO_WRITE)
    with ExitStack() as opened:
        auditor = opened.enter_context(MqttClient(auditor_login))
        auditor.subscribe("#")
        clients = {user: opened.enter_context(MqttClient(broker.login(user))) for user in USERS.values()}
        sent, codes = _publish_everywhere(clients, [*topics, "$SYS/broker/version", "$CONTROL/dynamic-security/v1"])
        auditor.publish(FENCE, b"all written")
        auditor.wait_for(b"all written")
        written = frozenset(sent[payload] for payload in auditor.payloads() if payload in sent)
        for client in clients.values():
            client.subscribe("#", "$SYS/#", "$CONTROL/#", *topics)
        audits, _ = _publish_everywhere({AUDITOR: auditor}, topics)
        auditor.publish(FENCE, b"all read")
        for client in clients.values():
            client.wait_for(b"all read")
        read = frozenset(
            (user, audits[payload][1])
            for user, client in clients.items()
            for payload in client.payloads()
            if payload in audits
        )
        seen = {user: frozenset(got.topic for got in client.received()) for user, client in clients.items()}
        yield Delivered(written, read, codes, seen)


@pytest.mark.fault("F44")
@pytest.mark.invariant("I13")
@pytest.mark.parametrize("user", USERS.values())
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.topic)
def test_write_by_user_delivered_only_if_the_table_says_so(delivered: Delivered, row: Row, user: str) -> None:
    """A user's message to a topic reaches somebody who may read all exactly if its cell says write."""
    assert ((user, row.topic) in delivered.written) == ("write" in row.rights[user])


@pytest.mark.fault("F44")
@pytest.mark.invariant("I13")
@pytest.mark.parametrize("user", USERS.values())
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.topic)
def test_read_by_user_delivered_only_if_the_table_says_so(delivered: Delivered, row: Row, user: str) -> None:
    """A message on a topic reaches a user who subscribed to everything exactly if its cell says read."""
    assert ((user, row.topic) in delivered.read) == ("read" in row.rights[user])


@pytest.mark.fault("F44")
@pytest.mark.parametrize("topic", FORBIDDEN_TO_WRITE)
def test_write_outside_the_table_by_anybody_not_delivered(delivered: Delivered, topic: str) -> None:
    """Nobody writes outside the table: as a site called like a principal, a level off, or elsewhere."""
    assert [user for user, written in delivered.written if written == topic] == []


@pytest.mark.fault("F44")
@pytest.mark.parametrize("user", USERS.values())
@pytest.mark.parametrize("topic", ["$SYS/broker/version", "$CONTROL/dynamic-security/v1"])
def test_write_to_the_brokers_own_topics_refused(delivered: Delivered, topic: str, user: str) -> None:
    """The broker's own topics take nothing from anybody; nobody could read them, so here the PUBACK must do."""
    assert delivered.codes[user, topic] == NOT_AUTHORIZED


@pytest.mark.fault("F44")
@pytest.mark.parametrize("user", USERS.values())
def test_read_of_the_brokers_own_topics_not_delivered(delivered: Delivered, user: str) -> None:
    """Nobody is told the broker's own figures, which are retained and would come at once."""
    assert [topic for topic in delivered.seen[user] if topic.startswith("$")] == []


@pytest.mark.fault("F44")
@pytest.mark.parametrize("user", [SITE, OTHER_SITE, "@facade"])
def test_read_outside_the_table_by_site_or_facade_not_delivered(delivered: Delivered, user: str) -> None:
    """Sites and facades see nothing outside the table; those who read the whole tree may."""
    outside = {topic for reader, topic in delivered.read if reader == user} & set(FORBIDDEN_TO_WRITE)
    assert outside == set()


def test_refused_write_says_so_in_its_puback(delivered: Delivered) -> None:
    """With MQTT 5 a refused publish is answered "not authorized", so a client can tell."""
    refused = [key for key, code in delivered.codes.items() if code == NOT_AUTHORIZED]
    assert {key for key in delivered.codes if key not in delivered.written} == set(refused)


@pytest.mark.fault("F44")
@pytest.mark.usefixtures("delivered")
def test_will_on_a_foreign_topic_not_delivered(broker: RunningBroker) -> None:
    """A site cannot speak for another through its last will; the broker drops such a will in silence."""
    with MqttClient(broker.login("@ana")) as observer:
        observer.subscribe(f"{ROOT}/#")
        with MqttClient(broker.login(SITE), will=f"{ROOT}/{OTHER_SITE}/status") as site:
            site.cut()
            with MqttClient(broker.login("@bo")) as fence:
                topic = re.sub(r"@ana", "@bo", f"{ROOT}/{SITE}/commands/@ana/feeder-1/write")
                fence.publish(topic, b"after the will")
                observer.wait_for(b"after the will")
        assert b"will" not in observer.payloads()
