"""RFC 9457: every refusal and every fault leaves the facade in one shape, whatever path it took.

``TABLE`` maps an error's class to the HTTP status; ``code`` is stable, and ``type`` is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from gateway import ledger_writer
from gateway.identity import enrolments
from gateway.protocol.errors import Fault, InvalidInput, TidegateError, Unavailable
from http_facade import refusals
from http_facade.groups import refusals as group_refusals
from http_facade.representations import to_json

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Row:
    """What a class of errors becomes; ``retry_after_s`` is the least sensible wait before asking again."""

    status: int
    title: str
    retry_after_s: int | None = None


TABLE: Final[dict[type[TidegateError], Row]] = {
    refusals.Unauthorized: Row(401, "Token missing or wrong"),
    refusals.TooManyAttempts: Row(429, "Too many wrong tokens", 1),
    refusals.Forbidden: Row(403, "Not allowed"),
    refusals.CsrfMissing: Row(403, "X-CSRF-Token missing"),
    refusals.NotSignedIn: Row(401, "Not signed in"),
    refusals.Malformed: Row(400, "Request not understood"),
    refusals.KeyRequired: Row(400, "Idempotency-Key missing"),
    group_refusals.NotYourGroup: Row(403, "Somebody else's group"),
    group_refusals.SecondPersonNeeded: Row(403, "A second person must run it"),
    group_refusals.TokenWrong: Row(403, "Token of the group wrong"),
    refusals.NotFound: Row(404, "Not found"),
    group_refusals.TokenUsed: Row(409, "Token of the group used"),
    group_refusals.TokenExpired: Row(410, "Preview too old"),
    group_refusals.TooManyPreviews: Row(429, "Too many open previews", 15),
    refusals.AlarmOver: Row(409, "Alarm over"),
    refusals.NotCancellable: Row(409, "Not cancellable"),
    refusals.RevisionDiffers: Row(412, "Not the revision of the settings"),
    refusals.UnsupportedMedia: Row(415, "Media type not supported"),
    refusals.KeyConflict: Row(422, "Idempotency-Key used for something else"),
    InvalidInput: Row(422, "Input breaks the rules"),
    refusals.SiteOffline: Row(503, "Site silent", 5),
    refusals.PlcLost: Row(503, "PLC lost", 5),
    refusals.GateUnavailable: Row(503, "Freshness unknown", 1),
    refusals.BrokerUnavailable: Row(503, "Broker unavailable", 1),
    refusals.LedgerUnavailable: Row(503, "Ledger unavailable", 1),
    refusals.TooManyStreams: Row(503, "Too many streams", 5),
    refusals.Overloaded: Row(503, "Overloaded", 1),
    ledger_writer.Overloaded: Row(503, "Overloaded", 1),
    refusals.EnrolmentClosed: Row(503, "Enrolment not set up"),
    enrolments.NotEnrolled: Row(403, "Not enrolled"),
    refusals.NotReady: Row(503, "Not ready", 1),
    Unavailable: Row(503, "A part is down", 1),
}

#: Titles of a command's bad ends, by status.
ENDINGS: Final[dict[int, Row]] = {
    409: Row(409, "Refused at the site"),
    412: Row(412, "Not the revision of the settings"),
    422: Row(422, "Input refused at the site"),
    502: Row(502, "The PLC did not do it"),
    503: Row(503, "Not possible now", 1),
    504: Row(504, "Too late, nothing was written"),
}

_HTTP_CODES: Final = {
    400: "malformed",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
}


def problem(row: Row, code: str, detail: str, facts: Mapping[str, object] | None = None) -> Response:
    """The response; ``facts`` are extension members (RFC 9457 section 3.2)."""
    body: dict[str, object] = {
        "type": f"urn:tidegate:problem:{code}",
        "title": row.title,
        "status": row.status,
        "detail": detail,
        "code": code,
        "instance": request.path,
    }
    if facts:
        body.update(facts)
    response = Response(to_json(body), status=row.status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if row.retry_after_s is not None:
        response.headers["Retry-After"] = str(row.retry_after_s)
    return response


def from_error(error: TidegateError) -> Response:
    """Render an error of ours; a class without a row of its own has its parent's."""
    if isinstance(error, refusals.Ended):
        return _from_ended(error)
    row = next((TABLE[each] for each in type(error).__mro__ if each in TABLE), None)
    if row is None:
        return from_fault(error)
    code, detail = error.code, str(error)
    facts: Mapping[str, object] = {}
    if isinstance(error, InvalidInput):
        facts = {"errors": errors(error.faults)}
    elif isinstance(error, refusals.NotFound):
        code = f"unknown-{error.what}"
    elif isinstance(error, Unavailable):
        code = "ledger-unavailable" if error.part == "database" else f"{error.part}-unavailable"
    elif isinstance(error, refusals.NotCancellable):
        facts = {"command": error.command}
    elif isinstance(error, refusals.Refusal):
        facts = error.facts
    response = problem(row, code, detail, facts)
    if isinstance(error, refusals.Refusal):
        response.headers.update(error.headers)
    return response


def errors(faults: Iterable[Fault]) -> list[dict[str, str]]:
    """Faults as RFC 9457's example lists them, each with a JSON pointer into the body."""
    return [{"pointer": each.pointer, "code": each.code, "detail": each.detail} for each in faults]


def _from_ended(error: refusals.Ended) -> Response:
    response = problem(ENDINGS[error.status], error.cause, error.detail, {**error.facts, "command": error.command})
    response.headers["Location"] = f"/v1/commands/{error.command['id']}"
    if error.replayed:
        response.headers["Idempotency-Replayed"] = "true"
        response.headers.pop("Retry-After", None)  # the same key will never lead to anything else
    return response


def from_http(error: HTTPException) -> Response:
    """Render Flask's own 404, 405, 413 and the like, with the headers they carry (405 has Allow)."""
    status = error.code or 500
    if status < 400:
        return error.get_response()  # type: ignore[return-value]  # a redirect; werkzeug's base class, same shape
    code = _HTTP_CODES.get(status, "internal-error" if status >= 500 else "bad-request")
    response = problem(Row(status, error.name), code, error.description or error.name)
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def from_fault(error: Exception) -> Response:
    """Render our own bug: the cause goes to the log, never to the caller."""
    log.error("request-failed", method=request.method, path=request.path, exc_info=error)
    return problem(Row(500, "Internal error"), "internal-error", "a fault of ours; the log tells more")


def register(app: Flask, *, heard: Callable[[TidegateError | HTTPException], None]) -> None:
    """Make ``app`` answer nothing but problems when something is wrong; ``heard`` hears of it before the caller."""

    def ours(error: TidegateError) -> Response:
        heard(error)
        return from_error(error)

    def flasks(error: HTTPException) -> Response:
        heard(error)
        return from_http(error)

    app.register_error_handler(TidegateError, ours)
    app.register_error_handler(HTTPException, flasks)
    app.register_error_handler(Exception, from_fault)
