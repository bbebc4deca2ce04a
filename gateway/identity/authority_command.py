"""``tidegate ca``: the authority that vouches for sites and servers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from gateway.credentials import write_private
from gateway.identity.authority import SERVER_LIFETIME, Authority
from gateway.identity.certificates import fingerprint, text_of
from gateway.protocol.errors import Fault, SettingsError
from gateway.settings import EnrolmentSettings

_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.group(
    epilog="""\b
tidegate ca create
tidegate ca server centre.example 192.0.2.7 --out /etc/tidegate/https
tidegate ca show
"""
)
def ca() -> None:
    """The authority: make it, or take one over, and give servers their certificates.

    It lies in the folder TIDEGATE_CA_FOLDER. Whoever reads ca.key there can be any site: keep a copy of the folder
    where nobody else comes. Sites get their certificates by enrolling; see tidegate site --help.
    """


@ca.command()
@click.option("--name", default="Tidegate", show_default=True, help="what certificates call it")
def create(name: str) -> None:
    """Make an authority of our own; it is good for 20 years."""
    authority = _authority()
    authority.create(name)
    click.echo(f"made {authority.certificate_file}")
    click.echo(_fingerprint(authority))


@ca.command()
@click.option("--certificate", type=_FILE, required=True, help="PEM, with those above it")
@click.option("--key", type=_FILE, required=True, help="PEM, of an elliptic curve, without a pass phrase")
def adopt(certificate: Path, key: Path) -> None:
    """Take over an authority that somebody else made for us: below a company's own, mostly."""
    authority = _authority()
    authority.adopt(_text(certificate), _text(key))
    click.echo(f"made {authority.certificate_file}")
    click.echo(_fingerprint(authority))


@ca.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="folder for the two files")
def server(names: tuple[str, ...], out: Path) -> None:
    """Make a certificate for a server of these NAMES (host names and addresses), good for two years.

    For HTTPS: TIDEGATE_HTTP_CERTIFICATE=OUT/server.pem and TIDEGATE_HTTP_KEY=OUT/server.key. The broker's own is
    made by tidegate broker-files --tls NAME.
    """
    key, certificate = _authority().server(names)
    out.mkdir(parents=True, exist_ok=True)
    write_private(out / "server.key", key)
    write_private(out / "server.pem", certificate, mode=0o644)
    click.echo(f"made {out / 'server.pem'} and {out / 'server.key'}, good for {SERVER_LIFETIME.days} days")


@ca.command()
@click.option("--pem", is_flag=True, help="the certificate itself, for those who are to trust it")
def show(pem: bool) -> None:
    """Show the authority: what it is called, until when it is good, and its fingerprint."""
    authority = _authority()
    certificate = authority.certificate()
    if pem:
        click.echo(text_of(certificate), nl=False)
        return
    click.echo(f"{certificate.subject.rfc4514_string()}, good until {certificate.not_valid_after_utc:%Y-%m-%d}")
    click.echo(_fingerprint(authority))


def _authority() -> Authority:
    return Authority(EnrolmentSettings.read().ca_folder)


def _fingerprint(authority: Authority) -> str:
    return "SHA-256 " + fingerprint(authority.chain()).hex(":")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), [Fault("", "unreadable", str(error))]) from None
