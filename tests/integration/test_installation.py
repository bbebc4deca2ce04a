"""A site's PC gets the agent alone: no Redis, no database, no HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import absent

ROOT = Path(__file__).parents[2]
NOT_FOR_SITES = ("redis", "sqlalchemy", "flask", "alembic", "granian", "pydantic_settings", "psycopg")
_INSTALL_S = 300


def run(*argv: str | Path, check: bool = True, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        argv, check=False, capture_output=True, text=True, timeout=_INSTALL_S, env=environment, cwd=folder
    )
    assert not check or done.returncode == 0, f"{argv[0]} ...: {done.stdout[-1500:]}{done.stderr[-1500:]}"
    return done


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment with the wheel and its extra 'agent', and nothing else."""
    folder = tmp_path_factory.mktemp("site-pc")
    built = run(sys.executable, "-m", "build", "--outdir", folder, ROOT, check=False)
    if built.returncode != 0:
        absent(f"sdist and wheel cannot be built here (without a package index?): {built.stderr[-500:]}")
    wheel = next(folder.glob("*.whl"))
    run(sys.executable, "-m", "venv", folder / "venv")
    python = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "-c", ROOT / "constraints.txt")
    installed = run(*pip, f"{wheel}[agent]", check=False)
    if installed.returncode != 0:
        absent(f"the agent's packages cannot be installed here: {installed.stderr[-500:]}")
    return python


@pytest.mark.timeout(600)
@pytest.mark.parametrize("package", NOT_FOR_SITES)
def test_agent_alone_servers_package_absent(python: Path, package: str) -> None:
    """What only the centre needs is not brought along."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is not None)"
    run(python, "-c", code)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("module", ["site_agent.agent", "site_agent.simulator.farm", "gateway.protocol.topics"])
def test_agent_alone_imports(python: Path, module: str) -> None:
    """The agent, its simulator and the protocol import without the centre's packages."""
    run(python, "-W", "error", "-c", f"import {module}", folder=python.parent)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("command", ["agent", "simulate"])
def test_agent_alone_command_shows_help(python: Path, command: str) -> None:
    """The commands of a site's PC are there."""
    done = run(python, "-m", "gateway", command, "--help", folder=python.parent)
    assert "Usage:" in done.stdout


@pytest.mark.timeout(600)
@pytest.mark.parametrize("command", ["gateway", "facade"])
def test_agent_alone_servers_command_says_what_to_install(python: Path, command: str) -> None:
    """A command of the centre says which packages it needs, without a traceback."""
    done = run(python, "-m", "gateway", command, check=False, folder=python.parent)
    assert done.returncode == 1
    assert "pip install 'tidegate[server]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.timeout(600)
def test_agent_alone_broker_files_made_from_installed_templates(python: Path, tmp_path: Path) -> None:
    """The broker's templates are in the wheel, and the command that fills them needs nothing of the centre."""
    run(python, "-m", "gateway", "broker-files", "--folder", tmp_path / "broker", "--site", "arava-1", folder=tmp_path)
    assert (tmp_path / "broker" / "mosquitto.conf").is_file()


@pytest.mark.timeout(600)
def test_agent_alone_without_configuration_says_so(python: Path, tmp_path: Path) -> None:
    """The agent runs as far as its first question: where is the site's file?"""
    done = run(python, "-m", "gateway", "agent", "--config", tmp_path / "absent.toml", check=False, folder=tmp_path)
    assert done.returncode == 2
    assert "absent.toml" in done.stderr
    assert "Traceback" not in done.stderr
