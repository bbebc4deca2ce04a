"""Every write that is refused here, and every cancel, has its row in the audit before its caller hears of it (I14)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Final, Protocol

import structlog

from gateway.audit_chain import Entry, Kind
from gateway.database.tables import storable
from gateway.doers import Doer
from gateway.ledger import CommandRecord
from gateway.protocol.errors import TidegateError, Unavailable

log = structlog.get_logger(__name__)

#: A refusal is told all the same when the audit cannot be written by then; nothing was done.
PATIENCE_S: Final = 1.0
_LONGEST_INPUT: Final = 4_096
_LONGEST_DETAIL: Final = 1_024
_LONGEST_ID: Final = 48
_LONGEST_NAME: Final = 64


class Writer(Protocol):
    """The ledger's writer."""

    def audited(self, entry: Entry) -> Future[None]:
        """Add a row to the audit."""


class AuditNotes:
    """Of one facade, whose name at the broker is ``principal``."""

    def __init__(self, writer: Writer, *, principal: str) -> None:
        self._writer = writer
        self._principal = principal

    def doer(self, actor: str, source_address: str | None) -> Doer:
        """A caller of this facade who changes something of the centre itself, in a transaction that has its own row."""
        return Doer(principal=self._principal, actor=actor, source_address=source_address)

    def cancel(self, record: CommandRecord, *, actor: str, source_address: str | None) -> None:
        """Return when it is committed who wants the command cancelled; only the first of several is.

        Raises:
            Overloaded, Unavailable: it is not; no cancel may be sent.
        """
        entry = Entry(
            at_us=time.time_ns() // 1_000,
            kind=Kind.CANCEL,
            site=record.site,
            device=record.device,
            name=record.name,
            command=record.id,
            principal=self._principal,
            actor=storable(actor),
            source_address=source_address,
        )
        try:
            self._writer.audited(entry).result(PATIENCE_S)
        except FutureTimeoutError as error:
            raise Unavailable("database", f"no row in the audit within {PATIENCE_S:g} s") from error

    def refusal(  # one column each
        self,
        *,
        site: str,
        device: str,
        name: str,
        actor: str | None,
        source_address: str | None,
        input: Mapping[str, Any] | None,
        code: str,
        detail: str,
        command: str | None = None,
    ) -> None:
        """Return when the row is committed; if it cannot be, a line in the log must do.

        ``command``: of one that may have got a row after all, which is then the only one.
        """
        entry = Entry(
            at_us=time.time_ns() // 1_000,
            kind=Kind.REFUSED,
            site=_short(site, _LONGEST_ID),
            device=_short(device, _LONGEST_ID),
            name=_short(name, _LONGEST_NAME),
            command=command,
            principal=self._principal,
            actor=storable(actor),
            source_address=source_address,
            input=_text(input),
            code=_short(code, _LONGEST_NAME),
            detail=_short(detail, _LONGEST_DETAIL),
        )
        try:
            self._writer.audited(entry).result(PATIENCE_S)
        except (TidegateError, FutureTimeoutError) as error:
            log.error("refusal-not-audited", site=entry.site, device=entry.device, name=entry.name, cause=str(error))


def _short(text: str, most: int) -> str:
    return (storable(text) or "")[:most]


def _text(input: Mapping[str, Any] | None) -> str | None:
    if input is None:
        return None
    text = storable(json.dumps(input, separators=(",", ":"))) or ""
    return text if len(text) <= _LONGEST_INPUT else json.dumps({"bytes": len(text)})
