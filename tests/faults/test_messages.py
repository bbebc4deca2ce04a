"""Messages that come twice, in the wrong order, late, kept by the broker, or from somebody who makes them up."""

from __future__ import annotations

from typing import Any, Final

import pytest

from gateway.demo.roles import AGENT
from gateway.protocol.codes import AckCode
from gateway.protocol.topics import ROOT
from tests.auditor import Auditor
from tests.conditions import eventually
from tests.mqtt_client import Received
from tests.proxy import Verb, Way
from tests.proxy_rules import publish
from tests.system import System

COMMANDS: Final = "/commands/@facade/"


def _fed(system: System, before: int) -> list[int | None]:
    return [dose.counted for dose in system.doses()[before:]]


# --- twice, and in the wrong order -------------------------------------------------------------------------


@pytest.mark.fault("F37")
@pytest.mark.invariant("I1")
@pytest.mark.parametrize("leg", ["to the broker", "to the agent"])
def test_command_that_arrives_twice_is_done_once(system: System, auditor: Auditor, leg: str) -> None:
    """Settings and doses, doubled on the way while the first is under way, and again when it has ended."""
    before, grams = len(system.doses()), system.fresh()
    wire, way = (system.facade_wire, Way.TO_SERVER) if leg == "to the broker" else (system.agent_wire, Way.TO_CLIENT)
    doubled = wire.treat(Verb.DUPLICATE, way, publish(COMMANDS), times=2)
    answers = [system.http.write({"portion_g": grams}), system.feed(50)]
    assert [each.verdict for each in answers] == [(200, "applied")] * 2
    assert doubled.hits == 2
    with system.client("@facade") as facade:
        for each in [each for each in auditor.published if _speaks_of(each, answers)]:
            facade.publish(each.topic, each.payload)
    for answer in answers:
        acks = eventually(lambda: _repeated(auditor, answer.command), what="a duplicate ack")  # noqa: B023 # now
        assert {ack.state for ack in acks if ack.final} == {"applied"}
    assert system.written(grams) == 1
    assert _fed(system, before) == [50]


def _repeated(auditor: Auditor, command: str) -> list[Any]:
    acks = auditor.acks_for("@facade", command)
    return acks if any(ack.duplicate for ack in acks) else []


@pytest.mark.fault("F38")
@pytest.mark.invariant("I10")
def test_settings_that_overtake_each_other_end_at_the_later_wish(system: System) -> None:
    """The older one comes second: it is told so, and changes nothing."""
    older, newer = system.fresh(), system.fresh()
    swapped = system.facade_wire.treat(Verb.SWAP, Way.TO_SERVER, publish(COMMANDS))
    waiting = system.write_aside({"portion_g": older}, wait_s=10)
    eventually(lambda: swapped.hits, what="the older one on the way")
    assert system.http.write({"portion_g": newer}).verdict == (200, "applied")
    assert waiting.result().verdict == (409, AckCode.OUT_OF_ORDER)
    assert (system.written(older), system.plc.get(0)) == (0, (newer,))


@pytest.mark.fault("F38")
@pytest.mark.invariant("I10")
def test_doses_that_overtake_each_other_are_not_given_in_the_wrong_order(system: System) -> None:
    """The older one is refused, whoever asked for it may ask again."""
    before = len(system.doses())
    swapped = system.facade_wire.treat(Verb.SWAP, Way.TO_SERVER, publish(COMMANDS))
    waiting = system.feed_aside(55)
    eventually(lambda: swapped.hits, what="the older one on the way")
    assert system.feed(60).verdict == (200, "applied")
    assert waiting.result().verdict == (409, AckCode.OUT_OF_ORDER)
    assert _fed(system, before) == [60]


# --- late --------------------------------------------------------------------------------------------------


@pytest.mark.fault("F45")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I2")
@pytest.mark.parametrize("life", ["same", "new connection", "new process"])
def test_captured_commands_sent_again_do_nothing(system: System, auditor: Auditor, life: str) -> None:
    """The very bytes of a setting, a dose and an expired dose, under the facade's own name."""
    before, grams, other = len(system.doses()), system.fresh(), system.fresh()
    done = [system.http.write({"portion_g": grams}), system.feed(65)]
    system.facade_wire.hold(Way.TO_SERVER)
    expired = system.feed(70, ttl_s=1, wait_s=0)
    eventually(lambda: system.http.command(expired.command)["state"] != "pending", within_s=15, what="its deadline")
    system.facade_wire.release()
    assert system.ended(expired.command)["state"] == "expired"
    assert system.http.write({"portion_g": other}).verdict == (200, "applied")
    captured = [each for each in auditor.published if _speaks_of(each, [*done, expired])]
    assert len(captured) >= 3
    seen = auditor.statuses()[-1].epoch
    if life == "new connection":
        system.agent_wire.cut()
    elif life == "new process":
        system.stack.kill(AGENT)
        system.stack.children[AGENT].start()
    if life != "same":
        auditor.online(above=seen, within_s=20)
        system.passes({"portion_g": other}, within_s=20)
    rows = [system.http.command(each.command) for each in (*done, expired)]
    with system.client("@facade") as thief:
        for each in captured:
            thief.publish(each.topic, each.payload)
    for answer in (*done, expired):
        eventually(lambda: _repeated(auditor, answer.command), what="a duplicate ack")  # noqa: B023 # now
    assert [system.http.command(each.command) for each in (*done, expired)] == rows
    assert (system.written(grams), system.plc.get(0)) == (1, (other,))
    assert _fed(system, before) == [65]


def _speaks_of(message: Received, answers: list[Any]) -> bool:
    return "/cancel" not in message.topic and any(each.command.encode() in message.payload for each in answers)


@pytest.mark.fault("F46")
@pytest.mark.invariant("I2")
def test_dose_that_the_broker_kept_is_not_given_at_the_agents_start(system: System, auditor: Auditor) -> None:
    """One retained, one sent while the agent was away: neither is ever obeyed."""
    before, topic = len(system.doses()), f"{ROOT}/{system.site}/commands/@ana/feeder-1/feed"
    seen = auditor.statuses()[-1].epoch
    system.stack.kill(AGENT)
    auditor.feed(75)
    auditor.send_bytes(
        b'{"id": "0199f000-0000-7000-8000-000000000000", "input": {"grams": 80}}', retain=True, name="feed"
    )
    try:
        system.stack.children[AGENT].start()
        auditor.online(above=seen, within_s=20)
        system.passes({"portion_g": system.fresh()}, within_s=20)
        assert system.feed(85).verdict == (200, "applied")
    finally:
        with system.client("@ana") as ana:
            ana.publish(topic, b"", retain=True)
    assert _fed(system, before) == [85]
