"""How each process of the stack is started, and with which files and settings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.broker_files import BrokerFiles, Listening
from gateway.credentials import private_folder, secret_in, write_private
from gateway.demo import redis_server, wheel_broker
from gateway.demo.ports import free_port
from gateway.demo.programs import Programs
from gateway.demo.site import FeedLimits, Site, site_toml

BROKER: Final = "broker"
REDIS: Final = "redis"
GATEWAY: Final = "gateway"
FACADE: Final = "facade"
FARM: Final = "farm"
AGENT: Final = "agent"
#: In the order in which they are started; they are stopped the other way round.
ROLES: Final = (BROKER, REDIS, GATEWAY, FACADE, FARM, AGENT)
HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where everything listens, all on the loopback address; the farm's second PLC has the port after ``modbus``."""

    http: int
    people: int
    machines: int
    redis: int
    modbus: int

    @classmethod
    def free(cls) -> Ports:
        """Five free ports."""
        mqtt = free_port(count=2)
        return cls(http=free_port(), people=mqtt, machines=mqtt + 1, redis=free_port(), modbus=free_port(count=2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that may differ between two stacks; ``home`` holds every file of one."""

    home: Path
    programs: Programs
    ports: Ports
    site: str = "arava-1"
    person: str = "@ana"
    heartbeat_s: int = 20
    alive_expiry_s: int = 25
    poll_s: float = 1.0
    persistence: bool = False
    #: Detours for the agent, for tests with something in between; None is the stack's own broker and farm.
    agent_broker_port: int | None = None
    agent_modbus_port: int | None = None
    limits: FeedLimits = field(default_factory=FeedLimits)
    #: The farm's, by the names of ``tidegate simulate --scenario``; and farm seconds per second.
    scenario: str = "calm"
    speed: float = 1.0
    #: role -> variables to add to that process's environment
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def secrets(self) -> Path:
        """The folder with one file for each secret."""
        return self.home / "secrets"

    @property
    def site_file(self) -> Path:
        """The agent's configuration."""
        return self.home / "site.toml"

    @property
    def farm_file(self) -> Path:
        """Written by the farm when its PLCs answer."""
        return self.home / "farm.json"

    @property
    def token_file(self) -> Path:
        """The facade's bearer token, which it makes itself."""
        return self.secrets / "http-token"

    @property
    def users(self) -> tuple[str, ...]:
        """Everybody who may log in at the broker."""
        return (self.site, "@gateway", "@facade", self.person)

    @property
    def broker_files(self) -> BrokerFiles:
        """The broker's configuration, rights and passwords."""
        listening = Listening(
            machines_port=self.ports.machines, people_port=self.ports.people, persistence=self.persistence
        )
        return BrokerFiles(self.home / "broker", secrets=self.secrets, listening=listening)

    def write_files(self) -> None:
        """Make or renew every file that the processes read; secrets that exist are kept."""
        private_folder(self.home)
        private_folder(self.home / "redis")
        files = self.broker_files
        files.write(self.users)
        if self.programs.mosquitto is None:
            ports = {"machines": self.ports.machines, "people": self.ports.people}
            secrets = {user: files.secret(user) for user in self.users}
            write_private(self.home / "broker" / "wheel.toml", wheel_broker.configuration(ports, secrets))
        self._write_redis()
        site = Site(
            name=self.site,
            broker_host=HOST,
            broker_port=self.agent_broker_port or self.ports.machines,
            password_file=files.secret_file(self.site),
            folder=self.home / "agent",
            modbus_port=self.agent_modbus_port or self.ports.modbus,
            heartbeat_s=self.heartbeat_s,
            poll_s=self.poll_s,
            limits=self.limits,
        )
        write_private(self.site_file, site_toml(site))

    def _write_redis(self) -> None:
        folder = self.home / "redis"
        text = redis_server.configuration(
            port=self.ports.redis,
            password=secret_in(self.secrets / "redis-admin"),
            user_password=secret_in(self.secrets / "redis"),
            folder=folder.as_posix(),
        )
        write_private(folder / "redis.conf", text)

    def argv(self, role: str) -> list[str]:
        """The command of a role; no secret is on it."""
        ours = [sys.executable, "-m", "gateway"]
        if role == BROKER:
            if self.programs.mosquitto is None:
                return [sys.executable, "-m", wheel_broker.__name__, str(self.home / "broker" / "wheel.toml")]
            return [str(self.programs.mosquitto), "-c", str(self.broker_files.configuration)]
        if role == REDIS:
            return [str(self.programs.redis), str(self.home / "redis" / "redis.conf")]
        if role == FARM:
            files = ["--ready-file", str(self.farm_file), "--state", str(self.home / "plcs.json")]
            return [*ours, "simulate", *files, "--scenario", self.scenario, "--speed", f"{self.speed:g}"]
        if role == AGENT:
            return [*ours, "agent", "--config", str(self.site_file)]
        return [*ours, role]

    def variables(self, role: str) -> dict[str, str]:
        """The settings of a role as environment variables; secrets are named by their files."""
        return {**self._own_variables(role), **self.environment.get(role, {})}

    def _own_variables(self, role: str) -> dict[str, str]:
        if role == FARM:
            return {"TIDEGATE_MODBUS_PORT": str(self.ports.modbus)}
        if role not in {GATEWAY, FACADE}:
            return {}
        variables = {
            "TIDEGATE_HOME": str(self.home),
            "TIDEGATE_BROKER_HOST": HOST,
            "TIDEGATE_BROKER_PORT": str(self.ports.machines),
            "TIDEGATE_REDIS_URL": f"redis://{redis_server.USER}@{HOST}:{self.ports.redis}/0",
            "TIDEGATE_REDIS_PASSWORD_FILE": str(self.secrets / "redis"),
            "TIDEGATE_HEARTBEAT_S": str(self.heartbeat_s),
            "TIDEGATE_ALIVE_EXPIRY_S": str(self.alive_expiry_s),
        }
        if role == FACADE:
            variables["TIDEGATE_HTTP_HOST"] = HOST
            variables["TIDEGATE_HTTP_PORT"] = str(self.ports.http)
        return variables
