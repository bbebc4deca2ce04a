"""A real Redis with our configuration."""

from __future__ import annotations

from pathlib import Path

from gateway.credentials import new_secret, private_folder, write_private
from gateway.demo import redis_server
from gateway.demo.ports import free_port
from gateway.demo.process import Child
from gateway.demo.programs import REDIS_NAMES
from gateway.demo.readiness import redis_answers
from tests.conditions import eventually
from tests.requirements import program


class RedisProcess:
    """Redis as a child of the test run; ``url`` is the administrator's, ``user_url`` what gateway and facade use."""

    def __init__(self, folder: Path) -> None:
        self._folder = private_folder(folder / "redis")
        self._password, self._user_password = new_secret(), new_secret()
        self.port = free_port()
        self._file = self._folder / "redis.conf"
        argv = [str(program(*REDIS_NAMES)), str(self._file)]
        self._child = Child("redis", argv, log=folder / "redis.log")

    @property
    def url(self) -> str:
        """Redis as its administrator."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def user_url(self) -> str:
        """Redis as gateway and facade."""
        return f"redis://{redis_server.USER}:{self._user_password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Return when it answers."""
        text = redis_server.configuration(
            port=self.port, password=self._password, user_password=self._user_password, folder=str(self._folder)
        )
        write_private(self._file, text)
        self._child.start()
        eventually(lambda: redis_answers(self.url), what="Redis")

    def stop(self) -> None:
        """End it; nothing is saved."""
        self._child.stop()

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._child.kill()

    def freeze(self) -> None:
        """Hang it, connections open."""
        self._child.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        self._child.thaw()
