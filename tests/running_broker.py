"""A real broker with our configuration, to which a test can add users."""

from __future__ import annotations

import secrets
import signal
from pathlib import Path
from typing import Final, Protocol

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import SecretStr

from gateway.broker import Login
from gateway.broker_files import BrokerFiles, Listening, TlsFiles, TlsListening
from gateway.demo.ports import free_port
from gateway.demo.process import Child
from gateway.demo.readiness import listens
from gateway.identity.authority import Authority
from gateway.protocol.ids import CLIENT_ID_PREFIX
from tests.conditions import eventually
from tests.requirements import program

MACHINES: Final = ("@gateway", "@facade")


class Engine(Protocol):
    """What runs the broker: a process here, or a container."""

    host: str
    port: int
    people_port: int

    def reload(self) -> None:
        """Make the broker read passwords and rights again."""


def connack(login: Login, *, client_id: str | None = None) -> int:
    """The reason code of the broker's answer to a CONNECT, with a random id or this one; 0 is success."""
    client_id = CLIENT_ID_PREFIX + secrets.token_hex(8) if client_id is None else client_id
    codes: list[int] = []

    def on_connect(_client: object, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        codes.append(reason.value)

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
    client.on_connect = on_connect
    if login.password is not None:
        client.username_pw_set(login.username, login.secret)
    if login.tls is not None:
        client.tls_set_context(login.tls.context())
    client.connect(login.host, login.port)
    try:
        eventually(lambda: client.loop(timeout=0.02) != 0 or codes, what="a CONNACK")
    finally:
        client.disconnect()
    return codes[0] if codes else -1


def tls_files(authority: Authority) -> TlsFiles:
    """What a broker needs to be ``localhost``."""
    key, certificate = authority.server(["localhost"])
    revoked = authority.revocations_file.read_text()
    return TlsFiles(key=key, certificate=certificate, clients=authority.chain(), revoked=revoked)


class RunningBroker:
    """Addresses and logins; ``port`` is the machines' listener, ``people_port`` the technicians'."""

    def __init__(self, files: BrokerFiles, engine: Engine) -> None:
        self._files = files
        self._engine = engine

    @property
    def host(self) -> str:
        """Where the broker is."""
        return self._engine.host

    @property
    def port(self) -> int:
        """The listener for machines."""
        return self._engine.port

    @property
    def people_port(self) -> int:
        """The listener for people."""
        return self._engine.people_port

    def login(self, user: str, *, people: bool | None = None) -> Login:
        """The login of a user that was added; people use their own listener unless told otherwise."""
        if people is None:
            people = user.startswith("@") and not user.startswith(MACHINES)
        port = self.people_port if people else self.port
        return Login(host=self.host, port=port, username=user, password=SecretStr(self._files.secret(user)))

    def add_site(self, site: str) -> Login:
        """Add a site; its login at the machines' listener works on return."""
        return self._add(site)

    def add_person(self, name: str) -> Login:
        """Add a technician (``@ana``); the login at the people's listener works on return."""
        return self._add(name)

    def add_facade(self, name: str) -> Login:
        """Add a further facade (``@facade-2``); its login at the machines' listener works on return."""
        return self._add(name)

    def add_auditor(self, name: str) -> Login:
        """Add a witness who may read and write everything, until the next user is added; never in real life."""
        self._add(name)
        rights = self._files.folder / "acl"
        rights.write_text(f"{rights.read_text()}\nuser {name}\ntopic readwrite #\ntopic readwrite $SYS/#\n")
        self._engine.reload()
        return self.login(name)

    def _add(self, user: str) -> Login:
        self._files.write([user])
        self._engine.reload()
        login = self.login(user)
        # The broker reads its files some time after the signal. Ask where a login evicts nobody.
        people = self.login(user, people=True)
        eventually(lambda: connack(people) == 0, what=f"a login as {user}")
        return login


class BrokerProcess:
    """Mosquitto as a child of the test run."""

    def __init__(self, folder: Path, authority: Authority | None = None) -> None:
        self.host = "127.0.0.1"
        self.people_port = free_port(count=4)
        self.port = self.people_port + 1
        self.authority = authority
        #: Of the listeners with TLS, which only a broker with an authority has.
        self.people_tls_port, self.tls_port = self.people_port + 2, self.people_port + 3
        tls = TlsListening(
            machines_host=self.host,
            people_host=self.host,
            machines_port=self.tls_port,
            people_port=self.people_tls_port,
        )
        self.files = BrokerFiles(
            folder / "broker",
            listening=Listening(
                machines_port=self.port,
                people_port=self.people_port,
                tls=None if authority is None else tls,
                pid_file=True,
            ),
        )
        argv = [str(program("mosquitto")), "-c", str(self.files.configuration)]
        self._child = Child("broker", argv, log=folder / "broker.log")

    def start(self) -> None:
        """Return when all listeners take connections."""
        if self.authority is not None and not (self.files.folder / "server.pem").exists():
            self.files.write_tls(tls_files(self.authority))
        self.files.write(MACHINES)
        self._child.start()
        eventually(self._serves, what="the broker")

    def stop(self) -> None:
        """End it."""
        self._child.stop()

    def kill(self) -> None:
        """End it with SIGKILL: no will is sent, nothing is saved."""
        self._child.kill()

    def freeze(self) -> None:
        """Hang it, connections open."""
        self._child.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        self._child.thaw()

    def reload(self) -> None:
        """Read passwords and rights again."""
        self._child.signal(signal.SIGHUP)

    @property
    def log(self) -> str:
        """All it has said so far."""
        return self._child.log.read_text(encoding="utf-8")

    def _serves(self) -> bool:
        assert self._child.running, f"mosquitto ended:\n{self._child.last_words()}"
        ports = [self.port, self.people_port]
        ports += [] if self.authority is None else [self.tls_port, self.people_tls_port]
        return all(listens(self.host, each) for each in ports)
