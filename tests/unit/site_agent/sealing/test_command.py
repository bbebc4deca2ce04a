"""`tidegate seal`: an engineer's hands, from a key to a file that a site takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.protocol.errors import InvalidInput, SettingsError
from site_agent.sealing.command import seal
from site_agent.sealing.custody import Custody
from site_agent.sealing.seal import read_seal
from tests.sealed_site import SealedSite


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SealedSite:
    """With the trust of two keys that were made by the command; both signatures are needed."""
    monkeypatch.chdir(tmp_path)
    made = SealedSite.made(tmp_path / "site")
    lines = [_run("keygen", f"{name}.key", "--no-pass-phrase").stdout for name in ("ana", "bo")]
    made.trust_path.write_text('site = "arava-1"\nneeded = 2\n[keys]\n' + "".join(lines))
    return made


def _run(*words: str, entered: str = "", code: int = 0) -> Result:
    done = CliRunner().invoke(seal, words, input=entered, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def _sign(site: SealedSite, *words: str, entered: str = "y\n", code: int = 0) -> str:
    return _run("sign", str(site.path), "--key", "ana.key", *words, entered=entered, code=code).output


def _cosign(site: SealedSite, *words: str, key: str = "bo.key", code: int = 0) -> str:
    return _run("cosign", str(site.path), "--key", key, *words, entered="y\n", code=code).output


def test_file_that_two_signed_is_one_that_the_site_takes(site: SealedSite) -> None:
    """The whole way; verify says beforehand what the agent will say."""
    _sign(site)
    with pytest.raises(SettingsError, match="signed by ana; needed: 2"):
        _run("verify", str(site.path))
    _cosign(site)
    assert "version 1 of arava-1, sealed by ana, bo" in _run("verify", str(site.path)).output
    assert site.start().check().signers == ("ana", "bo")


def test_next_version_rises_by_itself_and_the_former_seal_stays(site: SealedSite) -> None:
    """Beside the file, under its number: what to compare the next one with."""
    _sign(site)
    site.change("most_per_day = 3000", "most_per_day = 2000")
    shown = _sign(site)
    assert "/devices/feeder-1/actions/feed/limits/most_per_day: 3000.0 -> 2000.0" in shown
    assert [read_seal(path.read_bytes()).statement.version for path in (site.seal_path, _former(site, 1))] == [2, 1]


def _former(site: SealedSite, version: int) -> Path:
    return site.seal_path.with_name(f"site.toml.seal.{version}")


@pytest.mark.parametrize("version", ["1", "2"])
def test_version_that_does_not_rise_is_refused(site: SealedSite, version: str) -> None:
    """The site would refuse it, so it is not sealed."""
    _sign(site, "--version", "2")
    before = site.seal_path.read_bytes()
    with pytest.raises(InvalidInput, match=f"version {version} is not above 2"):
        _sign(site, "--version", version)
    assert site.seal_path.read_bytes() == before


def test_file_that_does_not_check_is_not_sealed(site: SealedSite) -> None:
    """Every fault is shown at once."""
    site.change("most_per_day = 3000", "most_per_day = -1\nmost_per_hour = 1")
    with pytest.raises(SettingsError) as caught:
        _sign(site)
    assert len(caught.value.faults) == 2
    assert not site.seal_path.exists()


def test_who_says_no_has_signed_nothing(site: SealedSite) -> None:
    """To look is the second step; the former seal is where it was."""
    _sign(site)
    before = site.seal_path.read_bytes()
    site.change("most_per_day = 3000", "most_per_day = 9000")
    assert "-> 9000" in _sign(site, entered="n\n", code=1)
    assert site.seal_path.read_bytes() == before
    assert not _former(site, 1).exists()


def test_key_that_cannot_be_used_leaves_the_former_seal(site: SealedSite) -> None:
    """Nothing is moved before there is something to put there."""
    _sign(site)
    before = site.seal_path.read_bytes()
    with pytest.raises(SettingsError):
        _run("sign", str(site.path), "--key", "nobody.key", "--yes")
    assert site.seal_path.read_bytes() == before


def test_cosign_shows_what_changes_from_the_seal_that_one_knows(site: SealedSite) -> None:
    """And without one everything: the first signer does not choose what the second one sees."""
    _sign(site)
    site.change("most_per_day = 3000", "most_per_day = 9000")
    _sign(site)
    site.change('name = "plc-1"', 'name = "plc-1"\nunit = 3')
    _sign(site)
    shown = _cosign(site, "--former", str(_former(site, 1)))
    assert "most_per_day: 3000.0 -> 9000.0" in shown


def test_cosign_without_a_former_seal_shows_everything(site: SealedSite) -> None:
    """As new."""
    _sign(site)
    assert "most_per_day: nothing -> 3000.0" in _cosign(site)


def test_same_key_does_not_cosign(site: SealedSite) -> None:
    """One person is one person."""
    _sign(site)
    with pytest.raises(InvalidInput, match="another person's"):
        _cosign(site, key="ana.key")


def test_file_that_changed_after_the_first_signature_is_not_cosigned(site: SealedSite) -> None:
    """Two persons sign the same thing."""
    _sign(site)
    site.change("most_per_day = 3000", "most_per_day = 9000")
    with pytest.raises(SettingsError, match="not what version 1 was sealed with"):
        _cosign(site)


def test_older_seal_is_not_cosigned(site: SealedSite) -> None:
    """If the site has it already, or a newer one."""
    _sign(site)
    with pytest.raises(InvalidInput, match="version 1 is not above 1"):
        _cosign(site, "--former", str(site.seal_path))


def test_show_tells_version_signers_and_digests(site: SealedSite) -> None:
    """Without a trust file."""
    _sign(site)
    shown = _run("show", str(site.path)).output
    assert shown.startswith("version 1 of arava-1\n  signed 20")
    assert all(name in shown for name in ("site.toml", "profiles/big-feeder.toml"))


def test_pass_phrase_is_asked_for(site: SealedSite) -> None:
    """Twice when the key is made, once for each use; it is never shown."""
    made = _run("keygen", "eve.key", entered="a long one\na long one\n")
    done = _run("sign", str(site.path), "--key", "eve.key", entered="y\na long one\n")
    assert "a long one" not in made.output + done.output
    with pytest.raises(InvalidInput, match="wrong"):
        _run("sign", str(site.path), "--key", "eve.key", entered="y\nanother\n")


@pytest.mark.usefixtures("site")
def test_keygen_replaces_no_key() -> None:
    """And says so."""
    with pytest.raises(SettingsError, match="it was kept"):
        _run("keygen", "ana.key", "--no-pass-phrase")


def test_verify_needs_a_trust_file(site: SealedSite) -> None:
    """Nobody is told that a seal is good by whom nobody was named."""
    _sign(site)
    site.trust_path.unlink()
    with pytest.raises(SettingsError, match=r"trust\.toml"):
        _run("verify", str(site.path))
    assert Custody(site.path).check().seal is None
