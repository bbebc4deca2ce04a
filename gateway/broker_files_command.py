"""``tidegate broker-files``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from gateway.broker_files import BrokerFiles, Listening, TlsFiles, TlsListening


@click.command("broker-files")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Private folder for mosquitto.conf, acl and passwords.",
)
@click.option(
    "--secrets",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for one secret file a user [default: secrets in FOLDER].",
)
@click.option("--site", "sites", multiple=True, metavar="ID", help="A site; may be repeated.")
@click.option("--person", "people", multiple=True, metavar="NAME", help="A technician, without the @; may be repeated.")
@click.option("--facade", "facades", multiple=True, metavar="NAME", help="A further facade, such as 'facade-2'.")
@click.option("--machines", default="127.0.0.1:1884", show_default=True, help="Where sites, gateway, facades connect.")
@click.option("--people", "terminals", default="127.0.0.1:1883", show_default=True, help="Where people connect.")
@click.option("--tls", "names", multiple=True, metavar="NAME", help="Listen for TLS too, as the host NAME; repeatable.")
@click.option("--tls-machines", default="0.0.0.0:8884", show_default=True, help="Where sites from elsewhere connect.")
@click.option("--tls-people", default="0.0.0.0:8883", show_default=True, help="Where people from elsewhere connect.")
@click.option("--pid-file/--no-pid-file", default=True, help="Whether the broker writes its process number there.")
@click.option("--run-as", default="mosquitto", show_default=True, help="The user that Mosquitto becomes under root.")
@click.option("--persistence/--no-persistence", default=False, help="Whether the broker saves its state.")
def broker_files(  # one parameter for each option
    *,
    folder: Path,
    secrets: Path | None,
    sites: tuple[str, ...],
    people: tuple[str, ...],
    facades: tuple[str, ...],
    machines: str,
    terminals: str,
    names: tuple[str, ...],
    tls_machines: str,
    tls_people: str,
    pid_file: bool,
    run_as: str,
    persistence: bool,
) -> None:
    """Make Mosquitto's configuration, rights and passwords; run it again to add users.

    Existing users keep their passwords. Send SIGHUP to a running broker afterwards. With --tls the broker gets a
    certificate of the authority in TIDEGATE_CA_FOLDER (see tidegate ca --help), new at every run.
    """
    machines_host, machines_port = _address(machines)
    people_host, people_port = _address(terminals)
    listening = Listening(
        machines_host=machines_host,
        machines_port=machines_port,
        people_host=people_host,
        people_port=people_port,
        run_as=run_as,
        persistence=persistence,
        tls=_tls(tls_machines, tls_people) if names else None,
        pid_file=pid_file,
    )
    files = BrokerFiles(folder, secrets=secrets, listening=listening)
    if names:
        files.write_tls(_tls_files(names))
    principals = (f"@{name.removeprefix('@')}" for name in ("gateway", "facade", *facades, *people))
    files.write([*sites, *principals])
    click.echo(f"start the broker with: mosquitto -c {files.configuration}")
    click.echo(f"passwords, one file a user: {files.secrets}")


def _tls(machines: str, people: str) -> TlsListening:
    machines_host, machines_port = _address(machines)
    people_host, people_port = _address(people)
    return TlsListening(
        machines_host=machines_host, machines_port=machines_port, people_host=people_host, people_port=people_port
    )


def _tls_files(names: Sequence[str]) -> TlsFiles:
    from gateway.identity.authority import Authority  # noqa: PLC0415 # needs the extra 'server'
    from gateway.settings import EnrolmentSettings  # noqa: PLC0415 # same

    authority = Authority(EnrolmentSettings.read().ca_folder)
    key, certificate = authority.server(names)
    revoked = authority.revocations_file.read_text(encoding="utf-8")
    return TlsFiles(key=key, certificate=certificate, clients=authority.chain(), revoked=revoked)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= 65_535:
        raise click.BadParameter(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)
