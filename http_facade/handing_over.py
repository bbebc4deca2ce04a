"""The hand-over of commands to the broker: numbered in the order in which they leave, so that none overtakes (I10)."""

from __future__ import annotations

import itertools
import secrets
import threading
from concurrent.futures import Future
from typing import Final, Protocol

from gateway.protocol.messages import Command, Message, Order
from gateway.protocol.topics import CommandTopic, Topic

_BOOT_BYTES: Final = 8


class Link(Protocol):
    """The connection to the broker."""

    @property
    def connected(self) -> bool:
        """Whether a publish can leave now."""

    def publish(self, topic: Topic, message: Message, *, expiry_s: int | None = None) -> Future[None]:
        """Hand over now or never; raises Unavailable if there is no connection."""


class HandOver:
    """Publishes as ``requester``; safe from any thread."""

    def __init__(self, link: Link, *, requester: str) -> None:
        self.requester = requester
        self._link = link
        self._boot = secrets.token_hex(_BOOT_BYTES)
        self._numbers = itertools.count(1)
        self._one_by_one = threading.Lock()

    @property
    def connected(self) -> bool:
        """Whether a command can leave now."""
        return self._link.connected

    def in_order(self, topic: CommandTopic, command: Command, *, expiry_s: int) -> Future[None]:
        """Give the command its place, and hand it over before anybody else gets the next one.

        Raises:
            Unavailable, BrokerRefused: nothing was and nothing will be published.
        """
        with self._one_by_one:
            order = Order(boot=self._boot, number=next(self._numbers))
            return self._link.publish(topic, command.model_copy(update={"order": order}), expiry_s=expiry_s)

    def out_of_turn(self, topic: CommandTopic, command: Command, *, expiry_s: int) -> Future[None]:
        """Hand over what has no place among commands, since it can have no effect of its own: a cancel.

        Raises:
            Unavailable, BrokerRefused: nothing was and nothing will be published.
        """
        return self._link.publish(topic, command, expiry_s=expiry_s)
