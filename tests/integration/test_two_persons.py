"""Groups that are so large that one person previews them and another one runs them (S11)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.roles import Role
from tests.conditions import eventually
from tests.databases import each_database
from tests.fake_parts import DEVICE
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade

pytestmark = each_database
SITES = ("arava-1", "arava-2", "arava-3")


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """One that wants a second person from three targets on; its sites are silent, so no run sends anything."""
    changes = {"http_second_person_from": 3}
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url, **changes) as made:
        for site in SITES:
            made.introduce(site)
        yield made


def _preview(facade: RunningFacade, count: int) -> dict[str, Any]:
    targets = [{"site": site, "device": DEVICE} for site in SITES[:count]]
    answer = facade.client.post("/v1/groups", json={"targets": targets, "action": "feed", "input": {"grams": 50}})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def _run(facade: RunningFacade, made: dict[str, Any], *, as_dana: frozenset[str] | bool = False) -> str:
    """What came of it: a code, or who is said to have run it. Dana is an engineer of these sites, or of all."""
    client = facade.client.application.test_client()
    client.environ_base.update(facade.client.environ_base)
    if as_dana is not False:
        sites = None if as_dana is True else as_dana
        token, _ = facade.services.tokens.add(name="dana", role=Role.ENGINEER, sites=sites, expires_at=None)
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    answer = client.post(f"/v1/groups/{made['id']}/run", json={"token": made["token"]})
    body = answer.get_json()
    if answer.status_code == 202:
        eventually(lambda: _read(facade, made)["state"] not in {"previewed", "running"}, within_s=30, what="its end")
    return str(body.get("run_by") if answer.status_code == 202 else body["code"])


def _read(facade: RunningFacade, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = facade.client.get(f"/v1/groups/{made['id']}").get_json()
    return found


def test_large_group_is_not_run_by_who_previewed_it(facade: RunningFacade) -> None:
    """Nothing begins, and the token stays good for somebody else."""
    made = _preview(facade, 3)
    assert _run(facade, made) == "second-person-needed"
    assert _read(facade, made)["state"] == "previewed"
    assert _run(facade, made, as_dana=True) == "dana"


def test_large_group_names_both_persons(facade: RunningFacade) -> None:
    """Who wanted it, and who let it run."""
    made = _preview(facade, 3)
    _run(facade, made, as_dana=True)
    found = _read(facade, made)
    assert (found["actor"], found["run_by"]) == ("http-token", "dana")


def test_large_group_is_not_run_by_somebody_who_may_not_see_all_of_it(facade: RunningFacade) -> None:
    """A second person for other sites is none."""
    assert _run(facade, _preview(facade, 3), as_dana=frozenset(SITES[:2])) == "unknown-group"


def test_small_group_is_run_by_who_previewed_it_alone(facade: RunningFacade) -> None:
    """Below that size nobody else may."""
    made = _preview(facade, 2)
    assert _run(facade, made, as_dana=True) == "not-your-group"
    assert _run(facade, made) == "http-token"
