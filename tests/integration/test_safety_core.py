"""The safety core at its narrow places: what happens between two lines of it, judged by what the PLC did."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.protocol.codes import AckCode, Evidence
from gateway.protocol.errors import Unavailable
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, SiteState, Status
from gateway.protocol.topics import StatusTopic
from site_agent import clock
from site_agent.alarm_watch import AlarmWatch
from site_agent.configuration import SiteConfiguration
from site_agent.conversation import Conversation, Parts
from site_agent.deadline import SentBeats
from site_agent.delivery import Delivery
from site_agent.device import Device
from site_agent.journal import Entry, Journal
from site_agent.lane import Lane
from site_agent.link import Arrival
from site_agent.outbox import Bounds, Outbox
from site_agent.outcome import Task
from tests import plc_faults as faults
from tests.agent_core import Core, running, until
from tests.agents import fresh_id
from tests.plc import FaultyPlc
from tests.plc_feeder import Feeder
from tests.sites import site


@pytest.fixture
def feeder(plc: FaultyPlc) -> Feeder:
    """The feeder behind the mailbox; a dose takes no time unless a test says otherwise."""
    return plc.add_feeder(0)


@pytest.fixture
def farm(plc: FaultyPlc, tmp_path: Path) -> SiteConfiguration:
    """A site whose feeder has a mailbox."""
    return site(folder=tmp_path / "agent", plc_port=plc.port)


def _limited(farm: SiteConfiguration, **limits: float) -> SiteConfiguration:
    body = farm.model_dump(by_alias=True)
    body["devices"][0]["actions"]["feed"]["limits"] = limits
    return SiteConfiguration.model_validate(body)


def _grams(plc: FaultyPlc) -> list[int]:
    return [dose.asked for dose in plc.doses]


def _written(plc: FaultyPlc, register: int) -> int:
    return sum(each.address == register for each in plc.writes)


def _intent(name: str, values: dict[str, Any], held: dict[str, Any]) -> Ack:
    return Ack(
        id=fresh_id(),
        device="feeder-1",
        name=name,
        input=values,
        state=State.ACCEPTED,
        code=AckCode.ACCEPTED,
        result=held,
        epoch=100,
        at=clock.wall(),
    )


async def _left_open(farm: SiteConfiguration, intent: Ack) -> None:
    farm.agent.folder.mkdir()
    journal = Journal(farm.agent.folder / "journal.db")
    await journal.open()
    await journal.begin(Entry(requester="@ana", intent=intent), int(time.time()))
    await journal.close()


# The mailbox.


@pytest.mark.invariant("I1")
@pytest.mark.invariant("I6")
@pytest.mark.usefixtures("feeder")
async def test_dose_on_its_way_is_made_void_by_an_agent_that_has_no_connection_yet(
    plc: FaultyPlc, farm: SiteConfiguration
) -> None:
    """The write waits in a gateway while the agent dies and comes back; what is called failed never feeds."""
    async with running(farm) as core:
        await core.fed(5)
        plc.misbehave(faults.late(3.0), on=faults.WRITES)
        writes = sum(each.function_code in faults.WRITES for each in plc.requests)
        command = core.feed(100)
        await until(lambda: sum(each.function_code in faults.WRITES for each in plc.requests) > writes)
    executed = len(plc.writes)
    async with running(farm, epoch=0) as core:
        assert (await core.final(command)).state is State.FAILED
        await until(lambda: any(each.words[6:7] == (1,) for each in plc.writes[executed:]))
    assert _grams(plc) == [5]


@pytest.mark.invariant("I2")
@pytest.mark.usefixtures("feeder")
async def test_dose_whose_time_ends_while_the_plc_is_connected_anew_does_not_begin(
    plc: FaultyPlc, farm: SiteConfiguration
) -> None:
    """The deadline is looked at when the connection stands, not before it is made."""
    async with running(farm) as core:
        await core.fed(5)
        core.driver.open_s = 0.6
        plc.misbehave(faults.RESET_BEFORE, on=faults.WRITES)
        plc.misbehave(faults.RESET_BEFORE, on=faults.READS, after=2)
        assert (await core.final(core.feed(100, ttl_s=1.0))).state in (State.FAILED, State.REJECTED, State.EXPIRED)
    assert _grams(plc) == [5]


@pytest.mark.invariant("I3")
@pytest.mark.usefixtures("feeder")
async def test_dose_refused_after_a_confirmed_write_is_not_called_failed(
    plc: FaultyPlc, farm: SiteConfiguration
) -> None:
    """An exception proves nothing about the write before it."""
    async with running(farm) as core:
        await core.fed(5)
        plc.misbehave(faults.LIE, on=faults.WRITES).misbehave(faults.refuse(2), on=faults.WRITES)
        assert (await core.fed(100)).state is State.APPLIED
    assert _grams(plc) == [5, 100]


@pytest.mark.invariant("I6")
async def test_dose_under_way_is_not_refused_when_its_lane_is_full(
    plc: FaultyPlc, feeder: Feeder, farm: SiteConfiguration
) -> None:
    """What has begun is followed to its end, however crowded it gets."""
    feeder.dose_s = 1.0
    async with running(farm) as core:
        command = core.feed(100)
        await until(lambda: plc.doses)
        core.lane.full = True
        await until(lambda: core.lane.turned_away)
        core.lane.full = False
        assert (await core.final(command)).state is State.APPLIED


@pytest.mark.invariant("I6")
@pytest.mark.parametrize("name", ["feed", "cancel"])
async def test_dose_under_way_is_not_refused_when_a_repeat_cannot_be_journaled(
    plc: FaultyPlc, feeder: Feeder, farm: SiteConfiguration, name: str
) -> None:
    """Neither a repeat nor a cancel may call it rejected: nobody could look whether it had been seen."""
    feeder.dose_s = 1.0
    async with running(farm) as core:
        command = core.feed(100)
        await until(lambda: plc.doses)
        core.journal.full = True
        core.send(name, {"grams": 100} if name == "feed" else {}, id=command)
        assert (await core.final(command)).state is State.APPLIED


@pytest.mark.invariant("I3")
@pytest.mark.usefixtures("feeder")
async def test_dose_that_ends_with_an_unknown_result_is_unknown(
    farm: SiteConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PLC program newer than ours; its counters tell that something fell."""
    monkeypatch.setattr("tests.plc_feeder._DONE_OK", 9)
    async with running(farm) as core:
        command = core.feed(100)
        ack = await until(lambda: next((ack for ack in core.said(command) if ack.state is not State.ACCEPTED), None))
        assert (ack.state, ack.code, ack.result["grams_counted"]) == (State.UNKNOWN, AckCode.NO_EVIDENCE, 100)


@pytest.mark.usefixtures("feeder")
async def test_dose_cancelled_at_the_last_moment_counts_for_no_limit(plc: FaultyPlc, farm: SiteConfiguration) -> None:
    """The day's amount is for what was given."""
    async with running(_limited(farm, most_per_day=105)) as core:
        await core.fed(5)
        reads = len(plc.requests)
        plc.misbehave(faults.delay(0.3), on=faults.READS, after=1)
        command = core.feed(100)
        await until(lambda: len(plc.requests) == reads + 2)
        core.send("cancel", {}, id=command)
        assert (await core.final(command)).code == AckCode.CANCELLED
        assert (await core.fed(100)).state is State.APPLIED
    assert _grams(plc) == [5, 100]


async def test_dose_of_a_plc_whose_program_takes_its_time_is_applied(
    plc: FaultyPlc, feeder: Feeder, farm: SiteConfiguration
) -> None:
    """What was written is seen by the next scan, not by the next request."""
    plc.feeders[0] = _Scanning(feeder, every_s=0.1)
    async with running(farm) as core:
        assert (await core.fed(100)).state is State.APPLIED
    assert _grams(plc) == [100]


class _Scanning:
    """A program that looks at its registers now and then."""

    def __init__(self, feeder: Feeder, every_s: float) -> None:
        self._feeder = feeder
        self._every_s = every_s
        self._next_s = time.monotonic() + every_s

    def scan(self) -> None:
        if time.monotonic() >= self._next_s:
            self._feeder.scan()
            self._next_s = time.monotonic() + self._every_s

    def power_off(self) -> None:
        self._feeder.power_off()


# Settings.


@pytest.mark.invariant("I2")
async def test_write_of_several_requests_ends_at_its_deadline(plc: FaultyPlc, farm: SiteConfiguration) -> None:
    """The rest is not written, and the answer carries what the PLC holds."""
    async with running(farm) as core:
        plc.misbehave(faults.delay(0.35), on=faults.WRITES)
        ack = await core.final(core.send("write", {"portion_g": 120, "target_c": 20.5}, ttl_s=0.25))
    assert ack.state in (State.FAILED, State.EXPIRED)
    assert _written(plc, 8) == 0


@pytest.mark.invariant("I7")
async def test_write_of_a_value_that_no_register_carries_is_refused(plc: FaultyPlc, farm: SiteConfiguration) -> None:
    """A number beyond float32 is a fault of the command, not of the agent."""
    async with running(farm) as core:
        ack = await core.final(core.send("write", {"target_c": 1e39}))
    assert (ack.state, ack.code) == (State.REJECTED, AckCode.INVALID_INPUT)
    assert plc.writes == []


async def test_write_left_half_done_by_a_dead_agent_is_not_called_without_effect(
    plc: FaultyPlc, farm: SiteConfiguration
) -> None:
    """What it asked for itself is no former value."""
    intent = _intent("write", {"portion_g": 120, "target_c": 20.5}, {"portion_g": 100, "target_c": 0})
    await _left_open(farm, intent)
    plc.set(0, 120)
    async with running(farm) as core:
        ack = await core.final(intent.id)
    assert (ack.state, ack.code) == (State.FAILED, AckCode.READ_BACK_DIFFERS)
    assert ack.result == {"portion_g": 120, "target_c": 0}


# Whatever else.


@pytest.mark.invariant("I7")
async def test_command_whose_device_is_gone_from_the_file_is_said_to_be_unknown(
    plc: FaultyPlc, farm: SiteConfiguration
) -> None:
    """The centre hears so; when the device is back, it is looked for again."""
    plc.set(0, 100)
    intent = _intent("write", {"portion_g": 120}, {"portion_g": 100})
    await _left_open(farm, intent)
    async with running(farm.model_copy(update={"devices": ()})) as core:
        await until(lambda: core.said(intent.id))
        assert (core.acks[0].state, core.acks[0].code) == (State.UNKNOWN, AckCode.PLC_SILENT)
    async with running(farm) as core:
        assert (await core.final(intent.id)).state is State.FAILED


@pytest.mark.invariant("I7")
@pytest.mark.usefixtures("feeder")
async def test_command_that_meets_a_fault_of_ours_ends_by_evidence(
    farm: SiteConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command ends in silence, and the next one works."""

    async def break_down(_self: Delivery, _lane: Lane, _task: Task) -> None:
        raise KeyError("a fault of ours")

    async with running(farm) as core:
        with monkeypatch.context() as patch:
            patch.setattr(Delivery, "deliver", break_down)
            ack = await core.fed(100)
        assert (ack.state, ack.evidence) == (State.FAILED, Evidence.NOT_BEGUN)
        assert (await core.fed(100)).state is State.APPLIED


def _hear_of_a_twin(core: Core, farm: SiteConfiguration, *, retained: bool) -> None:
    parts = Parts(
        site="arava-1",
        boot="00" * 8,
        heartbeat_s=20.0,
        devices={table.id: Device("arava-1", table) for table in farm.devices},
        states=dict,
        plcs=dict,
        trouble=str,
        beats=SentBeats(),
        executor=core.executor,
        alarms=AlarmWatch(on_turn=lambda _turn: None, on_feeding=lambda _device, _feeding: None),
        outbox=Outbox(farm.agent.folder / "outbox.db", Bounds(samples=1_000, longest=timedelta(days=1), per_s=1_000)),
    )
    twin = Status(state=SiteState.ONLINE, epoch=101, boot="ff" * 8, since=clock.wall(), version="1")
    arrival = Arrival(
        topic=str(StatusTopic("arava-1")),
        payload=twin.model_dump_json().encode(),
        retained=retained,
        response_topic=None,
        correlation=None,
    )
    Conversation(parts, 100, None).hear(arrival)


@pytest.mark.invariant("I12")
async def test_agent_that_hears_of_a_living_twin_is_fenced_at_once(farm: SiteConfiguration) -> None:
    """Not when its connection has ended, which may take a while."""
    async with running(farm) as core:
        _hear_of_a_twin(core, farm, retained=False)
        assert (await core.final(core.send("write", {"portion_g": 120}))).code == AckCode.FENCED


@pytest.mark.invariant("I12")
async def test_agent_in_doubt_about_a_twin_carries_out_nothing_that_waits(
    plc: FaultyPlc, feeder: Feeder, farm: SiteConfiguration
) -> None:
    """A foreign agent came while we were away; what was accepted before is not ours any more."""
    feeder.dose_s = 0.5
    async with running(farm) as core:
        first, second = core.feed(50), core.feed(60)
        await until(lambda: plc.doses)
        _hear_of_a_twin(core, farm, retained=True)
        assert (await core.final(second)).code == AckCode.STALE_EPOCH
        assert (await core.final(first)).state is State.APPLIED
    assert _grams(plc) == [50]


@pytest.mark.invariant("I1")
@pytest.mark.parametrize(("epoch", "state"), [(100, State.REJECTED), (99, State.UNKNOWN)])
async def test_cancel_of_a_command_never_seen_is_honest_about_a_new_journal(
    farm: SiteConfiguration, epoch: int, state: State
) -> None:
    """A journal that was not there cannot say that nothing was done."""
    async with running(farm) as core:
        await core.journal.serve_epoch(100)
        command = core.send("cancel", {}, id=fresh_id(), after={"epoch": epoch, "seq": 0, "age_s": 0})
        await until(lambda: core.said(command))
        assert core.said(command)[0].state is state


@pytest.mark.invariant("I15")
async def test_commands_beyond_the_unconfirmed_limit_are_answered_and_not_kept(
    farm: SiteConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The centre is away for long and somebody goes on asking: the memory does not grow."""
    monkeypatch.setattr("site_agent.ends.UNSETTLED_LIMIT", 3)
    async with running(farm) as core:
        commands = [core.send("write", {"portion_g": 1}) for _ in range(5)]
        for each in commands:
            await core.final(each)
        core.acks.clear()
        core.executor.repeat()
        assert len(core.acks) == 3
        core.executor.settle(tuple(commands))
    async with running(farm) as core:
        core.executor.repeat()
        assert core.acks == []


@pytest.mark.invariant("I7")
async def test_journal_goes_on_after_an_error_that_nobody_foresaw(
    farm: SiteConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread is what everybody waits for."""

    def break_down(*_: object) -> None:
        raise OverflowError("a fault of ours")

    async with running(farm) as core:
        with monkeypatch.context() as patch:
            patch.setattr("site_agent.journal_rows.find", break_down)
            with pytest.raises(Unavailable):
                await core.journal.find(fresh_id())
        assert await core.journal.find(fresh_id()) is None
