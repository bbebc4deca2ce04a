"""Values of an OPC UA server as cells: each node lies at an address of our own, in as many words as its type takes.

So everything above a driver, from limits to the proof of a write, is the same for both protocols. Between two nodes one
address stays free: a write never spans two of them, since OPC UA does not write two nodes as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.protocol.messages import Value
from site_agent.registers import (
    ByteOrder,
    RegisterType,
    WordOrder,
    decode_text,
    decode_words,
    encode_text,
    encode_value,
)

#: Types of OPC UA (OPC 10000-6, table 1) that a value may have, each with its name there.
VARIANTS: Final = {
    RegisterType.BOOL: "Boolean",
    RegisterType.INT16: "Int16",
    RegisterType.UINT16: "UInt16",
    RegisterType.INT32: "Int32",
    RegisterType.UINT32: "UInt32",
    RegisterType.INT64: "Int64",
    RegisterType.UINT64: "UInt64",
    RegisterType.FLOAT32: "Float",
    RegisterType.FLOAT64: "Double",
    RegisterType.STRING: "String",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A node with the type that it must have, and the words that stand for its value."""

    node: str
    kind: RegisterType
    words: int

    def encode(self, value: Value) -> tuple[int | None, ...]:
        """The words; all None for what they cannot hold: a float that is no number, a text that is too long."""
        try:
            if self.kind is RegisterType.STRING:
                return encode_text(value, self.words, ByteOrder.BIG)
            return encode_value(self.kind, value, WordOrder.BIG)
        except ValueError:
            return (None,) * self.words

    def decode(self, words: tuple[int, ...]) -> Value:
        """The value in these words.

        Raises:
            ValueError: they hold none.
        """
        if self.kind is RegisterType.STRING:
            found: Value | None = decode_text(words, ByteOrder.BIG)
        else:
            found = decode_words(self.kind, words, WordOrder.BIG)
        if found is None:
            raise ValueError(f"{words} hold no {self.kind}")
        return found


#: The first address of each.
Places = Mapping[int, Place]
