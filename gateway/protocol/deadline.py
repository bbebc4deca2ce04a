"""The causal deadline: how old a command can be at most, told without comparing two clocks (I2).

The requester names the last heartbeat it saw and how long ago, ``age_s``, that beat had been received when the command
was issued. The agent remembers when it *sent* that beat.

Proof that ``now - sent - age_s`` is never less than the command's true age. Let S be the true moment at which the beat
was sent, R >= S the one at which the requester had received it, I the one at which the command was issued, and A the
one at which the agent judges. What is wanted is A - I.

1. The agent notes S' <= S before the beat leaves, and A' >= A after the command came, both on one clock that nobody
   can set and that counts through sleep, so A' - S' >= A - S.
2. The requester's ``age_s`` is measured on a monotonic clock of its own, or on Redis' and then bounded by it, from some
   moment not before R up to some moment not after I: ``age_s`` <= I - R <= I - S.
3. So A' - S' - ``age_s`` >= (A - S) - (I - S) = A - I.

No wall clock stands in it, and no two clocks are compared: each difference is of one clock's readings. A message
that was held up anywhere makes A later and the bound larger; an ``age_s`` that is too small does the same. Both errors
are on the safe side: a command may be called late that is not, and never the other way round.
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
