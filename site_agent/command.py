"""``tidegate agent``: settings, signals and the event loop around the agent."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import click
import structlog
from pydantic import SecretStr

from gateway import logs
from gateway.credentials import weakness_of
from gateway.protocol.errors import Fault, SettingsError
from site_agent.agent import Agent
from site_agent.configuration import SiteConfiguration
from site_agent.enrol_command import enrol
from site_agent.folder_lock import held
from site_agent.identity import Identity
from site_agent.sealing.custody import Custody
from site_agent.unit import unit

log = structlog.get_logger(__name__)


@click.group(
    invoke_without_command=True,
    epilog="""\b
First, once:   tidegate agent enrol CODE
Try:           tidegate agent --config site.toml --check
Then:          tidegate agent --config site.toml
""",
)
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("site.toml"),
    show_default=True,
    help="The site's file: broker, PLCs and devices.",
)
@click.option(
    "--trust",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="TIDEGATE_TRUST_FILE",
    help="Whose seal the file needs; must be there if named. [default: trust.toml beside the file, if there is one]",
)
@click.option("--check", is_flag=True, help="Only check the file, and say what is in it.")
@click.option(
    "--log-level",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]),
    default="INFO",
    show_default=True,
    envvar="TIDEGATE_LOG_LEVEL",
)
@click.pass_context
def agent(context: click.Context, path: Path, trust: Path | None, check: bool, log_level: str) -> None:
    """Run the agent of a site, beside its PLCs.

    It connects to the broker as the site, keeps its journal in the folder named in the file, and ends cleanly on
    Ctrl-C or SIGTERM: a write under way is finished, then 'stopped' is published.

    While it runs it watches the file, and its profiles: a change that is right is taken over, PLC by PLC, without a
    restart; one that is wrong changes nothing, and the site's status says why. The same goes for one without the seal
    that a trust file asks for; if it is so at start, the last good one goes on.
    """
    if context.invoked_subcommand is not None:
        return
    custody = Custody(path, trust)
    if check:
        taken = custody.check()
        _describe(taken.configuration)
        if taken.seal is not None:
            click.echo(f"sealed as version {taken.seal.statement.version} by {_listed(taken.signers)}")
        return
    began = custody.begin()
    password, folder = proof_of(began.configuration), began.configuration.agent.folder
    _prepare_folder(folder)
    logs.configure("agent", level=log_level)
    with held(folder), asyncio.Runner(loop_factory=_new_loop) as runner:
        custody.keep(began)
        if began.trouble:
            log.error("site-file-refused", cause=began.trouble)
        runner.run(_serve(Agent(custody, began, password)))


def _new_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        # The default loop there cannot watch a socket the way aiomqtt needs it, and uvloop does not exist.
        return asyncio.SelectorEventLoop()
    import uvloop  # noqa: PLC0415 # not on Windows

    return uvloop.new_event_loop()


async def _serve(site_agent: Agent) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        # signal.signal works on Windows too, where loops have no signal handlers.
        signal.signal(number, ask_to_stop)
    await site_agent.run(stop)


agent.add_command(enrol)


@agent.command(
    "unit",
    epilog="""\b
tidegate agent unit --config /etc/tidegate/site.toml | sudo tee /etc/systemd/system/tidegate-agent.service
sudo systemctl daemon-reload && sudo systemctl enable --now tidegate-agent
""",
)
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("site.toml"),
    show_default=True,
    help="The site's file, which says whom the agent may speak to.",
)
@click.option("--user", default="tidegate", show_default=True, help="The user to run as; it needs no rights.")
@click.option("--trust", type=click.Path(path_type=Path, dir_okay=False), help="As for tidegate agent.")
def print_unit(path: Path, user: str, trust: Path | None) -> None:
    """Print a systemd unit that runs the agent with no rights, and lets it open only the addresses in the file.

    A trust file that is there is named in the unit: from then on the agent does not start without it, unless it goes on
    with what was sealed before.
    """
    custody = Custody(path, trust)
    trusted = custody.trust_path if trust is not None or custody.trust_path.exists() else None
    click.echo(unit(path, custody.check().configuration, user=user, trust=trusted), nl=False)


def proof_of(configuration: SiteConfiguration) -> SecretStr | None:
    """The site's password; None if it has a certificate instead, which is then the right one."""
    broker = configuration.broker
    if broker.identity is not None:
        found = Identity(broker.identity).site
        if found != configuration.site:
            detail = f"the certificate is that of {found!r}, the file is about {configuration.site!r}"
            raise SettingsError("the site's file", [Fault("/broker/identity", "other-site", detail)])
        return None
    assert broker.password_file is not None  # noqa: S101 # the table has one of the two
    return _password(broker.password_file)


def _password(path: Path) -> SecretStr:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError("the site's file", [Fault("/broker/password_file", "unreadable", str(error))]) from None
    if not text:
        raise SettingsError("the site's file", [Fault("/broker/password_file", "empty", f"{path} holds no password")])
    weakness = weakness_of(text)
    if weakness is not None:
        raise SettingsError("the site's file", [Fault("/broker/password_file", "weak-secret", f"{path}: {weakness}")])
    return SecretStr(text)


def _prepare_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError("the site's file", [Fault("/agent/folder", "unusable", str(error))]) from None


def _describe(configuration: SiteConfiguration) -> None:
    missing = _missing_proof(configuration)
    if missing is not None:  # a file may be written and checked before there is one
        click.echo(f"still missing before the agent can start, who it is at the broker: {missing}")
    elif configuration.broker.identity is not None:
        click.echo(f"its certificate is good for {Identity(configuration.broker.identity).days_left():.0f} days")
    click.echo(f"{configuration.site}: {len(configuration.plcs)} PLCs, {len(configuration.devices)} devices")
    for plc in configuration.plcs:
        click.echo(f"  {plc.name}  {plc.address}, every {plc.poll_s:g} s")
        for device in configuration.devices:
            if device.plc == plc.name:
                settings = [name for name, each in device.properties.items() if each.writable]
                click.echo(f"    {device.id}  {device.title or device.id}; settings: {_listed(settings)}")
                interlocks = [each.name for each in device.interlocks]
                click.echo(f"      actions: {_listed(device.actions)}; interlocks: {_listed(interlocks)}")
                meals = ["missed meals"] if device.meals is not None else []
                click.echo(f"      alarms: {_listed([*device.alarms, *meals])}")


def _missing_proof(configuration: SiteConfiguration) -> str | None:
    try:
        proof_of(configuration)
    except SettingsError as error:
        return error.faults[0].detail
    return None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
