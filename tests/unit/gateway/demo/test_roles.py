"""What the demo's processes are told."""

from __future__ import annotations

from pathlib import Path

from gateway.demo.programs import Programs
from gateway.demo.roles import FARM, Plan, Ports
from site_agent.simulator.scenario import CALM

PORTS = Ports(http=1, people=2, machines=3, redis=4, modbus=5)


def plan(**fields: object) -> Plan:
    """Of a stack that is never started."""
    programs = Programs(Path("mosquitto"), Path("redis-server"))
    return Plan(home=Path("home"), programs=programs, ports=PORTS, **fields)  # type: ignore[arg-type]  # any of its own


def option(argv: list[str], name: str) -> str:
    """The word after it."""
    return argv[argv.index(name) + 1]


def test_farm_of_a_plan_is_calm_and_keeps_real_time() -> None:
    """Tests judge by it."""
    argv = plan().argv(FARM)
    assert (option(argv, "--scenario"), option(argv, "--speed")) == (CALM.name, "1")


def test_farm_of_a_plan_gets_its_scenario_and_speed() -> None:
    """As the demo was asked."""
    argv = plan(scenario="jam-at-noon", speed=60.0).argv(FARM)
    assert (option(argv, "--scenario"), option(argv, "--speed")) == ("jam-at-noon", "60")
