"""The stream over real HTTP and a real database: everything once, in order, wherever it broke off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from gateway.changes import Changes
from gateway.database import open_engine
from gateway.events import Events
from gateway.ledger import Ledger
from gateway.protocol.codec import encode
from gateway.protocol.messages import DeviceState, Quality
from gateway.sites import Sites, StateSeen, StatusSeen
from tests.conditions import eventually
from tests.databases import each_database
from tests.entries import NOON, answer, asked, event_seen, status
from tests.facade_process import FacadeProcess
from tests.running_broker import RunningBroker

pytestmark = each_database
SITE, OTHER = "arava-1", "golan-1"


@dataclass(frozen=True)
class Heard:
    """One event of a stream."""

    name: str
    number: int
    body: dict[str, Any]


class Stream:
    """A client of the stream, one event at a time."""

    def __init__(self, response: requests.Response) -> None:
        self._lines = response.iter_lines(chunk_size=1, decode_unicode=True)

    def next(self) -> Heard:
        """The next event; beats are passed over."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if line == "":
                if "data" in fields:
                    return Heard(fields["event"], int(fields["id"]), json.loads(fields["data"]))
                fields = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
        raise AssertionError("the stream has ended")

    def until(self, name: str) -> Heard:
        """The next event of that name."""
        while True:
            heard = self.next()
            if heard.name == name:
                return heard


class Centre:
    """What a gateway would write."""

    def __init__(self, database_url: str) -> None:
        self.engine = open_engine(database_url)
        self.ledger, self.events, self.sites = Ledger(self.engine), Events(self.engine), Sites(self.engine)

    def tell(self, site: str, grams: int) -> None:
        """A state of a device."""
        state = DeviceState(at=NOON, quality=Quality.GOOD, properties={"portion_g": grams})
        seen = StateSeen(
            site=site, device="feeder-1", state=state, payload=encode(state), retained=False, epoch=1, at=NOON
        )
        self.sites.save_states([seen])


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[FacadeProcess]:
    """A facade's process with room for sixty streams: one that was closed may take a while to be noticed."""
    made = FacadeProcess(tmp_path / "facade", broker, redis_url, database_url)
    made.child.environment["TIDEGATE_HTTP_STREAMS"] = "60"
    made.start()
    yield made
    made.child.stop()


@pytest.fixture
def centre(facade: FacadeProcess, database_url: str) -> Iterator[Centre]:  # noqa: ARG001 # it makes the tables
    """Its database, in which two sites are known."""
    made = Centre(database_url)
    made.sites.save_status([StatusSeen(site=each, status=status(), at=NOON) for each in (SITE, OTHER)])
    yield made
    made.engine.dispose()


@contextmanager
def _listening(facade: FacadeProcess, *, last: int | None = None, sites: tuple[str, ...] = ()) -> Iterator[Stream]:
    headers = facade.headers | ({} if last is None else {"Last-Event-ID": str(last)})
    params = [("site", each) for each in sites]
    with requests.get(f"{facade.url}/v1/stream", headers=headers, params=params, stream=True, timeout=20) as answer_:
        assert answer_.status_code == 200, answer_.text
        assert answer_.headers["Content-Type"].startswith("text/event-stream")
        yield Stream(answer_)


def test_stream_tells_what_changes_with_what_it_is_now(facade: FacadeProcess, centre: Centre) -> None:
    """Each kind of thing, with a number to go on from."""
    with _listening(facade) as stream:
        begin = stream.next()
        assert begin.name == "hello"
        centre.tell(SITE, 120)
        assert stream.next().body["properties"] == {"portion_g": 120}
        centre.sites.save_status([StatusSeen(site=SITE, status=status(epoch=2), at=NOON)])
        assert stream.next().body["site"] == SITE
        command = asked()
        centre.ledger.record([command])
        assert stream.until("command").body["state"] == "pending"
        centre.ledger.settle([answer(command)])
        end = stream.until("command")
        assert (end.body["id"], end.body["state"]) == (command.id, "applied")
        seen = event_seen(site=SITE)
        centre.events.save([seen])
        event, alarm = stream.next(), stream.next()
        assert (event.name, event.body["id"]) == ("event", seen.event.id)
        assert (alarm.name, alarm.body["active"], alarm.body["name"]) == ("alarm", True, "jam")
        assert begin.number < end.number < event.number < alarm.number


def test_stream_goes_on_where_it_broke_off(facade: FacadeProcess, centre: Centre) -> None:
    """What happened meanwhile comes first, each thing once, as it is now; nothing that was told comes again."""
    with _listening(facade) as stream:
        stream.next()
        centre.tell(SITE, 100)
        last = stream.next().number
    events = [event_seen(site=SITE, active=None) for _ in range(5)]
    for each in events:
        centre.events.save([each])
    for grams in (110, 120, 130):
        centre.tell(SITE, grams)
    with _listening(facade, last=last) as stream:
        assert [stream.next().body["id"] for _ in events] == [each.event.id for each in events]
        state = stream.next()
        assert (state.name, state.body["properties"]) == ("state", {"portion_g": 130})
        centre.tell(SITE, 140)
        assert stream.next().body["properties"] == {"portion_g": 140}


def test_stream_through_breaks_tells_every_event_once(facade: FacadeProcess, centre: Centre) -> None:
    """Two hundred events while the line breaks after every seven of them."""
    ids: list[str] = []
    with _listening(facade) as stream:
        last = stream.next().number
    for _ in range(10):
        batch = [event_seen(site=SITE, active=None) for _ in range(20)]
        centre.events.save(batch)
        ids += [each.event.id for each in batch]
    told: list[str] = []
    while len(told) < len(ids):
        with _listening(facade, last=last) as stream:
            for _ in range(min(7, len(ids) - len(told))):
                heard = stream.next()
                told.append(heard.body["id"])
                last = heard.number
    assert told == ids


def test_stream_of_one_site_tells_nothing_of_another(facade: FacadeProcess, centre: Centre) -> None:
    """Neither what comes nor what was."""
    with _listening(facade) as stream:
        last = stream.next().number
    centre.tell(OTHER, 1)
    centre.tell(SITE, 2)
    with _listening(facade, last=last, sites=(SITE,)) as stream:
        assert stream.next().body["properties"] == {"portion_g": 2}
        centre.tell(OTHER, 3)
        centre.tell(SITE, 4)
        assert stream.next().body["properties"] == {"portion_g": 4}


@pytest.mark.parametrize("last", [10**17, 0])
def test_stream_that_cannot_go_on_says_reset(facade: FacadeProcess, centre: Centre, last: int) -> None:
    """A number of another database, or one so old that it is forgotten; then it goes on with what comes."""
    for _ in range(5):
        centre.events.save([event_seen(site=SITE, active=None)])
    changes = Changes(centre.engine)
    assert changes.forget(kept=2) > 0
    with _listening(facade, last=last) as stream:
        assert stream.next().name == "reset"
        centre.tell(SITE, 7)
        assert stream.next().body["properties"] == {"portion_g": 7}


@pytest.mark.fault("F52")
@pytest.mark.invariant("I15")
@pytest.mark.usefixtures("centre")
def test_one_stream_too_many_is_503_and_a_place_is_free_again_later(facade: FacadeProcess) -> None:
    """The rest of the API answers all the while."""
    url = f"{facade.url}/v1/stream"
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(_listening(facade))
        refused = requests.get(url, headers=facade.headers, timeout=5)
        assert (refused.status_code, refused.json()["code"]) == (503, "too-many-streams")
        assert int(refused.headers["Retry-After"]) >= 1
        assert requests.get(f"{facade.url}/v1/sites", headers=facade.headers, timeout=5).status_code == 200

    def again() -> bool:
        with requests.get(url, headers=facade.headers, stream=True, timeout=5) as tried:
            return tried.status_code == 200

    eventually(again, within_s=20, what="a free place")


@pytest.mark.usefixtures("centre")
@pytest.mark.parametrize(
    ("query", "headers", "status_", "code"),
    [
        ("site=nowhere", {}, 404, "unknown-site"),
        ("sites=arava-1", {}, 422, "invalid-input"),
        ("", {"Last-Event-ID": "x"}, 422, "invalid-input"),
    ],
)
def test_stream_that_cannot_be_says_why(
    facade: FacadeProcess, query: str, headers: dict[str, str], status_: int, code: str
) -> None:
    """By status and code, before anything streams."""
    asked_ = requests.get(f"{facade.url}/v1/stream?{query}", headers=facade.headers | headers, timeout=5)
    assert (asked_.status_code, asked_.json()["code"]) == (status_, code)


@pytest.mark.usefixtures("centre")
def test_facade_that_stops_ends_its_streams(facade: FacadeProcess) -> None:
    """At once: nobody has to be killed for that."""
    with _listening(facade) as stream:
        stream.next()
        facade.child.stop(timeout_s=6)
        assert facade.child.exit_code == 0
        with pytest.raises((AssertionError, requests.RequestException)):
            stream.next()
