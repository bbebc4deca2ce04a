"""``tidegate demo``: start everything, say how to use it, show what happens, stop everything."""

from __future__ import annotations

import json
import shlex
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from rich.console import Console
from rich.markup import escape

from gateway import logs
from gateway.credentials import write_private
from gateway.demo.logtail import LogTail, readable
from gateway.demo.ports import free_port, is_free
from gateway.demo.programs import Source, choose
from gateway.demo.readiness import listens
from gateway.demo.roles import BROKER, FARM, HOST, REDIS, Plan, Ports
from gateway.demo.site import PROBE_DEVICE, PROBE_PROPERTY
from gateway.demo.stack import Stack
from gateway.protocol.errors import Fault, SettingsError
from gateway.protocol.topics import ROOT

_TICK_S: Final = 0.1
_WITHOUT_RIGHTS: Final = (
    "Mosquitto is not on this machine, so the broker is 'iotcore' from a wheel: THE TOPIC RIGHTS (ACL) ARE OFF. Every "
    "user can read and write every topic. It will do to look around; never use it for a real site."
)
#: our name -> (variable, usual port, how many in a row)
_PORTS: Final = {
    "http": ("TIDEGATE_HTTP_PORT", 8080, 1),
    "people": ("TIDEGATE_MQTT_PORT", 1883, 1),
    "machines": ("TIDEGATE_MQTT_MACHINES_PORT", 1884, 1),
    "redis": ("TIDEGATE_REDIS_PORT", 6379, 1),
    "modbus": ("TIDEGATE_MODBUS_PORT", 5020, 2),
}


@dataclass(frozen=True, slots=True)
class ChosenPorts:
    """The ports to use, and what to tell about those that are not the usual ones."""

    ports: Ports
    notes: tuple[str, ...]


def choose_ports(environment: Mapping[str, str]) -> ChosenPorts:
    """Ports as the environment asks for them: 0 is a free one; a usual one that is taken gives way to a free one.

    Raises:
        SettingsError: a variable is no port, or the port it asks for is taken; lists all.
    """
    chosen: dict[str, int] = {}
    notes: list[str] = []
    faults: list[Fault] = []
    for name, (variable, usual, count) in _PORTS.items():
        asked = environment.get(variable) or None
        if asked is None:
            # The machines' listener follows the people's, so that one variable moves both.
            wanted = 0 if name == "machines" and chosen.get("people") != 1883 else usual
            chosen[name] = wanted if wanted and _all_free(wanted, count) else free_port(count=count)
            if wanted and chosen[name] != wanted:
                notes.append(f"port {wanted} is taken, so {name} uses {chosen[name]}; {variable} chooses another")
        elif not asked.isdecimal() or int(asked) > 65_535:
            faults.append(Fault(f"/{variable}", "no-port", f"{asked!r} is no port; use 0 (a free one) to 65535"))
        elif asked == "0" or int(asked) == 0:
            chosen[name] = free_port(count=count)
        elif not _all_free(int(asked), count):
            detail = f"port {asked} is taken by another program; choose another, or 0 for a free one"
            faults.append(Fault(f"/{variable}", "port-taken", detail))
        else:
            chosen[name] = int(asked)
    if faults:
        raise SettingsError("the environment", faults)
    return ChosenPorts(Ports(**chosen), tuple(notes))


def _all_free(port: int, count: int) -> bool:
    return all(is_free(number) and not listens(HOST, number) for number in range(port, port + count))


class Demo:
    """One run of the demo in ``home``, with the farm's scenario and speed."""

    def __init__(
        self,
        home: Path,
        *,
        source: Source,
        environment: Mapping[str, str],
        console: Console,
        scenario: str = "ordinary-day",
        speed: float = 1.0,
    ) -> None:
        self._home = home.absolute()
        self._source = source
        self._environment = environment
        self._console = console
        self._scenario = scenario
        self._speed = speed

    def run(self) -> None:
        """Start, show what happens until a signal, stop.

        Raises:
            SettingsError: a port or program cannot be had, or the demo runs already in this folder.
            Unavailable: a part did not become ready.
        """
        logs.configure("demo", level="ERROR")
        began_s = time.monotonic()
        self._refuse_second_run()
        chosen = choose_ports(self._environment)
        programs = choose(self._source, self._say)
        for note in chosen.notes:
            self._say(f"[yellow]{escape(note)}[/]")
        if programs.mosquitto is None:
            self._say(f"[bold white on red] {_WITHOUT_RIGHTS} [/]")
        plan = Plan(home=self._home, programs=programs, ports=chosen.ports, scenario=self._scenario, speed=self._speed)
        stack = Stack(plan)
        for child in stack.children.values():
            child.log.unlink(missing_ok=True)
        _interrupt_once()
        self._say("starting broker, Redis, gateway, facade, simulated farm and agent ...")
        try:
            with stack:
                name, password = stack.browser_account()
                console = {"url": stack.console_url, "name": name, "password": password}
                write_private(self._demo_file, json.dumps({"console": console, **stack.summary()}, indent=2) + "\n")
                self._explain(stack, console, time.monotonic() - began_s)
                self._follow(stack)
        except KeyboardInterrupt:
            self._say("stopped")
        finally:
            self._demo_file.unlink(missing_ok=True)

    @property
    def _demo_file(self) -> Path:
        return self._home / "demo.json"

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False)

    def _explain(self, stack: Stack, browser: Mapping[str, str], took_s: float) -> None:
        plan, url = stack.plan, stack.http_url
        settings = f"{url}/v1/sites/{plan.site}/devices/{PROBE_DEVICE}/settings"
        curl = (
            f"curl -X PATCH {settings} -H 'Authorization: Bearer {stack.token}' "
            f"-H 'Content-Type: application/merge-patch+json' -d '{{\"{PROBE_PROPERTY}\": 150}}'"
        )
        feed = (
            f"curl -X POST {url}/v1/sites/{plan.site}/devices/{PROBE_DEVICE}/actions/feed "
            f"-H 'Authorization: Bearer {stack.token}' -H 'Idempotency-Key: '$RANDOM$RANDOM "
            "-H 'Content-Type: application/json' -d '{\"grams\": 50}'"
        )
        topics = shlex.quote(f"{ROOT}/#")
        secret = plan.broker_files.secret(plan.person)
        watch = f"mosquitto_sub -V 5 -h {HOST} -p {plan.ports.people} -u {plan.person} -P {secret} -v -t {topics}"
        self._say(f"\n[bold green]ready[/] after {took_s:.1f} s; Ctrl-C stops everything\n")
        sign_in = f"user name {browser['name']}, password {browser['password']}"
        for title, text in (
            ("open this in a browser: the web console", f"{browser['url']}\n  {sign_in}"),
            ("API docs (the browser asks: any user name, and as password the token)", f"{url}/docs"),
            ("token", stack.token),
            ("change a portion", curl),
            ("feed now, once; the same key again would feed no more", feed),
            (f"watch everything, as the technician {plan.person}", watch),
            ("the farm", f"scenario {plan.scenario}, x{plan.speed:g}; --scenario and --speed choose another"),
            ("for scripts (addresses and secrets)", str(self._demo_file)),
            ("the site's file; a change is taken over once it is saved", str(plan.site_file)),
            ("all logs", str(self._home / "logs")),
        ):
            self._say(f"[bold]{title}[/]\n  {escape(text)}")
        self._say("")

    def _follow(self, stack: Stack) -> NoReturn:
        tail = LogTail({role: child.log for role, child in stack.children.items()})
        for role in (BROKER, REDIS, FARM):
            tail.skip(role)  # their greetings, and our own questions whether they are ready
        dead: set[str] = set()
        while True:
            for role, line in tail.lines():
                shown = readable(role, line)
                if shown is not None:
                    self._say(shown)
            for role, child in stack.children.items():
                if not child.running and role not in dead:
                    dead.add(role)
                    self._say(f"[bold white on red] {role} ended with code {child.exit_code} [/]. To start it again:")
                    self._say(f"  {escape(child.command_line)}")
            time.sleep(_TICK_S)

    def _refuse_second_run(self) -> None:
        try:
            mqtt = json.loads(self._demo_file.read_text(encoding="utf-8"))["mqtt"]
            running = listens(str(mqtt["host"]), int(mqtt["port"]))
        except (OSError, ValueError, KeyError, TypeError):
            return
        if running:
            detail = "a demo runs already in this folder; stop it, or choose another with TIDEGATE_HOME"
            raise SettingsError(str(self._home), [Fault("", "already-running", detail)])


def _interrupt_once() -> None:
    """Let the first Ctrl-C, SIGTERM or hang-up raise KeyboardInterrupt; stopping is not interrupted by a second."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]

    def interrupt(*_: object) -> NoReturn:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, interrupt)
