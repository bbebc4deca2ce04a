"""What somebody wants of a device, and what is known of it when the answer is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.ledger import Asked, CommandRecord
from gateway.protocol.description import Description
from gateway.protocol.messages import Ack, After, Value
from http_facade.idempotency import fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody wants of a device: settings (``name`` is ``write``) or an action with its arguments.

    ``wait_s`` is the caller's patience, ``revision`` a condition on the settings, ``key`` the Idempotency-Key.
    ``fingerprint`` is a hash of all that the key stands for; None: made from the request.
    """

    site: str
    device: str
    name: str
    input: Mapping[str, Any]
    ttl_s: float
    wait_s: float
    revision: str | None
    actor: str
    source_address: str | None
    key: str | None = None
    fingerprint: str | None = None

    def identity(self) -> str | None:
        """The fingerprint; None without a key."""
        if self.key is None or self.fingerprint is not None:
            return self.fingerprint
        return fingerprint(
            site=self.site,
            device=self.device,
            name=self.name,
            input=self.input,
            revision=self.revision,
            ttl_s=self.ttl_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A request that nothing forbids now: its input as it will travel, and the beat that it relies on."""

    description: Description
    input: Mapping[str, Value]
    after: After


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known when the answer is due: the command as ``asked`` here, and its final ack if there was one.

    Of a replay: the ``record`` of the command that the key named before.
    """

    asked: Asked | None = None
    record: CommandRecord | None = None
    ack: Ack | None = None

    @property
    def replayed(self) -> bool:
        """Whether nothing was done but to look up an earlier command."""
        return self.asked is None

    @property
    def id(self) -> str:
        """The command's id."""
        found = self.asked or self.record
        assert found is not None  # noqa: S101 # one of the two always is
        return found.id
