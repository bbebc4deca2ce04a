"""A real agent whose files are sealed: what was signed counts, what somebody altered does not, whatever dies when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.crash import EXIT_CODE
from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from site_agent.sealing.kept import Kept
from tests.agents import AgentProcess, Technician
from tests.conditions import eventually
from tests.plc import FaultyPlc
from tests.running_broker import RunningBroker
from tests.sealed_site import Engineer, SealedSite

ANA, EVE = Engineer("ana"), Engineer("eve")
#: Between two limits a dose of so many grams tells which one is in force.
BETWEEN = 200


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """A PLC with a feeder that has a mailbox."""
    with FaultyPlc.running() as running:
        running.set(0, 50, 60, 1)
        running.add_feeder(0, dose_s=0.1)
        yield running


@pytest.fixture
def agent(broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc) -> Iterator[AgentProcess]:
    """Not started; it may give 100 g at once."""
    feed = {"limits": {"largest": 100}}
    made = AgentProcess(broker.add_site(site_id), tmp_path / "site", plc.port, heartbeat_s=0.3, feed=feed)
    made.write()
    yield made
    made.end()


@pytest.fixture
def site(agent: AgentProcess) -> SealedSite:
    """Its folder, with Ana's trust and her first seal."""
    made = SealedSite(agent.folder)
    made.trust(ANA, site=agent.login.username)
    made.seal(1, ANA)
    return made


@pytest.fixture
def running(agent: AgentProcess, site: SealedSite, technician: Technician) -> AgentProcess:
    """At work under version 1."""
    assert site.seal_path.exists()
    agent.run()
    technician.online()
    eventually(lambda: any(state.quality == "good" for state in technician.states()), what="a good state")
    return agent


def _allowed(technician: Technician) -> bool:
    ack = technician.final(technician.feed(BETWEEN), within_s=20)
    assert ack.state is State.APPLIED or ack.code == AckCode.LIMIT_EXCEEDED, ack
    return ack.state is State.APPLIED


def _reason(technician: Technician) -> str:
    return technician.statuses()[-1].reason


def _raise_limit(site: SealedSite) -> None:
    site.change("largest = 100", "largest = 300")


def test_limit_that_was_sealed_is_effective_without_a_restart(
    running: AgentProcess, site: SealedSite, technician: Technician, plc: FaultyPlc
) -> None:
    """From an engineer's signature to a dose."""
    assert not _allowed(technician)
    _raise_limit(site)
    site.seal(2, ANA)
    eventually(lambda: _allowed(technician), within_s=20, what="the new limit")
    assert [dose.asked for dose in plc.doses] == [BETWEEN]
    assert running.log().count("site-file-taken-over") == 1


@pytest.mark.parametrize("forged", [False, True], ids=["no-new-seal", "sealed-by-a-stranger"])
def test_limit_that_was_altered_is_not_effective_and_says_why(
    running: AgentProcess, site: SealedSite, technician: Technician, plc: FaultyPlc, forged: bool
) -> None:
    """In the site's status, for who looks from afar; after a restart it is the same."""
    _raise_limit(site)
    if forged:
        site.seal(2, EVE)
    expected = "nobody who is trusted" if forged else "not what version 1 was sealed with"
    eventually(lambda: expected in _reason(technician), within_s=15, what="the reason")
    assert not _allowed(technician)
    running.stop()
    running.run()
    epoch = technician.statuses()[-1].epoch
    technician.online(above=epoch)
    eventually(lambda: expected in _reason(technician), within_s=15, what="the reason")
    assert not _allowed(technician)
    assert plc.doses == []


def test_status_is_clean_again_once_the_file_is_what_was_sealed(
    running: AgentProcess, site: SealedSite, technician: Technician
) -> None:
    """Nothing else is needed."""
    _raise_limit(site)
    eventually(lambda: "version 1" in _reason(technician), within_s=15, what="the reason")
    site.change("largest = 300", "largest = 100")
    eventually(lambda: _reason(technician) == "", within_s=15, what="no reason")
    assert running.log().count("site-file-taken-over") == 0


def test_trust_file_that_goes_while_the_agent_runs_opens_nothing(
    running: AgentProcess, site: SealedSite, technician: Technician
) -> None:
    """It says so, and a file without a seal is as little taken as before."""
    site.trust_path.unlink()
    site.seal_path.unlink()
    _raise_limit(site)
    eventually(lambda: "it is gone" in _reason(technician), within_s=15, what="the reason")
    assert not _allowed(technician)
    assert running.log().count("site-file-taken-over") == 0


@pytest.mark.parametrize("step", ["agent-before-seal", "agent-wrote-seal", "agent-kept-seal"])
def test_death_while_a_file_is_taken_over_leaves_one_whole_version(
    running: AgentProcess, site: SealedSite, technician: Technician, plc: FaultyPlc, step: str
) -> None:
    """At each step; the next start has the new file whole, and no older one comes in any more."""
    running.stop()
    running.crash_at = step
    running.run()
    technician.online(above=technician.statuses()[-1].epoch)
    _raise_limit(site)
    site.seal(2, ANA)
    assert running.process is not None
    assert running.process.wait(20) == EXIT_CODE
    kept = Kept(site.kept_path.parent).read()
    assert kept is not None
    assert kept.statement.version == (2 if step == "agent-kept-seal" else 1)
    assert kept.named()["site.toml"].count(b"largest = 300") == kept.statement.version - 1
    running.crash_at = ""
    running.run()
    technician.online(above=technician.statuses()[-1].epoch)
    assert _allowed(technician)
    assert [dose.asked for dose in plc.doses] == [BETWEEN]


def test_power_cut_while_files_are_copied_to_the_site_leaves_the_former_version(
    running: AgentProcess, site: SealedSite, technician: Technician
) -> None:
    """Half of the new file has arrived, and no seal: the start after that goes on with the last good one."""
    running.kill()
    text = site.path.read_text().replace("largest = 100", "largest = 300")
    site.path.write_text(text[: text.index("largest = 300") + 5])
    before = technician.statuses()[-1].epoch
    running.run()
    technician.online(above=before)
    eventually(lambda: "version 1 goes on" in _reason(technician) or "refused" in _reason(technician), what="why")
    assert not _allowed(technician)


def test_site_without_any_good_file_does_not_start(agent: AgentProcess, site: SealedSite) -> None:
    """With what is wrong, and what to type."""
    site.seal_path.unlink()
    agent.run()
    assert agent.process is not None
    assert agent.process.wait(20) == 2
    assert "there is none: tidegate seal sign" in agent.log()
