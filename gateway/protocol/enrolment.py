"""How a site gets its identity: the code that a person carries there, and what agent and centre then say over HTTPS.

A code holds all that an agent needs to know: where the centre is, the secret that lets it in once, and the fingerprint
of the centre's authority, so that nobody on the way can pass for the centre.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from gateway.protocol.errors import Fault, InvalidInput
from gateway.protocol.ids import Id

#: 128 random bits: a code is of use once, for an hour or so.
SECRET_BYTES: Final = 16
FINGERPRINT_BYTES: Final = 32
_START: Final = "tge1_"
_LONGEST: Final = 512
#: What a renewal signs begins with it, so that the signature is good for nothing else.
RENEWAL_CONTEXT: Final = b"tidegate renewal v1\n"

#: A PEM text: printable, and far larger than any of ours.
Pem = Annotated[StrictStr, Field(min_length=1, max_length=16_384)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentCode:
    """``url`` is where the centre serves HTTPS, without a path; ``fingerprint`` the SHA-256 of its authority.

    That is of the authority's certificate and all those above it, in the order in which the centre shows them.
    """

    url: str
    secret: bytes
    fingerprint: bytes

    def __str__(self) -> str:
        content = self.secret + self.fingerprint + self.url.encode()
        return _START + base64.urlsafe_b64encode(content).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> EnrolmentCode:
        """The code as it was typed or pasted; white space in it does not matter.

        Raises:
            InvalidInput: it is none, or a part of it is missing.
        """
        text = "".join(text.split())
        if not text.startswith(_START) or len(text) > _LONGEST:
            raise _no_code(f"it begins with {_START}")
        body = text.removeprefix(_START)
        try:
            content = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
            url = content[SECRET_BYTES + FINGERPRINT_BYTES :].decode()
        except ValueError:  # of base64, of UTF-8, or of letters that are no ASCII
            raise _no_code("a character is wrong, or some are missing") from None
        if not url.startswith(("https://", "http://")) or not url.isprintable():
            raise _no_code("some of it is missing")
        code = cls(
            url=url,
            secret=content[:SECRET_BYTES],
            fingerprint=content[SECRET_BYTES : SECRET_BYTES + FINGERPRINT_BYTES],
        )
        if str(code) != text:
            raise _no_code("a character is wrong")
        return code


class Enrolment(BaseModel):
    """What an agent sends to get its first certificate; ``secret`` is that of the code, in hexadecimal digits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret: Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{32}$")]
    request: Pem


class Renewal(BaseModel):
    """What an agent sends to get its next one: the present one, and a signature made with the present key.

    ``signature`` is base64 of ECDSA with SHA-256 over :data:`RENEWAL_CONTEXT` and the request's DER bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    certificate: Pem
    request: Pem
    signature: Annotated[StrictStr, Field(min_length=1, max_length=256)]


class Enrolled(BaseModel):
    """What an agent gets: its name, its certificate, whom to trust, and where the broker is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    site: Id
    certificate: Pem
    authority: Pem
    #: A name or an address, and nothing that could say more in the file that it is written into.
    broker_host: Annotated[StrictStr, Field(max_length=253, pattern=r"^[A-Za-z0-9._:-]+$")]
    broker_port: Annotated[int, Field(ge=1, le=65_535)]


def _no_code(why: str) -> InvalidInput:
    return InvalidInput([Fault("", "invalid-code", f"this is no enrolment code: {why}; copy it whole")])
