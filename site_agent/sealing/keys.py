"""Ed25519 keys of those who seal: the private one in its owner's file, the public one as a line of text."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.credentials import write_private
from gateway.protocol.errors import Fault, InvalidInput, SettingsError

#: What the text of a public key begins with; its last characters tell a mistyped one.
START: Final = "tgk1_"
_KEY_BYTES: Final = 32
_CHECK_BYTES: Final = 4
_ID_DIGITS: Final = 32


class PassPhraseNeeded(InvalidInput):
    """The key's file is encrypted, and none or a wrong one was given."""

    code = "pass-phrase-needed"


def key_id(key: Ed25519PublicKey) -> str:
    """What signatures call it: 128 bits of its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:_ID_DIGITS]


def public_text(key: Ed25519PublicKey) -> str:
    """The key as a trust file has it."""
    raw = key.public_bytes_raw()
    return START + base64.urlsafe_b64encode(raw + _check(raw)).decode().rstrip("=")


def read_public(text: str) -> Ed25519PublicKey:
    """The opposite of :func:`public_text`; raises ValueError."""
    body = text.removeprefix(START)
    try:
        content = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except ValueError:
        content = b""
    raw, check = content[:_KEY_BYTES], content[_KEY_BYTES:]
    if not text.startswith(START) or len(raw) != _KEY_BYTES or check != _check(raw):
        raise ValueError(f"this is no public key: it begins with {START}, and tidegate seal keygen shows all of it")
    return Ed25519PublicKey.from_public_bytes(raw)


def write_new_key(path: Path, pass_phrase: bytes) -> Ed25519PublicKey:
    """Make a key in a file that is its owner's alone; without a pass phrase whoever reads the file has it.

    Raises:
        SettingsError: there is such a file, or it cannot be written.
    """
    if path.exists():
        raise SettingsError(str(path), [Fault("", "exists", "there is such a file already; it was kept")])
    key = Ed25519PrivateKey.generate()
    protection = BestAvailableEncryption(pass_phrase) if pass_phrase else NoEncryption()
    try:
        write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection).decode())
    except OSError as error:
        raise SettingsError(str(path), [Fault("", "unusable", str(error))]) from None
    return key.public_key()


def read_key(path: Path, pass_phrase: bytes = b"") -> Ed25519PrivateKey:
    """The key in a file.

    Raises:
        PassPhraseNeeded: it is encrypted, and not with this pass phrase.
        SettingsError: there is none.
    """
    try:
        content = path.read_bytes()
        found = load_pem_private_key(content, password=pass_phrase or None)
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        if isinstance(error, ValueError) and pass_phrase:
            raise PassPhraseNeeded([Fault("", "wrong", f"{path}: the pass phrase is wrong")]) from None
        raise SettingsError(str(path), [Fault("", "unreadable", str(error))]) from None
    except TypeError as error:  # encrypted and none given, or the other way round
        raise PassPhraseNeeded([Fault("", "pass-phrase", f"{path}: {error}")]) from None
    if not isinstance(found, Ed25519PrivateKey):
        detail = "it is not one that seals (Ed25519); make one: tidegate seal keygen"
        raise SettingsError(str(path), [Fault("", "other-key", detail)])
    return found


def _check(raw: bytes) -> bytes:
    return hashlib.sha256(b"tidegate key\n" + raw).digest()[:_CHECK_BYTES]
