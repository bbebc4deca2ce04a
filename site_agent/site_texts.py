"""The bytes that say what a site is: its file, and the profiles beside the shipped ones; read once, then judged.

Whoever checks a seal and whoever reads the values must see the same bytes: between two looks a file may change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.protocol.errors import Fault, SettingsError
from site_agent.profile import Raw, own_profiles, parse

#: The site's file among the texts; profiles are called as in a folder of that name, wherever theirs is.
SITE: Final = "site.toml"
_PROFILES: Final = "profiles/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTexts:
    """``path`` is where the site's file is or would be: names of files in it are relative to that."""

    path: Path
    site: bytes
    #: Every file of the profiles' folder.
    profiles: Mapping[Path, bytes]
    unreadable: tuple[Fault, ...] = ()
    raw: Raw = field(repr=False)

    def by_name(self) -> dict[str, bytes]:
        """The texts under names that are the same on every machine."""
        return {SITE: self.site, **{_PROFILES + path.name: content for path, content in self.profiles.items()}}

    def digests(self) -> dict[str, str]:
        """SHA-256 of each, under those names."""
        return {name: hashlib.sha256(content).hexdigest() for name, content in self.by_name().items()}


def read_texts(path: Path) -> SiteTexts:
    """Read a site's file and the profiles that lie in its folder of them.

    Raises:
        SettingsError: the file is unreadable, or not TOML.
    """
    try:
        site = path.read_bytes()
    except OSError as error:
        raise SettingsError(str(path), [Fault("", "unreadable", str(error))]) from None
    raw = _parsed(path, site)
    profiles, unreadable = own_profiles(_folder(path, raw))
    return SiteTexts(path=path, site=site, profiles=profiles, unreadable=unreadable, raw=raw)


def texts_of(path: Path, named: Mapping[str, bytes]) -> SiteTexts:
    """The opposite of :meth:`SiteTexts.by_name`; raises SettingsError if the site's file is missing, or not TOML."""
    site = named.get(SITE, b"")
    raw = _parsed(path, site)
    folder = _folder(path, raw) or path.parent
    names = [name for name in named if name != SITE]
    profiles = {folder / name.removeprefix(_PROFILES): named[name] for name in names}
    return SiteTexts(path=path, site=site, profiles=profiles, raw=raw)


def _parsed(path: Path, site: bytes) -> Raw:
    try:
        return parse(site.decode())
    except ValueError as error:
        raise SettingsError(str(path), [Fault("", "not-toml", str(error))]) from None


def _folder(path: Path, raw: Raw) -> Path | None:
    named = raw.get("profiles", "profiles")
    return path.resolve().parent / named if isinstance(named, str) else None
