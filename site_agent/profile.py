"""Profiles: what a type of device is like, written once, so that a site's file says only which, where and what differs.

A profile is a table as a device's own, without a place. It may extend one other, which extends none. What a device says
itself, or a profile that extends, counts more than what it takes over, key by key; interlocks are told apart by name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from gateway.protocol.errors import Fault
from site_agent.nearest import hint
from site_agent.registers import Space

Raw = dict[str, Any]
SHIPPED: Final = resources.files("site_agent") / "profiles"
#: What a profile may hold of a device's table.
PARTS: Final = ("title", "properties", "mailbox", "actions", "interlocks", "alarms", "meals")
_NAMED: Final = ("properties", "actions", "alarms")
_OWN: Final = ("description", "extends")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One profile with all that it takes over; ``table`` is as a device's."""

    name: str
    title: str
    description: str
    extends: str | None
    #: Where it was read.
    source: str
    table: Raw


class Profiles:
    """All profiles by name, and what is wrong with those that are not among them."""

    def __init__(self, raw: Mapping[str, tuple[str, Raw]], faults: tuple[Fault, ...] = ()) -> None:
        self.faults = [*faults]
        self._raw = raw
        self.by_name = {name: profile for name in sorted(raw) if (profile := self._made(name)) is not None}

    def device(self, raw: Raw, place: str) -> tuple[Raw, tuple[Fault, ...]]:
        """A device's table with all that its profile gives it, at its base; and what keeps it from being so."""
        name, faults = raw.get("profile"), list[Fault]()
        whole = {key: each for key, each in raw.items() if key != "without"}
        if name is not None:
            profile = self.by_name.get(str(name))
            if profile is None:
                known = {*self.by_name}
                return raw, (Fault(f"{place}/profile", "unknown-profile", f"no such profile.{hint(name, known)}"),)
            whole = merged(profile.table, whole)
        without = raw.get("without", [])
        if isinstance(without, list) and all(isinstance(each, str) for each in without):
            faults += _leave_out(whole, without, f"{place}/without")
        else:
            faults.append(Fault(f"{place}/without", "wrong-type", "must be a list of names"))
        return {**shifted(whole, raw.get("base", 0))}, tuple(faults)

    def _made(self, name: str) -> Profile | None:
        source, raw = self._raw[name]
        parent = raw.get("extends")
        if parent is not None and (wrong := self._wrong_parent(parent)) is not None:
            self.faults.append(Fault(f"{source}#/extends", *wrong))
            return None
        unknown = raw.keys() - {*PARTS, *_OWN}
        for key in sorted(unknown):
            detail = f"a profile has no such key.{hint(key, (*PARTS, *_OWN))}"
            self.faults.append(Fault(f"{source}#/{key}", "extra-forbidden", detail))
        own = {key: each for key, each in raw.items() if key in PARTS}
        table = own if parent is None else merged(_table(self._raw[parent][1]), own)
        return Profile(
            name=name,
            title=str(table.get("title", name)),
            description=str(raw.get("description", "")),
            extends=parent,
            source=source,
            table=table,
        )

    def _wrong_parent(self, parent: object) -> tuple[str, str] | None:
        if not isinstance(parent, str) or parent not in self._raw:
            return "unknown-profile", f"no such profile.{hint(parent, {*self._raw})}"
        if "extends" in self._raw[parent][1]:
            return "too-deep", f"{parent} extends another one itself; extend that one instead"
        return None


def _table(raw: Raw) -> Raw:
    return {key: each for key, each in raw.items() if key in PARTS}


def read_profiles(folder: Path | None = None) -> Profiles:
    """The shipped profiles, and those of the folder, if it is there; a file's name is the profile's."""
    return profiles_of(*own_profiles(folder))


def own_profiles(folder: Path | None) -> tuple[dict[Path, bytes], tuple[Fault, ...]]:
    """What is in the folder, file by file, and which of them cannot be read."""
    found: dict[Path, bytes] = {}
    faults: list[Fault] = []
    for each in sorted(folder.glob("*.toml")) if folder is not None and folder.is_dir() else ():
        try:
            found[each] = each.read_bytes()
        except OSError as error:
            faults.append(Fault(str(each), "unreadable", str(error)))
    return found, tuple(faults)


def profiles_of(own: Mapping[Path, bytes], unreadable: tuple[Fault, ...] = ()) -> Profiles:
    """The shipped profiles, and these."""
    found: dict[str, tuple[str, Raw]] = {}
    faults = [*unreadable]
    for source, name, content in (*_shipped(), *((str(path), path.stem, content) for path, content in own.items())):
        if name in found:
            detail = f"{found[name][0]} has this name already; choose another, and extend that one if you like"
            faults.append(Fault(source, "twice", detail))
            continue
        try:
            found[name] = source, parse(content.decode())
        except ValueError as error:
            faults.append(Fault(source, "not-toml", str(error)))
    return Profiles(found, tuple(faults))


def parse(text: str) -> Raw:
    """A TOML document.

    Raises:
        ValueError: it is none, or one that nobody would write (nested beyond all depth).
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _shipped() -> Iterator[tuple[str, str, bytes]]:
    for each in SHIPPED.iterdir():
        if each.name.endswith(".toml"):
            yield each.name, each.name.removesuffix(".toml"), each.read_bytes()


def merged(below: Raw, above: Raw) -> Raw:
    """Both, key by key; where both say something, ``above`` counts. Lists of named tables are merged by name."""
    whole = dict(below)
    for key, each in above.items():
        held = whole.get(key)
        if isinstance(held, dict) and isinstance(each, dict):
            whole[key] = merged(held, each)
        elif isinstance(held, list) and isinstance(each, list) and key == "interlocks":
            whole[key] = _merged_by_name(held, each)
        else:
            whole[key] = each
    return whole


def _merged_by_name(below: list[Any], above: list[Any]) -> list[Any]:
    names = [each.get("name") for each in below if isinstance(each, dict)]
    if len(names) != len(below) or not all(isinstance(each, dict) for each in above):
        return [*below, *above]  # what is no table is a fault, which the whole file's check tells
    whole = [dict(each) for each in below]
    for each in above:
        if each.get("name") in names:
            place = names.index(each["name"])
            whole[place] = merged(whole[place], each)
        else:
            whole.append(each)
    return whole


def _leave_out(whole: Raw, names: list[str], place: str) -> Iterator[Fault]:
    """Take out the properties, actions, alarms, interlocks, or the meals, that this device does not have.

    A name that stands for several kinds must say which, as ``alarms/lid-open``: nobody who leaves out an alarm means to
    leave out the interlock of that name.
    """
    for number, stated in enumerate(names):
        here = f"{place}/{number}"
        kind, _, name = stated.rpartition("/")
        kinds = [each for each in (*_NAMED, "interlocks") if kind in {"", each} and _has(whole, each, name)]
        if not kind and name == "meals" and whole.pop("meals", None) is not None:
            continue
        if not kinds:
            detail = f"the device has no {stated!r} anyway.{hint(name, _parts(whole))}"
            yield Fault(here, "unknown-part", detail)
        elif len(kinds) > 1:
            choices = " or ".join(f"'{each}/{name}'" for each in kinds)
            yield Fault(here, "ambiguous", f"{name!r} is the name of several things; say {choices}")
        else:
            _take_out(whole, kinds[0], name)


def _has(whole: Raw, kind: str, name: str) -> bool:
    held = whole.get(kind)
    return name in held if isinstance(held, dict) else isinstance(held, list) and any(_named(x, name) for x in held)


def _take_out(whole: Raw, kind: str, name: str) -> None:
    held = whole[kind]
    if isinstance(held, dict):
        whole[kind] = {key: each for key, each in held.items() if key != name}
    else:
        whole[kind] = [each for each in held if not _named(each, name)]
    alarms = whole.get("alarms")
    if kind == "properties" and isinstance(alarms, dict):  # of a value that is not there nothing can be told
        whole["alarms"] = {key: each for key, each in alarms.items() if not _is_about(each, name)}


def _is_about(alarm: object, name: str) -> bool:
    return isinstance(alarm, dict) and alarm.get("property") == name


def _named(table: object, name: object) -> bool:
    return isinstance(table, dict) and table.get("name") == name


def _parts(whole: Raw) -> set[str]:
    tables = [whole[part] for part in _NAMED if isinstance(whole.get(part), dict)]
    interlocks = whole.get("interlocks")
    named = [each.get("name") for each in interlocks if isinstance(each, dict)] if isinstance(interlocks, list) else []
    return {str(name) for table in [*tables, named] for name in table} | ({"meals"} if "meals" in whole else set())


def shifted(table: Any, base: object, space: str = Space.HOLDING) -> Any:  # noqa: ANN401 # any piece of TOML
    """The table with every ``register`` counted from ``base``, which may differ between Modbus' tables."""
    if isinstance(table, list):
        return [shifted(each, base, space) for each in table]
    if not isinstance(table, dict):
        return table
    here = str(table.get("table", space))
    offset = base.get(here, 0) if isinstance(base, dict) else base
    # The names of choices are the writer's own, and may be any word.
    whole = {key: each if key == "choices" else shifted(each, base) for key, each in table.items()}
    register = table.get("register")
    if isinstance(register, int) and isinstance(offset, int) and bool not in (type(register), type(offset)):
        whole["register"] = register + offset
    return whole
