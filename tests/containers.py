"""The same broker and Redis as containers, with our configuration mounted into the official images."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

from paho.mqtt import MQTTException
from pydantic import SecretStr
from testcontainers.core.container import DockerContainer

from gateway.broker import Login
from gateway.broker_files import BrokerFiles, Listening, TlsListening
from gateway.credentials import new_secret, write_private
from gateway.demo import redis_server
from gateway.demo.readiness import redis_answers
from gateway.identity.authority import Authority
from tests.conditions import eventually
from tests.running_broker import MACHINES, connack, tls_files

MOSQUITTO_IMAGE: Final = "eclipse-mosquitto:2"
REDIS_IMAGE: Final = "redis:7"
_PEOPLE: Final = 1883
_MACHINES: Final = 1884
_TLS_PEOPLE: Final = 8883
_TLS_MACHINES: Final = 8884
_REDIS: Final = 6379
_INSIDE: Final = "/tidegate"
_START_S: Final = 30.0
#: The images run their servers as users of their own, who must be able to read what we mount; the folder around it
#: is the test run's alone.
_FOLDER_MODE: Final = 0o755
_FILE_MODE: Final = 0o644


class BrokerContainer:
    """Mosquitto from its image."""

    def __init__(self, folder: Path, authority: Authority | None = None) -> None:
        everywhere = "0.0.0.0"
        self.authority = authority
        listening = Listening(
            machines_host=everywhere,
            machines_port=_MACHINES,
            people_host=everywhere,
            people_port=_PEOPLE,
            run_as="mosquitto",
            folder=_INSIDE,
            tls=None if authority is None else TlsListening(machines_port=_TLS_MACHINES, people_port=_TLS_PEOPLE),
        )
        self.files = BrokerFiles(folder / "broker", secrets=folder / "secrets", listening=listening, mode=_FILE_MODE)
        self._container = (
            DockerContainer(MOSQUITTO_IMAGE)
            .with_volume_mapping(str(self.files.folder), _INSIDE, "ro")
            .with_command(["/usr/sbin/mosquitto", "-c", f"{_INSIDE}/mosquitto.conf"])
            .with_exposed_ports(_PEOPLE, _MACHINES, *([] if authority is None else [_TLS_PEOPLE, _TLS_MACHINES]))
        )
        self.host = ""
        self.port = self.people_port = self.tls_port = self.people_tls_port = 0

    def start(self) -> None:
        """Return when it takes logins."""
        self.files.folder.mkdir(mode=_FOLDER_MODE)
        if self.authority is not None:
            self.files.write_tls(tls_files(self.authority))
        self.files.write(MACHINES)
        self._container.start()
        self.host = self._container.get_container_host_ip()
        self.port = self._container.get_exposed_port(_MACHINES)
        self.people_port = self._container.get_exposed_port(_PEOPLE)
        if self.authority is not None:
            self.tls_port = self._container.get_exposed_port(_TLS_MACHINES)
            self.people_tls_port = self._container.get_exposed_port(_TLS_PEOPLE)
        eventually(self._serves, within_s=_START_S, what="the broker's container")

    def stop(self) -> None:
        """Remove it."""
        self._container.stop()

    def reload(self) -> None:
        """Read passwords and rights again."""
        self._container.get_wrapped_container().kill(signal.SIGHUP.value)

    def _serves(self) -> bool:
        secret = SecretStr(self.files.secret(MACHINES[0]))
        login = Login(host=self.host, port=self.people_port, username=MACHINES[0], password=secret)
        try:
            return connack(login) == 0
        except (OSError, MQTTException, AssertionError):
            return False  # the engine's proxy takes connections before the broker does


class RedisContainer:
    """Redis from its image; ``url`` is the administrator's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "redis"
        self._password = new_secret()
        self._container = (
            DockerContainer(REDIS_IMAGE)
            .with_volume_mapping(str(self._folder), _INSIDE, "ro")
            .with_command(["redis-server", f"{_INSIDE}/redis.conf"])
            .with_exposed_ports(_REDIS)
        )
        self._host, self._port = "", 0

    @property
    def url(self) -> str:
        """Redis as its administrator."""
        return f"redis://:{self._password}@{self._host}:{self._port}/0"

    def start(self) -> None:
        """Return when it answers."""
        self._folder.mkdir(mode=_FOLDER_MODE)
        text = redis_server.configuration(
            host="0.0.0.0", port=_REDIS, password=self._password, user_password=new_secret(), folder="/data"
        )
        write_private(self._folder / "redis.conf", text, mode=_FILE_MODE)
        self._container.start()
        self._host = self._container.get_container_host_ip()
        self._port = self._container.get_exposed_port(_REDIS)
        eventually(lambda: redis_answers(self.url), within_s=_START_S, what="the container of Redis")

    def stop(self) -> None:
        """Remove it."""
        self._container.stop()
