"""Reads a QR code from its modules as a camera does that sees every one (ISO/IEC 18004); no errors are mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

Modules = Sequence[Sequence[bool]]
#: version -> blocks and data codewords of each, at level M; these have one alignment pattern and no version's own bits.
_BLOCKS: Final = {2: (1, 28), 3: (1, 44), 4: (2, 32), 5: (2, 43), 6: (4, 27)}
#: Number in the format's bits -> whether a module at (row, column) is turned over.
_MASKS: Final[tuple[Callable[[int, int], bool], ...]] = (
    lambda y, x: (y + x) % 2 == 0,
    lambda y, _: y % 2 == 0,
    lambda _, x: x % 3 == 0,
    lambda y, x: (y + x) % 3 == 0,
    lambda y, x: (y // 2 + x // 3) % 2 == 0,
    lambda y, x: y * x % 2 + y * x % 3 == 0,
    lambda y, x: (y * x % 2 + y * x % 3) % 2 == 0,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2 == 0,
)
#: What the format's first five bits are turned over with: two for the level, three for the mask.
_FORMAT: Final = 0b10101
_LEVEL_M: Final = 0b00
_BYTES: Final = 0b0100


def text_of(modules: Modules) -> str:
    """The bytes that it holds, as text; AssertionError where it is no code of versions 2 to 6 at level M."""
    version = (len(modules) - 17) // 4
    blocks, length = _BLOCKS[version]
    form = _number(modules[8][:5]) ^ _FORMAT
    assert form >> 3 == _LEVEL_M
    bits = list(_data(modules, _MASKS[form & 0b111]))
    words = [_number(bits[at : at + 8]) for at in range(0, blocks * length * 8, 8)]
    whole = list(chain.from_iterable(words[block::blocks] for block in range(blocks)))
    stream = [bool(word >> place & 1) for word in whole for place in range(7, -1, -1)]
    assert _number(stream[:4]) == _BYTES
    count = _number(stream[4:12])
    return bytes(_number(stream[12 + 8 * at : 20 + 8 * at]) for at in range(count)).decode()


def _data(modules: Modules, mask: Callable[[int, int], bool]) -> Iterator[bool]:
    """Two columns at a time, from the right, up and down in turn."""
    size, upwards = len(modules), True
    for right in (*range(size - 1, 6, -2), 5, 3, 1):
        for y in range(size - 1, -1, -1) if upwards else range(size):
            for x in (right, right - 1):
                if not _is_pattern(y, x, size):
                    yield modules[y][x] != mask(y, x)
        upwards = not upwards


def _is_pattern(y: int, x: int, size: int) -> bool:
    """Whether a module is part of the finders, the format, the timing lines or the alignment pattern."""
    finder = (y < 9 and (x < 9 or x >= size - 8)) or (y >= size - 8 and x < 9)
    return finder or 6 in {y, x} or (size - 9 <= y < size - 4 and size - 9 <= x < size - 4)


def _number(bits: Sequence[bool]) -> int:
    return int("".join("1" if bit else "0" for bit in bits), 2)
