"""The course of a property over HTTP, from a real database."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.protocol.messages import Quality
from tests.databases import each_database
from tests.entries import NOON
from tests.fake_parts import DEVICE
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade
from tests.sample_store import NOON_US, SampleStore, series

pytestmark = each_database
SITE = "arava-1"


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade that knows a site with one device."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        made.introduce(SITE)
        yield made


@pytest.fixture
def store(facade: RunningFacade) -> SampleStore:
    """Its database."""
    return SampleStore(facade.services.engine)


def _get(facade: RunningFacade, what: str, **query: object) -> Any:  # noqa: ANN401 # a test client's answer
    asked = {"property": "water_c", "from": NOON.isoformat(), **query}
    return facade.client.get(f"/v1/sites/{SITE}/devices/{DEVICE}/{what}", query_string=asked)


def _until(seconds: float) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat()


def test_few_samples_are_answered_one_by_one(facade: RunningFacade, store: SampleStore) -> None:
    """In columns, with the gap between them."""
    store.save(series(1.5, True, start_s=0), series(None, start_s=20, quality=Quality.STALE), series(3, start_s=300))
    body = _get(facade, "history", to=_until(310)).get_json()
    assert body["buckets"] is None
    noon_ms = NOON_US // 1_000
    assert body["samples"] == {
        "at_ms": [noon_ms, noon_ms + 10_000, noon_ms + 20_000, noon_ms + 300_000],
        "value": [1.5, True, None, 3],
        "quality": ["good", "good", "stale", "good"],
    }
    assert (body["site"], body["device"], body["property"], body["every_s"]) == (SITE, DEVICE, "water_c", 60)


def test_many_samples_are_answered_in_buckets(facade: RunningFacade, store: SampleStore) -> None:
    """Least, mean, most and last of each; null where nothing was read."""
    store.save(series(*map(float, range(30))), series(5.0, start_s=900))
    body = _get(facade, "history", to=_until(1_200), points=5).get_json()
    assert body["samples"] is None
    assert body["buckets"] == {
        "start_ms": NOON_US // 1_000,
        "width_ms": 300_000,
        "count": [30, 0, 0, 1],
        "least": [0, None, None, 5],
        "mean": [14.5, None, None, 5],
        "most": [29, None, None, 5],
        "last": [29, None, None, 5],
    }


def test_property_without_samples_has_an_empty_course(facade: RunningFacade) -> None:
    """It is described, so it is known; nothing was read yet."""
    body = _get(facade, "history", property="portion_g").get_json()
    assert body["samples"] == {"at_ms": [], "value": [], "quality": []}
    assert body["every_s"] is None


def test_samples_of_a_device_that_is_gone_are_still_there(facade: RunningFacade, store: SampleStore) -> None:
    """What was read stays, whatever the site's file says now."""
    store.save(series(1.0), site="golan-1")
    asked = {"property": "water_c", "from": NOON.isoformat(), "to": _until(10)}
    answer = facade.client.get("/v1/sites/golan-1/devices/feeder-1/history", query_string=asked)
    assert answer.get_json()["samples"]["value"] == [1]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"property": "nothing"}, 404, "unknown-property"),
        ({"to": _until(-1)}, 422, "invalid-input"),
        ({"from": "yesterday"}, 422, "invalid-input"),
        ({"from": "2026-11-22T12:00:00"}, 422, "invalid-input"),
        ({"points": 1}, 422, "invalid-input"),
        ({"points": 5_001}, 422, "invalid-input"),
        ({"width": 5}, 422, "invalid-input"),
    ],
)
def test_question_that_cannot_be_answered_says_why(
    facade: RunningFacade, query: dict[str, object], status: int, code: str
) -> None:
    """With the parameter, and without guessing: a time needs its offset."""
    answer = _get(facade, "history", **query)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_unknown_site_and_device_are_404(facade: RunningFacade) -> None:
    """Each by its name."""
    for path, code in (("none/devices/feeder-1", "unknown-site"), (f"{SITE}/devices/none", "unknown-device")):
        answer = facade.client.get(f"/v1/sites/{path}/history?property=water_c")
        assert (answer.status_code, answer.get_json()["code"]) == (404, code)


def test_csv_holds_every_sample(facade: RunningFacade, store: SampleStore) -> None:
    """However many, with their microseconds, as any spreadsheet reads them; no text becomes a formula."""
    store.save(series(*map(float, range(2_500)), step_s=0.5), series("=1+1", 'say "no", or so', start_s=2_000))
    answer = _get(facade, "samples", to=_until(3_000))
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert len(rows) == 2_502
    assert rows[1] == {"at": "2026-11-22T12:00:00.500000Z", "value": "1", "quality": "good"}
    assert [row["value"] for row in rows[-2:]] == ["'=1+1", 'say "no", or so']
