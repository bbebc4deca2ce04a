"""Every recipe of the documents is run as it stands, on the whole system."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from gateway.demo.stack import Stack
from tests.conditions import STRETCH, eventually
from tests.documentation import DOCS, Fence, fences
from tests.terminals import Terminal, environment, tidegate

PAGE: Final = DOCS / "technicians.md"
PLACEHOLDERS: Final = fences(PAGE, "sh", "placeholders")
FOLLOWED: Final = fences(PAGE, "sh", "follow")
#: In the order of the page; the first one prepares Mosquitto's tools for the rest.
RECIPES: Final = [each for each in fences(PAGE, "sh") if len(each.info) == 1]
CURLS: Final = fences(DOCS / "http.md", "sh", "curl")
HISTORY: Final = fences(DOCS / "history.md", "sh", "curl")
DEVICE: Final = "feeder-1"


def named(fence: Fence) -> str:
    """Where the recipe stands on its page."""
    return f"line-{fence.line}"


@pytest.fixture(scope="module")
def env(shared_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A technician's terminal on the whole system, with the placeholders set and the preparation done."""
    assert shutil.which("mosquitto_rr"), "Mosquitto's clients are not on this machine"
    home = tmp_path_factory.mktemp("technician")
    values = environment(shared_stack.login(shared_stack.plan.person), home)
    values |= {"HOME": str(home), "SITE": shared_stack.plan.site, "DEVICE": DEVICE}
    values |= {"URL": shared_stack.http_url, "TOKEN": shared_stack.token}
    values.pop("XDG_CONFIG_HOME", None)
    done = run(RECIPES[0], values)
    assert done.returncode == 0, done.stderr
    return values


def run(recipe: Fence, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a recipe to its end, as it stands on the page."""
    argv = ["bash", "-euo", "pipefail", "-c", recipe.text]
    home = env["HOME"]
    return subprocess.run(argv, env=env, cwd=home, capture_output=True, text=True, check=False, timeout=60 * STRETCH)


def test_recipes_placeholders_are_those_that_the_test_sets(env: dict[str, str]) -> None:
    """The page names every variable that its recipes use."""
    (block,) = PLACEHOLDERS
    words = block.text.replace("export", "").split()
    assert {word.partition("=")[0] for word in words} <= env.keys()


def test_recipe_preparation_keeps_the_password_private(env: dict[str, str]) -> None:
    """The files with the password are their owner's alone."""
    files = list((Path(env["HOME"]) / ".config").iterdir())
    assert {file.name for file in files} == {"mosquitto_sub", "mosquitto_pub", "mosquitto_rr"}
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


@pytest.mark.parametrize("recipe", RECIPES[1:], ids=named)
def test_recipe_runs_as_it_stands(recipe: Fence, env: dict[str, str]) -> None:
    """Copied and pasted, each recipe does its work and ends well."""
    done = run(recipe, env)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    if "mosquitto_pub" not in recipe.text:
        assert done.stdout.strip()
    if "mosquitto_rr" in recipe.text:
        # A dose takes its time: mosquitto_rr ends with the first answer, which says that it has begun.
        wanted = {"accepted", "applied"} if "/feed" in recipe.text else {"applied"}
        assert json.loads(done.stdout.splitlines()[-1])["state"] in wanted, done.stdout


@pytest.mark.parametrize("recipe", FOLLOWED, ids=named)
def test_recipe_that_follows_shows_an_ack_as_it_comes(recipe: Fence, env: dict[str, str]) -> None:
    """While it runs, a change made elsewhere appears in it."""
    with Terminal(["bash", "-c", recipe.text], env) as terminal:

        def change_is_seen() -> bool:
            # Again until it listens: an ack is not retained.
            done = tidegate("send", env["SITE"], DEVICE, "portion_g=205", env=env)
            assert done.returncode == 0, done.stdout + done.stderr
            return any("applied" in line and "portion_g" in line for line in terminal.lines)

        eventually(change_is_seen, within_s=30, what="the ack on the screen")


@pytest.mark.parametrize("recipe", CURLS, ids=named)
def test_http_recipe_runs_as_it_stands(recipe: Fence, env: dict[str, str]) -> None:
    """The curl lines of the HTTP page work as they are."""
    done = run(recipe, env)
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    # What has ended cannot be cancelled, and that is what its recipe is told here.
    expected = "not-cancellable" if "/cancel" in recipe.text else "applied"
    assert "code" not in body or body["code"] == expected, body


def test_history_recipes_show_what_was_read(env: dict[str, str]) -> None:
    """The chart has values soon after the farm has begun, and the file holds them as well."""
    chart, file, *_ = HISTORY

    def drawn() -> list[float]:
        body = json.loads(run(chart, env).stdout)
        return (body["samples"] or {"value": body["buckets"]["last"]})["value"] if "every_s" in body else []

    values = eventually(drawn, within_s=20, what="a chart")
    assert values[0] > 0
    assert run(file, env).returncode == 0
    header, first, *_ = Path(env["HOME"], "hopper_kg.csv").read_text().splitlines()
    assert header == "at,value,quality"
    assert first.endswith(",good")


@pytest.mark.parametrize("recipe", HISTORY[2:4], ids=lambda recipe: recipe.text.split("?")[0].rsplit("/", 1)[1])
def test_day_recipes_tell_each_day(recipe: Fence, env: dict[str, str]) -> None:
    """One entry for each of the days that they name."""
    body = json.loads(run(recipe, env).stdout)
    assert [day["date"] for day in body["days"]] == [f"2026-11-{day:02d}" for day in range(1, 23)]


def test_settings_recipe_names_who_changed_one(env: dict[str, str]) -> None:
    """The technician, who has just done so."""
    assert tidegate("send", env["SITE"], DEVICE, "portion_g=155", env=env).returncode == 0

    def changes() -> list[object]:
        items = json.loads(run(HISTORY[4], env).stdout)["items"]
        return [
            item for item in items if {"name": "portion_g", "new": 155} in [_named(each) for each in item["changes"]]
        ]

    def _named(change: dict[str, object]) -> dict[str, object]:
        return {name: change[name] for name in ("name", "new")}

    (change,) = eventually(changes, within_s=10, what="the change in the history")
    assert isinstance(change, dict)
    assert (change["by"], change["requester"]) == ("remote", "@ana")


def test_recipe_write_is_held_by_the_device(env: dict[str, str]) -> None:
    """What a technician's command changed is what the device shows afterwards."""
    assert tidegate("send", env["SITE"], DEVICE, "portion_g=145", env=env).returncode == 0
    state = f"mosquitto_sub -t tidegate/v1/{env['SITE']}/devices/{DEVICE}/state"
    with Terminal(["bash", "-c", state], env) as terminal:
        terminal.shows('"portion_g":145')
