"""``tidegate facade``."""

from __future__ import annotations

import click

from gateway.logs import configure
from http_facade.server import serve
from http_facade.settings import FacadeSettings


@click.command()
def facade() -> None:
    """Run the HTTP facade; its settings are environment variables that begin with TIDEGATE_."""
    settings = FacadeSettings.read()
    configure("facade", level=settings.log_level)
    serve(settings)
