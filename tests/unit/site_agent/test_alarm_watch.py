"""The watch over time: clocks that are set, values that come one after the other, devices that go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.protocol.messages import Value
from gateway.protocol.topics import MEAL_MISSED
from site_agent import alarm_watch, clock
from site_agent.alarm_watch import AlarmWatch, Turn
from site_agent.configuration import DeviceTable
from site_agent.device import Device
from site_agent.meal_watch import Feeding

MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


class Clocks:
    """Both of the agent's clocks; the wall's may be set."""

    def __init__(self) -> None:
        self.elapsed_s = 1_000.0
        self.wall = MORNING

    def run(self, seconds: float) -> None:
        """Time goes by."""
        self.elapsed_s += seconds
        self.wall += timedelta(seconds=seconds)

    def set(self, step: timedelta) -> None:
        """Somebody sets the wall clock."""
        self.wall += step


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """In place of the machine's."""
    made = Clocks()
    monkeypatch.setattr(clock, "elapsed_s", lambda: made.elapsed_s)
    monkeypatch.setattr(clock, "wall", lambda: made.wall)
    return made


def _device(**more: object) -> Device:
    """A feeder that feeds 100 g at 07:00 and 12:00."""
    cells = {
        name: {"type": "uint16", "register": number} for number, name in enumerate(("total", "m1", "g1", "m2", "g2"))
    }
    slots = [{"minute": "m1", "grams": "g1"}, {"minute": "m2", "grams": "g2"}]
    table = {"id": "feeder-1", "plc": "plc-1", "properties": cells, "meals": {"counter": "total", "slots": slots}}
    return Device("arava-1", DeviceTable.model_validate({**table, **more}))


class Watch:
    """The watch, and what it has told and kept."""

    def __init__(self, device: Device, feedings: dict[str, Feeding] | None = None) -> None:
        self.turns: list[Turn] = []
        self.kept: dict[str, Feeding | None] = {}
        self.watch = AlarmWatch(on_turn=self.turns.append, on_feeding=self.kept.__setitem__)
        self.watch.recall({}, feedings or {})
        self.watch.watch([device])

    def see(self, **values: Value) -> None:
        """These were read."""
        self.watch.see("feeder-1", values)

    @property
    def missed(self) -> list[str]:
        """What was missed, as it was told."""
        return [turn.event.detail for turn in self.turns if turn.name == MEAL_MISSED and turn.alarm is not None]


SLOTS: dict[str, Value] = {"m1": 420, "g1": 100, "m2": 720, "g2": 100}


def _minutes(watch: Watch, clocks: Clocks, count: int, total: int) -> None:
    for _ in range(count):
        clocks.run(60)
        watch.see(total=total, **SLOTS)
        watch.watch.tick()


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(hours=-1), timedelta(seconds=-20)])
def test_clock_that_is_set_between_meals_raises_nothing(clocks: Clocks, step: timedelta) -> None:
    """On, back, a lot or a little; the counter was read all the time."""
    watch = Watch(_device())
    watch.see(total=0, **SLOTS)
    clocks.run(30 * 60)
    for _ in range(5):
        clocks.run(1)
        watch.see(total=0, **SLOTS)
    clocks.set(step)
    watch.see(total=0, **SLOTS)
    assert watch.missed == []


def test_meal_is_missed_though_its_settings_are_read_after_the_counter(clocks: Clocks) -> None:
    """A new run, whose first read is that of the counter alone: what was known before it is not thrown away."""
    before = Watch(_device())
    before.see(total=0, **SLOTS)
    _minutes(before, clocks, 3, 0)
    known = dict(before.watch._feedings)
    clocks.run(2 * 3_600)
    after = Watch(_device(), known)
    after.see(total=0)
    clocks.run(5)
    after.see(**SLOTS)
    after.see(total=0)
    assert len(after.missed) == 1


def test_device_that_is_gone_leaves_no_feeding(clocks: Clocks) -> None:
    """Should it come back one day with another PLC, nothing was missed in between."""
    watch = Watch(_device())
    watch.see(total=5, **SLOTS)
    watch.watch.watch([])
    assert watch.kept == {"feeder-1": None}
    clocks.run(3 * 86_400)
    watch.watch.watch([_device()])
    watch.see(total=0, **SLOTS)
    assert watch.missed == []


def test_device_that_cannot_be_judged_does_not_keep_others_from_it(
    clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong with one; the watch goes on."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    watch = Watch(_device())
    watch.see(total=0, **SLOTS)
    monkeypatch.setattr(alarm_watch, "unseen", broken)
    clocks.run(60)
    watch.watch.tick()


def test_alarm_does_not_turn_on_a_value_that_cannot_be_read(clocks: Clocks) -> None:
    """One read, then silence: the time of the silence does not count, in either direction."""
    lid = {"type": "bool", "register": 9}
    table = {"property": "lid", "value": True, "delay_s": 300, "clear_delay_s": 300}
    device = _device(properties={"lid": lid}, alarms={"lid-open": table}, meals=None)
    watch = Watch(device)
    watch.see(lid=True)
    watch.watch.lose("feeder-1", ["lid"])
    clocks.run(1_000)
    watch.watch.tick()
    assert watch.turns == []
    watch.see(lid=True)
    clocks.run(301)
    watch.watch.tick()
    assert [turn.alarm is not None for turn in watch.turns] == [True]
