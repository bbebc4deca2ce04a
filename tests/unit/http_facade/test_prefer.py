"""``Prefer`` and ``If-Match``: text to values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_facade.prefer import LONGEST_WAIT_S, expected_revision, wait_s
from http_facade.refusals import Malformed, RevisionDiffers


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        (None, None),
        ("wait=0", 0),
        ("wait=7", 7),
        ('Wait="7"', 7),
        ("respond-async, wait = 7", 7),
        ("wait=7; slack=1", 7),
        ("wait=3, wait=9", 3),
        ("wait=31", LONGEST_WAIT_S),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=", None),
        ('wait="7', None),
        ("waiting=7", None),
        ("return=minimal", None),
        ("foo; wait=7", None),
    ],
)
def test_wait_of_prefer_header_is_read_or_ignored(prefer: str | None, expected: int | None) -> None:
    """RFC 7240: a preference that cannot be understood is ignored, and the longest wait is 30 s."""
    assert wait_s(prefer) == expected


@given(st.text())
def test_wait_of_any_text_is_bounded(prefer: str) -> None:
    """No text whatsoever makes a request wait for longer than the bound."""
    found = wait_s(prefer)
    assert found is None or 0 <= found <= LONGEST_WAIT_S


@pytest.mark.parametrize(
    ("if_match", "expected"),
    [
        (None, None),
        ("*", None),
        ('"0123abcd"', "0123abcd"),
        ('W/"89abcdef", "0123abcd"', "0123abcd"),
        ('"not-a-revision", "0123abcd"', "0123abcd"),
    ],
)
def test_revision_of_if_match_is_the_strong_tag(if_match: str | None, expected: str | None) -> None:
    """If-Match compares strongly (RFC 9110 section 13.1.1), and * demands nothing of the settings."""
    assert expected_revision(if_match) == expected


@pytest.mark.parametrize("if_match", ['W/"0123abcd"', '"not-a-revision"', '""'])
def test_revision_that_cannot_match_is_refused(if_match: str) -> None:
    """A tag that no settings can have fails at once, without asking the site."""
    with pytest.raises(RevisionDiffers):
        expected_revision(if_match)


@pytest.mark.parametrize("if_match", ["", "0123abcd", '"0123abcd', '"0123abcd" x', '"0123abcd", "89abcdef"'])
def test_revision_of_malformed_if_match_is_refused(if_match: str) -> None:
    """A precondition that is not understood is never dropped silently."""
    with pytest.raises((Malformed, RevisionDiffers)):
        expected_revision(if_match)


@given(st.text())
def test_revision_of_any_text_is_a_revision_or_a_refusal(if_match: str) -> None:
    """No text whatsoever raises anything but our refusals."""
    try:
        found = expected_revision(if_match)
    except (Malformed, RevisionDiffers):
        return
    assert found is None or 8 <= len(found) <= 64
