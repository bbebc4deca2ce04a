"""The people who may log in at the broker, and what each may do: the register from which their rights are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.credentials import write_private
from gateway.protocol.errors import Fault, SettingsError
from gateway.roles import Role

#: At the broker there is nothing that more would allow.
ROLES: Final = (Role.VIEWER, Role.OPERATOR)
#: In place of a site's name, in a topic filter.
ALL: Final = "+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """``name`` begins with ``@``. ``sites`` None stands for all, those to come as well."""

    name: str
    role: Role = Role.OPERATOR
    sites: frozenset[str] | None = None

    @property
    def sees(self) -> tuple[str, ...]:
        """The sites that this person may listen to, as levels of a topic filter."""
        return (ALL,) if self.sites is None else tuple(sorted(self.sites))

    @property
    def commands(self) -> tuple[str, ...]:
        """The sites to which this person may send commands."""
        return self.sees if self.role.covers(Role.OPERATOR) else ()


class People:
    """The register, a file beside the broker's own. Who is not in it is an operator at all sites, as ever."""

    def __init__(self, path: Path, *, mode: int = 0o600) -> None:
        self._path = path
        self._mode = mode

    def get(self, name: str) -> Person:
        """One person's rights; raises SettingsError if the register cannot be read."""
        found = self._read().get(name)
        return Person(name=name) if found is None else found

    def put(self, person: Person) -> None:
        """Enter a person, or change the rights."""
        self._write({**self._read(), person.name: person})

    def remove(self, name: str) -> None:
        """Forget a person."""
        self._write({each: person for each, person in self._read().items() if each != name})

    def _read(self) -> Mapping[str, Person]:
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: _person(name, row) for name, row in rows.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise SettingsError(str(self._path), [Fault("", "unreadable", str(error))]) from None

    def _write(self, people: Mapping[str, Person]) -> None:
        rows = {
            name: {"role": each.role.value, "sites": None if each.sites is None else sorted(each.sites)}
            for name, each in sorted(people.items())
        }
        write_private(self._path, json.dumps(rows, indent=1) + "\n", mode=self._mode)


def _person(name: str, row: Mapping[str, Any]) -> Person:
    sites = row["sites"]
    return Person(name=name, role=Role(row["role"]), sites=None if sites is None else frozenset(sites))
