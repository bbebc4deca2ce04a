"""What may be fed now, from a real database: the centre counts as the site does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from gateway.allowances import Allowances
from gateway.database import writing
from gateway.database.tables import command_steps, commands
from gateway.ledger import Ledger
from gateway.protocol.allowance import WINDOW_S
from gateway.protocol.codec import encode
from gateway.protocol.description import Limit
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Deed, Mark
from gateway.sites import DescriptionSeen, Sites
from site_agent.clock import Stamp
from site_agent.dosage import Dosage
from site_agent.journal import Attempt, Entry
from tests.databases import each_database
from tests.entries import NOON, ack, answer, asked
from tests.fake_parts import DESCRIPTION, DEVICE
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade

pytestmark = each_database
SITE = "arava-1"
LIMITS = {Limit.LARGEST: 300, Limit.LEAST_GAP_S: 600, Limit.MOST_PER_DAY: 1_000}
FEED = DESCRIPTION.actions["feed"].model_copy(update={"limits": LIMITS})
GIVEN = MappingProxyType({"grams_asked": 100, "grams_counted": 90})


def _dose(
    engine: Engine,
    ago: timedelta,
    state: State,
    result: Mapping[str, int] = MappingProxyType({}),
    *,
    now: datetime = NOON,
    grams: int = 100,
    **fields: object,
) -> None:
    """A dose that was asked for and begun so long ago."""
    at = now - ago
    ledger = Ledger(engine, now=lambda: at)
    command = asked(name="feed", input={"grams": grams}, issued_at=at, **fields)
    ledger.record([command])
    if state is not State.PENDING:
        trail = (Mark(deed=Deed.WRITTEN, at=at),) if state not in {State.REJECTED, State.EXPIRED} else ()
        said = answer(command, state, name="feed", code=state.value, result=dict(result), at=at, trail=trail)
        ledger.settle([said])


def _allowance(engine: Engine, now: datetime = NOON) -> tuple[float, float | None, float]:
    found = Allowances(engine).of(SITE, DEVICE, "feed", FEED, now)
    return found.used, found.left, found.wait_s


@pytest.mark.parametrize(
    ("state", "result", "used"),
    [
        (State.PENDING, {}, 100),
        (State.ACCEPTED, {}, 100),
        (State.UNKNOWN, {}, 100),
        (State.APPLIED, GIVEN, 90),
        (State.PARTIAL, GIVEN, 90),
        (State.APPLIED, {}, 100),
        (State.PARTIAL, {"grams_asked": 100, "grams_counted": 0}, 0),
        (State.FAILED, {}, 0),
        (State.REJECTED, {}, 0),
        (State.EXPIRED, {}, 0),
    ],
)
def test_dose_counts_by_its_end(engine: Engine, state: State, result: Mapping[str, int], used: float) -> None:
    """What was not given holds up neither the day nor the gap."""
    _dose(engine, timedelta(minutes=4), state, result)
    assert _allowance(engine) == (used, 1_000 - used, 360 if used else 0)


def test_doses_of_all_who_asked_count_and_others_do_not(engine: Engine) -> None:
    """Technicians' and groups' are the device's as well; another device's, another action's and settings are not."""
    _dose(engine, timedelta(hours=1), State.APPLIED, GIVEN)
    _dose(engine, timedelta(hours=2), State.APPLIED, GIVEN, requester="@ana", actor=None)
    _dose(engine, timedelta(hours=3), State.APPLIED, GIVEN, device="feeder-2")
    _dose(engine, timedelta(hours=3), State.APPLIED, GIVEN, site="arava-2")
    ledger = Ledger(engine, now=lambda: NOON)
    ledger.record([asked(), asked(name="flush", input={})])
    assert _allowance(engine) == (180, 820, 0)


def test_dose_leaves_the_window_after_a_day(engine: Engine) -> None:
    """To the second; not at midnight."""
    _dose(engine, timedelta(seconds=WINDOW_S), State.APPLIED, GIVEN)
    assert _allowance(engine) == (0, 1_000, 0)
    assert _allowance(engine, NOON - timedelta(seconds=1)) == (90, 910, 0)


def test_dose_that_waited_is_as_old_as_its_beginning(engine: Engine) -> None:
    """Not as its command; a site whose clock is behind makes it no older than that."""
    for late_s, wait_s in ((40, 580), (-7_200, 540)):
        with writing(engine) as connection:
            connection.execute(delete(command_steps))
            connection.execute(delete(commands))
        command = asked(name="feed", input={"grams": 100})
        Ledger(engine, now=lambda: NOON).record([command])
        trail = (Mark(deed=Deed.WRITTEN, at=NOON + timedelta(seconds=late_s)),)
        said = answer(command, State.APPLIED, name="feed", result=dict(GIVEN), trail=trail)
        Ledger(engine, now=lambda: NOON + timedelta(hours=1)).settle([said])
        assert _allowance(engine, NOON + timedelta(minutes=1))[2] == wait_s


def test_dose_of_which_only_the_ack_was_seen_is_as_old_as_the_site_says(engine: Engine) -> None:
    """A technician's, of yesterday, that came when the site was back."""
    trail = (Mark(deed=Deed.WRITTEN, at=NOON - timedelta(hours=20)),)
    said = answer(
        asked(requester="@ana", name="feed", input={"grams": 100}), name="feed", result=dict(GIVEN), trail=trail
    )
    Ledger(engine, now=lambda: NOON).settle([said])
    assert _allowance(engine) == (90, 910, 0)
    assert _allowance(engine, NOON + timedelta(hours=5)) == (0, 1_000, 0)


_LIVES = st.lists(
    st.tuples(
        st.integers(1, int(1.5 * WINDOW_S)),
        st.sampled_from([State.UNKNOWN, State.APPLIED, State.PARTIAL, State.FAILED, State.REJECTED]),
        st.one_of(st.none(), st.integers(0, 120)),
    ),
    max_size=8,
)


@given(lives=_LIVES, amount=st.integers(1, 400))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_centre_foretells_what_the_site_refuses(
    engine: Engine, lives: list[tuple[int, State, int | None]], amount: int
) -> None:
    """Both after the same doses, with what is known of their ends: the same limit, and the same live value."""
    with writing(engine) as connection:
        connection.execute(delete(command_steps))
        connection.execute(delete(commands))
    dosage = Dosage(None)  # type: ignore[arg-type] # what is recalled needs no journal
    for ago_s, state, counted in lives:
        result = {} if counted is None else {"grams_asked": 100, "grams_counted": counted}
        _dose(engine, timedelta(seconds=ago_s), state, result)
        dosage.recall([_entry(ago_s, state, result)])
    now = Stamp(boot="b", elapsed_s=0.0, unix_s=0.0)
    refused = dosage._doses.check(DEVICE, "feed", LIMITS, amount, now)
    assert Allowances(engine).of(SITE, DEVICE, "feed", FEED, NOON).breach(amount) == refused


def _entry(ago_s: int, state: State, result: Mapping[str, int]) -> Entry:
    """The same dose in the site's journal."""
    outcome = ack(name="feed", input={"grams": 100}, state=state, code=state.value, result=dict(result))
    stamp = Stamp(boot="b", elapsed_s=-float(ago_s), unix_s=-float(ago_s))
    words = dict.fromkeys(("cmd_seq", "last_seq", "fence", "op", "arg_1", "arg_2", "counter_before"))
    attempt = Attempt(amount=100, stamp=stamp, **words)
    return Entry(requester="@facade", intent=outcome, outcome=outcome, attempt=attempt)


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade whose site has a feeder with limits."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        made.introduce(SITE)
        described = DESCRIPTION.model_copy(
            update={"actions": {"feed": FEED, "flush": FEED.model_copy(update={"limits": {}})}}
        )
        seen = DescriptionSeen(site=SITE, device=DEVICE, payload=encode(described), epoch=1, at=NOON)
        Sites(made.services.engine).save_descriptions([seen])
        yield made


def _get(facade: RunningFacade, action: str, status: int = 200) -> Any:  # noqa: ANN401 # an answer
    answered = facade.client.get(f"/v1/sites/{SITE}/devices/{DEVICE}/actions/{action}/allowance")
    assert answered.status_code == status, answered.text
    return answered.get_json()


def test_allowance_says_what_may_be_fed_and_when(facade: RunningFacade) -> None:
    """The limits, what is used of them, and the end of the gap."""
    now = datetime.now(UTC)
    _dose(facade.services.engine, timedelta(minutes=4), State.APPLIED, GIVEN, now=now)
    body = _get(facade, "feed")
    limits = {name: body[name] for name in ("largest", "least_gap_s", "most", "window_s", "used", "left")}
    assert limits == {
        "largest": 300,
        "least_gap_s": 600,
        "most": 1_000,
        "window_s": 86_400,
        "used": 90,
        "left": 910,
    }
    assert abs(datetime.fromisoformat(body["next_at"]) - (now + timedelta(minutes=6))) < timedelta(seconds=1)
    assert datetime.fromisoformat(body["as_of"]) >= now


def test_allowance_of_an_action_without_limits_is_null(facade: RunningFacade) -> None:
    """All of it but the time."""
    body = _get(facade, "flush")
    assert {name for name, value in body.items() if value is not None} == {"as_of"}


def test_allowance_of_what_is_not_there_is_404(facade: RunningFacade) -> None:
    """An action, as a device."""
    assert _get(facade, "dance", 404)["code"] == "unknown-action"
