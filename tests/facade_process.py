"""``tidegate facade`` as a process of its own."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import requests

from gateway.database import open_engine
from gateway.demo.ports import free_port
from gateway.demo.process import Child
from gateway.liveness import Liveness, open_redis
from gateway.protocol.codec import encode
from gateway.sites import DescriptionSeen, Sites, StatusSeen
from tests.conditions import eventually
from tests.entries import NOON, heartbeat, status
from tests.fake_parts import DESCRIPTION, DEVICE
from tests.running_broker import RunningBroker
from tests.running_facade import facade_settings


class FacadeProcess:
    """The command as an operator runs it."""

    def __init__(
        self, home: Path, broker: RunningBroker, redis_url: str, database_url: str, *, name: str = "@facade"
    ) -> None:
        self.settings = facade_settings(home, broker.login(name), redis_url, database_url)
        self.port = free_port()
        environment = {
            "TIDEGATE_HOME": str(home),
            "TIDEGATE_BROKER_HOST": self.settings.broker_host,
            "TIDEGATE_BROKER_USERNAME": name,
            "TIDEGATE_BROKER_PORT": str(self.settings.broker_port),
            "TIDEGATE_BROKER_PASSWORD_FILE": str(self.settings.broker_password_file),
            "TIDEGATE_REDIS_URL": self.settings.redis_url,
            "TIDEGATE_DATABASE_URL": database_url,
            "TIDEGATE_HTTP_PORT": str(self.port),
        }
        if self.settings.redis_password_file is not None:
            environment["TIDEGATE_REDIS_PASSWORD_FILE"] = str(self.settings.redis_password_file)
        argv = [sys.executable, "-m", "gateway", "facade"]
        self.child = Child("facade", argv, log=home / "facade.log", environment=environment)

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """The token."""
        return {"Authorization": f"Bearer {self.settings.http_token_file.read_text().strip()}"}

    def start(self) -> None:
        """Return when it is ready."""
        self.child.start()
        eventually(self._ready, within_s=20, what="the facade")

    def _ready(self) -> bool:
        assert self.child.running, f"the facade ended:\n{self.child.last_words()}"
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def serves(self) -> bool:
        """Whether anybody takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def introduce(site_id: str, redis_url: str, database_url: str) -> None:
    """Make a site known and alive, as a gateway does."""
    engine = open_engine(database_url)
    sites = Sites(engine)
    sites.save_status([StatusSeen(site=site_id, status=status(), at=NOON)])
    seen = DescriptionSeen(site=site_id, device=DEVICE, payload=encode(DESCRIPTION), epoch=1, at=NOON)
    sites.save_descriptions([seen])
    liveness = Liveness(open_redis(redis_url), expiry_s=25)
    liveness.beat_many([(site_id, encode(heartbeat()))])
    liveness.close()
    engine.dispose()
