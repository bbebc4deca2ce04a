"""A centre that sites reach only by TLS, set up by the commands of the documentation, with a farm and a site's PC."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import requests

from gateway.demo.ports import free_port
from gateway.demo.process import Child
from gateway.demo.site import Site, site_toml
from gateway.liveness import Liveness, open_redis
from tests.conditions import eventually
from tests.requirements import program

HOST: Final = "localhost"
SITE: Final = "arava-1"


class SecureCentre:
    """Broker, gateway and facade as children, all files under ``home``; the site's own under ``pc``."""

    def __init__(self, home: Path, redis_url: str) -> None:
        self.home, self.pc = home, home / "pc"
        self.pc.mkdir()
        self.http, self.modbus = free_port(), free_port(count=2)
        people = free_port(count=4)
        self.machines, self.tls_people, self.tls_machines = people + 1, people + 2, people + 3
        self.people = people
        user, _, place = redis_url.removeprefix("redis://").rpartition("@")
        name, _, secret = user.partition(":")
        (home / "redis-password").write_text(secret or "none")
        self.redis = Liveness(open_redis(redis_url), expiry_s=20)
        self.environment = {
            "TIDEGATE_HOME": str(home),
            "TIDEGATE_BROKER_PORT": str(self.machines),
            "TIDEGATE_BROKER_SECRETS": str(home / "secrets"),
            "TIDEGATE_REDIS_URL": f"redis://{name}@{place}" if name else f"redis://{place}",
            **({"TIDEGATE_REDIS_PASSWORD_FILE": str(home / "redis-password")} if secret else {}),
            "TIDEGATE_PUBLIC_URL": f"https://{HOST}:{self.http}",
            "TIDEGATE_PUBLIC_BROKER": f"{HOST}:{self.tls_machines}",
            "TIDEGATE_HTTP_CERTIFICATE": str(home / "https" / "server.pem"),
            "TIDEGATE_HTTP_KEY": str(home / "https" / "server.key"),
            "TIDEGATE_HTTP_HOST": "127.0.0.1",
            "TIDEGATE_HTTP_PORT": str(self.http),
            "TIDEGATE_HEARTBEAT_S": "1",
            "TIDEGATE_ALIVE_EXPIRY_S": "20",
        }
        self.farm = self._ours("simulate", "--ready-file", str(home / "farm.json"), "--port", str(self.modbus))
        self.gateway, self.facade = self._ours("gateway"), self._ours("facade")
        mosquitto = [str(program("mosquitto")), "-c", str(home / "broker" / "mosquitto.conf")]
        self.broker = Child("broker", mosquitto, log=home / "broker.log")
        self.agent = Child(
            "agent",
            [sys.executable, "-m", "gateway", "agent", "--config", str(self.pc / "site.toml")],
            log=home / "agent.log",
        )

    def __enter__(self) -> SecureCentre:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        self.run("ca", "create")
        self.run("ca", "server", HOST, "--out", str(self.home / "https"))
        self.run("broker-files", *self._broker_options())
        for child in (self.broker, self.gateway, self.facade, self.farm):
            child.start()
        eventually(lambda: self._running() and self.ready(), within_s=30, what="the centre")
        eventually((self.home / "farm.json").exists, within_s=20, what="the farm")

    def __exit__(self, *_: object) -> None:
        for child in (self.agent, self.facade, self.gateway, self.farm, self.broker):
            child.stop()
        self.redis.close()

    def run(self, *words: str, code: int = 0, cwd: Path | None = None) -> str:
        """``tidegate`` with these words, in the centre's environment; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *words],
            env={**os.environ, **self.environment, "PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + ("" if code == 0 else done.stderr)

    def enrol(self) -> None:
        """A code at the centre, and the identity on the PC."""
        code = json.loads(self.run("site", "add", SITE, "--json"))["code"]
        self.run("agent", "enrol", code, "--folder", str(self.pc))

    def add_farm(self) -> None:
        """Append the farm's PLCs to the file that the enrolment left, with a quick pulse."""
        whole = site_toml(
            Site(
                name=SITE,
                broker_host=HOST,
                broker_port=1,
                password_file=Path("none"),
                folder=self.home / "agent",
                modbus_port=self.modbus,
                heartbeat_s=1,
                poll_s=0.2,
            )
        )
        path = self.pc / "site.toml"
        path.write_text(path.read_text() + "\n[agent]" + whole.partition("[agent]")[2])

    def ready(self) -> bool:
        """Whether the facade can do its work."""
        try:
            return self.get("/readyz").status_code == 200
        except (requests.RequestException, OSError):
            return False

    def get(self, path: str) -> requests.Response:
        """GET with the facade's own token."""
        return self._ask("GET", path)

    def patch(self, path: str, body: dict[str, Any]) -> requests.Response:
        """PATCH, the same way."""
        return self._ask("PATCH", path, json=body)

    def _ask(self, method: str, path: str, **more: Any) -> requests.Response:  # noqa: ANN401 # requests' own
        token = self.home / "secrets" / "http-token"
        headers = {"Authorization": f"Bearer {token.read_text().strip()}"} if token.exists() else {}
        url = f"https://{HOST}:{self.http}{path}"
        return requests.request(
            method, url, headers=headers, timeout=20, verify=str(self.home / "ca" / "ca.pem"), **more
        )

    def alive(self) -> bool:
        """Whether the site's gate is open."""
        return self.redis.read(SITE) is not None

    def _running(self) -> bool:
        for child in (self.broker, self.gateway, self.facade, self.farm):
            assert child.running, f"{child.role} ended:\n{child.last_words()}"
        return True

    def _ours(self, *words: str) -> Child:
        log = self.home / f"{words[0]}.log"
        return Child(words[0], [sys.executable, "-m", "gateway", *words], log=log, environment=self.environment)

    def _broker_options(self) -> list[str]:
        pairs = {
            "--folder": self.home / "broker",
            "--secrets": self.home / "secrets",
            "--machines": f"127.0.0.1:{self.machines}",
            "--people": f"127.0.0.1:{self.people}",
            "--run-as": getpass.getuser(),
            "--tls": HOST,
            "--tls-machines": f"127.0.0.1:{self.tls_machines}",
            "--tls-people": f"127.0.0.1:{self.tls_people}",
        }
        return [str(word) for pair in pairs.items() for word in pair]
