"""A web client for tests: what somebody at the far end of the facade sees, and for how long they wait."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from gateway.demo.stack import Stack
from gateway.protocol.messages import Value

#: Longer than the facade's own longest wait: a test must see an answer, even a late one.
_PATIENCE_S: Final = 40.0
DEVICE: Final = "feeder-1"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; ``code`` is the problem's or the command's own."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]
    took_s: float

    @property
    def code(self) -> str | None:
        """Why, in one stable word."""
        return self.body.get("code")

    @property
    def verdict(self) -> tuple[int, str | None]:
        """Status and code, for one comparison."""
        return self.status, self.code

    @property
    def replayed(self) -> bool:
        """Whether the key was known."""
        return self.headers.get("Idempotency-Replayed") == "true"

    @property
    def command(self) -> str:
        """The id of the command that the answer is about."""
        found = self.body.get("command") or self.body
        return str(found["id"])


class HttpClient:
    """Talks to a stack's facade; every call has a connection of its own, so facades may come and go."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def write(self, values: Mapping[str, Value], *, device: str = DEVICE, wait_s: int = 5, ttl_s: float = 10) -> Answer:
        """Ask for settings of a device."""
        return self._ask(
            "PATCH",
            f"/v1/sites/{self._stack.plan.site}/devices/{device}/settings?ttl_s={ttl_s:g}",
            json=dict(values),
            headers={"Prefer": f"wait={wait_s}"},
        )

    def act(
        self,
        action: str,
        arguments: Mapping[str, Value],
        *,
        key: str | None = None,
        device: str = DEVICE,
        wait_s: int = 10,
        ttl_s: float = 10,
    ) -> Answer:
        """Ask for an action; ``key`` None is one that nobody has used."""
        return self._ask(
            "POST",
            f"/v1/sites/{self._stack.plan.site}/devices/{device}/actions/{action}?ttl_s={ttl_s:g}",
            json=dict(arguments),
            headers={"Prefer": f"wait={wait_s}", "Idempotency-Key": key or str(uuid.uuid4())},
        )

    def feed(self, grams: int, *, key: str | None = None, device: str = DEVICE, wait_s: int = 10) -> Answer:
        """Ask for a dose."""
        return self.act("feed", {"grams": grams}, key=key, device=device, wait_s=wait_s)

    def cancel(self, command: str, *, wait_s: int = 5) -> Answer:
        """Ask to cancel a command."""
        return self._ask("POST", f"/v1/commands/{command}/cancel", headers={"Prefer": f"wait={wait_s}"})

    def get(self, path: str, **query: object) -> Answer:
        """Read a resource."""
        return self._ask("GET", path, params=query)

    def site(self) -> dict[str, Any]:
        """The site."""
        return self.get(f"/v1/sites/{self._stack.plan.site}").body

    def device(self, device: str = DEVICE) -> dict[str, Any]:
        """A device of the site."""
        return self.get(f"/v1/sites/{self._stack.plan.site}/devices/{device}").body

    def command(self, command: str) -> dict[str, Any]:
        """A command with its time line."""
        return self.get(f"/v1/commands/{command}").body

    def commands(self, **query: object) -> list[dict[str, Any]]:
        """All commands, newest first."""
        items: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next": None}
        while page["next"] is not None or not items:
            cursor = {} if page["next"] is None else {"cursor": page["next"]}
            page = self.get("/v1/commands", limit=200, **cursor, **query).body
            items += page["items"]
            if page["next"] is None:
                break
        return items

    def _ask(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **parts: Any) -> Answer:  # noqa: ANN401 # what requests takes
        bearer = {"Authorization": f"Bearer {self._stack.token}", **(headers or {})}
        began_s = time.monotonic()
        response = requests.request(method, self._stack.http_url + path, headers=bearer, timeout=_PATIENCE_S, **parts)
        return Answer(response.status_code, response.json(), response.headers, time.monotonic() - began_s)
