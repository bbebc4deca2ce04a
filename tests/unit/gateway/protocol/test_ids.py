from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gateway.protocol.ids import CommandId, Id, Name, Principal, command_id, is_command_id, is_id, is_name, is_principal

Rule = Callable[[str], bool]
UUID_TEXT = "0193544a-0000-7000-8000-000000000000"
RULES = [
    (is_id, TypeAdapter(Id), "arava-1"),
    (is_principal, TypeAdapter(Principal), "@ana"),
    (is_name, TypeAdapter(Name), "portion_g"),
    (is_command_id, TypeAdapter(CommandId), UUID_TEXT),
]
KINDS = ["id", "principal", "name", "command-id"]
each_good = pytest.mark.parametrize(("rule", "adapter", "good"), RULES, ids=KINDS)
each_rule = pytest.mark.parametrize(("rule", "adapter"), [row[:2] for row in RULES], ids=KINDS)
BAD = ["", "+", "#", "/", "a/b", "..", "$SYS", "@", "@@a", "-a", "a b", "A", "ä", "a\x00", "a\u202e", "🐟", "٣"]


@each_good
def test_rule_good_name_is_allowed(rule: Rule, adapter: TypeAdapter[str], good: str) -> None:
    """A plain name fits both the function and the message field."""
    assert rule(good)
    assert adapter.validate_python(good) == good


@each_rule
@pytest.mark.parametrize("bad", BAD)
def test_rule_bad_name_is_refused(rule: Rule, adapter: TypeAdapter[str], bad: str) -> None:
    """Wildcards, slashes, empty, `$SYS`, capitals and unicode never name anything."""
    assert not rule(bad)
    with pytest.raises(ValidationError):
        adapter.validate_python(bad)


@each_good
@pytest.mark.parametrize("tail", ["\n", "\r", "\n\n", "\x00", " ", "\u2028"])
def test_rule_trailing_character_is_refused(rule: Rule, adapter: TypeAdapter[str], good: str, tail: str) -> None:
    """A newline at the end does not slip past the end of the pattern."""
    assert not rule(good + tail)
    with pytest.raises(ValidationError):
        adapter.validate_python(good + tail)


@each_rule
@given(text=st.text(max_size=60) | st.text("abz019-_@", max_size=60))
def test_rule_and_field_agree(rule: Rule, adapter: TypeAdapter[str], text: str) -> None:
    """Python's and pydantic's pattern engines decide alike."""
    try:
        adapter.validate_python(text)
        allowed = True
    except ValidationError:
        allowed = False
    assert rule(text) == allowed


@pytest.mark.parametrize(("rule", "prefix", "most"), [(is_id, "", 48), (is_principal, "@", 48), (is_name, "", 63)])
def test_rule_longest_name_is_allowed_and_one_more_is_not(rule: Rule, prefix: str, most: int) -> None:
    """Names are bounded."""
    assert rule(prefix + "a" * most)
    assert not rule(prefix + "a" * (most + 1))


@given(st.text(max_size=60))
def test_site_and_principal_never_share_a_name(text: str) -> None:
    """No site can ever collide with a principal."""
    assert not (is_id(text) and is_principal(text))
    assert not (is_id("@" + text))


def test_command_id_upper_case_is_refused() -> None:
    """One id has one spelling, or a repeat in capitals would be a second command."""
    assert not is_command_id(UUID_TEXT.upper())


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**80))
def test_command_id_is_a_version_7_uuid(unix_ms: int, random_bits: int) -> None:
    """Version, variant and time stand where RFC 9562 section 5.7 puts them."""
    text = command_id(unix_ms, random_bits)
    uuid = UUID(text)
    assert is_command_id(text)
    assert (uuid.version, uuid.variant) == (7, "specified in RFC 4122")
    assert uuid.int >> 80 == unix_ms


@given(st.integers(0, 2**48 - 2), st.integers(0, 2**74 - 1), st.integers(0, 2**74 - 1))
def test_command_id_later_sorts_after_earlier(unix_ms: int, one: int, other: int) -> None:
    """Ids sort by the time they were made, as text."""
    assert command_id(unix_ms, one) < command_id(unix_ms + 1, other)


@given(st.integers(0, 2**74 - 1), st.integers(0, 2**74 - 1))
def test_command_id_other_dice_give_another_id(one: int, other: int) -> None:
    """All 74 random bits count."""
    assert (command_id(0, one) == command_id(0, other)) == (one == other)
