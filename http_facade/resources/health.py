"""``/healthz`` and ``/readyz``: for load balancers and supervisors, without a token."""

from __future__ import annotations

from http_facade import schemas
from http_facade.openapi import a_problem, blueprint
from http_facade.refusals import NotReady
from http_facade.representations import Json
from http_facade.services import services

api = blueprint("health", "Whether this process lives, and whether it can do its work.", secured=False)


@api.get("/healthz", responses={200: schemas.Health})
def healthz() -> Json:
    """Tell that the process lives."""
    return {"ok": True}


@api.get("/readyz", responses={200: schemas.Readiness, 503: a_problem("a part is down")})
def readyz() -> Json:
    """Tell whether broker, Redis and database answer."""
    parts = services().readiness()
    if not all(part["ok"] for part in parts.values()):
        raise NotReady(parts)
    return {"ready": True, "parts": parts}
