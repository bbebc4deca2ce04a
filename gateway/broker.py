"""An MQTT 5 link for threads that is kept up: used by the recorder, the facade and the technicians' tools.

paho's loop runs in a thread of ours, one fresh client per connection, so that whatever goes wrong inside ends that
connection and never the thread.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import Final

import structlog

from gateway.broker_connection import BrokerRefused, Connection, Incoming, Login, Plan, Will
from gateway.protocol.backoff import delays
from gateway.protocol.codec import encode
from gateway.protocol.errors import Unavailable
from gateway.protocol.ids import CLIENT_ID_PREFIX
from gateway.protocol.messages import MAX_PAYLOAD_BYTES, Message
from gateway.protocol.topics import Topic

__all__ = ["BrokerLink", "BrokerRefused", "Incoming", "Login", "Will"]

log = structlog.get_logger(__name__)

#: A connection that held this long was a good one: the next back-off starts from the beginning.
HELD_S: Final = 5.0


class BrokerLink:
    """A connection that is kept up from :meth:`start` to :meth:`stop`; its methods are safe from any thread.

    ``on_message`` and ``on_connect`` run in the link's own thread: they must be quick and never wait. ``on_connect``
    runs on every connection once the subscriptions stand, and may publish. ``client_id`` None is a random one, kept
    from one connection to the next; an empty one would be the broker's to fill, and Mosquitto 2.1 forgets the prefix.

    For those who receive much and need not answer at once: ``fleeting`` are subscriptions at QoS 0, for what comes
    anew by itself and so needs no confirmation; and ``rest_s`` is how long the link lets messages gather before it
    reads them, since to be woken for one message costs more than to read four.
    """

    def __init__(
        self,
        login: Login,
        *,
        subscriptions: Sequence[str],
        on_message: Callable[[Incoming], None],
        fleeting: Sequence[str] = (),
        on_connect: Callable[[], None] | None = None,
        will: Will | None = None,
        keepalive_s: int = 10,
        client_id: str | None = None,
        rest_s: float = 0.0,
    ) -> None:
        self._on_connect = on_connect
        self._plan = Plan(
            login=login,
            subscriptions=dict.fromkeys(subscriptions, 1) | dict.fromkeys(fleeting, 0),
            on_message=on_message,
            on_ready=self._became_ready,
            will=will,
            keepalive_s=keepalive_s,
            client_id=client_id or CLIENT_ID_PREFIX + secrets.token_hex(8),
            rest_s=rest_s,
        )
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        #: The one that runs, whether or not the broker has taken it yet.
        self._running: Connection | None = None
        #: Why the last connection ended, or never began; empty while nothing did.
        self.trouble = ""

    def start(self) -> None:
        """Begin to connect, and return at once."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._keep_up, name="broker-link", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye, so that no will is published, once what is in flight has been confirmed; at most 2 s."""
        self._stopping.set()
        connection, thread = self._connection, self._thread
        if connection is not None:
            wait_for(connection.unconfirmed, timeout=1.0)
            connection.goodbye()
        if thread is not None:
            thread.join(0.5)
            running = self._running
            if running is not None and thread.is_alive():
                running.cut()
                thread.join(0.5)
        self._thread = None

    @property
    def connected(self) -> bool:
        """Whether the broker has taken us and our subscriptions, and the link's thread lives."""
        return self._usable() is not None

    def publish(self, topic: Topic, message: Message | None, *, expiry_s: int | None = None) -> Future[None]:
        """Hand ``message`` to the broker now, or never; QoS and retain are the topic's. None clears what is retained.

        The future completes when the broker has confirmed. It fails with :class:`BrokerRefused` if the broker said
        no, and with Unavailable if the link is lost first: then nobody knows whether it was delivered.

        Raises:
            Unavailable: there is no connection; nothing was and nothing will be published.
            BrokerRefused: the body is larger than the protocol allows; nothing was published.
        """
        payload = b"" if message is None else encode(message)
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise BrokerRefused(f"{len(payload)} bytes, {MAX_PAYLOAD_BYTES} at most")
        connection = self._usable()
        if connection is None:
            raise Unavailable("broker", "not connected")
        return connection.publish(topic, payload, topic.expiry_s if expiry_s is None else expiry_s)

    def _usable(self) -> Connection | None:
        connection, thread = self._connection, self._thread
        if connection is None or connection.lost or self._stopping.is_set():
            return None
        return connection if thread is not None and thread.is_alive() else None

    def _became_ready(self, connection: Connection) -> None:
        login = self._plan.login
        log.info("broker-connected", host=login.host, port=login.port, user=login.username)
        self._connection = connection
        if self._on_connect is not None:
            self._on_connect()

    def _keep_up(self) -> None:
        waits, reported = delays(random.uniform), False
        login = self._plan.login
        while not self._stopping.is_set():
            reason, ready_at_s = self._connect_once()
            self.trouble = reason
            if self._stopping.is_set():
                return
            if ready_at_s is not None:
                reported = False
                if time.monotonic() - ready_at_s > HELD_S:
                    waits = delays(random.uniform)
            if not reported:
                log.warning("broker-lost", host=login.host, port=login.port, user=login.username, reason=reason)
            reported = True
            self._stopping.wait(next(waits))

    def _connect_once(self) -> tuple[str, float | None]:
        """One connection, from its begin to its end: why it ended, and when it was ready, if it was."""
        try:
            self._running = connection = Connection(self._plan)
        except Unavailable as error:  # our own certificate cannot be read
            return error.detail, None
        reason = _run(connection)
        self._connection = self._running = None
        return reason, connection.ready_at_s


def _run(connection: Connection) -> str:
    try:
        connection.run()
    except OSError as error:
        return f"cannot connect: {error}"
    except Exception as error:  # a fault in paho costs this connection, never the thread
        log.exception("broker-loop-failed")
        return str(error)
    return connection.reason
