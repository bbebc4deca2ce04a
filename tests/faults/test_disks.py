"""Disks without room: what cannot be remembered is not done, what was done is said once it can be remembered."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.roles import FACADE, GATEWAY
from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from tests import plc_faults as faults
from tests.agents import AgentProcess, Technician
from tests.auditor import Auditor
from tests.conditions import eventually
from tests.faults.full_disks import Disk, Quota, SmallDisk
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.plc_feeder import Feeder
from tests.proxy import Proxy
from tests.running_broker import RunningBroker
from tests.system import System

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """A PLC with one feeder."""
    with FaultyPlc.running() as running:
        running.set(0, 50, 60, 1)
        yield running


@pytest.fixture
def feeder(plc: FaultyPlc) -> Feeder:
    """The feeder behind the mailbox."""
    return plc.add_feeder(0)


@pytest.fixture
def technician(broker: RunningBroker, site_id: str) -> Iterator[Technician]:
    """Ana, who may command every site."""
    with MqttClient(broker.add_person("@ana")) as client:
        yield Technician(client, site_id, "@ana")


@pytest.fixture
def wire(broker: RunningBroker) -> Iterator[Proxy]:
    """Between agent and broker."""
    with Proxy.to(broker.port) as proxy:
        yield proxy


@pytest.fixture(params=["small-disk", "quota"])
def kind(request: pytest.FixtureRequest) -> str:
    """A real file system that is full, or a limit of the kernel, for which nobody needs to be root."""
    return str(request.param)


@pytest.fixture
def stage(
    kind: str, broker: RunningBroker, wire: Proxy, site_id: str, tmp_path: Path, plc: FaultyPlc, technician: Technician
) -> Iterator[tuple[AgentProcess, Callable[[], Disk]]]:
    """An agent at work, and what gives the disk that its journal is on."""
    folder = tmp_path / "site"
    login = replace(broker.add_site(site_id), port=wire.port)
    process = AgentProcess(login, folder, plc.port, heartbeat_s=0.3, timeout_s=4.0)
    with ExitStack() as stack:
        mounted = stack.enter_context(SmallDisk.mounted(folder / "agent")) if kind == "small-disk" else None
        agent = stack.enter_context(process.running())
        _ready(technician)

        def disk() -> Disk:
            assert agent.process is not None
            return mounted or Quota(agent.process.pid)

        yield agent, disk


def _ready(technician: Technician, above: int = 0) -> int:
    epoch = technician.online(above=above).epoch
    eventually(lambda: any(state.quality == "good" for state in technician.states()), what="a good state")
    return epoch


def _some_beats_later(technician: Technician) -> None:
    """The agent lives, and has had its time."""
    seen = len(technician.beats())
    eventually(lambda: len(technician.beats()) > seen + 6, within_s=15, what="beats")


@pytest.mark.fault("F25")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I6")
def test_journal_on_a_full_disk_refuses_commands_and_recovers(
    stage: tuple[AgentProcess, Callable[[], Disk]], technician: Technician, plc: FaultyPlc, feeder: Feeder
) -> None:
    """Nothing reaches the PLC, beats go on; with room again the same agent works, and what was refused stays so."""
    disk = stage[1]()
    epoch = technician.final(technician.feed(5)).epoch
    disk.fill()
    refused = [technician.send({"portion_g": 75}), technician.feed(100)]
    assert [technician.final(each, within_s=15).code for each in refused] == [AckCode.JOURNAL_UNAVAILABLE] * 2
    _some_beats_later(technician)
    assert [dose.counted for dose in plc.doses] == [5]
    assert plc.get(0) == (50,)
    disk.clear()
    technician.feed(100, id=refused[1])
    eventually(lambda: any(ack.duplicate for ack in technician.acks(refused[1])), what="a duplicate ack")
    ends = [technician.final(technician.send({"portion_g": 80})), technician.final(technician.feed(60))]
    assert [(ack.state, ack.epoch) for ack in ends] == [(State.APPLIED, epoch)] * 2
    assert [dose.counted for dose in plc.doses] == [5, 60]
    assert plc.get(feeder.base) == (80,)


@pytest.mark.fault("F25")
@pytest.mark.invariant("I3")
@pytest.mark.invariant("I7")
@pytest.mark.parametrize("killed", [False, True], ids=["waits", "killed"])
def test_result_that_finds_no_room_is_told_once_there_is_some(
    stage: tuple[AgentProcess, Callable[[], Disk]],
    technician: Technician,
    plc: FaultyPlc,
    feeder: Feeder,
    killed: bool,
) -> None:
    """A setting and a dose under way: no end is said before it is on disk, not even if the agent dies meanwhile."""
    agent, make_disk = stage
    disk = make_disk()
    feeder.dose_s = 4.0
    dose = technician.feed(100)
    eventually(lambda: plc.doses, what="the dose's begin")
    plc.misbehave(faults.delay(2.0), on={faults.WRITE_ONE}, times=1)
    writes = len(plc.writes)
    setting = technician.send({"portion_g": 75})
    eventually(lambda: len(plc.writes) > writes and plc.get(0) == (75,), what="the write")
    disk.fill()
    eventually(lambda: plc.doses[0].counted, within_s=20, what="the dose's end")
    _some_beats_later(technician)
    assert [ack for each in (dose, setting) for ack in technician.acks(each) if ack.final] == []
    if killed:
        epoch = technician.statuses()[-1].epoch
        agent.kill()
        disk.clear()
        agent.start()
        _ready(technician, above=epoch)
    else:
        disk.clear()
    assert [technician.final(each, within_s=15).state for each in (dose, setting)] == [State.APPLIED] * 2
    assert [each.counted for each in plc.doses] == [100]


@pytest.mark.fault("F25")
@pytest.mark.invariant("I11")
def test_epoch_that_finds_no_room_does_not_begin(
    stage: tuple[AgentProcess, Callable[[], Disk]], wire: Proxy, technician: Technician
) -> None:
    """An agent that cannot note its new epoch stays away, and comes by itself once it can."""
    disk, epoch = stage[1](), technician.statuses()[-1].epoch
    disk.fill()
    wire.cut()
    eventually(lambda: technician.statuses()[-1].state == "offline", within_s=15, what="the will")
    assert max(beat.epoch for beat in technician.beats()) == epoch
    disk.clear()
    assert technician.online(above=epoch, within_s=20).epoch > epoch
    assert technician.final(technician.send({"portion_g": 80})).state is State.APPLIED


# --- the centre --------------------------------------------------------------------------------------------


def _quota(system: System, *roles: str) -> Quota:
    return Quota(*(system.stack.pids[role] for role in roles))


@pytest.mark.fault("F34")
@pytest.mark.invariant("I14")
@pytest.mark.invariant("I5")
def test_ledger_on_a_full_disk_refuses_commands_and_shows_what_it_has(system: System, auditor: Auditor) -> None:
    """Neither a setting nor a dose is sent; afterwards both pass without anybody's help."""
    disk, doses, grams = _quota(system, FACADE, GATEWAY), len(system.doses()), system.fresh()
    known = system.http.write({"portion_g": grams})
    published = len(auditor.published)
    disk.fill()
    try:
        asked = [system.http.write({"portion_g": system.fresh()}), system.feed(50, key="full")]
        assert [each.verdict for each in asked] == [(503, "ledger-unavailable")] * 2
        reads = ("/v1/sites", f"/v1/sites/{system.site}/devices/feeder-1", f"/v1/commands/{known.command}")
        assert [system.http.get(path).status for path in reads] == [200] * 3
        assert len(auditor.published) == published
    finally:
        disk.clear()
    system.passes({"portion_g": system.fresh()}, within_s=10)
    assert system.feed(50, key="full").verdict == (200, "applied")
    assert [dose.counted for dose in system.doses()[doses:]] == [50]


@pytest.mark.fault("F34")
@pytest.mark.invariant("I7")
@pytest.mark.invariant("I14")
def test_outcomes_that_find_no_room_in_the_ledger_are_kept_by_the_agent(system: System, auditor: Auditor) -> None:
    """A technician's setting and dose go on; the agent keeps their ends until the ledger has them."""
    disk, doses = _quota(system, FACADE, GATEWAY), len(system.doses())
    disk.fill()
    try:
        sent = [auditor.send({"portion_g": system.fresh()}), auditor.feed(55)]
        assert [auditor.final(each).state for each in sent] == [State.APPLIED] * 2
        seen = len(auditor.beats())
        eventually(lambda: len(auditor.beats()) > seen + 2, within_s=10, what="beats")
        assert not auditor.committed & set(sent)
    finally:
        disk.clear()
    eventually(lambda: auditor.committed >= set(sent), within_s=75, what="the centre's word to the agent")
    ends: list[dict[str, Any]] = [system.http.command(each) for each in sent]
    assert [end["state"] for end in ends] == ["applied", "applied"]
    assert [dose.counted for dose in system.doses()[doses:]] == [55]


@pytest.mark.fault("F34")
def test_centre_on_a_full_disk_tells_the_cause_and_loses_no_sample(system: System, auditor: Auditor) -> None:
    """``/readyz`` names the part and why; what was read meanwhile waits at the agent, and is there afterwards."""
    disk, grams = _quota(system, FACADE, GATEWAY), system.fresh()
    disk.fill()
    try:
        assert auditor.final(auditor.send({"portion_g": grams})).state is State.APPLIED
        ready = system.http.get("/readyz")
        assert (ready.status, ready.body["parts"]["broker"]["ok"]) == (503, True)
        assert re.search("full|disk|I/O", ready.body["parts"]["database"]["detail"])
        assert grams not in _portions(system)
    finally:
        disk.clear()
    eventually(lambda: system.http.get("/readyz").status == 200, within_s=10, what="readiness")
    eventually(lambda: grams in _portions(system), within_s=75, what="the sample of what was written meanwhile")


def _portions(system: System) -> list[int]:
    """All that feeder-1's portion ever was, as the database knows it."""
    course = system.http.get(f"/v1/sites/{system.site}/devices/feeder-1/history?property=portion_g&points=5000")
    assert course.status == 200
    portions: list[int] = course.body["samples"]["value"]
    return portions
