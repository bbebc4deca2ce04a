"""A facade's real parts in this process, behind Flask's test client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask.testing import FlaskClient

from gateway.broker import Login
from gateway.liveness import Liveness, open_redis
from gateway.protocol.codec import encode
from gateway.protocol.messages import Heartbeat, PlcLink
from gateway.sites import DescriptionSeen, Sites, StatusSeen
from http_facade.app import create_app
from http_facade.services import Services
from http_facade.settings import FacadeSettings
from tests.conditions import eventually
from tests.entries import NOON, status
from tests.fake_parts import DESCRIPTION, DEVICE, PLC


def facade_settings(home: Path, login: Login, redis_url: str, database_url: str) -> FacadeSettings:
    """Settings of a facade with this login; a password in ``redis_url`` goes to a file, as the settings demand."""
    home.mkdir(parents=True, exist_ok=True)
    password = home / "broker-password"
    password.write_text(login.secret)
    user, at, place = redis_url.removeprefix("redis://").rpartition("@")
    name, _, secret = user.partition(":")
    redis_password = home / "redis-password"
    redis_password.write_text(secret or "none")
    return FacadeSettings(
        home=home,
        broker_host=login.host,
        broker_port=login.port,
        broker_username=login.username,
        broker_password_file=password,
        redis_url=f"redis://{name}{at}{place}" if name else f"redis://{place}",
        redis_password_file=redis_password if secret else None,
        database_url=database_url,
    )


@dataclass(frozen=True)
class RunningFacade:
    """The parts, a client that sends the token, and what a gateway would do for a site."""

    services: Services
    client: FlaskClient
    settings: FacadeSettings

    def introduce(self, site: str) -> None:
        """Make a site with one device known, as the recorder does when it sees their retained topics."""
        sites = Sites(self.services.engine)
        sites.save_status([StatusSeen(site=site, status=status(), at=NOON)])
        seen = DescriptionSeen(site=site, device=DEVICE, payload=encode(DESCRIPTION), epoch=1, at=NOON)
        sites.save_descriptions([seen])

    def beat(self, site: str, *, seq: int = 1) -> None:
        """Open the site's gate, as the recorder does at every heartbeat."""
        redis = open_redis(self.settings.redis_url, self.settings.redis_password)
        heartbeat = Heartbeat(epoch=1, seq=seq, at=NOON, plcs={PLC: PlcLink.OK})
        liveness = Liveness(redis, expiry_s=self.settings.alive_expiry_s)
        liveness.beat_many([(site, encode(heartbeat))])
        liveness.close()

    def wait_connected(self) -> None:
        """Return when the facade's own link stands."""
        eventually(lambda: self.services.link.connected, within_s=15, what="the facade's link")


@contextmanager
def running_facade(
    home: Path, login: Login, redis_url: str, database_url: str, **changes: object
) -> Iterator[RunningFacade]:
    """A facade that runs inside the block; ``changes`` are settings that it has besides."""
    settings = facade_settings(home, login, redis_url, database_url).model_copy(update=changes)
    services = Services.from_settings(settings)
    services.start()
    client = create_app(settings, services).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {settings.http_token()}"
    made = RunningFacade(services=services, client=client, settings=settings)
    try:
        made.wait_connected()
        yield made
    finally:
        services.stop()
