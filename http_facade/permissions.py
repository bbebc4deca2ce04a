"""Which role each route needs. What does not stand here is denied to everybody (a test compares it with the routes)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import Request

from gateway.roles import Role

_SITE: Final = "/v1/sites/<site>"
_DEVICE: Final = f"{_SITE}/devices/<device>"
_READS: Final = (
    "/v1/overview",
    "/v1/sites",
    _SITE,
    f"{_SITE}/devices",
    _DEVICE,
    f"{_DEVICE}/description",
    f"{_DEVICE}/actions/<action>/allowance",
    f"{_DEVICE}/history",
    f"{_DEVICE}/samples",
    f"{_DEVICE}/settings/history",
    f"{_SITE}/feed-totals",
    f"{_SITE}/availability",
    "/v1/commands",
    "/v1/commands.csv",
    "/v1/commands/<id>",
    "/v1/alarms",
    "/v1/events",
    "/v1/events.csv",
    "/v1/stream",
    "/v1/groups",
    "/v1/groups/<id>",
    "/openapi.json",
    "/docs",
    "/docs/scalar.standalone.js",
    "/v1/session",
)
_WRITE: Final = f"PATCH {_DEVICE}/settings"
_ACT: Final = f"POST {_DEVICE}/actions/<action>"
RUN_GROUP: Final = "POST /v1/groups/<id>/run"
#: What has an effect at a PLC if it passes; each refusal is audited (I14).
ASKING: Final = frozenset({_WRITE, _ACT, RUN_GROUP})
#: Method and rule, as Flask writes them.
NEEDED: Final[Mapping[str, Role]] = {
    **{f"GET {rule}": Role.VIEWER for rule in _READS},
    "DELETE /v1/session": Role.VIEWER,
    _WRITE: Role.OPERATOR,
    _ACT: Role.OPERATOR,
    "POST /v1/commands/<id>/cancel": Role.OPERATOR,
    f"POST {_DEVICE}/alarms/<alarm>/acknowledgement": Role.OPERATOR,
    "GET /v1/audit": Role.ENGINEER,
    "GET /v1/audit.csv": Role.ENGINEER,
    "POST /v1/groups": Role.ENGINEER,
    RUN_GROUP: Role.ENGINEER,
    "POST /v1/groups/<id>/stop": Role.ENGINEER,
    "GET /v1/registrations": Role.ADMIN,
    "POST /v1/registrations": Role.ADMIN,
    "GET /v1/tokens": Role.ADMIN,
    "POST /v1/tokens": Role.ADMIN,
    "DELETE /v1/tokens/<id>": Role.ADMIN,
    "GET /v1/accounts": Role.ADMIN,
}
#: For load balancers, which have no token; for browsers, which get the console's files before they bring a password;
#: and for agents, which bring a code, or sign with their certificate's key.
OPEN: Final = frozenset(
    {
        "GET /",
        "GET /console",
        "GET /console/",
        "GET /console/<path:path>",
        "GET /healthz",
        "GET /readyz",
        "GET /v1/enrolment/authority",
        "POST /v1/session",
        "POST /v1/enrolment",
        "POST /v1/enrolment/renewal",
    }
)


def method_of(asked: Request) -> str:
    """HEAD is a GET whose body nobody reads."""
    return "GET" if asked.method == "HEAD" else asked.method


def route_of(asked: Request) -> str | None:
    """Method and rule as they stand here; None if there is no such path."""
    return None if asked.url_rule is None else f"{method_of(asked)} {asked.url_rule.rule}"
