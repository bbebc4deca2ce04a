"""Why the facade says no: one class per cause, all before anything was published (I5).

::

    TidegateError
    ├── Refusal
    │   ├── Unauthorized        who asks is not known
    │   ├── TooManyAttempts     too many wrong tokens came from there
    │   ├── Forbidden           the caller's role does not cover this
    │   ├── CsrfMissing         a signed-in browser's change without the header of our pages
    │   ├── NotSignedIn         name and password do not fit
    │   ├── Malformed           the body or a header is not what its type says
    │   ├── UnsupportedMedia    the body is of a type that is not understood here
    │   ├── KeyRequired         an action without an Idempotency-Key
    │   ├── KeyConflict         the Idempotency-Key already names another command
    │   ├── NotFound            no such site, device, action or command
    │   ├── AlarmOver           the alarm is over, or is not the one that the caller has seen
    │   ├── RevisionDiffers     the settings are not those that the caller has seen
    │   ├── SiteOffline         no heartbeat within the expiry
    │   ├── PlcLost             the site is there, the device's PLC is not
    │   ├── GateUnavailable     Redis does not say whether the site is there
    │   ├── BrokerUnavailable   the facade's own link to the broker is down
    │   ├── LedgerUnavailable   the command could not be recorded, so it may not be sent
    │   ├── EnrolmentClosed     no authority is set up, or no address that sites could be told
    │   ├── Overloaded          too many commands wait already
    │   └── NotReady            a part is down, says the readiness route
    ├── NotCancellable          a command that is under way, or ended otherwise; carries it
    └── Ended                   a command that was sent and came to a bad end; carries it
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gateway.protocol.errors import TidegateError
from gateway.roles import Role


class Refusal(TidegateError):
    """A request that is refused; ``detail`` tells a person why and what to do."""

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)

    @property
    def facts(self) -> Mapping[str, object]:
        """Members of the problem beside the standard ones."""
        return {}

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the response."""
        return {}


class Unauthorized(Refusal):
    """The token is missing or wrong; ``challenge`` is the WWW-Authenticate header."""

    code = "unauthorized"

    def __init__(self, challenge: str) -> None:
        self.challenge = challenge
        super().__init__("send the header 'Authorization: Bearer <token>' with a token of this facade")

    @property
    def headers(self) -> Mapping[str, str]:
        """What a browser may ask its user for."""
        return {"WWW-Authenticate": self.challenge}


class TooManyAttempts(Refusal):
    """Too many wrong tokens came from that address, or for that token's id."""

    code = "too-many-attempts"

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(
            f"too many wrong tokens or codes; a right one passes at any time, a wrong one is told so in {wait_s:.0f} s"
        )


class Forbidden(Refusal):
    """The caller is known, and may not do this."""

    code = "forbidden"

    def __init__(self, role: Role, needed: Role | None) -> None:
        ask = "nobody may do this" if needed is None else f"this needs the role {needed}"
        super().__init__(f"{ask}; your token has the role {role}")


class CsrfMissing(Refusal):
    """A signed-in browser asks for a change without the header that proves that one of our pages did (S28)."""

    code = "csrf-missing"

    def __init__(self) -> None:
        super().__init__("send the header X-CSRF-Token with the value that GET /v1/session tells")


class NotSignedIn(Refusal):
    """Name and password do not fit."""

    code = "not-signed-in"

    def __init__(self) -> None:
        super().__init__("name and password do not fit")


class Malformed(Refusal):
    """The body is not JSON, or a header does not follow its grammar."""

    code = "malformed"


class UnsupportedMedia(Refusal):
    """The body's Content-Type is none of ``accepted``."""

    code = "unsupported-media-type"

    def __init__(self, accepted: tuple[str, ...]) -> None:
        self.accepted = accepted
        super().__init__(f"send the body as {' or '.join(accepted)}")

    @property
    def headers(self) -> Mapping[str, str]:
        """RFC 5789 section 3.1."""
        return {"Accept-Patch": ", ".join(self.accepted)}


class KeyRequired(Refusal):
    """An action is asked for without an Idempotency-Key: a repeat could not be told from a second one."""

    code = "idempotency-key-required"

    def __init__(self) -> None:
        super().__init__("send the header 'Idempotency-Key' with a value of your own, a new one for each new action")


class KeyConflict(Refusal):
    """The Idempotency-Key names the ``first`` command, which was asked for otherwise."""

    code = "idempotency-conflict"

    def __init__(self, first: str) -> None:
        self.first = first
        super().__init__(f"this Idempotency-Key was sent with another request, which became the command {first}")

    @property
    def facts(self) -> Mapping[str, object]:
        """The id of the command that the key names."""
        return {"first": self.first}


class NotFound(Refusal):
    """``what`` (site, device, property, action, command, token or alarm) is not known under this name."""

    code = "not-found"

    def __init__(self, what: str, name: str) -> None:
        self.what = what
        super().__init__(f"there is no {what} {name!r}")


class AlarmOver(Refusal):
    """The alarm is not active any more, or was raised anew since the caller saw it."""

    code = "alarm-over"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is over, or was raised anew since then; read the alarms again")


class RevisionDiffers(Refusal):
    """``If-Match`` names no revision that the settings could have."""

    code = "expect-failed"


class SiteOffline(Refusal):
    """No heartbeat within the expiry; ``silent_s`` counts from the last one, if there ever was one."""

    code = "site-offline"

    def __init__(self, site: str, silent_s: float | None) -> None:
        self.silent_s = None if silent_s is None else round(silent_s, 1)
        since = "has never been heard" if silent_s is None else f"has been silent for {silent_s:.0f} s"
        super().__init__(f"the site {site} {since}; nothing was sent")

    @property
    def facts(self) -> Mapping[str, object]:
        """How long the site has been silent, in seconds."""
        return {"silent_s": self.silent_s}


class PlcLost(Refusal):
    """The last heartbeat says that the PLC does not answer its agent."""

    code = "plc-lost"

    def __init__(self, plc: str) -> None:
        self.plc = plc
        super().__init__(f"the agent cannot reach {plc} now; nothing was sent")

    @property
    def facts(self) -> Mapping[str, object]:
        """Which PLC."""
        return {"plc": self.plc}


class GateUnavailable(Refusal):
    """Redis does not answer, so nobody can say whether the site is there."""

    code = "gate-unavailable"


class BrokerUnavailable(Refusal):
    """The link to the broker is down, or the broker refused the command."""

    code = "broker-unavailable"


class LedgerUnavailable(Refusal):
    """The database did not take the command's row: no row, no command.

    ``command``: the id that it would have had, if the row may be there all the same.
    """

    code = "ledger-unavailable"

    def __init__(self, detail: str, *, command: str | None = None) -> None:
        self.command = command
        super().__init__(detail)


class Overloaded(Refusal):
    """A bound is reached (I15)."""

    code = "overloaded"


class TooManyStreams(Overloaded):
    """As many streams as this facade may have are open (I15)."""

    code = "too-many-streams"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} streams are open, as many as there may be; try again later")


class EnrolmentClosed(Refusal):
    """No site can enrol here, since something is not set up."""

    code = "enrolment-closed"


class NotReady(Refusal):
    """Some of ``parts`` are down."""

    code = "not-ready"

    def __init__(self, parts: Mapping[str, Mapping[str, object]]) -> None:
        self.parts = parts
        super().__init__(f"down: {', '.join(name for name, part in parts.items() if not part['ok'])}")

    @property
    def facts(self) -> Mapping[str, object]:
        """All parts, the good ones too."""
        return {"ready": False, "parts": self.parts}


class NotCancellable(TidegateError):
    """A cancel came too late, or from somebody whose command it is not; the problem shows the ``command``."""

    code = "not-cancellable"

    def __init__(self, detail: str, command: Mapping[str, object]) -> None:
        self.detail = detail
        self.command = command
        super().__init__(detail)


class Ended(TidegateError):
    """A command was sent and did not do what was asked; the problem shows the ``command``.

    ``status`` is HTTP's, ``cause`` the problem's code: the ack's where there is one. ``facts`` are the live values of
    the limit or interlock that forbade it. ``replayed``: an Idempotency-Key asked for it before.
    """

    code: ClassVar[str] = "ended"

    def __init__(
        self,
        *,
        status: int,
        cause: str,
        detail: str,
        command: Mapping[str, object],
        facts: Mapping[str, object],
        replayed: bool,
    ) -> None:
        self.status = status
        self.cause = cause
        self.detail = detail
        self.command = command
        self.facts = facts
        self.replayed = replayed
        super().__init__(status, cause, detail)
