"""The commands ``tidegate demo`` and ``tidegate broker-files``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gateway.demo.broker import BrokerFiles, Listening
from gateway.demo.programs import Source


@click.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="TIDEGATE_HOME",
    default=Path(".tidegate"),
    show_default=True,
    help="Folder for everything that the demo stores; also TIDEGATE_HOME.",
)
@click.option(
    "--programs",
    type=click.Choice([source.value for source in Source]),
    default=Source.AUTO.value,
    show_default=True,
    help="Where Mosquitto and Redis come from: 'path' installs nothing; 'wheels' uses the Python packages only.",
)
@click.option(
    "--scenario",
    envvar="TIDEGATE_FARM_SCENARIO",
    default="ordinary-day",
    show_default=True,
    metavar="NAME",
    help="What happens on the farm; 'tidegate simulate --scenario list' names them. Also TIDEGATE_FARM_SCENARIO.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0, 100_000, min_open=True),
    envvar="TIDEGATE_FARM_SPEED",
    default=1.0,
    show_default=True,
    help="Farm seconds per second: 60 makes an hour pass in a minute. Also TIDEGATE_FARM_SPEED.",
)
def demo(home: Path, programs: str, scenario: str, speed: float) -> None:
    """Run the whole system on this machine, with a simulated farm, until Ctrl-C.

    Ports: TIDEGATE_HTTP_PORT, TIDEGATE_MQTT_PORT, TIDEGATE_REDIS_PORT, TIDEGATE_MODBUS_PORT; 0 is a free one.
    """
    from rich.console import Console  # noqa: PLC0415 # 'broker-files' shall start quickly

    from gateway.demo.demo import Demo  # noqa: PLC0415 # needs the libraries of the extra 'demo'

    Demo(home, source=Source(programs), environment=os.environ, console=Console(), scenario=scenario, speed=speed).run()


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
    run_as: str,
    persistence: bool,
) -> None:
    """Make Mosquitto's configuration, rights and passwords; run it again to add users.

    Existing users keep their passwords. Send SIGHUP to a running broker afterwards.
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
    )
    files = BrokerFiles(folder, secrets=secrets, listening=listening)
    principals = (f"@{name.removeprefix('@')}" for name in ("gateway", "facade", *facades, *people))
    files.write([*sites, *principals])
    click.echo(f"start the broker with: mosquitto -c {files.configuration}")
    click.echo(f"passwords, one file a user: {files.secrets}")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= 65_535:
        raise click.BadParameter(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)
