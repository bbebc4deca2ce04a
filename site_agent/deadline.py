"""Which beats were sent when, and what that says about the age of a command (I2)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from gateway.protocol.codes import AckCode
from gateway.protocol.deadline import UNANCHORED_TTL_S, age_bound_s, remaining_s
from gateway.protocol.messages import Command

#: Beats that are remembered; at 20 s a beat this reaches far beyond the longest ttl.
REMEMBERED_BEATS = 256


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a command has left, or why that cannot be told."""

    remaining_s: float
    refusal: AckCode | None = None


class SentBeats:
    """The beats of the current epoch with the time they were sent, on the agent's own clock."""

    def __init__(self) -> None:
        self._epoch = 0
        self._sent_s: OrderedDict[int, float] = OrderedDict()

    def note(self, epoch: int, seq: int, now_s: float) -> None:
        """Remember a beat; call it *before* the beat leaves, so that its age is never under-estimated."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._sent_s.clear()
        self._sent_s[seq] = now_s
        if len(self._sent_s) > REMEMBERED_BEATS:
            self._sent_s.popitem(last=False)

    def timing(self, command: Command, now_s: float, received_s: float) -> Timing:
        """How long a command that was read just now has left.

        Without ``after`` (a technician's command) its ttl counts from ``received_s``, the earliest time at which it
        can have reached this machine, 30 s at most. A beat of another epoch, or one that is not remembered, bounds
        nothing: ``stale-epoch``.
        """
        if command.after is None:
            return Timing(min(command.ttl_s, UNANCHORED_TTL_S) - (now_s - received_s))
        sent_s = self._sent_s.get(command.after.seq) if command.after.epoch == self._epoch else None
        if sent_s is None:
            return Timing(0.0, AckCode.STALE_EPOCH)
        age_s = age_bound_s(now_s=now_s, beat_sent_s=sent_s, age_s=command.after.age_s)
        return Timing(remaining_s(ttl_s=command.ttl_s, age_s=age_s))
