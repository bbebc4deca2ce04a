"""What the bookkeeper keeps while neither Redis nor the database answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.archive import Archive
from gateway.bookkeeper import Bookkeeper
from gateway.broker import Incoming
from gateway.database import open_engine
from gateway.epochs import Epochs
from gateway.events import Events
from gateway.intake import Intake
from gateway.ledger import Ledger, utc_now
from gateway.liveness import Liveness, open_redis
from gateway.protocol.codec import encode
from gateway.protocol.messages import Message, SiteState
from gateway.protocol.topics import DescriptionTopic, HeartbeatTopic, StatusTopic, Topic
from gateway.restraint import Restraint
from gateway.sites import Sites
from tests.entries import NOON, heartbeat, status
from tests.fake_parts import DESCRIPTION, DEVICE

SITE = "arava-1"


@pytest.fixture
def bookkeeper(tmp_path: Path) -> Iterator[Bookkeeper]:
    """Its database is a folder, and its Redis a port where nobody listens."""
    engine, redis = open_engine(f"sqlite:///{tmp_path}"), open_redis("redis://127.0.0.1:1")
    yield Bookkeeper(
        ledger=Ledger(engine),
        sites=Sites(engine),
        liveness=Liveness(redis, expiry_s=25),
        archive=Archive(engine, events=Events(engine), now=utc_now),
        publish=lambda *_args, **_more: None,
    )
    redis.close()
    engine.dispose()


def _intake(epochs: Epochs, *messages: tuple[Topic, Message]) -> Intake:
    intake = Intake(epochs, Restraint(), now=NOON, now_s=0.0)
    for topic, message in messages:
        intake.take(Incoming(topic=str(topic), payload=encode(message), retained=False, received_s=0.0))
    return intake


@pytest.mark.invariant("I15")
def test_what_waits_for_redis_and_database_is_one_entry_for_each_site(bookkeeper: Bookkeeper) -> None:
    """However long both are away, and however often a site comes and goes meanwhile."""
    epochs = Epochs()
    for epoch in range(1, 20):
        beat, will = heartbeat(epoch=epoch), status(SiteState.OFFLINE, epoch=epoch)
        bookkeeper.keep(_intake(epochs, (HeartbeatTopic(SITE), beat), (StatusTopic(SITE), will)))
        bookkeeper.chores()
    assert [each.heartbeat.epoch for each in bookkeeper._unsaved.values()] == [19]
    assert bookkeeper._unforgotten == {SITE: 19}
    assert bookkeeper._questions._sites == {}
    assert [each.status.epoch for each in bookkeeper._unsaved_statuses.values()] == [19]


def test_description_that_came_while_the_database_was_away_waits_for_it(bookkeeper: Bookkeeper) -> None:
    """The agent says it again only when it connects; the last one of each device is enough."""
    for _ in range(2):
        bookkeeper.keep(_intake(Epochs(), (DescriptionTopic(SITE, DEVICE), DESCRIPTION)))
    assert [each.device for each in bookkeeper._unsaved_descriptions.values()] == [DEVICE]
