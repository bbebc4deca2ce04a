"""Sites and devices as last reported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from gateway.database import open_engine, upgrade
from gateway.protocol.codec import encode
from gateway.protocol.description import Description
from gateway.protocol.messages import DeviceState, PlcLink, Quality, SiteState
from gateway.sites import BeatSeen, DescriptionSeen, Sites, StateSeen, StatusSeen
from tests.databases import each_database
from tests.entries import NOON, heartbeat, status

pytestmark = each_database

SITE = "arava-1"


@pytest.fixture
def sites(database_url: str) -> Iterator[Sites]:
    engine = open_engine(database_url)
    upgrade(engine)
    yield Sites(engine)
    engine.dispose()


def _state(portion_g: int, *, seconds: int = 0, retained: bool = False, epoch: int = 1) -> StateSeen:
    state = DeviceState(at=NOON + timedelta(seconds=seconds), quality=Quality.GOOD, properties={"portion_g": portion_g})
    return StateSeen(
        site=SITE, device="feeder-1", state=state, payload=encode(state), retained=retained, epoch=epoch, at=NOON
    )


def _portion_g(sites: Sites) -> object:
    record = sites.device(SITE, "feeder-1")
    assert record is not None
    assert record.state is not None
    return record.state.properties["portion_g"]


def test_get_of_a_site_nobody_heard_of_is_none(sites: Sites) -> None:
    """An unknown site has no record."""
    assert sites.get(SITE) is None


@pytest.mark.invariant("I11")
@pytest.mark.parametrize("name", ["", "a\x00b", "A", "x" * 49, "a/b", "\ud800"])
def test_what_cannot_be_a_name_names_nothing(sites: Sites, name: str) -> None:
    """Whatever a path holds, it is looked up only if both databases could hold it."""
    assert (sites.get(name), sites.device(name, "feeder-1"), sites.device("arava-1", name)) == (None, None, None)


def test_status_of_a_lower_epoch_is_ignored(sites: Sites) -> None:
    """A late will of an old connection does not override the new one."""
    sites.save_status([StatusSeen(site=SITE, status=status(epoch=5), at=NOON)])
    sites.save_status([StatusSeen(site=SITE, status=status(SiteState.OFFLINE, epoch=4), at=NOON)])
    record = sites.get(SITE)
    assert record is not None
    assert (record.epoch, record.state) == (5, SiteState.ONLINE)


def test_beats_are_kept_beside_the_status(sites: Sites) -> None:
    """A beat adds when the site was heard and how its PLCs are."""
    sites.save_status([StatusSeen(site=SITE, status=status(epoch=5), at=NOON)])
    sites.save_beats([BeatSeen(site=SITE, heartbeat=heartbeat(epoch=5, seq=3), at=NOON)])
    record = sites.get(SITE)
    assert record is not None
    assert (record.state, record.last_beat_at, record.last_beat_seq) == (SiteState.ONLINE, NOON, 3)
    assert record.plcs == {"plc-1": PlcLink.OK}


@pytest.mark.invariant("I11")
@pytest.mark.parametrize(("epoch", "seq"), [(4, 99), (5, 3), (5, 2)])
def test_beat_that_is_not_newer_changes_nothing(sites: Sites, epoch: int, seq: int) -> None:
    """Only a higher sequence, or a higher epoch, counts."""
    sites.save_beats([BeatSeen(site=SITE, heartbeat=heartbeat(epoch=5, seq=3), at=NOON)])
    sites.save_beats([BeatSeen(site=SITE, heartbeat=heartbeat(epoch=epoch, seq=seq), at=NOON + timedelta(hours=1))])
    record = sites.get(SITE)
    assert record is not None
    assert record.last_beat_at == NOON


def test_beat_of_a_higher_epoch_raises_it(sites: Sites) -> None:
    """The highest epoch is that of any message."""
    sites.save_status([StatusSeen(site=SITE, status=status(epoch=5), at=NOON)])
    sites.save_beats([BeatSeen(site=SITE, heartbeat=heartbeat(epoch=6, seq=1), at=NOON)])
    record = sites.get(SITE)
    assert record is not None
    assert record.epoch == 6


def test_state_that_the_broker_had_stored_does_not_override_a_newer_one(sites: Sites) -> None:
    """A broker that comes back with old retained topics does not turn values back."""
    sites.save_states([_state(120, seconds=60)])
    sites.save_states([_state(80, seconds=0, retained=True)])
    assert _portion_g(sites) == 120


def test_live_state_overrides_even_if_the_agents_clock_went_back(sites: Sites) -> None:
    """What is reported now is true now, whatever the site's clock says."""
    sites.save_states([_state(120, seconds=3_600)])
    sites.save_states([_state(80, seconds=0)])
    assert _portion_g(sites) == 80


@pytest.mark.invariant("I11")
def test_state_of_a_lower_epoch_is_ignored(sites: Sites) -> None:
    """Nothing of an older connection overrides a newer one's."""
    sites.save_states([_state(120, epoch=6)])
    sites.save_states([_state(80, epoch=5)])
    assert _portion_g(sites) == 120


def test_description_is_read_back_equal(sites: Sites) -> None:
    """What a device is comes back as it was sent, beside a state that came first."""
    description = Description.model_validate(
        {"id": "urn:x", "title": "Feeder 1", "securityDefinitions": {}, "security": (), "tidegate:plc": "plc-1"}
    )
    sites.save_states([_state(120)])
    sites.save_descriptions(
        [DescriptionSeen(site=SITE, device="feeder-1", payload=encode(description), epoch=1, at=NOON)]
    )
    assert sites.description(SITE, "feeder-1") == description
    assert [each.device for each in sites.devices(SITE)] == ["feeder-1"]
    assert _portion_g(sites) == 120


def test_many_sites_are_saved_and_listed_by_name(sites: Sites) -> None:
    """More rows than one transaction takes are all saved."""
    sites.save_beats([BeatSeen(site=f"s-{n:04}", heartbeat=heartbeat(), at=NOON) for n in range(1_200)])
    names = [each.site for each in sites.all()]
    assert (len(names), names) == (1_200, sorted(names))
