"""Named points at which a process can be told to die, so that tests can kill it exactly there.

``TIDEGATE_CRASH_AT=step:n`` ends the process, as SIGKILL would, the ``n``-th time that it comes to ``step``. Without
the variable, :func:`point` does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Final

VARIABLE: Final = "TIDEGATE_CRASH_AT"
#: What a supervisor sees of a process that died here.
EXIT_CODE: Final = 86
STEPS: Final = frozenset(
    {
        "agent-received",
        "agent-journaled",
        "agent-before-write",
        "agent-after-write",
        "agent-verified",
        "agent-concluded",
        "agent-acked",
        "agent-before-seal",
        "agent-wrote-seal",
        "agent-kept-seal",
        "facade-before-record",
        "facade-recorded",
        "facade-published",
        "facade-before-answer",
        "gateway-before-commit",
        "gateway-committed",
        "gateway-told",
        "gateway-before-history-commit",
        "gateway-kept-history",
        "gateway-told-history",
    }
)


def armed(environment: Mapping[str, str], die: Callable[[int], object] = os._exit) -> Callable[[str], None]:
    """The function to call at each step; it dies by ``die`` where the environment says so.

    Raises:
        ValueError: the variable names no step, or no number.
    """
    wanted, _, times = environment.get(VARIABLE, "").partition(":")
    if not wanted:
        return lambda _step: None
    if wanted not in STEPS or not (times or "1").isdecimal():
        raise ValueError(f"{VARIABLE} must be step:n with a step of {', '.join(sorted(STEPS))}, not {wanted}:{times}")
    left = int(times or "1")

    def point(step: str) -> None:
        nonlocal left
        if step == wanted:
            left -= 1
            if left == 0:
                die(EXIT_CODE)

    return point


point: Final = armed(os.environ)
