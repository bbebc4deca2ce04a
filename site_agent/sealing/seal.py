"""A seal: which texts are a site's, in which version, and who vouches for that. Pure.

It lies beside the site's file. Signatures are Ed25519 over a statement that names every text by its SHA-256. The texts
are in it as well, and are only believed where they fit the statement: so a seal is a whole copy of what it seals.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from gateway.protocol.codec import faults_of
from gateway.protocol.errors import Fault, InvalidInput
from gateway.protocol.ids import Id
from site_agent.sealing.keys import key_id

#: What a seal's signature covers begins with it, so that it is good for nothing else.
CONTEXT: Final = b"tidegate seal v1\n"
#: More than any site's texts are.
LARGEST: Final = 32 * 1024 * 1024
_MOST_SIGNATURES: Final = 8

Digest = Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{64}$")]
Version = Annotated[StrictInt, Field(ge=1, le=2**53 - 1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Statement(_Part):
    """What is vouched for: these texts, by their digests, are version ``version`` of the site's."""

    format: Literal[1] = 1
    site: Id
    version: Version
    texts: Annotated[dict[StrictStr, Digest], Field(min_length=1, max_length=1_000)]


class Signature(_Part):
    """By whom and when; ``signature`` is base64. The time is the signer's word, signed like the rest."""

    key: Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{32}$")]
    at: Annotated[StrictStr, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    signature: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]


class Seal(_Part):
    """The whole file."""

    statement: Statement
    signatures: Annotated[tuple[Signature, ...], Field(min_length=1, max_length=_MOST_SIGNATURES)]
    texts: dict[StrictStr, StrictStr]

    def named(self) -> dict[str, bytes]:
        """The texts that it holds.

        Raises:
            InvalidInput: they are not those of the statement.
        """
        held = {name: text.encode() for name, text in self.texts.items()}
        faults = difference(self.statement, {name: hashlib.sha256(each).hexdigest() for name, each in held.items()})
        if faults:
            raise InvalidInput(faults)
        return held

    def to_bytes(self) -> bytes:
        """As it is kept in a file."""
        return (json.dumps(self.model_dump(mode="json"), indent=1) + "\n").encode()


def read_seal(content: bytes) -> Seal:
    """The opposite of :meth:`Seal.to_bytes`; raises InvalidInput."""
    if len(content) > LARGEST:
        raise InvalidInput([Fault("", "too-large", f"a seal has at most {LARGEST} bytes")])
    try:
        return Seal.model_validate_json(content)
    except ValidationError as error:
        raise InvalidInput(faults_of(error)) from None


def difference(statement: Statement, digests: Mapping[str, str]) -> tuple[Fault, ...]:
    """How texts with these digests differ from those that are vouched for."""
    sealed, faults = statement.texts, list[Fault]()
    for name in sorted({*sealed, *digests}):
        if name not in digests:
            faults.append(Fault(name, "gone", "it is sealed, and not there"))
        elif name not in sealed:
            faults.append(Fault(name, "not-sealed", "the seal does not know it; seal anew, or take it away"))
        elif sealed[name] != digests[name]:
            faults.append(Fault(name, "altered", f"it is not what version {statement.version} was sealed with"))
    return tuple(faults)


def sign(statement: Statement, key: Ed25519PrivateKey, at: str) -> Signature:
    """Vouch for it; ``at`` is UTC, to the second."""
    named = key_id(key.public_key())
    made = key.sign(_content(statement, named, at))
    return Signature(key=named, at=at, signature=base64.b64encode(made).decode())


def signers(seal: Seal, keys: Mapping[str, Ed25519PublicKey]) -> frozenset[str]:
    """Which of the keys, called by their names, vouch for the statement; each counts once, however often it signed."""
    found = set[str]()
    for name, key in keys.items():
        named = key_id(key)
        mine = [each for each in seal.signatures if each.key == named]
        if any(_holds(seal.statement, each, key) for each in mine):
            found.add(name)
    return frozenset(found)


def _holds(statement: Statement, signature: Signature, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(base64.b64decode(signature.signature), _content(statement, signature.key, signature.at))
    except InvalidSignature:
        return False
    return True


def _content(statement: Statement, key: str, at: str) -> bytes:
    """What is signed: one form for one meaning, whatever the file looks like."""
    meant = {"statement": statement.model_dump(mode="json"), "key": key, "at": at}
    return CONTEXT + json.dumps(meant, sort_keys=True, separators=(",", ":")).encode()
