"""The order of commands of one requester: one that was overtaken on the way is refused (I10). Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from gateway.protocol.messages import Order

#: Pairs of requester and device that are remembered; the one unused for longest is forgotten.
REMEMBERED: Final = 10_000


class Orders:
    """The highest number heard of each requester's run, for each device."""

    def __init__(self) -> None:
        self._highest: OrderedDict[tuple[str, str], Order] = OrderedDict()

    def overtaken(self, requester: str, device: str, order: Order | None) -> bool:
        """Whether a later command of the same run came before; if not, this one is the latest now."""
        if order is None:
            return False
        key = requester, device
        last = self._highest.get(key)
        if last is not None and last.boot == order.boot and order.number < last.number:
            return True
        self._highest[key] = order
        self._highest.move_to_end(key)
        if len(self._highest) > REMEMBERED:
            self._highest.popitem(last=False)
        return False
