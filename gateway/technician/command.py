"""``tidegate watch`` and ``tidegate send``."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from datetime import datetime
from typing import Final

import click

from gateway import logs
from gateway.broker import BrokerRefused, Login
from gateway.protocol.codec import encode
from gateway.protocol.codes import AckCode
from gateway.protocol.ids import is_id
from gateway.protocol.lifecycle import MEANING, State
from gateway.protocol.messages import Ack
from gateway.protocol.topics import TOPICS, WRITE
from gateway.technician.inbox import Inbox
from gateway.technician.login import LOGIN_HELP, login_options
from gateway.technician.printable import json_line, printable, shown
from gateway.technician.screen import COLOURS, Screen, as_json
from gateway.technician.sending import NoWord, Order, Outcome, SiteSilent
from gateway.technician.sending import send as send_order

#: How long the broker may pause between two retained messages before they are held to be complete.
QUIET_S: Final = 0.7
#: What ``tidegate send`` ends with.
APPLIED, REFUSED, NO_ANSWER = 0, 1, 3


def _id(_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_id(value):
        raise click.BadParameter("only small letters, digits and inner dashes, such as arava-1", param=parameter)
    return value


@click.command(
    epilog=f"""\b
Examples:
  tidegate watch                   everything, of every site
  tidegate watch arava-1           one site
  tidegate watch --once arava-1    how it is now, then end
  tidegate watch --json | jq 'select(.topic | contains("acks"))'

{LOGIN_HELP}"""
)
@click.argument("site", required=False, callback=_id)
@click.option("--once", is_flag=True, help="Show what the broker keeps (status, devices, states), then end.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line, for programs.")
@login_options
def watch(login: Login, site: str | None, once: bool, as_lines: bool) -> None:  # click passes by name
    """See live what SITE, or every site, reports: status, heartbeats, states, commands and their acks.

    States are shown as changes. Ends with Ctrl-C.
    """
    logs.configure("watch", level="WARNING")
    filters = [
        cls.filter(**({"site": site} if site and "site" in {level.name for level in fields(cls)} else {}))
        for cls in TOPICS
    ]
    screen = Screen()
    try:
        with Inbox(login, filters) as inbox:
            while incoming := inbox.next(QUIET_S if once else None):
                now = datetime.now().astimezone()
                for line in [as_json(incoming, now)] if as_lines else screen.lines(incoming, now):
                    click.echo(line)
    except KeyboardInterrupt:
        return


@click.command(
    epilog=f"""\b
Examples:
  tidegate send arava-1 feeder-1 portion_g=120
  tidegate send arava-1 feeder-1 enabled=false interval_min=30 --reason "net repair"
  tidegate send arava-1 feeder-1 portion_g=120 --wait 20 --json
  tidegate send arava-1 feeder-1 feed grams=50

\b
Exit codes:
  0  applied: the PLC was read equal, or its mailbox said so
  1  rejected, expired, failed, or done only in part
  2  wrong input or no connection; nothing was sent
  3  no answer in time, or unknown: it may have taken effect, so look before you repeat it

{LOGIN_HELP}"""
)
@click.argument("site", callback=_id)
@click.argument("device", callback=_id)
@click.argument("words", nargs=-1, required=True, metavar="[ACTION] NAME=VALUE...")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(1, 300),
    default=10,
    show_default=True,
    help="Seconds to wait; also the command's time to live, up to 30.",
)
@click.option("--reason", help="Why, for the record.")
@click.option("--json", "as_line", is_flag=True, help="The answer as one JSON object, for programs.")
@login_options
def send(
    login: Login,
    site: str,
    device: str,
    words: tuple[str, ...],
    wait_s: float,
    reason: str | None,
    as_line: bool,  # click passes by name
) -> None:
    """Change settings of DEVICE at SITE, or let it do an ACTION, and print what really happened.

    Values are read by the device's own description, so that enabled=true and portion_g=120 get the right type.
    """
    logs.configure("send", level="WARNING")
    action = "" if "=" in words[0] else words[0]
    order = Order(
        site=site,
        device=device,
        name=action or WRITE,
        assignments=words[1:] if action else words,
        wait_s=wait_s,
        reason=reason,
    )

    def show(ack: Ack) -> None:
        if not as_line and not ack.final:
            click.echo(f"{ack.state}: {printable(ack.detail) or MEANING[ack.state]}", err=True)

    try:
        outcome = send_order(login, order, show)
    except (SiteSilent, BrokerRefused) as error:
        click.echo(f"tidegate: {printable(str(error))}", err=True)
        sys.exit(REFUSED)
    except NoWord as error:
        click.echo(f"tidegate: {printable(str(error))}", err=True)
        sys.exit(NO_ANSWER)
    click.echo(_as_json(outcome) if as_line else _as_text(outcome))
    sys.exit(_exit_code(outcome.ack))


def _exit_code(ack: Ack | None) -> int:
    if ack is None or not ack.final:
        return NO_ANSWER
    return APPLIED if ack.state is State.APPLIED else REFUSED


def _as_json(outcome: Outcome) -> str:
    if outcome.ack is None:
        return json_line({"id": outcome.id, "state": State.UNKNOWN, "code": AckCode.NO_ANSWER, "final": False})
    return json_line(json.loads(encode(outcome.ack)))


def _as_text(outcome: Outcome) -> str:
    ack = outcome.ack
    if ack is None:
        word = click.style("no answer", fg="magenta")
        return f"{word}: it may have taken effect, so look before you repeat it ({outcome.id})"
    units = {name: each.unit for name, each in outcome.description.properties.items()}
    if ack.name in outcome.description.actions:
        units = {name: each.unit for name, each in outcome.description.actions[ack.name].input.properties.items()}
    values = ack.result or ack.input
    text = ", ".join(f"{name}={shown(value, units.get(name))}" for name, value in values.items())
    why = f" [{ack.code}] {printable(ack.detail)}" if ack.state is not State.APPLIED else ""
    return f"{click.style(ack.state, fg=COLOURS.get(ack.state, 'red'))}: {ack.device} {text}{why} ({ack.id})"
