"""From the words of Structured Text to what is done; used by tests/structured_text.py."""

from __future__ import annotations

import re
from typing import Final

from tests.structured_text_values import (
    MOST,
    Expression,
    Scope,
    Statement,
    Unit,
    Value,
    Variable,
    as_declared,
    combine,
    fit,
    single,
    true,
)

_TOKEN: Final = re.compile(r"\s*(?:(T#\d+S|16#[0-9A-F]+|\d+|[A-Za-z_]\w*|:=|<>|<=|>=|\.\.|[-+*/()\[\];:,.<>=])|$)")
_LEVELS: Final = (("OR",), ("XOR",), ("AND",), ("=", "<>"), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "MOD"))


class Parser:
    """Recursive descent, a method per rule; anything outside of the subset is an AssertionError that quotes it."""

    def __init__(self, source: str) -> None:
        text = re.sub(r"\(\*.*?\*\)", " ", source, flags=re.DOTALL).strip()
        self._tokens: list[str] = []
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            assert found, f"no word of the language: {text[at : at + 20]!r}"
            self._tokens.append(found[1])
            at = found.end()
        self._tokens.append("")
        self._at = 0

    def units(self) -> dict[str, Unit]:
        """All functions and function blocks by name."""
        units = [self._unit() for _ in iter(self._peek, "")]
        return {unit.name: unit for unit in units}

    def _peek(self) -> str:
        return self._tokens[self._at]

    def _take(self, *wanted: str) -> str:
        token = self._peek()
        assert not wanted or token in wanted, (
            f"{token!r} where {wanted} is needed, after {self._tokens[: self._at][-8:]}"
        )
        self._at += 1
        return token

    def _skip(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._at += 1
        return True

    def _unit(self) -> Unit:
        sort = self._take("FUNCTION", "FUNCTION_BLOCK")
        unit = Unit(self._take(), "")
        if sort == "FUNCTION":
            self._take(":")
            unit.gives = self._take(*MOST)
            unit.variables[unit.name] = Variable("VAR", unit.gives, 0, Value(unit.gives, 0))
        while self._peek() in ("VAR", "VAR_INPUT", "VAR_OUTPUT"):
            section = self._take()
            section = "RETAIN" if self._skip("RETAIN") else section
            while not self._skip("END_VAR"):
                name = self._take()
                assert name not in unit.variables, f"{name} is there twice"
                unit.variables[name] = self._variable(section)
        unit.body = self._statements(f"END_{sort}")
        self._take()
        return unit

    def _variable(self, section: str) -> Variable:
        self._take(":")
        size = 0
        if self._skip("ARRAY"):
            for token in ("[", "0", ".."):
                self._take(token)
            size = int(self._take()) + 1
            self._take("]")
            self._take("OF")
        kind = self._take("TON", *MOST)
        first = self._literal(self._take()) if self._skip(":=") else Value("", 0)
        self._take(";")
        return Variable(section, kind, size, first if kind == "TON" else fit(kind, first))

    def _literal(self, token: str) -> Value:
        if token in ("TRUE", "FALSE"):
            return Value("BOOL", int(token == "TRUE"))
        if token.startswith("T#"):
            return Value("TIME", 1000 * int(token[2:-1]))
        return Value("WORD", int(token[3:], 16)) if token.startswith("16#") else Value("", int(token))

    def _statements(self, *ends: str) -> list[Statement]:
        found = []
        while self._peek() not in ends:
            found.append(self._statement())
        return found

    def _statement(self) -> Statement:
        if self._skip("IF"):
            return self._if()
        if self._skip("FOR"):
            return self._for()
        name = self._take()
        if self._skip("("):
            return self._timer(name)
        index = self._index()
        self._take(":=")
        value = self._expression()
        self._take(";")

        def assign(scope: Scope) -> None:
            if index is None:
                scope.cells[name] = fit(scope.value(name).kind, single(value(scope)))
            else:
                cells = scope.many(name)
                cells[single(index(scope)).bare] = fit(cells[0].kind, single(value(scope)))

        return assign

    def _index(self) -> Expression | None:
        if not self._skip("["):
            return None
        index = self._expression()
        self._take("]")
        return index

    def _if(self) -> Statement:
        branches: list[tuple[Expression, list[Statement]]] = []
        otherwise: list[Statement] = []
        branch = "IF"
        while branch != "END_IF":
            if branch == "ELSE":
                otherwise = self._statements("END_IF")
            else:
                condition = self._expression()
                self._take("THEN")
                branches.append((condition, self._statements("ELSIF", "ELSE", "END_IF")))
            branch = self._take()
        self._take(";")

        def choose(scope: Scope) -> None:
            body = next((body for condition, body in branches if true(condition(scope))), otherwise)
            for statement in body:
                statement(scope)

        return choose

    def _for(self) -> Statement:
        name = self._take()
        self._take(":=")
        first = int(self._take())
        self._take("TO")
        last = int(self._take())
        self._take("DO")
        body = self._statements("END_FOR")
        self._take("END_FOR")
        self._take(";")

        def repeat(scope: Scope) -> None:
            for number in range(first, last + 1):
                scope.cells[name] = fit(scope.value(name).kind, Value("", number))
                for statement in body:
                    statement(scope)

        return repeat

    def _timer(self, name: str) -> Statement:
        given = self._arguments()
        self._take(";")
        assert set(given) == {"IN", "PT"}, f"a TON takes IN and PT, not {sorted(given)}"

        def call(scope: Scope) -> None:
            patience = fit("TIME", single(given["PT"](scope)))
            scope.timer(name).call(true(given["IN"](scope)), patience.bare, scope.now_ms)

        return call

    def _arguments(self) -> dict[str, Expression]:
        """Up to the closing bracket; one without a name has the name ""."""
        given: dict[str, Expression] = {}
        while True:
            named = self._tokens[self._at + 1] == ":="
            name = self._take() if named else ""
            if named:
                self._take(":=")
            assert name not in given, f"argument {name!r} is there twice"
            given[name] = self._expression()
            if self._take(",", ")") == ")":
                return given

    def _expression(self, level: int = 0) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self._expression(level + 1)
        while self._peek() in _LEVELS[level]:
            left = _binary(self._take(), left, self._expression(level + 1))
        return left

    def _unary(self) -> Expression:
        if self._skip("NOT"):
            inner = self._unary()
            return lambda scope: Value("BOOL", int(not true(inner(scope))))
        if self._skip("("):
            inner = self._expression()
            self._take(")")
            return inner
        return self._operand(self._take())

    def _operand(self, token: str) -> Expression:
        if token in ("TRUE", "FALSE") or token[0].isdigit() or token.startswith("T#"):
            literal = self._literal(token)
            return lambda _: literal
        if self._skip("."):
            self._take("Q")
            return lambda scope: Value("BOOL", int(scope.timer(token).q))
        if self._skip("("):
            return _call(token, self._arguments())
        index = self._index()
        if index is not None:
            return lambda scope: scope.many(token)[single(index(scope)).bare]
        return lambda scope: scope.many(token) if isinstance(scope.cells[token], list) else scope.value(token)


def _binary(operator: str, left: Expression, right: Expression) -> Expression:
    return lambda scope: combine(operator, single(left(scope)), single(right(scope)))


def _call(name: str, given: dict[str, Expression]) -> Expression:
    if "_TO_" in name:
        source, kind = name.split("_TO_")
        assert {source, kind} <= set(MOST), f"no conversion: {name}"
        assert set(given) == {""}, f"{name} takes one argument"

        def convert(scope: Scope) -> Value:
            return fit(kind, Value("", fit(source, single(given[""](scope))).bare))

        return convert

    def function(scope: Scope) -> Value:
        unit = scope.units[name]
        inner = Scope({each: variable.fresh() for each, variable in unit.variables.items()}, scope.units, scope.now_ms)
        assert set(given) == {each for each, variable in unit.variables.items() if variable.section == "VAR_INPUT"}
        for each, argument in given.items():
            inner.cells[each] = as_declared(unit.variables[each], argument(scope))
        for statement in unit.body:
            statement(inner)
        return inner.value(name)

    return function
