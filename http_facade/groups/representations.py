"""How groups look in JSON; their schemas stand in ``schemas``."""

from __future__ import annotations

from collections.abc import Sequence

from http_facade.groups.rows import GroupRecord, ItemRecord
from http_facade.representations import Json, instant


def group(record: GroupRecord) -> Json:
    """A group without its targets."""
    return {
        "id": record.id,
        "state": record.state,
        "cause": record.cause,
        "actor": record.actor,
        "run_by": record.run_by,
        "name": record.name,
        "input": dict(record.input),
        "rate_per_s": record.rate_per_s,
        "stop_share": record.stop_share,
        "ttl_s": record.ttl_s,
        "created_at": instant(record.created_at),
        "expires_at": instant(record.expires_at),
        "started_at": instant(record.started_at),
        "ended_at": instant(record.ended_at),
        "summary": dict(record.summary),
        "progress": {"targets": record.targets, "failed": record.failed, "states": dict(record.counts)},
    }


def in_full(record: GroupRecord, items: Sequence[ItemRecord]) -> Json:
    """A group with its targets."""
    return group(record) | {"targets": [_target(each) for each in items]}


def _target(item: ItemRecord) -> Json:
    return {
        "site": item.site,
        "device": item.device,
        **item.preview,
        "state": item.state,
        "command": item.command,
        "code": item.code,
        "detail": item.detail or "",
    }
