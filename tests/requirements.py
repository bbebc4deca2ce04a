"""What a test needs of the machine: on a laptop its absence skips the test, in CI it fails."""

from __future__ import annotations

import gc
import os
import warnings
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import pytest

from gateway.demo.programs import REDIS_NAMES, Programs, find


def absent(reason: str) -> NoReturn:
    """Skip the test, or fail it where ``CI=true`` says that nothing may be absent."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def program(*names: str) -> Path:
    """The first of these programs, or the end of the test."""
    found = find(*names)
    return found if found is not None else absent(f"{names[0]} is not installed; 'make test' installs it if it can")


def programs() -> Programs:
    """The real Mosquitto and Redis of this machine."""
    return Programs(program("mosquitto"), program(*REDIS_NAMES))


@cache
def docker_problem() -> str | None:
    """Why there is no container engine; None if there is one."""
    docker = import_module("docker")  # testcontainers' own client; it takes long to import, and few tests need it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its socket open when nobody answers
        try:
            client = docker.from_env()
            try:
                client.ping()
            finally:
                client.close()
        except docker.errors.DockerException as error:
            problem = str(error)
        else:
            return None
        gc.collect()
    return f"no container engine answers: {problem}"


def engine() -> None:
    """End the test if there is no container engine."""
    problem = docker_problem()
    if problem is not None:
        absent(problem)
