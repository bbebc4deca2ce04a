"""One alarm's condition over time, with hysteresis and delay. Pure; time is an argument."""

from __future__ import annotations

from gateway.protocol.description import Comparison
from gateway.protocol.messages import Value
from site_agent.alarm_tables import AlarmTable


class Condition:
    """Times are of :func:`site_agent.clock.elapsed_s`.

    While the value cannot be read nothing turns, and that time does not count.
    """

    def __init__(self, table: AlarmTable, *, active: bool) -> None:
        self.table = table
        self.active = active
        #: Since when the value says the other thing, the time left out in which it could not be read.
        self._since_s: float | None = None
        #: Since when it cannot be read.
        self._lost_s: float | None = None

    @property
    def waits(self) -> bool:
        """Whether it may turn by time alone."""
        return self._since_s is not None and self._lost_s is None

    def see(self, value: Value | None, now_s: float) -> None:
        """The property reads so now; None: it cannot be read."""
        if value is None:
            self._lost_s = now_s if self._lost_s is None else self._lost_s
            return
        lost_s = 0.0 if self._lost_s is None else now_s - self._lost_s
        self._lost_s = None
        if self._holds(value) is self.active:
            self._since_s = None
        else:
            self._since_s = now_s if self._since_s is None else self._since_s + lost_s

    def turn(self, now_s: float) -> bool:
        """Raise or clear it if that is due now; whether it did."""
        delay_s = self.table.clear_delay_s if self.active else self.table.delay_s
        if self._since_s is None or self._lost_s is not None or now_s - self._since_s < delay_s:
            return False
        self.active = not self.active
        self._since_s = None
        return True

    def _holds(self, live: Value) -> bool:
        stated, comparison = self.table.value, self.table.comparison
        if comparison is Comparison.EQUALS or isinstance(live, str) or isinstance(stated, str):
            return live == stated
        room = self.table.hysteresis if self.active else 0.0
        return live < stated + room if comparison is Comparison.BELOW else live > stated - room
