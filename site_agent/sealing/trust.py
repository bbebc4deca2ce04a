"""The trust file: whose signatures a site's file needs. It is the site owner's, and the agent only reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AfterValidator, Field, StrictInt, StrictStr, ValidationError, model_validator

from gateway.protocol.codec import faults_of
from gateway.protocol.errors import Fault, InvalidInput, SettingsError
from gateway.protocol.ids import Id, Name
from site_agent.action_tables import Table
from site_agent.profile import parse
from site_agent.sealing.keys import read_public
from site_agent.sealing.seal import Seal, signers

#: Beside the site's file, unless the agent is told otherwise.
NAME: Final = "trust.toml"


def _public_key(text: str) -> str:
    read_public(text)
    return text


class Trust(Table):
    """``trust.toml``: a seal needs ``needed`` of ``keys``; ``folder`` is the agent's, and remembers what was taken."""

    site: Id
    needed: Annotated[StrictInt, Field(ge=1, le=2)] = 1
    folder: Path = Path("agent")
    keys: Annotated[dict[Name, Annotated[StrictStr, AfterValidator(_public_key)]], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if len({*self.keys.values()}) < len(self.keys):
            raise ValueError("one key stands there under two names; each person has a key of their own")
        if self.needed > len(self.keys):
            raise ValueError(f"{self.needed} signatures are needed, and there are only {len(self.keys)} keys")
        return self

    def public_keys(self) -> dict[str, Ed25519PublicKey]:
        """By name."""
        return {name: read_public(text) for name, text in self.keys.items()}

    def check(self, seal: Seal) -> tuple[str, ...]:
        """Who vouches for the seal, by name.

        Raises:
            InvalidInput: it is another site's, or too few of those who are trusted signed it.
        """
        statement, faults = seal.statement, list[Fault]()
        if statement.site != self.site:
            faults.append(Fault("", "other-site", f"the seal is for {statement.site!r}, and this is {self.site!r}"))
        found = sorted(signers(seal, self.public_keys()))
        if len(found) < self.needed:
            have = ", ".join(found) or "nobody who is trusted"
            detail = f"signed by {have}; needed: {self.needed} of {', '.join(sorted(self.keys))}"
            faults.append(Fault("", "too-few-signatures", detail))
        if faults:
            raise InvalidInput(faults)
        return tuple(found)


def read_trust(path: Path) -> Trust:
    """The trust file; its folder is taken relative to it.

    Raises:
        FileNotFoundError: there is none.
        SettingsError: it is unreadable or wrong; lists every fault.
    """
    try:
        raw = parse(path.read_bytes().decode())
        trust = Trust.model_validate(raw)
    except FileNotFoundError:
        raise
    except ValidationError as error:
        raise SettingsError(str(path), faults_of(error)) from None
    except (OSError, ValueError) as error:
        raise SettingsError(str(path), [Fault("", "unreadable", str(error))]) from None
    return trust.model_copy(update={"folder": path.resolve().parent / trust.folder})
