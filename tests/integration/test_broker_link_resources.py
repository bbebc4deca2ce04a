"""A link that comes and goes holds nothing."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import psutil
import pytest

from gateway.broker import BrokerLink, Login
from gateway.protocol.topics import HostStatusTopic
from tests.conditions import eventually
from tests.running_broker import RunningBroker


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Without the garbage collector only what nobody holds is freed."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def come_and_go(login: Login) -> None:
    link = BrokerLink(login, subscriptions=[HostStatusTopic.filter()], on_message=lambda _: None)
    link.start()
    eventually(lambda: link.connected, what="the link")
    link.stop()


@pytest.mark.invariant("I15")
@pytest.mark.usefixtures("no_collector")
def test_link_ended_ten_times_no_more_open_files(broker: RunningBroker) -> None:
    """Every connection gives its sockets back when it ends, not when the collector happens to run."""
    process = psutil.Process(os.getpid())
    before = process.num_fds()
    for _ in range(10):
        come_and_go(broker.login("@gateway", people=True))
    assert process.num_fds() <= before
