"""Seals and keys: what was signed holds, and nothing else does."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.certificates import key_text, new_key
from gateway.protocol.errors import InvalidInput, SettingsError
from site_agent.sealing.keys import PassPhraseNeeded, key_id, public_text, read_key, read_public, write_new_key
from site_agent.sealing.seal import CONTEXT, Seal, Statement, difference, read_seal, sign, signers

ANA, BO = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEYS = {"ana": ANA.public_key(), "bo": BO.public_key()}
AT = "2026-11-23T06:00:00Z"
STATEMENT = Statement(site="arava-1", version=3, texts={"site.toml": "a" * 64})


def _seal(*keys: Ed25519PrivateKey) -> Seal:
    return Seal(statement=STATEMENT, signatures=tuple(sign(STATEMENT, key, AT) for key in keys), texts={})


def test_signers_are_those_whose_keys_are_known() -> None:
    """Each by name; a stranger's signature beside theirs neither counts nor harms."""
    assert signers(_seal(ANA, Ed25519PrivateKey.generate(), BO), KEYS) == {"ana", "bo"}


def test_key_that_signs_twice_counts_once() -> None:
    """Two signatures, one person."""
    assert signers(_seal(ANA, ANA), KEYS) == {"ana"}


@pytest.mark.parametrize(
    "changed",
    [{"site": "arava-2"}, {"version": 4}, {"texts": {"site.toml": "b" * 64}}, {"texts": {"profiles/x": "a" * 64}}],
    ids=["site", "version", "digest", "name"],
)
def test_statement_that_was_changed_is_nobodys(changed: dict[str, Any]) -> None:
    """Whatever part of it."""
    other = _seal(ANA).model_copy(update={"statement": STATEMENT.model_copy(update=changed)})
    assert signers(other, KEYS) == frozenset()


@pytest.mark.parametrize("changed", [{"at": "2026-11-24T06:00:00Z"}, {"key": key_id(BO.public_key())}])
def test_time_and_key_of_a_signature_are_signed_too(changed: dict[str, str]) -> None:
    """Nobody shifts a signature to another day, or passes it for another's."""
    (signature,) = _seal(ANA).signatures
    other = _seal(ANA).model_copy(update={"signatures": (signature.model_copy(update=changed),)})
    assert signers(other, KEYS) == frozenset()


def test_signature_of_something_else_is_none_of_a_seal() -> None:
    """What is signed begins with words that nothing else of ours begins with."""
    (signature,) = _seal(ANA).signatures
    assert CONTEXT.endswith(b"v1\n")
    meant = {"at": AT, "key": signature.key, "statement": STATEMENT.model_dump(mode="json")}
    bare = ANA.sign(json.dumps(meant, sort_keys=True, separators=(",", ":")).encode())
    forged = signature.model_copy(update={"signature": base64.b64encode(bare).decode()})
    assert signers(_seal(ANA).model_copy(update={"signatures": (forged,)}), KEYS) == frozenset()


def test_seal_is_read_as_it_was_written() -> None:
    """Through its file, and formed anew by whatever tool."""
    seal = _seal(ANA, BO)
    assert read_seal(seal.to_bytes()) == seal
    assert signers(read_seal(json.dumps(json.loads(seal.to_bytes()), indent=8).encode()), KEYS) == {"ana", "bo"}


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_rubbish_is_no_seal(content: bytes) -> None:
    """And says so in our own words."""
    with pytest.raises(InvalidInput):
        read_seal(content)


def test_seal_with_an_unknown_key_is_none() -> None:
    """Nothing that somebody may take for signed is left aside."""
    whole = json.loads(_seal(ANA).to_bytes())
    for place in (whole, whole["statement"], whole["signatures"][0]):
        place["more"] = 1
        with pytest.raises(InvalidInput):
            read_seal(json.dumps(whole).encode())
        del place["more"]


def test_texts_of_a_seal_are_believed_only_as_stated() -> None:
    """The statement is signed; the texts beside it are not."""
    with pytest.raises(InvalidInput, match=r"site\.toml"):
        _seal(ANA).model_copy(update={"texts": {"site.toml": "other"}}).named()


def test_difference_names_each_text_that_differs() -> None:
    """Gone, added and altered ones."""
    sealed = Statement(site="arava-1", version=1, texts={"a": "a" * 64, "b": "b" * 64})
    found = difference(sealed, {"b": "c" * 64, "d": "d" * 64})
    assert {each.pointer: each.code for each in found} == {"a": "gone", "b": "altered", "d": "not-sealed"}


def test_public_key_is_read_as_it_was_written() -> None:
    """As a line."""
    assert read_public(public_text(ANA.public_key())) == ANA.public_key()


@pytest.mark.parametrize("at", [0, 4, 5, 20, 40, 52])
def test_mistyped_public_key_is_refused(at: int) -> None:
    """A slip of one letter is not somebody else's key."""
    text = public_text(ANA.public_key())
    with pytest.raises(ValueError, match="no public key"):
        read_public(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])


@pytest.mark.parametrize("text", ["", "tgk1_", "tgk1_x", "tgk1_é", "tgk1_" + "A" * 4096])
def test_text_that_is_no_public_key_is_refused(text: str) -> None:
    """Whatever it is."""
    with pytest.raises(ValueError, match="no public key"):
        read_public(text)


def test_key_file_is_its_owners_alone_and_is_never_replaced(tmp_path: Path) -> None:
    """A key that is overwritten is lost."""
    made = write_new_key(tmp_path / "ana.key", b"")
    assert (tmp_path / "ana.key").stat().st_mode & 0o077 == 0
    assert read_key(tmp_path / "ana.key").public_key() == made
    with pytest.raises(SettingsError, match="it was kept"):
        write_new_key(tmp_path / "ana.key", b"")


def test_key_with_a_pass_phrase_needs_it(tmp_path: Path) -> None:
    """Neither none nor a wrong one does."""
    made = write_new_key(tmp_path / "ana.key", b"right one")
    assert read_key(tmp_path / "ana.key", b"right one").public_key() == made
    for wrong in (b"", b"wrong one"):
        with pytest.raises(PassPhraseNeeded):
            read_key(tmp_path / "ana.key", wrong)


def test_key_of_another_kind_does_not_seal(tmp_path: Path) -> None:
    """A site's own key, for one."""
    (tmp_path / "ec.key").write_text(key_text(new_key()))
    with pytest.raises(SettingsError, match="Ed25519"):
        read_key(tmp_path / "ec.key")
    (tmp_path / "no.key").write_text("nothing")
    with pytest.raises(SettingsError):
        read_key(tmp_path / "no.key")
