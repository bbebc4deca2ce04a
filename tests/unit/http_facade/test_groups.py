"""Groups without I/O: the body, the preview's arithmetic, the pace, and the rule that stops a run."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.protocol.description import Description
from gateway.protocol.errors import InvalidInput
from gateway.protocol.messages import DeviceState, PlcLink, Quality
from gateway.sites import DeviceRecord
from http_facade.groups.asked import read
from http_facade.groups.pace import Pace, broken
from http_facade.groups.preview import Preview, preview
from http_facade.refusals import GateUnavailable
from tests.fake_ledger import NOW
from tests.fake_parts import DESCRIPTION, DEVICE, SITE, FakeParts, FakeReports

HERE = {"site": SITE, "device": DEVICE}
LOCKED = Description.model_validate(
    DESCRIPTION.model_dump(by_alias=True)
    | {
        "actions": {
            "feed": DESCRIPTION.actions["feed"].model_dump(by_alias=True)
            | {
                "tidegate:interlocks": (
                    {"name": "lid-open", "property": "lid_open", "comparison": "equals", "value": True},
                    {"name": "low-oxygen", "property": "oxygen_mg_l", "comparison": "below", "value": 4.0},
                )
            }
        }
    },
    strict=False,
)


class LockedReports(FakeReports):
    """A device with interlocks; ``values`` are what it last reported."""

    values: dict[str, Any] | None = None

    def device(self, site: str, device: str) -> DeviceRecord | None:
        """As Sites."""
        state = None
        if self.values is not None:
            state = DeviceState(at=NOW, quality=Quality.STALE, revision=None, properties=self.values)
        if (site, device) != (SITE, DEVICE):
            return None
        return DeviceRecord(
            site=site, device=device, description=LOCKED, state=state, state_at=NOW, epoch=5, received_at=NOW
        )

    def description(self, site: str, device: str) -> Description | None:
        """As Sites."""
        return LOCKED if (site, device) == (SITE, DEVICE) else None


@pytest.fixture
def parts() -> FakeParts:
    """A site that is alive."""
    made = FakeParts()
    made.mirror.beat()
    return made


def _preview(parts: FakeParts, body: dict[str, Any]) -> Preview:
    asked = read(body)
    return preview(asked, checker=parts.services().dispatch, reports=parts.reports, actor="dana", address=None, now=NOW)


def _only(parts: FakeParts, body: dict[str, Any]) -> dict[str, Any]:
    ((_, _, item),) = _preview(parts, {"targets": [HERE], **body}).items
    return item


def test_preview_of_a_write_shows_old_new_and_range(parts: FakeParts) -> None:
    """What each device holds now, what it would hold, and between which bounds."""
    found = _preview(parts, {"targets": [HERE], "write": {"portion_g": 120, "enabled": True}})
    ((_, _, item),) = found.items
    assert item["effect"]["settings"] == [
        {"setting": "portion_g", "unit": "g", "old": 100, "new": 120, "unchanged": False},
        {"setting": "enabled", "unit": None, "old": True, "new": True, "unchanged": True},
    ]
    assert item["limits"]["portion_g"] == {"minimum": 0, "maximum": 2000, "multiple_of": 5}
    assert item["reported"]["quality"] == "good"
    assert found.summary == {"targets": 1, "pass": 1, "refused": 0, "unchanged": 0, "totals": []}


def test_preview_of_an_action_adds_up_what_is_counted(parts: FakeParts) -> None:
    """Grams in total, and those of the targets that would pass."""
    body = {"targets": [HERE, {"site": SITE, "device": "other"}], "action": "feed", "input": {"grams": 50}}
    found = _preview(parts, body)
    (_, _, first), (_, _, second) = found.items
    assert first["effect"] == {"arguments": {"grams": 50}, "counted": "grams", "amount": 50, "unit": "g"}
    assert first["limits"] == {"largest": 300}
    assert (second["refusal"]["code"], second["effect"]) == ("unknown-device", None)
    assert found.summary["totals"] == [{"argument": "grams", "unit": "g", "all": 50, "passing": 50}]
    assert (found.summary["pass"], found.summary["refused"]) == (1, 1)


def test_preview_counts_grams_that_would_be_refused_apart(parts: FakeParts) -> None:
    """A dose above the site's largest would not be given."""
    found = _preview(parts, {"targets": [HERE], "action": "feed", "input": {"grams": 400}})
    assert found.items[0][2]["refusal"]["code"] == "limit-exceeded"
    assert found.summary["totals"] == [{"argument": "grams", "unit": "g", "all": 400, "passing": 0}]


def test_preview_tells_each_refusal_as_a_command_would(parts: FakeParts) -> None:
    """The same codes, with every fault of the input."""
    assert [each["code"] for each in _only(parts, {"write": {"portion_g": 3}})["refusal"]["errors"]] == ["off-step"]
    assert _only(parts, {"action": "dance"})["refusal"]["code"] == "unknown-action"
    parts.mirror.beat(plc=PlcLink.LOST)
    assert _only(parts, {"write": {"portion_g": 5}})["refusal"]["code"] == "plc-lost"
    parts.mirror.beats.clear()
    assert _only(parts, {"write": {"portion_g": 5}})["refusal"]["code"] == "site-offline"


def test_preview_while_the_gate_is_unknown_is_refused_as_a_whole(parts: FakeParts) -> None:
    """It is the same for every target, and each would cost the time-out anew."""
    parts.mirror.down = True
    with pytest.raises(GateUnavailable):
        _only(parts, {"write": {"portion_g": 5}})


@pytest.mark.parametrize(
    ("values", "holding", "refusal"),
    [
        ({"lid_open": False, "oxygen_mg_l": 6.5}, [False, False], None),
        ({"lid_open": True, "oxygen_mg_l": 6.5}, [True, False], "interlocked"),
        ({"lid_open": False, "oxygen_mg_l": None}, [False, True], "interlocked"),
        (None, [None, None], None),
    ],
)
def test_preview_shows_interlocks_with_live_value(
    parts: FakeParts, values: dict[str, Any] | None, holding: list[bool | None], refusal: str | None
) -> None:
    """As last reported; what cannot be read forbids, and of what never reported nobody knows."""
    parts.reports = LockedReports()
    parts.reports.values = values
    item = _only(parts, {"action": "feed", "input": {"grams": 50}})
    assert [each["holds"] for each in item["interlocks"]] == holding
    assert item["interlocks"][1]["live"] == (values or {}).get("oxygen_mg_l")
    assert (item["refusal"] or {}).get("code") == refusal


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ({}, {"missing", "one-of"}),
        ({"targets": [], "write": {}}, {"too-short"}),
        ({"targets": [HERE, HERE], "write": {"a": 1}, "action": "feed"}, {"duplicate", "one-of"}),
        ({"targets": [HERE], "write": {"a": 1}, "input": {}, "rate_per_s": 0, "ttl_s": 61},
         {"one-of", "greater-than-equal", "less-than-equal"}),
        ({"targets": [HERE], "action": "cancel", "stop_share": 2, "more": 1},
         {"reserved", "less-than-equal", "extra-forbidden"}),
        ({"targets": [{"site": "@x", "device": "A"}] * 501, "write": {"a": 1}}, {"too-long"}),
    ],
)  # fmt: skip
def test_body_that_is_wrong_lists_every_fault(body: dict[str, Any], codes: set[str]) -> None:
    """Of the shape and of the sense, at once."""
    with pytest.raises(InvalidInput) as caught:
        read(body)
    assert codes <= {each.code for each in caught.value.faults}


def test_pace_never_exceeds_its_rate_nor_catches_up() -> None:
    """Starts are a gap apart, also after a pause in which several could have been made."""
    now_s = 0.0
    pace = Pace(4, lambda: now_s)
    assert pace.left_s() == 0
    pace.begin()
    assert pace.left_s() == 0.25
    now_s = 10.0
    assert pace.left_s() == 0
    pace.begin()
    assert pace.left_s() == 0.25
    now_s = 10.2
    assert pace.left_s() == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("failed", "targets", "share", "stops"),
    [(0, 10, 0.0, False), (1, 10, 0.0, True), (1, 10, 0.1, False), (2, 10, 0.1, True), (10, 10, 1.0, False)],
)
def test_stop_rule_counts_failures_of_all_targets(failed: int, targets: int, share: float, stops: bool) -> None:
    """More than the share of the targets, not of those that were sent; with 0 the first one is enough."""
    assert broken(failed, targets=targets, stop_share=share) is stops
