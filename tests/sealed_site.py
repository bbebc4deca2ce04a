"""A site's folder with a trust file, and engineers who seal what lies in it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from site_agent.sealing.custody import Custody, seal_path
from site_agent.sealing.keys import public_text
from site_agent.sealing.seal import Seal, Statement, sign
from site_agent.site_file import configuration_of
from site_agent.site_texts import read_texts

AT: Final = "2026-11-23T06:00:00Z"
#: A site's file with a limit that somebody might like to be higher, and a profile of its own.
TEXT: Final = """\
site = "arava-1"
[broker]
password_file = "password"
[[plcs]]
name = "plc-1"
host = "127.0.0.1"
[[devices]]
id = "feeder-1"
plc = "plc-1"
profile = "big-feeder"
[devices.actions.feed.limits]
most_per_day = 3000
"""
PROFILE: Final = """\
mailbox = {register = 20}
[properties.portion_g]
type = "uint16"
register = 0
writable = true
maximum = 400
[actions.feed]
op = 1
argument = "grams"
input = {grams = {type = "uint16", slot = 1}}
"""


class Engineer:
    """Somebody with a key."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = Ed25519PrivateKey.generate()

    @property
    def line(self) -> str:
        """For ``[keys]`` of a trust file."""
        return f'{self.name} = "{public_text(self.key.public_key())}"\n'


class SealedSite:
    """``folder`` as on a site's PC."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "site.toml"
        self.trust_path = folder / "trust.toml"
        self.seal_path = seal_path(self.path)
        self.kept_path = folder / "agent" / "sealed.json"

    @classmethod
    def made(cls, folder: Path, *trusted: Engineer, needed: int = 1) -> SealedSite:
        """With file, profile and trust, and without a seal."""
        site = cls(folder)
        (folder / "profiles").mkdir(parents=True)
        (folder / "agent").mkdir()
        site.path.write_text(TEXT)
        site.profile.write_text(PROFILE)
        site.trust(*trusted, needed=needed)
        return site

    @property
    def profile(self) -> Path:
        """The one profile of the site's own."""
        return self.folder / "profiles" / "big-feeder.toml"

    def trust(self, *trusted: Engineer, needed: int = 1, site: str = "arava-1") -> None:
        """Write the trust file."""
        keys = "".join(each.line for each in trusted)
        self.trust_path.write_text(f'site = "{site}"\nneeded = {needed}\n[keys]\n{keys}')

    def change(self, old: str, new: str) -> None:
        """Words of the site's file."""
        text = self.path.read_text()
        assert old in text
        self.path.write_text(text.replace(old, new))

    def seal(self, version: int, *by: Engineer) -> Seal:
        """As it lies there, by all of them."""
        texts = read_texts(self.path)
        site = configuration_of(texts).site
        statement = Statement(site=site, version=version, texts=texts.digests())
        held = {name: content.decode() for name, content in texts.by_name().items()}
        made = Seal(statement=statement, signatures=tuple(sign(statement, each.key, AT) for each in by), texts=held)
        self.put(made)
        return made

    def put(self, seal: Seal) -> None:
        """Beside the site's file."""
        self.seal_path.write_bytes(seal.to_bytes())

    def start(self) -> Custody:
        """What an agent does at its start; then what it has to go by is in force."""
        custody = Custody(self.path)
        custody.keep(custody.begin())
        return custody
