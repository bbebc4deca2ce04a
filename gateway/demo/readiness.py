"""Questions that tell whether a part of the stack serves yet; each answers at once, and False when in doubt."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import urllib.error
import urllib.request
from typing import Final

import redis

from gateway.broker import BrokerLink, Incoming, Login
from gateway.liveness import Liveness, open_redis
from gateway.protocol.codec import decode_topic
from gateway.protocol.errors import DecodeError, Unavailable
from gateway.protocol.messages import Message, PlcLink, Quality, SiteState
from gateway.protocol.topics import HostStatusTopic, StatusTopic, Topic

_PATIENCE_S: Final = 1.0


def listens(host: str, port: int) -> bool:
    """Whether something takes connections there."""
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE_S):
            return True
    except OSError:
        return False


def redis_answers(url: str) -> bool:
    """Whether Redis takes our password and answers."""
    try:
        with redis.Redis.from_url(url, socket_timeout=_PATIENCE_S, socket_connect_timeout=_PATIENCE_S) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def live_epoch(url: str, site: str, expiry_s: int) -> int | None:
    """The epoch of the site's beat in Redis; None if the site is silent, or Redis is."""
    with contextlib.closing(Liveness(open_redis(url), expiry_s=expiry_s)) as liveness:
        try:
            alive = liveness.read(site)
        except Unavailable:
            return None
    return None if alive is None else alive.heartbeat.epoch


def http_status(url: str, *, token: str | None = None) -> int | None:
    """The status of a GET; None if nobody answers."""
    return http_get(url, token=token)[0]


def http_get(url: str, *, token: str | None = None) -> tuple[int | None, object]:
    """Status and JSON body of a GET; None in place of what did not come."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 # the facade that we started
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S * 2) as answer:  # noqa: S310 # same
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:  # it holds the connection
            return error.code, None
    except (OSError, ValueError):
        return None, None


def takes_writes(url: str, token: str, site: str, device: str) -> bool:
    """Whether the facade knows the site with all its PLCs, and the device with good values."""
    paths = (f"/v1/sites/{site}", f"/v1/sites/{site}/devices/{device}")
    seen = [http_get(url + path, token=token)[1] for path in paths]
    if not all(isinstance(each, dict) for each in seen):
        return False
    about_site, about_device = (dict(each) for each in seen if isinstance(each, dict))
    links = about_site.get("plcs")
    reached = isinstance(links, dict) and set(links.values()) == {PlcLink.OK.value}
    return bool(about_site.get("online")) and reached and about_device.get("quality") == Quality.GOOD.value


def is_online(login: Login) -> bool:
    """Whether the retained status of a site, if the login is a site's, or else of the gateway, says online."""
    topic: Topic = HostStatusTopic() if login.username.startswith("@") else StatusTopic(site=login.username)
    seen: list[Message] = []
    answered = threading.Event()

    def take(incoming: Incoming) -> None:
        with contextlib.suppress(DecodeError):
            seen.append(decode_topic(topic, incoming.payload))
            answered.set()

    link = BrokerLink(login, subscriptions=[str(topic)], on_message=take)
    link.start()
    try:
        answered.wait(_PATIENCE_S)
    finally:
        link.stop()
    return bool(seen) and getattr(seen[-1], "state", None) is SiteState.ONLINE
