"""Bytes that are no message, topics and names that are none: refused, reported, and survived by everybody."""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from typing import Final
from urllib.parse import quote

import psutil
import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.broker import Login
from gateway.demo.roles import AGENT, FACADE, GATEWAY
from gateway.protocol.codec import encode
from gateway.protocol.messages import MAX_PAYLOAD_BYTES, Command
from gateway.protocol.topics import ROOT
from http_facade.bodies import MAX_BODY_BYTES
from tests.agents import fresh_id
from tests.auditor import Auditor
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.system import System

_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([2**53, 2**63, -1, "1" * 400, "\x00", "\u202e", "2026-01-01T00:00:00Z", "online", "applied"])
)
_trees = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
# fmt: off
_FIELDS: Final = (
    "id", "input", "state", "epoch", "seq", "at", "plcs", "boot",
    "since", "version", "commands", "batches", "device", "name", "code", "ttl_s",
    "after", "issued_at", "asked_by", "order", "expect", "actor", "title", "properties",
    "actions", "quality", "revision", "result", "evidence", "trail", "reason",
)
# fmt: on
#: Fields that our messages have, with contents that they do not.
_near = st.dictionaries(st.sampled_from(_FIELDS), _trees, max_size=6)
_bodies: Final = st.one_of(
    st.binary(max_size=300),
    (_trees | _near).map(lambda tree: json.dumps(tree).encode()),
    st.integers(100, 60_000).map(lambda depth: b"[" * depth),
    st.integers(100, 6_000).map(lambda depth: b'{"input":' * depth),
    st.sampled_from([b"", b"null", b"\xff\xfe", b"NaN", b'{"epoch": 1e999}', b'{"seq": NaN}', b'{"id":"\\ud800"}']),
)
#: (who says it, on which topic of the site); all that anybody may say to the agent, to the gateway and to the facade.
PLACES: Final = (
    ("@facade", "commands/@facade/feeder-1/write"),
    ("@facade", "commands/@facade/feeder-1/feed"),
    ("@facade", "commands/@facade/feeder-1/cancel"),
    ("@facade", "commands/@facade/feeder-9/write"),
    ("@gateway", "commands/@gateway/feeder-1/feed"),
    ("@ana", "commands/@ana/feeder-1/write"),
    ("@ana", "commands/@ana/feeder-1/feed"),
    ("@gateway", "committed"),
    ("@gateway", "host"),
    ("site", "status"),
    ("site", "heartbeat"),
    ("site", "devices/feeder-1/state"),
    ("site", "devices/feeder-1/description"),
    ("site", "devices/feeder-1/events/bad-message"),
    ("site", "acks/@facade/0199f000-0000-7000-8000-000000000001"),
    ("site", "acks/@ana/0199f000-0000-7000-8000-000000000001"),
)


#: What must not get into a topic.
NO_NAMES: Final = (
    *("+", "#", "a/b", "..", "$SYS", "", "%", "Arava-1", "arava-1\n", "arava-1\x00", "é"),
    *("a/" * 300, "a" * 5_000),
)
ROLES: Final = (AGENT, GATEWAY, FACADE)
#: In a log: something of ours failed in a way that nobody had foreseen.
_FAILURES: Final = re.compile(r"Traceback|batch-failed|\"exception\"|never retrieved|handler-failed")


def _health(system: System) -> tuple[dict[str, int], dict[str, int]]:
    """The processes, and how often each has failed so far."""
    logs = {role: (system.stack.plan.home / "logs" / f"{role}.log").read_text() for role in ROLES}
    return {role: system.stack.pids[role] for role in ROLES}, {r: len(_FAILURES.findall(t)) for r, t in logs.items()}


def _threads(system: System) -> dict[str, int]:
    """How many threads each process has that lives as long as the process."""
    return {role: psutil.Process(system.stack.pids[role]).num_threads() for role in (AGENT, GATEWAY)}


def _assert_all_works(system: System, auditor: Auditor) -> None:
    """Every path through all three processes: a setting, a dose, a technician's command in the ledger, the gate."""
    before, grams = len(system.doses()), system.fresh()
    assert system.http.write({"portion_g": grams}).verdict == (200, "applied")
    assert system.feed(50).verdict == (200, "applied")
    by_hand = auditor.send({"portion_g": grams})
    eventually(lambda: system.http.command(by_hand).get("state") == "applied", within_s=15, what="its row")
    eventually(lambda: by_hand in auditor.committed, within_s=15, what="the centre's word")
    assert all(system.stack.children[role].running for role in ROLES)
    assert [dose.counted for dose in system.doses()[before:]] == [50]
    assert system.healthy()


@pytest.fixture
def voices(system: System) -> Iterator[dict[str, MqttClient]]:
    """A connection of everybody who may say something, beside their own."""
    with ExitStack() as stack:
        users = (system.site, "@gateway", "@facade", "@ana")
        yield {user: stack.enter_context(system.client(user)) for user in users}


def _said(system: System, place: int) -> tuple[str, str]:
    user, rest = PLACES[place]
    topic = f"{ROOT}/@gateway/status" if rest == "host" else f"{ROOT}/{system.site}/{rest}"
    return (system.site if user == "site" else user), topic


@pytest.mark.fault("F41")
@pytest.mark.invariant("I13")
@pytest.mark.invariant("I15")
def test_any_bytes_on_any_topic_are_survived_by_everybody(system: System, voices: dict[str, MqttClient]) -> None:
    """Thousands of them, near misses of our own messages among them; nothing is done, and then everything works."""
    pids, failures = _health(system)
    threads, held, doses = _threads(system), system.plc.get(0, 10), len(system.doses())
    fleet = st.lists(st.tuples(st.integers(0, len(PLACES) - 1), _bodies), min_size=20, max_size=60)
    sent = 0

    @settings(
        max_examples=80,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(messages=fleet)
    def speak(messages: list[tuple[int, bytes]]) -> None:
        nonlocal sent
        for place, body in messages:
            user, topic = _said(system, place)
            voices[user].send(topic, body)
        # The broker answers in order, so the flood is never more than this far ahead of it.
        voices["@ana"].publish(f"{ROOT}/{system.site}/commands/@ana/feeder-1/write", b"no command")
        sent += len(messages)

    speak()
    assert sent > 2_000
    system.passes({"enabled": bool(held[2])}, within_s=20)
    assert (system.plc.get(0, 10), len(system.doses())) == (held, doses)
    with system.auditor() as auditor:
        _assert_all_works(system, auditor)
    assert _health(system) == (pids, failures)
    assert all(now >= threads[role] for role, now in _threads(system).items())


def _counted(system: System) -> int:
    log = (system.stack.plan.home / "logs" / f"{GATEWAY}.log").read_text()
    counts = [int(each) for each in re.findall(r"undecodable-messages.*?\"count\": (\d+)", log)]
    return sum(counts) + sum(int(each) for each in re.findall(r"\"count\": (\d+).*?undecodable-messages", log))


@pytest.mark.fault("F41")
@pytest.mark.invariant("I15")
def test_bad_command_is_reported_once_each(system: System, auditor: Auditor) -> None:
    """A technician sees an event for every one, and the gateway counts what it could not read."""
    topic, number = f"{ROOT}/{system.site}/devices/feeder-1/events/bad-message", 25
    with system.client("@ana") as ana, system.client(system.site) as site:
        ana.subscribe(topic)
        for count in range(number):
            auditor.send_bytes(b'{"input": ' + str(count).encode())
            site.publish(f"{ROOT}/{system.site}/heartbeat", b"[" * (count + 1))
        eventually(lambda: len(ana.received()) >= number, within_s=15, what="the events")
        _assert_all_works(system, auditor)
        assert len(ana.received()) == number
    eventually(lambda: _counted(system) >= number, within_s=15, what="the gateway's count")


@pytest.mark.fault("F40")
@pytest.mark.invariant("I5")
@pytest.mark.invariant("I15")
def test_body_one_byte_too_large_is_refused_and_never_published(system: System, auditor: Auditor) -> None:
    """At the limit a dose is given; one byte more is 413, and as much more as you like ends the same way."""
    before, url = len(system.doses()), f"{system.stack.http_url}/v1/sites/{system.site}/devices/feeder-1/actions/feed"
    headers = {"Authorization": f"Bearer {system.stack.token}", "Content-Type": "application/json"}
    statuses = []
    for size in (MAX_BODY_BYTES, MAX_BODY_BYTES + 1, 100 * MAX_BODY_BYTES):
        key = {"Idempotency-Key": f"size-{size}", "Prefer": "wait=10"}
        body = b'{"grams": 50}'.ljust(size)
        statuses.append(requests.post(url, data=body, headers={**headers, **key}, timeout=30).status_code)
    assert statuses == [200, 413, 413]
    # What was published before that write would have come before it.
    eventually(lambda: auditor.published, what="the write that was right")
    assert len(auditor.published) == 1
    assert [dose.counted for dose in system.doses()[before:]] == [50]


@pytest.mark.fault("F40")
@pytest.mark.invariant("I15")
def test_payload_one_byte_too_large_is_reported_and_not_obeyed(system: System, auditor: Auditor) -> None:
    """At the protocol's limit a command is obeyed; one byte more passes the broker, and the agent says what it is."""
    obeyed, ignored = fresh_id(), fresh_id()
    grams, other = system.fresh(), system.fresh()
    with system.client("@ana") as ana:
        ana.subscribe(f"{ROOT}/{system.site}/devices/feeder-1/events/bad-message")
        for id, value, size in ((obeyed, grams, MAX_PAYLOAD_BYTES), (ignored, other, MAX_PAYLOAD_BYTES + 1)):
            auditor.send_bytes(encode(Command(id=id, input={"portion_g": value})).ljust(size))
        assert auditor.final(obeyed).state == "applied"
        eventually(ana.received, what="the event")
    _assert_all_works(system, auditor)
    assert auditor.acks(ignored) == []
    assert (system.written(grams), system.written(other)) == (1, 0)


# --- topics that are none ----------------------------------------------------------------------------------


def _text(text: bytes) -> bytes:
    return struct.pack(">H", len(text)) + text


def _packet(kind: int, body: bytes) -> bytes:
    size, length = len(body), b""
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([kind]) + length + body


def _closes_after(login: Login, topic: bytes) -> bool:
    """Whether the broker ends the connection of a client that publishes there."""
    user, secret = login.username.encode(), login.secret.encode()
    connect = b"\x00\x04MQTT\x05\xc2\x00\x1e\x00" + _text(b"tidegate-raw") + _text(user) + _text(secret)
    with socket.create_connection((login.host, login.port), timeout=10) as raw:
        raw.sendall(_packet(0x10, connect))
        assert raw.recv(4)[0] == 0x20
        raw.sendall(_packet(0x32, _text(topic) + b"\x00\x01\x00" + b"{}") + _packet(0xC0, b""))
        heard = b""
        while b"\xd0\x00" not in heard:
            try:
                piece = raw.recv(1_000)
            except ConnectionError:
                return True
            if not piece:
                return True
            heard += piece
    return False


@pytest.mark.fault("F42")
@pytest.mark.invariant("I13")
@pytest.mark.parametrize(
    "level",
    [b"\xff\xfe", b"a\x00b", b"\xed\xa0\x80", b"\x01", b"+", b"#"],
    ids=["not-utf8", "nul", "surrogate", "control", "plus", "hash"],
)
def test_topic_that_is_no_text_ends_its_client_alone(system: System, auditor: Auditor, level: bytes) -> None:
    """The broker throws out who sends such bytes; nobody behind it hears of them, and all go on."""
    pids, failures = _health(system)
    heard = len(auditor.published)
    topic = ROOT.encode() + b"/" + system.site.encode() + b"/commands/@ana/" + level + b"/write"
    assert _closes_after(system.stack.login("@ana"), topic)
    _assert_all_works(system, auditor)
    assert not [each for each in auditor.published[heard:] if each.payload == b"{}"]
    assert _health(system) == (pids, failures)


@pytest.mark.fault("F42")
@pytest.mark.invariant("I13")
@pytest.mark.parametrize("level", ["feeder\u202e-1", "FEEDER", "feeder 1", "a" * 200, "\u2028", "..", "$SYS"])
def test_topic_of_no_device_is_survived_and_logged_harmlessly(
    system: System, voices: dict[str, MqttClient], level: str
) -> None:
    """The broker lets these pass: everybody ignores them, and no log holds a character that could forge a line."""
    pids, failures = _health(system)
    ana = voices["@ana"]
    for name in ("write", "feed", "cancel"):
        ana.publish(f"{ROOT}/{system.site}/commands/@ana/{level}/{name}", b'{"input": {}}')
    voices[system.site].publish(f"{ROOT}/{system.site}/devices/{level}/state", b"{}")
    assert system.http.write({"portion_g": system.fresh()}).verdict == (200, "applied")
    assert _health(system) == (pids, failures)
    logs = "".join((system.stack.plan.home / "logs" / f"{role}.log").read_text("utf-8") for role in ROLES)
    assert not {"\u202e", "\u2028"} & set(logs)


@pytest.mark.fault("F43")
@pytest.mark.invariant("I13")
@pytest.mark.parametrize("site", NO_NAMES)
def test_site_that_is_no_name_is_refused_and_never_published(system: System, auditor: Auditor, site: str) -> None:
    """In every place of the address where a name stands: 4xx, and the broker hears nothing."""
    places = [
        f"/v1/sites/{quote(site, safe='')}/devices/feeder-1",
        f"/v1/sites/{system.site}/devices/{quote(site, safe='')}",
    ]
    for place in places:
        for method, path in (("GET", place), ("PATCH", f"{place}/settings"), ("POST", f"{place}/actions/feed")):
            assert 400 <= _status(system, method, path) < 500
    assert system.http.write({"portion_g": system.fresh()}).verdict == (200, "applied")
    # What was published before that write would have come before it.
    eventually(lambda: auditor.published, what="the write that was right")
    assert len(auditor.published) == 1


def _status(system: System, method: str, path: str) -> int:
    """Ask exactly this path, which a friendlier client would tidy up."""
    connection = HTTPConnection("127.0.0.1", system.stack.plan.ports.http, timeout=20)
    headers = {"Authorization": f"Bearer {system.stack.token}", "Content-Type": "application/json"}
    headers["Idempotency-Key"] = f"{method}-{len(path)}"
    with closing(connection):
        connection.request(method, path, body=b'{"grams": 50}', headers=headers)
        return connection.getresponse().status
