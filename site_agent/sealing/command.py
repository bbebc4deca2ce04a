"""``tidegate seal``: vouch for a site's file, alone or by two persons, and see what would change."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.credentials import write_private
from gateway.protocol.errors import Fault, InvalidInput, SettingsError
from site_agent.configuration import SiteConfiguration
from site_agent.sealing.changes import changes
from site_agent.sealing.custody import Custody, seal_path
from site_agent.sealing.kept import read_bounded
from site_agent.sealing.keys import PassPhraseNeeded, public_text, read_key, write_new_key
from site_agent.sealing.seal import Seal, Statement, difference, read_seal, sign
from site_agent.site_file import configuration_of
from site_agent.site_texts import SiteTexts, read_texts, texts_of

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_SITE: Final = click.argument("path", metavar="[FILE]", type=_FILE, default=Path("site.toml"))
_KEY: Final = click.option("--key", "key_file", type=_FILE, required=True, help="Your own key; see keygen.")
_YES: Final = click.option("--yes", is_flag=True, help="Do not ask; you have seen what would change.")
_FORMER: Final = click.option(
    "--former", type=_FILE, help="The seal that the site has now, to compare with; sign takes FILE.seal."
)


@click.group(
    epilog="""\b
tidegate seal keygen ana.key                 once; the line that it prints goes into the site's trust.toml
tidegate seal sign site.toml --key ana.key   then copy site.toml, its profiles and site.toml.seal to the site
tidegate seal cosign site.toml --key bo.key  where two persons are needed
"""
)
def seal() -> None:
    """Seal a site's file, so that its agent takes over no other one; see docs/sealing.md.

    Done by engineers on their own machines. A site whose folder holds a trust.toml takes over only what is sealed by
    those who are named there, and never an older version than it had.
    """


@seal.command()
@click.argument("key_file", metavar="KEY", type=_FILE)
@click.option("--no-pass-phrase", is_flag=True, help="Whoever reads the file can sign.")
def keygen(key_file: Path, no_pass_phrase: bool) -> None:
    """Make your key in the file KEY, and print its public half for trust files. Keep the file off the sites."""
    phrase = "" if no_pass_phrase else click.prompt("Pass phrase", hide_input=True, confirmation_prompt=True)
    made = write_new_key(key_file, str(phrase).encode())
    click.echo(f"made {key_file}; for [keys] of a trust.toml, with the name of its owner:", err=True)
    click.echo(f'{_name(key_file)} = "{public_text(made)}"')


@seal.command("sign")
@_SITE
@_KEY
@click.option("--version", type=click.IntRange(1), help="Above every one before. [default: the former one and 1]")
@_FORMER
@_YES
def sign_(path: Path, key_file: Path, version: int | None, former: Path | None, yes: bool) -> None:
    """Check the file FILE, show what would change, and seal it as the next version in FILE.seal.

    The former seal stays beside it as FILE.seal.VERSION.
    """
    texts = read_texts(path)
    configuration = configuration_of(texts)
    present = _read(seal_path(path))
    before = present if former is None else _read_there(former)
    number = _next_version(version, [each for each in (present, before) if each is not None])
    _show_changes(path, before, configuration)
    if not yes:
        click.confirm(f"Seal this as version {number} of {configuration.site}?", abort=True)
    statement = Statement(site=configuration.site, version=number, texts=texts.digests())
    signature = sign(statement, _key(key_file), _now())
    if present is not None:
        seal_path(path).replace(seal_path(path).with_name(f"{path.name}.seal.{present.statement.version}"))
    held = {name: content.decode() for name, content in texts.by_name().items()}
    _write(path, Seal(statement=statement, signatures=(signature,), texts=held))


@seal.command()
@_SITE
@_KEY
@_FORMER
@_YES
def cosign(path: Path, key_file: Path, former: Path | None, yes: bool) -> None:
    """Look at what another one sealed, and sign it too.

    --former is the seal that the site has now, as far as you know yourself; without it, everything is shown as new.
    """
    texts, made = _sealed(path)
    configuration = configuration_of(texts)
    before = None if former is None else _read_there(former)
    number = _next_version(made.statement.version, [] if before is None else [before])
    _show_changes(path, before, configuration)
    if not yes:
        click.confirm(f"Sign version {number} of {configuration.site} too?", abort=True)
    signature = sign(made.statement, _key(key_file), _now())
    if any(each.key == signature.key for each in made.signatures):
        detail = "this key has signed it already; the second signature is another person's"
        raise InvalidInput([Fault("", "same-key", detail)])
    _write(path, made.model_copy(update={"signatures": (*made.signatures, signature)}))


@seal.command()
@_SITE
@click.option("--trust", type=_FILE, help="The site's trust file. [default: trust.toml beside FILE]")
def verify(path: Path, trust: Path | None) -> None:
    """Would the site's agent take the file FILE over? It needs the site's trust file, and changes nothing."""
    custody = Custody(path, trust or path.with_name("trust.toml"))
    taken = custody.check()
    assert taken.seal is not None  # noqa: S101 # the trust file was named, so it is there
    number = taken.seal.statement.version
    click.echo(f"{path}: version {number} of {taken.configuration.site}, sealed by {', '.join(taken.signers)}")


@seal.command()
@_SITE
@_FORMER
def show(path: Path, former: Path | None) -> None:
    """Show what is sealed in FILE.seal, by which keys, and with --former what it changes. Trusts nobody: see verify."""
    texts, made = _sealed(path)
    statement = made.statement
    click.echo(f"version {statement.version} of {statement.site}")
    for each in made.signatures:
        click.echo(f"  signed {each.at} by key {each.key}")
    for name, digest in sorted(statement.texts.items()):
        click.echo(f"  {digest}  {ascii(name)[1:-1]}")
    if former is not None:
        _show_changes(path, _read_there(former), configuration_of(texts))


def _sealed(path: Path) -> tuple[SiteTexts, Seal]:
    texts, made = read_texts(path), _read_there(seal_path(path))
    faults = difference(made.statement, texts.digests())
    if faults:
        raise SettingsError(str(seal_path(path)), faults)
    return texts, made


def _next_version(asked: int | None, before: list[Seal]) -> int:
    last = max((each.statement.version for each in before), default=0)
    number = last + 1 if asked is None else asked
    if number <= last:
        raise InvalidInput([Fault("", "not-newer", f"version {number} is not above {last}, which is sealed already")])
    return number


def _show_changes(path: Path, before: Seal | None, configuration: SiteConfiguration) -> None:
    old = None if before is None else configuration_of(texts_of(path, before.named()))
    found = changes(old, configuration)
    origin = "nothing" if before is None else f"version {before.statement.version}"
    for title, part in (
        (f"limits and interlocks, from {origin}:", [each for each in found if each.of_limits]),
        ("everything else:", [each for each in found if not each.of_limits]),
    ):
        click.echo(title)
        for line in map(str, part) if part else ["no change"]:
            click.echo(f"  {line}")


def _read(path: Path) -> Seal | None:
    try:
        return read_seal(read_bounded(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(str(path), [Fault("", "unreadable", str(error))]) from None
    except InvalidInput as error:
        raise SettingsError(str(path), error.faults) from None


def _read_there(path: Path) -> Seal:
    found = _read(path)
    if found is None:
        raise SettingsError(str(path), [Fault("", "no-seal", "there is none; see tidegate seal sign --help")])
    return found


def _key(path: Path) -> Ed25519PrivateKey:
    try:
        return read_key(path)
    except PassPhraseNeeded:
        phrase = click.prompt(f"Pass phrase of {path}", hide_input=True)
        return read_key(path, str(phrase).encode())


def _write(path: Path, made: Seal) -> None:
    write_private(seal_path(path), made.to_bytes().decode(), mode=0o644)
    keys = ", ".join(each.key for each in made.signatures)
    click.echo(f"{seal_path(path)}: version {made.statement.version}, signed by {keys}")


def _name(path: Path) -> str:
    name = path.stem.lower()
    return name if name.isidentifier() else "name"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
