"""The clients of a run: settings and doses, each value asked for once, some asked again with the same key."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from random import Random
from typing import Any, Final

import requests

from gateway.protocol.topics import CommandTopic
from tests.faults.history import Call, Thing
from tests.faults.region import ACTION, PLACES, SETTING, Region
from tests.faults.tap import Tap

TTL_S: Final = 3
_WAIT_S: Final = 2
_PATIENCE_S: Final = 20.0
_FIRST_SETTING, _FIRST_DOSE, _LAST_DOSE = 1_000, 5, 500
_FIRST_BY_HAND: Final = 40_000
#: Of the requests: asked again with the same key at the other facade; cancelled; of the settings: asked by hand too.
_AGAIN, _CANCEL, _BY_HAND = 0.15, 0.05, 0.05
#: A dose takes a little longer than a setting; so half of the commands are doses all the same.
_DOSES_REST: Final = 0.75


class Load:
    """Two threads for each device: one asks for settings, one for doses where the site knows them."""

    def __init__(self, region: Region, tap: Tap, *, seed: int, pause_s: float) -> None:
        self.calls: list[Call] = []
        self.statuses: Counter[int | None] = Counter()
        self._region = region
        self._tap = tap
        self._pause_s = pause_s
        self._token = region.stack.token
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=work, args=(site.name, device, Random(f"{seed} {site.name} {device} {work}")))  # noqa: S311 # a script that can be played again
            for site in region.sites
            for device in PLACES
            for work in (self._settings, self._doses)
        ]

    def start(self) -> None:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Return when every client has had its last answer."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _settings(self, site: str, device: str, random: Random) -> None:
        value, by_hand = _FIRST_SETTING, _FIRST_BY_HAND
        while not self._rest(random):
            value += 1
            path = f"/v1/sites/{site}/devices/{device}/settings"
            self._ask("PATCH", path, (site, device, SETTING), value, {SETTING: value}, None, random)
            if random.random() < _BY_HAND:
                by_hand += 1
                body = {"id": str(uuid.uuid4()), "input": {SETTING: by_hand}, "ttl_s": TTL_S}
                self._tap.publish(str(CommandTopic(site, "@ana", device, "write")), json.dumps(body).encode())

    def _doses(self, site: str, device: str, random: Random) -> None:
        grams = _FIRST_DOSE
        while not self._rest(random, _DOSES_REST):
            path, key = f"/v1/sites/{site}/devices/{device}/actions/{ACTION}", str(uuid.uuid4())
            call = self._ask("POST", path, (site, device, ACTION), grams, {"grams": grams}, key, random)
            if call.status == 404 and grams == _FIRST_DOSE:  # the sites of this run have no such action
                self.calls.remove(call)
                return
            grams = grams + 1 if grams < _LAST_DOSE else _FIRST_DOSE
            if random.random() < _AGAIN:
                self._ask("POST", path, (site, device, ACTION), call.value, {"grams": call.value}, key, random)

    def _rest(self, random: Random, share: float = 1.0) -> bool:
        return self._stopping.wait(random.uniform(0.5, 1.5) * share * self._pause_s)

    def _ask(
        self, method: str, path: str, thing: Thing, value: int, body: dict[str, int], key: str | None, random: Random
    ) -> Call:
        url = random.choice(list(self._region.facades.values()))
        headers = {"Authorization": f"Bearer {self._token}", "Prefer": f"wait={random.choice((0, _WAIT_S))}"}
        if key is not None:
            headers["Idempotency-Key"] = f'"{key}"'
        at, status, told = time.monotonic(), None, dict[str, Any]()
        try:
            answer = requests.request(
                method, f"{url}{path}?ttl_s={TTL_S}", json=body, headers=headers, timeout=_PATIENCE_S
            )
            status, told = answer.status_code, answer.json()
        except (requests.RequestException, ValueError):
            pass  # the connection broke: the client knows nothing
        command = told.get("command") or (told if status in {200, 202} else {})
        call = Call(
            at=at,
            answered_at=time.monotonic(),
            thing=thing,
            value=value,
            key=key,
            status=status,
            code=told.get("code"),
            state=command.get("state"),
            command=command.get("id"),
        )
        self.calls.append(call)
        self.statuses[status] += 1
        if call.command is not None and status == 202 and random.random() < _CANCEL:
            self._cancel(url, call.command, headers)
        return call

    def _cancel(self, url: str, command: str, headers: dict[str, str]) -> None:
        own = {"Authorization": headers["Authorization"], "Prefer": "wait=1"}
        try:
            requests.post(f"{url}/v1/commands/{command}/cancel", headers=own, timeout=_PATIENCE_S)
        except requests.RequestException:
            return
