"""An alarm on its whole way: from the auger of a simulated feeder to HTTP."""

from __future__ import annotations

from typing import Any

import requests

from tests.conditions import eventually
from tests.conftest import StackMaker


def test_jam_at_the_farm_is_an_alarm_over_http_and_is_over_when_it_is_cleared(make_stack: StackMaker) -> None:
    """The farm's noon comes after two seconds, and somebody clears the auger three quarters of its hour later."""
    stack = make_stack(scenario="jam-at-noon", speed=120.0)
    stack.start()

    def get(path: str, **query: str) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {stack.token}"}
        answer = requests.get(f"{stack.http_url}/v1/{path}", params=query, headers=headers, timeout=10)
        assert answer.status_code == 200
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def jams() -> list[dict[str, Any]]:
        return [each for each in get("alarms", device="feeder-1") if each["name"] == "jam"]

    (jam,) = eventually(jams, within_s=30, what="the alarm")
    assert (jam["severity"], jam["title"], jam["source"]) == ("critical", "The auger is jammed", "agent")
    eventually(lambda: not jams(), within_s=60, what="its end")
    turns = [each["active"] for each in get("events", device="feeder-1", name="jam")]
    assert turns == [False, True]
