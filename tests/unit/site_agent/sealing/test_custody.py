"""What an agent takes over where a trust file asks for seals, and what it goes on with otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.protocol.errors import SettingsError
from site_agent.sealing.custody import Custody
from site_agent.sealing.kept import Kept
from tests.sealed_site import TEXT, Engineer, SealedSite

ANA, BO, EVE = Engineer("ana"), Engineer("bo"), Engineer("eve")


def _most(custody: Custody) -> float | None:
    """The limit that is in force after a start."""
    return custody.begin().configuration.devices[0].actions["feed"].limits.most_per_day


def _refusal(site: SealedSite) -> str:
    with pytest.raises(SettingsError) as caught:
        Custody(site.path).check()
    return str(caught.value)


@pytest.fixture
def site(tmp_path: Path) -> SealedSite:
    """Sealed by Ana as version 3, and in force."""
    made = SealedSite.made(tmp_path / "site", ANA)
    made.seal(3, ANA)
    made.start()
    return made


def test_site_without_a_trust_file_takes_any_right_file(tmp_path: Path) -> None:
    """As ever: no seal is asked for, none is kept."""
    site = SealedSite.made(tmp_path / "site", ANA)
    site.trust_path.unlink()
    taken = site.start().check()
    assert (taken.seal, taken.trouble) == (None, "")
    assert not site.kept_path.exists()


def test_sealed_file_is_taken_and_says_by_whom(site: SealedSite) -> None:
    """With nothing to complain of."""
    taken = Custody(site.path).begin()
    assert taken.seal is not None
    assert (taken.seal.statement.version, taken.signers, taken.trouble) == (3, ("ana",), "")


def test_altered_file_is_refused_and_the_last_good_one_goes_on(site: SealedSite) -> None:
    """A limit that somebody raised on the site's PC does not count."""
    site.change("most_per_day = 3000", "most_per_day = 9000")
    assert "site.toml: it is not what version 3 was sealed with" in _refusal(site)
    custody = Custody(site.path)
    assert _most(custody) == 3000
    assert "version 3 goes on" in custody.begin().trouble


def test_altered_profile_is_refused(site: SealedSite) -> None:
    """It is as much a part of the site as its file."""
    site.profile.write_text(site.profile.read_text().replace("400", "900"))
    assert "profiles/big-feeder.toml" in _refusal(site)
    assert Custody(site.path).begin().configuration.devices[0].properties["portion_g"].maximum == 400


def test_profile_that_is_added_is_refused(site: SealedSite) -> None:
    """What nobody has seen does not lie among what was seen."""
    (site.folder / "profiles" / "other.toml").write_text("")
    assert "the seal does not know it" in _refusal(site)


def test_file_that_is_torn_is_refused_and_the_last_good_one_goes_on(site: SealedSite) -> None:
    """Cut in its middle, or gone: what was sealed is in the agent's own folder, whole."""
    site.path.write_text(TEXT[: len(TEXT) // 2] + "[[")
    site.profile.unlink()
    assert _most(Custody(site.path)) == 3000
    site.path.unlink()
    assert _most(Custody(site.path)) == 3000


def test_older_version_is_refused(site: SealedSite) -> None:
    """Properly sealed, and once in force: no way back to it."""
    site.seal(2, ANA)
    assert "version 2 is older than 3" in _refusal(site)


def test_same_version_of_something_else_is_refused(site: SealedSite) -> None:
    """A number means one thing for ever."""
    site.change("most_per_day = 3000", "most_per_day = 9000")
    site.seal(3, ANA)
    assert "another version 3 was in force" in _refusal(site)


def test_newer_version_is_taken_and_the_former_one_is_not_any_more(site: SealedSite) -> None:
    """The memory rises with what is taken."""
    former = site.seal_path.read_bytes()
    site.change("most_per_day = 3000", "most_per_day = 2000")
    site.seal(4, ANA)
    assert _most(site.start()) == 2000
    site.path.write_text(TEXT)
    site.seal_path.write_bytes(former)
    assert "version 3 is older than 4" in _refusal(site)
    assert _most(Custody(site.path)) == 2000


def test_file_that_was_only_looked_at_is_not_remembered(site: SealedSite) -> None:
    """A check is no start: one that needs a restart may still be withdrawn."""
    site.seal(9, ANA)
    Custody(site.path).check()
    site.seal(4, ANA)
    assert Custody(site.path).begin().trouble == ""


@pytest.mark.parametrize("signers", [(EVE,), (EVE, EVE), (EVE, BO)])
def test_key_that_is_not_trusted_is_refused(site: SealedSite, signers: tuple[Engineer, ...]) -> None:
    """However many there are."""
    site.seal(4, *signers)
    assert "signed by nobody who is trusted; needed: 1 of ana" in _refusal(site)


@pytest.mark.parametrize("signers", [(ANA,), (ANA, ANA), (ANA, EVE)], ids=["one", "the-same-twice", "a-stranger"])
def test_one_person_is_refused_where_two_are_needed(tmp_path: Path, signers: tuple[Engineer, ...]) -> None:
    """The same key twice is one person, and a stranger is none."""
    site = SealedSite.made(tmp_path / "site", ANA, BO, needed=2)
    site.seal(1, *signers)
    assert "signed by ana; needed: 2 of ana, bo" in _refusal(site)
    with pytest.raises(SettingsError, match="needed: 2"):
        site.start()


def test_two_persons_are_taken_where_two_are_needed(tmp_path: Path) -> None:
    """In any order."""
    site = SealedSite.made(tmp_path / "site", ANA, BO, needed=2)
    site.seal(1, BO, ANA)
    assert site.start().check().signers == ("ana", "bo")


def test_seal_of_another_site_is_refused(tmp_path: Path, site: SealedSite) -> None:
    """By the same engineer, with its own file: this PC is not that site."""
    other = SealedSite.made(tmp_path / "other", ANA)
    other.change('site = "arava-1"', 'site = "arava-2"')
    seal = other.seal(9, ANA)
    site.path.write_bytes(other.path.read_bytes())
    site.put(seal)
    assert "the seal is for 'arava-2', and this is 'arava-1'" in _refusal(site)
    assert Custody(site.path).begin().configuration.site == "arava-1"


def test_missing_seal_is_refused(site: SealedSite) -> None:
    """With what to type; the last good one goes on."""
    site.seal_path.unlink()
    assert "tidegate seal sign" in _refusal(site)
    assert _most(Custody(site.path)) == 3000


def test_site_that_never_had_a_good_file_does_not_start(tmp_path: Path) -> None:
    """There is nothing to go on with, and guessing is not an answer."""
    site = SealedSite.made(tmp_path / "site", ANA)
    with pytest.raises(SettingsError, match="tidegate seal sign"):
        site.start()


def test_trust_file_that_is_taken_away_does_not_end_the_trust(site: SealedSite) -> None:
    """The agent's folder remembers that this site's files are sealed."""
    site.trust_path.unlink()
    site.change("most_per_day = 3000", "most_per_day = 9000")
    assert "it is gone, and the site's files are sealed" in _refusal(site)
    assert _most(Custody(site.path)) == 3000


def test_trust_file_that_is_wrong_does_not_end_the_trust(site: SealedSite) -> None:
    """A slip in it is told, and changes nothing."""
    site.trust_path.write_text(site.trust_path.read_text().replace("needed = 1", "needed = 3"))
    assert "needed" in _refusal(site)
    assert _most(Custody(site.path)) == 3000


def test_trust_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """Whoever may only write beside the site's file cannot switch it off, whatever else is changed there."""
    site = SealedSite.made(tmp_path / "site", ANA)
    site.seal(1, ANA)
    site.trust_path.unlink()
    with pytest.raises(SettingsError, match="it is gone"):
        Custody(site.path, site.trust_path).begin()


def test_trust_file_that_names_a_key_twice_is_refused(site: SealedSite) -> None:
    """Two names for one key would be two persons who are one."""
    double = Engineer("bo")
    double.key = ANA.key
    site.trust(ANA, double, needed=2)
    assert "one key stands there under two names" in _refusal(site)


def test_folder_that_is_another_one_is_refused(site: SealedSite) -> None:
    """The memory of versions is in the agent's folder: nobody moves it by the file that it is to judge."""
    site.change("[broker]", '[agent]\nfolder = "elsewhere"\n[broker]')
    site.seal(4, ANA)
    assert "where the agent remembers" in _refusal(site)


def test_key_that_is_not_trusted_any_more_keeps_no_last_good_file(site: SealedSite) -> None:
    """What Ana sealed is nothing to go on with; but versions do not fall for that."""
    site.trust(BO)
    with pytest.raises(SettingsError, match="the last good one: signed by nobody who is trusted"):
        Custody(site.path).begin()
    site.seal(2, BO)
    assert "version 2 is older than 3" in _refusal(site)
    site.seal(3, BO)
    assert site.start().check().signers == ("bo",)


def test_seal_whose_own_texts_are_others_is_refused(site: SealedSite) -> None:
    """It would be kept, and could not be gone on with."""
    seal = site.seal(4, ANA)
    site.put(seal.model_copy(update={"texts": seal.texts | {"site.toml": TEXT.replace("3000", "9000")}}))
    assert "altered" in _refusal(site)


def test_memory_that_cannot_be_read_is_told_and_forgets_nothing(site: SealedSite) -> None:
    """Whoever spoils it gets no older version in."""
    site.kept_path.write_text("{}")
    site.seal(2, ANA)
    with pytest.raises(SettingsError, match=r"sealed\.json"):
        Custody(site.path).begin()


def test_disk_that_takes_nothing_changes_nothing(site: SealedSite) -> None:
    """What cannot be remembered is not taken over."""
    (site.kept_path.parent / "sealed.json.new").mkdir()
    site.seal(4, ANA)
    with pytest.raises(SettingsError, match="not-kept"):
        site.start()
    kept = Kept(site.kept_path.parent).read()
    assert kept is not None
    assert kept.statement.version == 3


def test_start_with_what_is_kept_already_writes_nothing(site: SealedSite) -> None:
    """A full disk does not keep a site from starting."""
    (site.kept_path.parent / "sealed.json.new").mkdir()
    assert _most(site.start()) == 3000
