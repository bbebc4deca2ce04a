from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from site_agent.lane import QUEUE_LIMIT, Lane, LaneFull


class NoDriver:
    """A driver that nobody may talk to: these tests are about turns alone."""

    connected = False

    async def close(self) -> None:
        """Nothing is open."""


def lane() -> Lane:
    """A lane that nobody serves yet."""
    return Lane("plc-1", NoDriver(), settle_s=0, on_link=lambda: None)  # type: ignore[arg-type]  # see NoDriver


def job(done: list[str], name: str) -> Callable[[Lane], Awaitable[None]]:
    """A job that takes a while and then notes its name."""

    async def work(_lane: Lane) -> None:
        await asyncio.sleep(0)
        done.append(name)

    return work


@pytest.mark.invariant("I10")
async def test_lane_does_writes_in_the_order_of_their_coming_before_all_polls() -> None:
    """Commands for one PLC take effect in the order in which they were accepted; reading waits."""
    done: list[str] = []
    served = lane()
    async with asyncio.TaskGroup() as group:
        group.create_task(served.poll_job(job(done, "poll")))
        for number in range(50):
            group.create_task(served.write_job(job(done, f"write {number}")))
        await asyncio.sleep(0)
        server = asyncio.create_task(served.run())
    server.cancel()
    assert done == [*(f"write {number}" for number in range(50)), "poll"]


@pytest.mark.invariant("I15")
async def test_lane_with_a_full_queue_refuses_the_next_write() -> None:
    """A PLC that does not keep up cannot fill the memory."""
    done: list[str] = []
    served = lane()
    waiting = [asyncio.create_task(served.write_job(job(done, "write"))) for _ in range(QUEUE_LIMIT)]
    await asyncio.sleep(0)
    with pytest.raises(LaneFull):
        await served.write_job(job(done, "one too many"))
    for task in waiting:
        task.cancel()
