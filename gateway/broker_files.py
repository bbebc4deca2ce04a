"""The broker's files: configuration, rights and passwords, made from the templates in ``mosquitto/``.

Who a user is, its name tells: a site's id has no ``@``; ``@gateway…`` and ``@facade…`` are ours; any other ``@`` name
is a person.
"""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import Final

from gateway.credentials import (
    ROUNDS,
    ROUNDS_FOR_PEOPLE,
    hash_secret,
    matches,
    new_secret,
    private_folder,
    read_secret,
    write_private,
)
from gateway.folder_turn import FolderTurn
from gateway.people import People, Person
from gateway.protocol.errors import Fault, InvalidInput
from gateway.protocol.ids import CLIENT_ID_PREFIX, is_id, is_principal
from gateway.protocol.messages import MAX_PAYLOAD_BYTES

#: Above the protocol's limit, so that our own code, and not the broker, refuses what is too large.
PACKET_BYTES: Final = MAX_PAYLOAD_BYTES + 16_384
MAX_CONNECTIONS: Final = 20_000
PID_FILE: Final = "mosquitto.pid"

_BLOCK = re.compile(r"^#= (\w+)\n", re.MULTILINE)
_MACHINE = re.compile(r"@(gateway|facade)(-[a-z0-9-]+)?")


def templates() -> Path:
    """The folder ``mosquitto/`` of the checkout, or its copy in an installation.

    Raises:
        FileNotFoundError: neither is there.
    """
    checkout = Path(__file__).parents[1] / "mosquitto"
    installed = Path(sys.prefix) / "share" / "tidegate" / "mosquitto"
    for folder in (checkout, installed):
        if (folder / "mosquitto.conf.in").is_file():
            return folder
    raise FileNotFoundError(f"the broker's templates are neither in {checkout} nor in {installed}")


def kind_of(user: str) -> str:
    """``site``, ``gateway``, ``facade`` or ``person``."""
    if not user.startswith("@"):
        return "site"
    machine = _MACHINE.fullmatch(user)
    return machine[1] if machine else "person"


def _operator(name: str) -> Person:
    return Person(name=name)


def check_users(users: Iterable[str]) -> None:
    """Refuse names that could not be a level of a topic.

    Raises:
        InvalidInput: lists every name that is neither a site's id nor ``@`` and an id.
    """
    faults = [
        Fault("", "invalid-user", f"{user!r}: use lower-case letters, digits and inner dashes, at most 48")
        for user in users
        if not (is_id(user) or is_principal(user))
    ]
    if faults:
        raise InvalidInput(faults)


def render_acl(template: str, users: Iterable[str], rights: Callable[[str], Person] = _operator) -> str:
    """The rights of ``users``: the template's common block, then one block for each principal.

    ``rights`` tells what a person may do.
    """
    parts = _BLOCK.split(template)
    blocks = {name: Template(text.strip()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}
    lines = [blocks["once"].template]
    for user in users:
        kind = kind_of(user)
        if kind == "site":
            continue
        lines.append(blocks[kind].substitute(name=user))
        if kind == "person":
            person = rights(user)
            lines += [blocks["sees"].substitute(site=site) for site in person.sees]
            lines += [blocks["commands"].substitute(site=site, name=user) for site in person.commands]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsListening:
    """Where the broker listens for those who are not on this machine."""

    machines_host: str = "0.0.0.0"  # this is what TLS is for
    machines_port: int = 8884
    people_host: str = "0.0.0.0"  # same
    people_port: int = 8883


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM texts: the broker's key and certificate, who may vouch for clients, and whom that revoked."""

    key: str
    certificate: str
    clients: str
    revoked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the broker listens, and how it runs."""

    machines_host: str = "127.0.0.1"
    machines_port: int = 1884
    people_host: str = "127.0.0.1"
    people_port: int = 1883
    #: Only matters when root starts it; None is the user who made the files.
    run_as: str | None = None
    persistence: bool = False
    #: Where the broker sees the folder, if that is not where we see it (a container).
    folder: str | None = None
    tls: TlsListening | None = None
    #: Where its process number stands, so that it can be told to read its files again; not in a container.
    pid_file: bool = False


class BrokerFiles:
    """The files in one private folder; secrets, one file for each user, in another.

    The password file is the register of users: a secret may leave this machine (to its site, to its person) and its
    user stays. A secret file that was put there beforehand is used as it is. ``mode`` is for the broker's own files,
    where it runs as somebody else; secrets are always their owner's alone.
    """

    def __init__(
        self, folder: Path, *, secrets: Path | None = None, listening: Listening | None = None, mode: int = 0o600
    ) -> None:
        self.folder = folder.absolute()
        self.secrets = (secrets or folder / "secrets").absolute()
        self.listening = listening or Listening()
        self._mode = mode
        #: For whoever reads these files, or what they are made of, and writes them back.
        self.turn = FolderTurn(self.folder)
        self.people = People(self.folder / "people.json", mode=mode)

    @property
    def configuration(self) -> Path:
        """The file to start Mosquitto with."""
        return self.folder / "mosquitto.conf"

    def users(self) -> dict[str, str]:
        """Every user, with its hashed password."""
        try:
            lines = (self.folder / "passwords").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def secret_file(self, user: str) -> Path:
        """Where the user's password is, unless it was taken away."""
        return self.secrets / user

    def secret(self, user: str) -> str:
        """The user's password.

        Raises:
            SettingsError: its file is not there, or its content is too short.
        """
        return read_secret(self.secret_file(user))

    def write(self, users: Iterable[str] = (), *, without: Iterable[str] = ()) -> None:
        """Bring all files up to date with the templates, and add ``users``; what is there keeps its password.

        A running broker sees new users after SIGHUP. ``without`` are users to take away, with their secrets.

        Raises:
            InvalidInput: a name cannot be a user's.
            SettingsError: a secret that was put there is too short.
        """
        self.write_users(users, without=without)
        private_folder(self.folder / "data")
        template = self._template("mosquitto.conf.in")
        if self.listening.tls is not None:
            template += self._template("tls.conf.in")
        if self.listening.pid_file:
            template += "\npid_file ${folder}/" + PID_FILE + "\n"
        self._put("mosquitto.conf", Template(template).substitute(self._values()))

    def write_users(self, users: Iterable[str] = (), *, without: Iterable[str] = ()) -> None:
        """Passwords and rights alone, for a broker whose configuration stays; see :meth:`write`."""
        asked = list(users)
        check_users(asked)
        private_folder(self.folder)
        private_folder(self.secrets)
        with self.turn.held():
            self._write_users(asked, set(without))

    def _write_users(self, asked: list[str], gone: set[str]) -> None:
        for user in gone:
            self.secret_file(user).unlink(missing_ok=True)
        known = {user: hashed for user, hashed in self.users().items() if user not in gone}
        hashed = {user: self._hashed(user, known.get(user)) for user in sorted({*known, *asked})}
        self._put("passwords", "".join(f"{user}:{value}\n" for user, value in hashed.items()))
        self._put("acl", render_acl(self._template("acl.in"), hashed, self.people.get))

    def write_tls(self, files: TlsFiles) -> None:
        """The files of the listeners with TLS."""
        private_folder(self.folder)
        self._put("server.key", files.key)
        self._put("server.pem", files.certificate)
        self._put("clients.pem", files.clients)
        self.write_revoked(files.revoked)

    def write_revoked(self, revoked: str) -> None:
        """The list of certificates that open nothing any more; the broker reads it at SIGHUP."""
        self._put("revoked.pem", revoked)

    def _put(self, name: str, text: str) -> None:
        write_private(self.folder / name, text, mode=self._mode)

    def _hashed(self, user: str, known: str | None) -> str:
        file = self.secret_file(user)
        if not file.exists():
            if known is not None:
                return known
            write_private(file, new_secret() + "\n")
        secret = read_secret(file)
        if known is not None and matches(secret, known):
            return known
        return hash_secret(secret, rounds=ROUNDS_FOR_PEOPLE if kind_of(user) == "person" else ROUNDS)

    def _template(self, name: str) -> str:
        return (templates() / name).read_text(encoding="utf-8")

    def _values(self) -> Mapping[str, object]:
        listening = self.listening
        return {
            "folder": listening.folder or self.folder.as_posix(),
            "id_prefix": CLIENT_ID_PREFIX,
            "packet_bytes": PACKET_BYTES,
            "max_connections": MAX_CONNECTIONS,
            "persistence": str(listening.persistence).lower(),
            "run_as": listening.run_as or getpass.getuser(),
            "machines_host": listening.machines_host,
            "machines_port": listening.machines_port,
            "people_host": listening.people_host,
            "people_port": listening.people_port,
            **{f"tls_{name}": value for name, value in asdict(listening.tls or TlsListening()).items()},
        }
