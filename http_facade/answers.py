"""What a command's end means in HTTP; one table, as in docs/http.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog
from flask import Response

from gateway.ledger import CommandRecord
from gateway.protocol.codes import AckCode
from gateway.protocol.errors import Unavailable
from gateway.protocol.lifecycle import State
from http_facade.dispatch import Outcome
from http_facade.following import Reader
from http_facade.refusals import Ended
from http_facade.representations import Json, asked_command, recorded_command, to_json

REPLAYED: Final = "Idempotency-Replayed"

log = structlog.get_logger(__name__)

#: After an open command: its outcome is rarely there earlier.
RETRY_AFTER_S: Final = 1

_OPEN: Final = 202
_BY_STATE: Final[Mapping[State, int]] = {
    State.PENDING: _OPEN,
    State.ACCEPTED: _OPEN,
    State.UNKNOWN: _OPEN,  # it may have taken effect: never an error that invites a retry
    State.APPLIED: 200,
    State.PARTIAL: 200,
    State.FAILED: 502,
    State.EXPIRED: 504,
    State.REJECTED: 409,
}
_REJECTED: Final[Mapping[str, int]] = {
    AckCode.EXPECT_FAILED: 412,  # only If-Match sets an expectation
    AckCode.INVALID_INPUT: 422,
    AckCode.LIMIT_EXCEEDED: 422,
    AckCode.FENCED: 503,
    AckCode.STALE_EPOCH: 503,
    AckCode.PLC_LOST: 503,
    AckCode.OVERLOADED: 503,
    AckCode.JOURNAL_UNAVAILABLE: 503,
    "broker-refused": 503,
    "broker-unavailable": 503,
    "ledger-unavailable": 503,
}


#: What the site says of a limit or an interlock that forbade a command; members of the problem.
_FACTS: Final[Mapping[str, tuple[str, ...]]] = {
    AckCode.LIMIT_EXCEEDED: ("limit", "allowed", "live", "asked"),
    AckCode.INTERLOCKED: ("interlock", "live"),
}


def status(state: State, code: str | None) -> int:
    """The HTTP status for a command in ``state`` for the reason ``code``."""
    if state is State.REJECTED and code is not None:
        return _REJECTED.get(code, _BY_STATE[state])
    return _BY_STATE[state]


def to_outcome(outcome: Outcome, ledger: Reader) -> Response:
    """The answer to a command that was published, now or by an earlier request with the same key.

    Raises:
        Ended: the command did not do what was asked.
    """
    command = _command(outcome, ledger)
    number = status(command["state"], command["code"])
    if number > _OPEN:
        raise _ended(command, number, replayed=outcome.replayed)
    response = rendered(command, number)
    if outcome.replayed:
        response.headers[REPLAYED] = "true"
    return response


def to_cancel(record: CommandRecord) -> Response:
    """The answer to a cancel: it is cancelled, or nothing is known yet."""
    return rendered(recorded_command(record), 200 if record.state.final else _OPEN)


def rendered(command: Json, number: int) -> Response:
    """A command as the body of a 200 or 202."""
    response = Response(to_json(command), status=number, content_type="application/json")
    response.headers["Location"] = f"/v1/commands/{command['id']}"
    if number == _OPEN:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _ended(command: Json, number: int, *, replayed: bool) -> Ended:
    cause = str(command["code"] or command["state"])
    result = command["result"]
    return Ended(
        status=number,
        cause="broker-unavailable" if cause == "broker-refused" else cause,
        detail=str(command["detail"]) or f"the command is {command['state']}",
        command=command,
        facts={name: result[name] for name in _FACTS.get(cause, ()) if name in result},
        replayed=replayed,
    )


def _command(outcome: Outcome, ledger: Reader) -> Json:
    """What is known by now; if the ledger does not answer, that the command was sent."""
    if outcome.asked is None:
        assert outcome.record is not None  # noqa: S101 # one of the two always is
        return recorded_command(outcome.record)
    if outcome.ack is not None:
        return asked_command(outcome.asked, outcome.ack)
    try:
        record = ledger.get(outcome.asked.id)
    except Unavailable as error:
        log.warning("ledger-unread", command=outcome.asked.id, error=str(error))
        record = None
    return asked_command(outcome.asked, None) if record is None else recorded_command(record)
