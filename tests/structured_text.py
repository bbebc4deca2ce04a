"""Runs IEC 61131-3 Structured Text: the small, strict part of it that docs/plc is written in.

Stricter than any PLC: kinds are never mixed, and a number that does not fit is an error instead of being cut off; only
UDINT wraps, as counters do. Whatever runs here uses nothing that vendors disagree about::

    block = Block(source, "TidegateMailbox")
    block.scan(now_ms=0, counter=12, interlock=False)
    block["answer"]
"""

from __future__ import annotations

from tests.structured_text_parser import Parser
from tests.structured_text_values import Scope, Timer, Value, as_declared, single


class Block:
    """One instance of a FUNCTION_BLOCK."""

    def __init__(self, source: str, name: str) -> None:
        self._units = Parser(source).units()
        self._unit = self._units[name]
        self._cells = {each: variable.fresh() for each, variable in self._unit.variables.items()}

    def scan(self, now_ms: int, **inputs: int | list[int]) -> None:
        """One cycle; an input that is not given keeps its value."""
        for name, given in inputs.items():
            variable = self._unit.variables[name]
            assert variable.section == "VAR_INPUT", f"{name} is no input"
            many = [Value("", each) for each in given] if isinstance(given, list) else Value("", int(given))
            self._cells[name] = as_declared(variable, many)
        scope = Scope(self._cells, self._units, now_ms)
        for statement in self._unit.body:
            statement(scope)

    def power_cycle(self) -> None:
        """Only what is declared retentive is kept."""
        for name, variable in self._unit.variables.items():
            if variable.section != "RETAIN":
                self._cells[name] = variable.fresh()

    def __getitem__(self, name: str) -> int:
        """An output, or any other variable, as a number."""
        cell = self._cells[name]
        return int(cell.q) if isinstance(cell, Timer) else single(cell).bare

    def words(self, name: str) -> list[int]:
        """An array."""
        cell = self._cells[name]
        assert isinstance(cell, list), f"{name} is no array"
        return [each.bare for each in cell]
