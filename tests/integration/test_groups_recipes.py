"""The curl lines of the page about groups, in its order, against a real facade."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.database import open_engine
from gateway.liveness import Liveness, open_redis
from gateway.protocol.codec import encode
from gateway.sites import DescriptionSeen, Sites, StatusSeen
from http_facade.groups.schemas import GroupPreviewed
from tests.answering_site import AnsweringSite
from tests.conditions import STRETCH, eventually
from tests.documentation import DOCS, fences
from tests.entries import NOON, heartbeat, status
from tests.facade_process import FacadeProcess
from tests.fake_parts import DESCRIPTION
from tests.requirements import program
from tests.running_broker import RunningBroker


@pytest.fixture
def env(
    broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path, site_id: str
) -> Iterator[dict[str, str]]:
    """A terminal at a facade whose site has two feeders."""
    program("curl")
    process = FacadeProcess(tmp_path / "home", broker, redis_url, database_url)
    with AnsweringSite(broker.add_site(site_id)):
        process.start()
        _introduce(site_id, process, redis_url)
        token = process.headers["Authorization"].partition(" ")[2]
        yield {"PATH": os.environ["PATH"], "URL": process.url, "TOKEN": token, "SITE": site_id}
        process.child.stop()


def _introduce(site: str, process: FacadeProcess, redis_url: str) -> None:
    engine = open_engine(process.settings.database_url)
    sites = Sites(engine)
    sites.save_status([StatusSeen(site=site, status=status(), at=NOON)])
    payload = encode(DESCRIPTION)
    names = ("feeder-1", "feeder-2")
    sites.save_descriptions([DescriptionSeen(site=site, device=n, payload=payload, epoch=1, at=NOON) for n in names])
    liveness = Liveness(open_redis(redis_url), expiry_s=25)
    liveness.beat_many([(site, encode(heartbeat()))])
    liveness.close()
    engine.dispose()


def _say(text: str, env: dict[str, str]) -> dict[str, Any]:
    argv = ["bash", "-euo", "pipefail", "-c", text]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=60 * STRETCH)
    body = json.loads(done.stdout)
    assert isinstance(body, dict)
    return body


def test_groups_recipes_run_as_they_stand(env: dict[str, str]) -> None:
    """Preview, run, look, stop: each works when it is pasted, with the id and the token of the answer before."""
    previewing, running, looking, stopping = (each.text for each in fences(DOCS / "groups.md", "sh", "curl"))
    made = GroupPreviewed.model_validate(_say(previewing, env))
    assert made.summary.passing == 2
    env |= {"GROUP": made.id, "GROUP_TOKEN": made.token}
    assert _say(running, env)["state"] == "running"
    found = eventually(
        lambda: next((each for each in [_say(looking, env)] if each["state"] == "finished"), None),
        within_s=15,
        what="the end of the run",
    )
    assert found["progress"]["states"] == {"applied": 2}
    assert _say(stopping, env)["state"] == "finished"
