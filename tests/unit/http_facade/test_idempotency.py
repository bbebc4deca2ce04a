"""The Idempotency-Key header and the fingerprint of what a key stands for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_facade.idempotency import KEY_PATTERN, fingerprint, key
from http_facade.refusals import Malformed

ASKED: dict[str, Any] = {
    "site": "arava-1",
    "device": "feeder-1",
    "name": "feed",
    "input": {"grams": 50},
    "revision": None,
    "ttl_s": 10.0,
}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("k", "k"),
        (" k\t", "k"),
        ('"k"', "k"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        (r'"a\"b\\c"', r'a"b\c'),
        (r"a\b", r"a\b"),
        ("x" * 128, "x" * 128),
        (f'"{"x" * 128}"', "x" * 128),
    ],
)
def test_key_bare_or_quoted_is_the_same(header: str | None, expected: str | None) -> None:
    """The draft wants a quoted string, many clients send it bare."""
    assert key(header) == expected


@pytest.mark.parametrize(
    "header",
    ["", " ", '"', '""', '"k', 'k"'[::-1] + "x", "a b", '"a b"', "x" * 129, f'"{"x" * 129}"', "é", "a\x7f", '"a\\b"'],
)
def test_key_that_breaks_the_grammar_is_refused(header: str) -> None:
    """A key that two programs may read differently names nothing."""
    with pytest.raises(Malformed):
        key(header)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=128))
def test_key_of_visible_characters_survives_quoting(text: str) -> None:
    """Whatever the key is, the quoted form of the draft leads to it."""
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert re.search(KEY_PATTERN, quoted)
    assert key(quoted) == text


@pytest.mark.parametrize(
    "change",
    [
        {"site": "arava-2"},
        {"device": "feeder-2"},
        {"name": "write"},
        {"input": {"grams": 55}},
        {"input": {"grams": True}},
        {"input": {}},
        {"revision": "0123abcd"},
        {"ttl_s": 11},
    ],
)
def test_fingerprint_tells_different_requests_apart(change: dict[str, Any]) -> None:
    """Each part of what was asked counts."""
    assert fingerprint(**ASKED) != fingerprint(**ASKED | change)


def test_fingerprint_does_not_depend_on_the_order_of_members() -> None:
    """JSON objects have none."""
    first = fingerprint(**ASKED | {"input": {"a": 1, "b": 2}})
    assert first == fingerprint(**ASKED | {"input": {"b": 2, "a": 1}, "ttl_s": 10})


def test_fingerprint_of_half_a_character_is_made() -> None:
    """JSON text may name half a surrogate pair; it is refused later, where input is checked."""
    assert fingerprint(**ASKED | {"input": {"label": "\ud800"}})
