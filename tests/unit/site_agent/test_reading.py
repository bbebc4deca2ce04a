"""Which requests read a map: all of it, few, none too large, none that the PLC refuses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from site_agent.reading import LARGEST_BITS, Block, Reads, plan
from site_agent.registers import Space

SPANS = some.lists(
    some.builds(Block, some.integers(0, 3_000), some.integers(1, 4), some.sampled_from(Space)), max_size=40
)
READS = some.builds(
    Reads,
    largest=some.integers(4, 125),
    gap=some.integers(0, 40),
    unreadable=some.lists(some.integers(0, 3_000).map(lambda first: (first, first + 7)), max_size=4).map(tuple),
)


def _cells(blocks: tuple[Block, ...] | list[Block]) -> set[tuple[Space, int]]:
    return {(each.space, each.address + offset) for each in blocks for offset in range(each.count)}


@given(SPANS, READS)
def test_plan_covers_everything_in_allowed_sizes(spans: list[Block], reads: Reads) -> None:
    """Every cell is read, in requests that a PLC accepts, and each value in one of them."""
    blocks = plan(spans, reads)
    assert _cells(spans) <= _cells(blocks)
    assert all(block.count <= reads.largest_of(block.space) for block in blocks)
    for span in spans:
        assert any(_cells([span]) <= _cells([block]) for block in blocks)


@given(SPANS, READS)
def test_plan_asks_for_nothing_unreadable_that_is_not_a_value_s_own(spans: list[Block], reads: Reads) -> None:
    """What lies between two values is read along only where the PLC allows it."""
    for space, address in _cells(plan(spans, reads)) - _cells(spans):
        assert not reads.refuses(space, address, address)


@given(SPANS)
def test_plan_never_makes_more_requests_than_values(spans: list[Block]) -> None:
    """Planning does not make it worse."""
    assert len(plan(spans, Reads())) <= len(spans)


def test_plan_bridges_small_gaps() -> None:
    """One request is cheaper than two."""
    assert plan([Block(0, 1), Block(8, 2)], Reads()) == (Block(0, 10),)


def test_plan_breaks_at_an_unreadable_gap() -> None:
    """A PLC that refuses registers 4 to 5 would refuse the whole request."""
    assert plan([Block(0, 2), Block(8, 2)], Reads(unreadable=((4, 5),))) == (Block(0, 2), Block(8, 2))


def test_plan_keeps_spaces_apart() -> None:
    """The same address means something else in another table."""
    spans = [Block(0, 1), Block(1, 1, Space.INPUT), Block(2, 1)]
    assert plan(spans, Reads()) == (Block(0, 3), Block(1, 1, Space.INPUT))


def test_plan_reads_many_bits_at_once() -> None:
    """A request carries sixteen times as many bits as registers, and 2000 at most."""
    spans = [Block(0, 1, Space.COIL), Block(250, 1, Space.COIL)]
    assert plan(spans, Reads()) == (Block(0, 251, Space.COIL),)
    assert Reads(largest=125).largest_of(Space.DISCRETE) == LARGEST_BITS
