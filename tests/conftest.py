"""Fixtures that need the real programs; each kind of test takes only what it names."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import hypothesis
import pytest

from gateway.demo.roles import Plan, Ports
from gateway.demo.site import FeedLimits
from gateway.demo.stack import Stack
from tests.containers import BrokerContainer, RedisContainer
from tests.requirements import engine, programs
from tests.running_broker import BrokerProcess, RunningBroker
from tests.running_postgres import PostgresProcess
from tests.running_redis import RedisProcess

StackMaker = Callable[..., Stack]
_CONTAINED: Final = frozenset({"broker", "redis_url", "compose"})
#: A pulse quick enough for tests, and a gate that forgives one late beat.
#: So that tests may feed as often as they like.
WIDE: Final = FeedLimits(largest=500, least_gap_s=0.001, most_per_day=1_000_000)
QUICK: Final[dict[str, Any]] = {"heartbeat_s": 1, "alive_expiry_s": 3, "poll_s": 0.2, "limits": WIDE}


def pytest_configure() -> None:
    """Let programs that tests start hear Ctrl-C, even if we run as a background job, which ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # How long an example takes says how busy the machine is.
    hypothesis.settings.register_profile("unhurried", deadline=None)
    hypothesis.settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--backend",
        choices=("programs", "containers"),
        default="programs",
        help="where broker and Redis come from: programs of this machine (default), or containers",
    )
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="what tests that need any database run on",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On containers run what can differ there: the tests that use what a container can provide."""
    if config.getoption("--backend") == "programs":
        return
    kept = [item for item in items if _CONTAINED & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of any database on each kind of it; beside containers on one, for the other is no container."""
    contained = metafunc.config.getoption("--backend") == "containers"
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    if "each_database" in marks and "only_sqlite" not in marks:
        kinds = ["postgresql"] if "not_sqlite" in marks else ["sqlite"] if contained else ["sqlite", "postgresql"]
        metafunc.parametrize("database_url", kinds, indirect=True)


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """``programs`` or ``containers``."""
    return str(request.config.getoption("--backend"))


@pytest.fixture(scope="session")
def broker(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    """One broker for the whole run, with @gateway and @facade; add the sites and people that a test needs."""
    folder = tmp_path_factory.mktemp("broker")
    if backend == "containers":
        engine()
    running = BrokerContainer(folder) if backend == "containers" else BrokerProcess(folder)
    running.start()
    try:
        yield RunningBroker(running.files, running)
    finally:
        running.stop()


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker process for one test alone, which may kill or freeze it."""
    running = BrokerProcess(tmp_path)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def redis_url(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Redis for the whole run, as its administrator; tests keep apart by their site ids."""
    folder = tmp_path_factory.mktemp("redis")
    if backend == "containers":
        engine()
    running = RedisContainer(folder) if backend == "containers" else RedisProcess(folder)
    running.start()
    try:
        yield running.url
    finally:
        running.stop()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisProcess]:
    """A Redis process for one test alone, which may kill, freeze or flush it."""
    running = RedisProcess(tmp_path)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def site_id() -> str:
    """A site id that no other test uses."""
    return f"site-{secrets.token_hex(5)}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresProcess]:
    """One PostgreSQL for the whole run; each test takes a database of its own."""
    running = PostgresProcess()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: SQLite, or with ``each_database`` or ``--database`` PostgreSQL too."""
    kind = getattr(request, "param", request.config.getoption("--database"))
    if kind == "postgresql":
        running: PostgresProcess = request.getfixturevalue("postgres")
        return running.new_database().replace("postgresql://", "postgresql+psycopg://")
    return f"sqlite:///{tmp_path / 'tidegate.db'}"


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., Plan]:
    """Makes the plan of a stack on free ports with a quick heartbeat; any of its fields may be given."""

    def make(**fields: object) -> Plan:
        values: dict[str, Any] = {"home": tmp_path / "home", "programs": programs(), "ports": Ports.free(), **QUICK}
        return Plan(**{**values, **fields})

    return make


@pytest.fixture
def make_stack(plan: Callable[..., Plan]) -> Iterator[StackMaker]:
    """Makes stacks that are not started yet; all are stopped at the end."""
    made: list[Stack] = []

    def make(**fields: object) -> Stack:
        made.append(Stack(plan(**fields)))
        return made[-1]

    yield make
    for stack in made:
        stack.stop()


@pytest.fixture
def stack(make_stack: StackMaker) -> Stack:
    """The whole system, running, for one test alone."""
    made = make_stack()
    made.start()
    return made


@pytest.fixture(scope="module")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole system, running, for the tests of one module that disturb nothing."""
    home = tmp_path_factory.mktemp("stack") / "home"
    plan = Plan(home=home, programs=programs(), ports=Ports.free(), **QUICK)
    with Stack(plan) as running:
        yield running
