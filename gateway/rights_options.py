"""The options of commands that say what somebody may do, and where: a role, and some sites or all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from gateway.protocol.ids import is_id
from gateway.roles import Role

F = TypeVar("F", bound=Callable[..., Any])


def rights_options(command: F, roles: Iterable[Role] = Role) -> F:
    """Give a command ``--role``, ``--site`` and ``--all-sites``; :func:`rights_of` reads what they bring."""
    options = (
        click.option("--role", type=click.Choice([each.value for each in roles]), required=True, help="what for"),
        click.option("--site", "sites", multiple=True, metavar="ID", help="only there; may be given several times"),
        click.option("--all-sites", is_flag=True, help="at every site, those to come as well"),
    )
    for each in reversed(options):
        command = each(command)
    return command


def rights_of(role: str, sites: tuple[str, ...], all_sites: bool) -> tuple[Role, frozenset[str] | None]:
    """The role, and the sites, of which None stands for all; raises click's UsageError."""
    if all_sites == bool(sites):
        raise click.UsageError("say either --site, once or several times, or --all-sites")
    wrong = [each for each in sites if not is_id(each)]
    if wrong:
        raise click.BadParameter(f"no site can be called {wrong[0]!r}", param_hint="--site")
    return Role(role), None if all_sites else frozenset(sites)
