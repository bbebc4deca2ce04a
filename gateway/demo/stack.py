"""The whole system as child processes: for the demo, for tests and for benchmarks.

Children are started from the caller's thread, which must live on: on Linux they end with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Final, Self

from pydantic import SecretStr

from gateway.broker import Login
from gateway.demo import browser_account, readiness
from gateway.demo.process import Child
from gateway.demo.roles import AGENT, BROKER, FACADE, FARM, GATEWAY, HOST, REDIS, ROLES, Plan
from gateway.demo.site import PROBE_DEVICE, PROBE_PROPERTY, PROBE_REGISTER, UNIT
from gateway.protocol.errors import Unavailable
from gateway.settings import DatabaseSettings

READY_TIMEOUT_S: Final = 30.0
_TICK_S: Final = 0.05


class Stack:
    """The processes of one :class:`Plan`; ``with Stack(plan) as stack`` starts all and stops all."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._past_epoch: int | None = None
        self.children = {
            role: Child(
                role,
                plan.argv(role),
                log=plan.home / "logs" / f"{role}.log",
                environment=plan.variables(role),
            )
            for role in ROLES
        }

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, roles: Iterable[str] = ROLES, *, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Start these roles, and return when each is ready; all of them: when a write may pass.

        Raises:
            Unavailable: one ended, or was not ready in time; holds the end of its log.
        """
        wanted = [role for role in ROLES if role in set(roles)]
        self.plan.write_files()
        for group in ((BROKER, REDIS), (GATEWAY, FACADE, FARM, AGENT)):
            now = [role for role in group if role in wanted]
            for role in now:
                self._launch(role)
            for role in now:
                self.wait_until_ready(role, timeout_s=timeout_s)
        if set(wanted) == set(ROLES):
            self._wait_for_devices(timeout_s)

    def stop(self) -> None:
        """Stop everything, the agent first, so that each can still say goodbye to those it needs."""
        for group in ((AGENT,), (FACADE, GATEWAY, FARM), (REDIS, BROKER)):
            for role in group:
                self.children[role].ask_to_stop()
            for role in group:
                self.children[role].stop()

    def kill(self, role: str) -> None:
        """End a role at once (SIGKILL)."""
        self.children[role].kill()

    def freeze(self, role: str) -> None:
        """Stop a role's clockwork; its connections stay open (SIGSTOP)."""
        self.children[role].freeze()

    def thaw(self, role: str) -> None:
        """Let a frozen role go on."""
        self.children[role].thaw()

    def restart(self, role: str, *, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Start a role again, stopping it first if it runs, and return when it is ready.

        Raises:
            Unavailable: as :meth:`start`.
        """
        self.children[role].stop()
        self.start([role], timeout_s=timeout_s)

    def wait_until_ready(self, role: str, *, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return when a role serves.

        Raises:
            Unavailable: it ended, or was not ready in time; holds the end of its log.
        """
        child, deadline_s = self.children[role], time.monotonic() + timeout_s
        while not self.is_ready(role):
            if not child.running:
                raise Unavailable(role, f"it ended with code {child.exit_code}:\n{child.last_words()}")
            if time.monotonic() > deadline_s:
                raise Unavailable(role, f"not ready after {timeout_s:g} s:\n{child.last_words()}")
            time.sleep(_TICK_S)

    def is_ready(self, role: str) -> bool:
        """Whether a role serves now."""
        ports = self.plan.ports
        questions: dict[str, Callable[[], bool]] = {
            BROKER: lambda: readiness.listens(HOST, ports.machines) and readiness.listens(HOST, ports.people),
            REDIS: lambda: readiness.redis_answers(self.redis_url),
            GATEWAY: lambda: readiness.is_online(self.login(self.plan.person)),
            FACADE: lambda: readiness.http_status(f"{self.http_url}/readyz") == 200,
            FARM: self.plan.farm_file.exists,
            AGENT: lambda: self._live_epoch() not in {None, self._past_epoch},
        }
        return questions[role]()

    def _wait_for_devices(self, timeout_s: float) -> None:
        # The agent's first beat may go out before its PLCs have answered, and a gate is shut while a PLC is lost.
        deadline_s = time.monotonic() + timeout_s
        while not readiness.takes_writes(self.http_url, self.token, self.plan.site, PROBE_DEVICE):
            if time.monotonic() > deadline_s:
                raise Unavailable(AGENT, f"no device after {timeout_s:g} s:\n{self.children[AGENT].last_words()}")
            time.sleep(_TICK_S)

    def _live_epoch(self) -> int | None:
        return readiness.live_epoch(self.redis_url, self.plan.site, self.plan.alive_expiry_s)

    def _launch(self, role: str) -> None:
        if role == FARM:
            self.plan.farm_file.unlink(missing_ok=True)
        if role == AGENT:
            # The key of the agent's last life must not make the new one look ready before it is.
            self._past_epoch = self._live_epoch()
        self.children[role].start()

    @property
    def http_url(self) -> str:
        """Where the facade serves."""
        return f"http://{HOST}:{self.plan.ports.http}"

    @property
    def token(self) -> str:
        """The facade's bearer token."""
        return self.plan.token_file.read_text(encoding="utf-8").strip()

    @property
    def console_url(self) -> str:
        """Where a browser finds the web console."""
        return f"{self.http_url}/console/"

    def browser_account(self) -> tuple[str, str]:
        """Name and password of an administrator of the web console, who is entered at the first call."""
        url = DatabaseSettings(home=self.plan.home).database_url
        return browser_account.NAME, browser_account.ensure(self.plan.secrets, url)

    @property
    def redis_url(self) -> str:
        """Redis with the administrator's password: for scripts that watch and disturb."""
        password = (self.plan.secrets / "redis-admin").read_text(encoding="utf-8").strip()
        return f"redis://:{password}@{HOST}:{self.plan.ports.redis}/0"

    def login(self, user: str, *, people: bool = True) -> Login:
        """A login at the listener for people, which takes every user, any number of times."""
        port = self.plan.ports.people if people else self.plan.ports.machines
        secret = SecretStr(self.plan.broker_files.secret(user))
        return Login(host=HOST, port=port, username=user, password=secret)

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of all roles that were started."""
        return {role: child.pid for role, child in self.children.items() if child.pid is not None}

    def summary(self) -> dict[str, Any]:
        """What a script needs to use the running stack, secrets included: the content of ``demo.json``."""
        plan = self.plan
        return {
            "http": {"url": self.http_url, "token": self.token},
            "mqtt": {
                "host": HOST,
                "port": plan.ports.people,
                "users": {user: plan.broker_files.secret(user) for user in plan.users},
            },
            "redis": {"url": self.redis_url},
            "site": plan.site,
            "pids": self.pids,
            "probe": {
                "device": PROBE_DEVICE,
                "property": PROBE_PROPERTY,
                "host": HOST,
                "port": plan.ports.modbus,
                "unit": UNIT,
                "register": PROBE_REGISTER,
            },
        }
