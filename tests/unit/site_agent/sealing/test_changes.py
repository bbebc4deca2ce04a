"""What a person who signs is shown: every value that changes, limits first."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.configuration import SiteConfiguration
from site_agent.sealing.changes import changes
from site_agent.site_file import load
from tests.sealed_site import Engineer, SealedSite


@pytest.fixture
def site(tmp_path: Path) -> SealedSite:
    """A site's files; nobody has to trust them here."""
    return SealedSite.made(tmp_path / "site", Engineer("ana"))


@pytest.fixture
def before(site: SealedSite) -> SiteConfiguration:
    """As they are at first."""
    return load(site.path)


def test_nothing_changes_from_itself(before: SiteConfiguration) -> None:
    """No line for nothing."""
    assert changes(before, before) == ()


def test_limit_that_changes_is_shown_with_both_values(site: SealedSite, before: SiteConfiguration) -> None:
    """By its place, and as what it is."""
    site.change("most_per_day = 3000", "most_per_day = 9000")
    (found,) = changes(before, load(site.path))
    assert found.of_limits
    assert str(found) == "/devices/feeder-1/actions/feed/limits/most_per_day: 3000.0 -> 9000.0"


def test_limit_of_a_profile_is_shown_where_it_counts(site: SealedSite, before: SiteConfiguration) -> None:
    """At each device, whichever file says it."""
    site.profile.write_text(site.profile.read_text().replace("maximum = 400\n", ""))
    (found,) = changes(before, load(site.path))
    assert str(found) == "/devices/feeder-1/properties/portion_g/maximum: 400 -> nothing"


def test_limits_stand_before_everything_else(site: SealedSite, before: SiteConfiguration) -> None:
    """A long list does not bury the line that counts."""
    site.profile.write_text(site.profile.read_text().replace("register = 0", "register = 5"))
    site.change("most_per_day = 3000", "most_per_day = 9000")
    site.change("[[devices]]", "unit = 2\n[[devices]]")
    found = changes(before, load(site.path))
    assert [each.of_limits for each in found] == [True, False, False]
    assert {each.place for each in found[1:]} == {"/devices/feeder-1/properties/portion_g/register", "/plcs/plc-1/unit"}


def test_interlock_that_goes_is_a_limit(site: SealedSite) -> None:
    """It forbids, so its absence allows."""
    interlock = '[[devices.interlocks]]\nname = "big"\nproperty = "portion_g"\ncomparison = "above"\nvalue = 300\n'
    text = site.path.read_text()
    site.path.write_text(text + interlock)
    before = load(site.path)
    site.path.write_text(text)
    found = changes(before, load(site.path))
    assert "/devices/feeder-1/interlocks/big/value: 300 -> nothing" in map(str, found)
    assert all(each.of_limits for each in found)


def test_text_cannot_pass_for_another_line(site: SealedSite, before: SiteConfiguration) -> None:
    """Line ends, escapes and letters that run backwards are shown, not obeyed."""
    site.change('id = "feeder-1"', 'id = "feeder-1"\ntitle = "\\r\\n\\u001B[2Kno change\\u202E"')
    (found,) = changes(before, load(site.path))
    assert str(found).isascii()
    assert str(found).isprintable()


def test_of_nothing_everything_is_new(before: SiteConfiguration) -> None:
    """Who signs for the first time sees all of it."""
    found = changes(None, before)
    assert {each.old for each in found} == {None}
    assert "/devices/feeder-1/actions/feed/limits/most_per_day" in {each.place for each in found}
