"""What a caller may do, and at which sites. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Each may do what those before it may."""

    #: Sees everything of its sites.
    VIEWER = "viewer"
    #: Changes settings and asks for actions, one device at a time.
    OPERATOR = "operator"
    #: Runs groups: one order for many devices.
    ENGINEER = "engineer"
    #: Makes and revokes tokens, adds and removes sites and people.
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Whether whoever has this role may do what needs the other."""
        return _ORDER.index(self) >= _ORDER.index(needed)


_ORDER: Final = tuple(Role)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; ``sites`` None stands for all of them."""

    name: str
    role: Role
    sites: frozenset[str] | None = None

    def may(self, needed: Role, site: str | None = None) -> bool:
        """Whether the caller may do that; at that site, if it is about one."""
        return self.role.covers(needed) and (site is None or self.sees(site))

    def sees(self, site: str) -> bool:
        """Whether the site is one of the caller's."""
        return self.sites is None or site in self.sites

    def has(self, role: Role, sites: frozenset[str] | None) -> bool:
        """Whether somebody with these rights may do nothing that the caller may not: only such can the caller give."""
        return self.role.covers(role) and (self.sites is None or (sites is not None and sites <= self.sites))
