"""The queue of each device."""

import asyncio

import pytest

from site_agent.turns import WAITING_LIMIT, TooManyWait, Turns


@pytest.mark.invariant("I10")
async def test_turns_are_given_in_order_of_asking() -> None:
    """First come, first served."""
    turns, served = Turns(), []

    async def one(number: int) -> None:
        async with turns.place(f"id-{number}", "feeder-1") as ticket, turns.turn(ticket):
            await asyncio.sleep(0)
            served.append(number)

    await asyncio.gather(*(one(number) for number in range(20)))
    assert served == list(range(20))


async def test_turns_withdrawn_command_is_marked() -> None:
    """Whoever carries it out sees the mark before it begins."""
    turns = Turns()
    async with turns.place("id-1", "feeder-1") as ticket:
        assert turns.withdraw("id-1")
        assert ticket.withdrawn


async def test_turns_begun_command_cannot_be_withdrawn() -> None:
    """What may have been sent cannot be called back."""
    turns = Turns()
    async with turns.place("id-1", "feeder-1") as ticket:
        ticket.begun = True
        assert not turns.withdraw("id-1")


async def test_turns_ended_command_cannot_be_withdrawn() -> None:
    """It does not wait any more."""
    turns = Turns()
    async with turns.place("id-1", "feeder-1"):
        pass
    assert not turns.withdraw("id-1")


@pytest.mark.invariant("I15")
async def test_turns_full_queue_takes_no_more() -> None:
    """Overload is said, not hidden."""
    turns = Turns()
    places = [turns.place(f"id-{number}", "feeder-1") for number in range(WAITING_LIMIT)]
    for place in places:
        await place.__aenter__()
    with pytest.raises(TooManyWait):
        await turns.place("one-more", "feeder-1").__aenter__()
    async with turns.place("elsewhere", "feeder-2"):
        pass
