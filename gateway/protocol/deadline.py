"""The causal deadline: how old a command can be at most, told without comparing two clocks (I2).

The requester names the last heartbeat it saw and how long ago that beat had been received when the command
was issued. The agent remembers when it *sent* that beat. The beat was sent before it was received and the
command was issued ``age_s`` after that, so at the agent, ``now - sent - age_s`` is never less than the
command's true age: a held-up network or a wrong wall clock can only make it larger. An ``age_s`` that is an
under-estimate errs to the safe side too.
"""

from __future__ import annotations

#: The longest time a command without a causal reference may wait, counted from its receipt.
UNANCHORED_TTL_S = 30.0


def age_bound_s(*, now_s: float, beat_sent_s: float, age_s: float) -> float:
    """Upper bound of a command's age in seconds; both times are of one monotonic clock of the agent."""
    return max(0.0, now_s - beat_sent_s - age_s)


def remaining_s(*, ttl_s: float, age_s: float) -> float:
    """Seconds left until the deadline; zero or less means that nothing may start any more."""
    return ttl_s - age_s
