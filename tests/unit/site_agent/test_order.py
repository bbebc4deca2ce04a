"""Commands that were overtaken on the way."""

import pytest

from gateway.protocol.messages import Order
from site_agent.order import REMEMBERED, Orders


def _order(number: int, boot: str = "00000001") -> Order:
    return Order(boot=boot, number=number)


@pytest.mark.invariant("I10")
def test_order_lower_number_was_overtaken() -> None:
    """What was sent earlier and comes later must not undo the later one."""
    orders = Orders()
    assert not orders.overtaken("@facade", "feeder-1", _order(2))
    assert orders.overtaken("@facade", "feeder-1", _order(1))


@pytest.mark.parametrize(
    ("requester", "device", "boot"),
    [("@facade-2", "feeder-1", "00000001"), ("@facade", "feeder-2", "00000001"), ("@facade", "feeder-1", "00000002")],
)
def test_order_of_another_is_not_compared(requester: str, device: str, boot: str) -> None:
    """Numbers mean something only within one run of one requester, and only for one device."""
    orders = Orders()
    orders.overtaken("@facade", "feeder-1", _order(2))
    assert not orders.overtaken(requester, device, _order(1, boot))


def test_order_repeat_of_the_last_goes_on_to_the_journal() -> None:
    """The same number is the same command; the journal answers it."""
    orders = Orders()
    orders.overtaken("@facade", "feeder-1", _order(2))
    assert not orders.overtaken("@facade", "feeder-1", _order(2))


def test_order_absent_is_never_overtaken() -> None:
    """Technicians give no number."""
    assert not Orders().overtaken("@ana", "feeder-1", None)


@pytest.mark.invariant("I15")
def test_orders_remember_a_bounded_number() -> None:
    """Whoever invents requesters cannot fill the memory."""
    orders = Orders()
    orders.overtaken("@first", "feeder-1", _order(5))
    for number in range(REMEMBERED):
        orders.overtaken(f"@r{number}", "feeder-1", _order(1))
    assert not orders.overtaken("@first", "feeder-1", _order(1))
