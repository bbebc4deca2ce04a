"""How sites, devices and commands look in JSON; their schemas for OpenAPI stand in ``schemas``.

Plain dictionaries, made by hand: these run on every answer, and what they show was validated when it came in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.audit_chain import Link
from gateway.course import Buckets, Course, SeriesRecord
from gateway.database.tables import moment
from gateway.events import Acknowledgement, AlarmRecord, EventRecord
from gateway.ledger import Asked, CommandRecord
from gateway.liveness import Alive
from gateway.protocol.allowance import WINDOW_S, Allowance
from gateway.protocol.codes import EVIDENCE
from gateway.protocol.description import Description
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, PlcLink, SiteState
from gateway.sites import DeviceRecord, SiteRecord
from http_facade.desired import Wish

Json = dict[str, Any]
#: The quality of what is no sample: from then on one was due that never came.
MISSING: Final = "missing"
_SENTENCES: Final[dict[str, str]] = {str(word): sentence for word, sentence in EVIDENCE.items()}

#: JSON text without spaces; made once, for ``json.dumps`` would build an encoder for every answer.
to_json: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def instant(moment: datetime | None) -> str | None:
    """RFC 3339, in UTC."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def asked_command(asked: Asked, ack: Ack | None) -> Json:
    """A command as its requester knows it: what was asked, and the final ack if there is one."""
    state = State.PENDING if ack is None else ack.state
    return {
        "id": asked.id,
        "site": asked.site,
        "device": asked.device,
        "name": asked.name,
        "requester": asked.requester,
        "actor": asked.actor,
        "source_address": asked.source_address,
        "idempotency_key": asked.key,
        "reason": asked.reason,
        "input": dict(asked.input),
        "expect_revision": asked.expect_revision,
        "issued_at": instant(asked.issued_at),
        "ttl_s": asked.ttl_s,
        "deadline_at": instant(asked.issued_at + timedelta(seconds=asked.ttl_s)),
        "state": state,
        "final": state.final,
        "code": None if ack is None else ack.code,
        "detail": "" if ack is None else ack.detail,
        "result": {} if ack is None else ack.result,
        "evidence": None if ack is None else _evidence(ack.evidence),
        "epoch": None if ack is None else ack.epoch,
    }


def recorded_command(record: CommandRecord) -> Json:
    """A command as the ledger has it."""
    return {
        "id": record.id,
        "site": record.site,
        "device": record.device,
        "name": record.name,
        "requester": record.requester,
        "actor": record.actor,
        "source_address": record.source_address,
        "idempotency_key": record.key,
        "reason": record.reason,
        "input": dict(record.input),
        "expect_revision": record.expect_revision,
        "issued_at": instant(record.issued_at),
        "ttl_s": record.ttl_s,
        "deadline_at": instant(record.deadline_at),
        "state": record.state,
        "final": record.state.final,
        "code": record.code,
        "detail": record.detail or "",
        "result": dict(record.result or {}),
        "evidence": _evidence(record.evidence),
        "epoch": record.epoch,
    }


def time_line(record: CommandRecord) -> list[Json]:
    """What happened to the command, in order: when it did, and when the centre wrote it down."""
    return [
        {
            "what": step.what,
            "at": instant(step.at),
            "recorded_at": instant(step.recorded_at),
            "source": step.source,
            "code": step.code,
            "detail": step.detail or "",
            "evidence": _evidence(step.evidence),
        }
        for step in record.steps
    ]


def _evidence(word: str | None) -> Json | None:
    """By what an end is known: one stable word, and the sentence for people."""
    return None if word is None else {"code": word, "detail": _SENTENCES.get(word, "")}


def site(record: SiteRecord, alive: Alive | None, cause: str | None, now: datetime, *, alive_expiry_s: float) -> Json:
    """A site: ``online`` is the gate's word alone, the rest is what was reported; ``cause`` says why it is null."""
    beat = None if alive is None else alive.heartbeat
    silent_s = None if record.last_beat_at is None else _elapsed_s(record.last_beat_at, now)
    age_s = silent_s if alive is None else round(alive.age_s, 1)
    beat_at = record.last_beat_at if alive is None else now - timedelta(seconds=alive.age_s)
    plcs: Mapping[str, PlcLink] = record.plcs or {} if beat is None else beat.plcs
    return {
        "site": record.site,
        "online": None if cause is not None else alive is not None,
        "cause": cause,
        "state": record.state,
        # A will is written when the connection begins, so it cannot say when it ended.
        "since": instant(record.last_beat_at if record.state is SiteState.OFFLINE else record.since),
        "reason": record.reason or "",
        "version": record.version,
        "heartbeat_age_s": age_s,
        "silent_s": None if alive is not None else silent_s,
        "last_beat_at": instant(beat_at),
        "alive_expiry_s": alive_expiry_s,
        "plcs": dict(plcs),
        "outbox": record.outbox if beat is None else beat.outbox,
    }


def alarm(record: AlarmRecord) -> Json:
    """An alarm that is active."""
    return {
        "site": record.site,
        "device": record.device,
        "name": record.name,
        "source": record.source,
        "severity": record.severity,
        "title": record.title,
        "detail": record.detail,
        "since": instant(record.since),
        "at": instant(record.at),
        "acknowledged": _acknowledged(record.acknowledged),
    }


def _acknowledged(found: Acknowledgement | None) -> Json | None:
    return None if found is None else {"by": found.by, "at": instant(found.at), "note": found.note}


def event(record: EventRecord) -> Json:
    """Something that happened."""
    return {
        "id": record.id,
        "site": record.site,
        "device": record.device,
        "name": record.name,
        "source": record.source,
        "at": instant(record.at),
        "detail": record.detail,
        "active": record.active,
        "severity": record.severity,
        "data": dict(record.data),
        "received_at": instant(record.received_at),
    }


def audit_row(link: Link) -> Json:
    """A row of the audit."""
    columns = asdict(link.entry)
    at = instant(moment(columns.pop("at_us")))
    for name in ("input", "before", "result"):
        # What was refused may be no number that JSON knows.
        columns[name] = None if columns[name] is None else json.loads(columns[name], parse_constant=str)
    return {"number": link.number, "at": at, **columns, "hash": link.hash}


def course(found: Course | None, start_us: int, end_us: int, series: SeriesRecord | None) -> Json:
    """A property over a stretch of time, in columns, which are small and which charts take as they are."""
    body: Json = {
        "from": instant(moment(start_us)),
        "to": instant(moment(end_us)),
        "every_s": None if series is None else series.every_s,
        "samples": None,
        "buckets": None,
    }
    match found:
        case Buckets():
            body["buckets"] = _buckets(found)
        case _:
            samples = () if found is None else found.samples
            body["samples"] = {
                "at_ms": [each.at_us // 1_000 for each in samples],
                "value": [each.value for each in samples],
                "quality": [MISSING if each.quality is None else each.quality for each in samples],
            }
    return body


def _buckets(found: Buckets) -> Json:
    known = [each if each is not None and each.count else None for each in found.buckets]
    return {
        "start_ms": found.start_us // 1_000,
        "width_ms": found.width_us // 1_000,
        "count": [0 if each is None else each.count for each in known],
        "least": [None if each is None else each.least for each in known],
        "mean": [None if each is None or each.total is None else each.total / each.count for each in known],
        "most": [None if each is None else each.most for each in known],
        "last": [None if each is None else each.last for each in found.buckets],
    }


def allowance(found: Allowance | None, next_at: datetime | None, now: datetime) -> Json:
    """What an action's limits allow now; None: it has no limits."""
    return {
        "largest": None if found is None else found.largest,
        "least_gap_s": None if found is None else found.least_gap_s,
        "most": None if found is None else found.most,
        "window_s": None if found is None else WINDOW_S,
        "used": None if found is None else found.used,
        "left": None if found is None else found.left,
        "next_at": instant(next_at),
        "as_of": instant(now),
    }


def settings_of(record: DeviceRecord) -> frozenset[str]:
    """Names of what can be written; none while the description is unknown."""
    return frozenset() if record.description is None else record.description.settings


def device(record: DeviceRecord, wishes: Mapping[str, Wish], now: datetime) -> Json:
    """A device: what it reports, what was last asked of it, and where the two differ."""
    description: Description | None = record.description
    state = record.state
    values = {} if state is None else dict(state.properties)
    settings = settings_of(record)
    reported = {name: value for name, value in values.items() if name in settings}
    return {
        "site": record.site,
        "device": record.device,
        "title": record.device if description is None else description.title,
        "plc": None if description is None else description.plc,
        "quality": None if state is None else state.quality,
        "cause": "" if state is None else state.cause,
        "at": None if state is None else instant(state.at),
        "age_s": None if state is None else _elapsed_s(state.at, now),
        "revision": None if state is None else state.revision,
        "settings": reported,
        "readings": {name: value for name, value in values.items() if name not in settings},
        "desired": {
            name: {"value": wish.value, "state": wish.state, "command": wish.command} for name, wish in wishes.items()
        },
        "drift": sorted(name for name, wish in wishes.items() if name in reported and not wish.met_by(reported[name])),
    }


def _elapsed_s(then: datetime, now: datetime) -> float:
    return round(max(0.0, (now - then).total_seconds()), 1)
