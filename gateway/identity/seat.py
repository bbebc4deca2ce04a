"""A site's place at the broker, taken from whoever sits there.

A broker lets go of nobody whose certificate was revoked: it looks at the list when somebody comes. But a machine has
one connection, and a second one of the same name ends the first. So we come in by the site's name, from this machine,
with a password that is good for that moment; and while we are there, we can clear what the site left at the broker.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import wait
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Final

from pydantic import SecretStr

from gateway.broker import BrokerLink, Incoming, Login
from gateway.broker_files import BrokerFiles
from gateway.broker_reload import BrokerReload
from gateway.credentials import new_secret, write_private
from gateway.protocol.codec import decode
from gateway.protocol.errors import DecodeError, Unavailable
from gateway.protocol.messages import SiteState, Status
from gateway.protocol.topics import AlarmTopic, DescriptionTopic, StateTopic, StatusTopic, Topic, parse

#: A broker reads its files some time after it was told to.
PATIENCE_S: Final = 10.0
#: After the last message that the broker had kept.
_QUIET_S: Final = 1.0


class Seat:
    """``host`` and ``port`` are the machines' listener without TLS, which is on this machine."""

    def __init__(self, files: BrokerFiles, reload: BrokerReload, *, host: str, port: int) -> None:
        self._files = files
        self._reload = reload
        self._host = host
        self._port = port

    def take(self, site: str, revoked: str | None, *, clear: Iterable[str] | None = None) -> None:
        """End the site's connection; neither its password nor a certificate of the list ``revoked`` lets it in again.

        ``clear`` are devices whose retained topics, with the site's own, are to be emptied; None: all stay.

        Raises:
            Unavailable: the broker did not let us in within some seconds; the connection may still stand.
            SettingsError: see :meth:`BrokerReload.changing`.
        """
        secret = new_secret()
        with self._reload.changing():
            if revoked is not None:
                self._files.write_revoked(revoked)
            write_private(self._files.secret_file(site), secret + "\n")
            self._files.write_users([site])
        try:
            with self._seated(site, secret) as (link, came):
                kept = _kept(came)
                _say_offline(site, kept, link)
                if clear is not None:
                    _clear(site, clear, kept, link)
        finally:
            with self._reload.changing():
                self._files.write_users(without=[site])

    @contextmanager
    def _seated(self, site: str, secret: str) -> Iterator[tuple[BrokerLink, queue.SimpleQueue[Incoming]]]:
        came: queue.SimpleQueue[Incoming] = queue.SimpleQueue()
        login = Login(host=self._host, port=self._port, username=site, password=SecretStr(secret))
        kept = [StatusTopic.filter(site=site), DescriptionTopic.filter(site=site), AlarmTopic.filter(site=site)]
        link = BrokerLink(login, subscriptions=kept, on_message=came.put)
        link.start()
        try:
            deadline_s = time.monotonic() + PATIENCE_S
            while not link.connected:
                if time.monotonic() > deadline_s:
                    detail = f"{self._host}:{self._port} did not let us in as {site} within {PATIENCE_S:g} s"
                    raise Unavailable("broker", f"{detail}; is the machines' listener without TLS there?")
                time.sleep(0.02)
            yield link, came
        finally:
            link.stop()


def _kept(came: queue.SimpleQueue[Incoming]) -> dict[Topic, bytes]:
    """What the broker keeps of the site, as far as it shows it to the site itself."""
    kept: dict[Topic, bytes] = {}
    while True:
        try:
            incoming = came.get(timeout=_QUIET_S)
        except queue.Empty:
            return kept
        with suppress(DecodeError):
            if incoming.payload:
                kept[parse(incoming.topic)] = incoming.payload


def _say_offline(site: str, kept: Mapping[Topic, bytes], link: BrokerLink) -> None:
    """In place of the will: a broker forgets one that was to wait, when somebody else takes the place."""
    topic = StatusTopic(site=site)
    try:
        last = decode(Status, str(topic), kept[topic])
    except (KeyError, DecodeError):
        return
    if last.state is SiteState.ONLINE:
        changes = {"state": SiteState.OFFLINE, "since": datetime.now(UTC), "reason": "revoked at the centre"}
        wait([link.publish(topic, last.model_copy(update=changes))], timeout=PATIENCE_S)


def _clear(site: str, devices: Iterable[str], kept: Iterable[Topic], link: BrokerLink) -> None:
    """Empty that, and the states, which a broker shows no site."""
    named = {*devices, *(each.device for each in kept if isinstance(each, DescriptionTopic))}
    topics: set[Topic] = {StatusTopic(site=site), *kept}
    for device in named:
        topics |= {StateTopic(site, device), DescriptionTopic(site, device)}
    wait([link.publish(each, None) for each in sorted(topics, key=str)], timeout=PATIENCE_S)
