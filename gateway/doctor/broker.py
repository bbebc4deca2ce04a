"""The broker: who gets in, what each may do, how it is configured, and which version it is."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.broker import BrokerLink, BrokerRefused, Incoming, Login
from gateway.broker_files import BrokerFiles
from gateway.doctor.finding import Finding, bad, doubtful, good
from gateway.protocol.codec import decode
from gateway.protocol.errors import DecodeError, Unavailable
from gateway.protocol.messages import HostStatus, SiteState
from gateway.protocol.topics import HostStatusTopic, Topic
from gateway.tls import LOOPBACK

PATIENCE_S: Final = 5.0
#: A refusal comes at once; longer waiting only repeats it.
_REFUSAL_S: Final = 1.5
_VERSION: Final = re.compile(r"mosquitto version (\d+)\.(\d+)\.(\d+)")
_OLDEST: Final = (2, 0, 11)
#: First version that mends it -> what it is.
_KNOWN_FAULTS: Final = {
    (2, 0, 15): "a last will may come late, by more than twice the keepalive",
    (2, 0, 19): "CVE-2024-8376 and CVE-2024-10525, unless the distribution has mended them (Debian: deb12u2)",
}


def heard(login: Login) -> Iterator[Finding]:
    """Whether the login is taken, and what the gateway last said about itself; raises Unavailable."""
    came = threading.Event()
    seen: list[bytes] = []

    def take(incoming: Incoming) -> None:
        seen.append(incoming.payload)
        came.set()

    with linked(login, [str(HostStatusTopic())], take):
        yield good("broker", f"{login.host}:{login.port} takes {login.username}")
        came.wait(PATIENCE_S)
    yield _gateway(seen)


def _gateway(seen: Sequence[bytes]) -> Finding:
    todo = "start it on the server: tidegate gateway"
    try:
        status = decode(HostStatus, str(HostStatusTopic()), seen[-1])
    except (IndexError, DecodeError):
        return bad("gateway", "it never said that it is there", todo)
    if status.state is not SiteState.ONLINE:
        return bad("gateway", f"{status.state} since {status.since:%Y-%m-%d %H:%M} UTC", todo)
    return good("gateway", f"online since {status.since:%Y-%m-%d %H:%M} UTC")


@contextmanager
def linked(
    login: Login,
    subscriptions: Sequence[str],
    take: Callable[[Incoming], None],
    *,
    patience_s: float = PATIENCE_S,
) -> Iterator[BrokerLink]:
    """A link that stands inside the block; raises Unavailable."""
    ready = threading.Event()
    link = BrokerLink(login, subscriptions=subscriptions, on_message=take, on_connect=ready.set)
    link.start()
    try:
        if not ready.wait(patience_s):
            why = link.trouble or f"no answer within {patience_s:g} s"
            raise Unavailable("broker", f"{login.host}:{login.port} did not take {login.username}: {why}")
        yield link
    finally:
        link.stop()


def round_trip(login: Login, topic: Topic) -> Finding:
    """Whether we may write ``topic`` and read it, shown by an empty message that comes back; raises Unavailable."""
    came = threading.Event()
    about = "rights"
    todo = "the broker's rights are not ours: tidegate broker-files writes them, then send it SIGHUP"
    with linked(login, [str(topic)], lambda _: came.set()) as link:
        try:
            link.publish(topic, None).result(PATIENCE_S)
        except BrokerRefused as error:
            return bad(about, f"{login.username} may not write {topic}: {error}", todo)
        except FutureTimeoutError:
            return bad(about, f"the broker did not confirm {topic}", todo)
        if not came.wait(PATIENCE_S):
            return bad(about, f"{login.username} does not get what it wrote to {topic}", todo)
    return good(about, f"{login.username} writes and reads its own topics")


def anonymous(host: str, port: int) -> Finding:
    """Whether somebody without a name is refused, as it must be; tried, not read from a file."""
    login = Login(host=host, port=port, username="nobody", password=None)
    try:
        with linked(login, [], lambda _: None, patience_s=_REFUSAL_S):
            todo = "set allow_anonymous false; tidegate broker-files writes a configuration that does"
            return bad("anonymous", f"{host}:{port} lets anybody in without a password", todo)
    except Unavailable:
        return good("anonymous", f"{host}:{port} lets nobody in without a password")


def configuration(files: BrokerFiles) -> Iterator[Finding]:
    """What stands in the broker's own files, where they are on this machine."""
    try:
        text = files.configuration.read_text(encoding="utf-8")
    except OSError as error:
        yield doubtful(
            "broker's files", str(error), "set TIDEGATE_BROKER_FOLDER, where the broker runs on this machine"
        )
        return
    lines = {line.strip() for line in text.splitlines()}
    wanted = {
        "allow_anonymous false": "anybody may come in",
        "set_tcp_nodelay true": "each command waits 40 ms for Nagle",
    }
    for line, otherwise in wanted.items():
        if line not in lines:
            yield bad("broker's files", f"{line!r} is missing: {otherwise}", "tidegate broker-files writes them anew")
    open_ports = [host for host, secure in _listeners(text) if host not in LOOPBACK and not secure]
    if open_ports:
        said = f"it listens in clear at {', '.join(open_ports)}"
        yield bad("broker's files", said, "in clear only on this machine; for others: tidegate broker-files --tls NAME")
    if lines >= wanted.keys() and not open_ports:
        yield good("broker's files", f"{files.configuration}: {len(files.users())} users, as we write them")


def _listeners(text: str) -> Iterator[tuple[str, bool]]:
    for block in re.split(r"^(?=listener )", text, flags=re.MULTILINE)[1:]:
        words = block.splitlines()[0].split()
        yield (words[2] if len(words) > 2 else "every address"), "\ncertfile " in block


def version(program: Path) -> Finding:
    """Which Mosquitto this is, and what is known to be wrong with it."""
    done = subprocess.run([program, "-h"], capture_output=True, text=True, check=False, timeout=PATIENCE_S)  # noqa: S603 # ours
    found = _VERSION.search(done.stdout + done.stderr)
    if found is None:
        return doubtful("mosquitto", f"{program} does not tell its version", "install Mosquitto 2.0.11 or newer")
    number = tuple(int(part) for part in found.groups())
    text = ".".join(found.groups())
    if number < _OLDEST:
        return bad("mosquitto", f"{text} is too old", "install Mosquitto 2.0.11 or newer")
    faults = [fault for first, fault in _KNOWN_FAULTS.items() if number < first]
    if faults:
        return doubtful("mosquitto", f"{text}: {'; '.join(faults)}", "keep it up to date: apt-get upgrade mosquitto")
    return good("mosquitto", text)
