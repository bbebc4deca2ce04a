"""The numbers of commands: in the order in which they leave, whoever sends them (I10)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import Command
from gateway.protocol.topics import CommandTopic
from http_facade.handing_over import HandOver
from tests.fake_ledger import ME
from tests.fake_parts import DEVICE, SITE, FakeLink

TOPIC = CommandTopic(site=SITE, requester=ME, device=DEVICE, name="write")
MANY = 400


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads that take turns as often as the interpreter lets them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def _numbers(link: FakeLink) -> list[int]:
    return [command.order.number for _, command, _ in link.published if command.order is not None]


@pytest.mark.invariant("I10")
@pytest.mark.usefixtures("hasty")
def test_numbers_rise_in_the_order_of_the_link_whatever_the_threads() -> None:
    """Number and hand-over are one step: nobody gets between."""
    link = FakeLink()
    hand_over = HandOver(link, requester=ME)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: hand_over.in_order(TOPIC, Command(input={}), expiry_s=1), range(MANY)))
    assert _numbers(link) == list(range(1, MANY + 1))


def test_number_of_what_did_not_leave_is_not_given_again() -> None:
    """A gap is harmless, a number twice is not."""
    link = FakeLink(publish_error=Unavailable("broker", "not connected"))
    hand_over = HandOver(link, requester=ME)
    with pytest.raises(Unavailable):
        hand_over.in_order(TOPIC, Command(input={}), expiry_s=1)
    link.publish_error = None
    hand_over.in_order(TOPIC, Command(input={}), expiry_s=1)
    assert _numbers(link) == [2]


def test_each_run_has_a_boot_of_its_own() -> None:
    """After a restart numbers begin anew, and that is told."""
    link = FakeLink()
    for _ in range(2):
        HandOver(link, requester=ME).in_order(TOPIC, Command(input={}), expiry_s=1)
    assert len({command.order.boot for _, command, _ in link.published if command.order is not None}) == 2
