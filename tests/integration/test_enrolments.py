"""Registrations, codes and certificates in a real database: who is let in, once, and who is not any more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import Engine, update

from gateway.database import open_engine, upgrade, writing
from gateway.database.enrolment_tables import certificates as certificates_table
from gateway.database.enrolment_tables import enrolments as enrolments_table
from gateway.identity import certificates
from gateway.identity.authority import Authority
from gateway.identity.enrolments import MOST_GOOD, Enrolments, NotEnrolled
from gateway.protocol.enrolment import RENEWAL_CONTEXT, SECRET_BYTES
from gateway.sites import BeatSeen, Sites, StatusSeen
from tests.conditions import eventually
from tests.databases import each_database, not_sqlite
from tests.entries import heartbeat, status
from tests.identities import new_authority, signing_request

pytestmark = each_database
SITE, OTHER = "arava-1", "arava-2"
HOUR = timedelta(hours=1)


class Clock:
    """A wall clock that a test turns."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        """Now."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = open_engine(database_url)
    upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def enrolments(engine: Engine, clock: Clock) -> Enrolments:
    return Enrolments(engine, now=clock)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path / "ca")


def _enrolled(enrolments: Enrolments, authority: Authority) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    secret, _ = enrolments.register(SITE)
    key, request = signing_request()
    _, text = enrolments.redeem(secret, request, authority)
    return certificates.read_key(key), certificates.read_certificate(text)


def _renew(
    enrolments: Enrolments, authority: Authority, key: ec.EllipticCurvePrivateKey, present: x509.Certificate
) -> str:
    _, request = signing_request()
    content = RENEWAL_CONTEXT + certificates.request_bytes(request)
    return enrolments.renew(present, request, key.sign(content, ec.ECDSA(SHA256())), authority)[1]


def test_code_lets_its_site_in(enrolments: Enrolments, authority: Authority) -> None:
    """The name on the certificate is the one that was registered."""
    _, made = _enrolled(enrolments, authority)
    assert made.subject.rfc4514_string() == f"CN={SITE}"
    (found,) = enrolments.all()
    assert (found.state(datetime.now(UTC)), found.expires_at) == ("enrolled", made.not_valid_after_utc)


def test_code_used_by_another_key_refused(enrolments: Enrolments, authority: Authority) -> None:
    """It is good once."""
    secret, _ = enrolments.register(SITE)
    enrolments.redeem(secret, signing_request()[1], authority)
    with pytest.raises(NotEnrolled):
        enrolments.redeem(secret, signing_request()[1], authority)


def test_code_again_by_the_same_key_gives_the_same_certificate(enrolments: Enrolments, authority: Authority) -> None:
    """The first answer may have got lost on its way."""
    secret, _ = enrolments.register(SITE)
    _, request = signing_request()
    assert enrolments.redeem(secret, request, authority) == enrolments.redeem(secret, request, authority)


def test_code_too_old_refused(enrolments: Enrolments, authority: Authority, clock: Clock) -> None:
    """At its end, not a moment later."""
    secret, until = enrolments.register(SITE, HOUR)
    clock.now = until
    with pytest.raises(NotEnrolled):
        enrolments.redeem(secret, signing_request()[1], authority)


def test_code_made_up_refused(enrolments: Enrolments, authority: Authority) -> None:
    """Nobody guesses 128 bits; all zeros are as wrong as any."""
    enrolments.register(SITE)
    with pytest.raises(NotEnrolled):
        enrolments.redeem(bytes(SECRET_BYTES), signing_request()[1], authority)


def test_new_code_voids_the_former_one(enrolments: Enrolments, authority: Authority) -> None:
    """A code that was mislaid is of no use once there is another."""
    former, _ = enrolments.register(SITE)
    latter, _ = enrolments.register(SITE)
    with pytest.raises(NotEnrolled):
        enrolments.redeem(former, signing_request()[1], authority)
    assert enrolments.redeem(latter, signing_request()[1], authority)[0] == SITE


def test_code_is_nowhere_in_the_database(enrolments: Enrolments, engine: Engine) -> None:
    """Only its hash is."""
    secret, _ = enrolments.register(SITE)
    with engine.connect() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM enrolments").all())
    assert secret.hex() not in rows


def test_renewal_by_the_present_key_gives_the_next_certificate(enrolments: Enrolments, authority: Authority) -> None:
    """Of the same name, with another number."""
    key, present = _enrolled(enrolments, authority)
    successor = certificates.read_certificate(_renew(enrolments, authority, key, present))
    assert successor.subject == present.subject
    assert successor.serial_number != present.serial_number


@pytest.mark.invariant("I15")
def test_renewal_again_and_again_comes_to_an_end(enrolments: Enrolments, authority: Authority) -> None:
    """A site that asks in a loop fills no table; its last certificate stays good."""
    key, present = _enrolled(enrolments, authority)
    for _ in range(MOST_GOOD - 1):
        _renew(enrolments, authority, key, present)
    with pytest.raises(NotEnrolled, match="good already"):
        _renew(enrolments, authority, key, present)
    assert enrolments.revoked() == []


def test_renewal_by_another_key_refused(enrolments: Enrolments, authority: Authority) -> None:
    """A certificate is public; only its key proves anything."""
    _, present = _enrolled(enrolments, authority)
    with pytest.raises(NotEnrolled, match="not signed"):
        _renew(enrolments, authority, certificates.new_key(), present)


def test_renewal_of_a_revoked_certificate_refused(enrolments: Enrolments, authority: Authority) -> None:
    """Who was put out does not come back like that, even with a new code for the same site about."""
    key, present = _enrolled(enrolments, authority)
    assert enrolments.revoke(SITE)
    enrolments.register(SITE)
    with pytest.raises(NotEnrolled, match="revoked"):
        _renew(enrolments, authority, key, present)


def test_renewal_after_the_end_refused(enrolments: Enrolments, authority: Authority, clock: Clock) -> None:
    """A PC that was off for months needs a person."""
    key, present = _enrolled(enrolments, authority)
    clock.now = present.not_valid_after_utc
    with pytest.raises(NotEnrolled, match="has ended"):
        _renew(enrolments, authority, key, present)


def test_renewal_of_another_authoritys_certificate_refused(
    enrolments: Enrolments, authority: Authority, tmp_path: Path
) -> None:
    """Though it has the same names all over."""
    _enrolled(enrolments, authority)
    other = new_authority(tmp_path / "other").signer()
    key, request = signing_request()
    forged = certificates.sign_client(other, request, SITE, datetime.now(UTC), HOUR)
    with pytest.raises(NotEnrolled, match="not of this authority"):
        _renew(enrolments, authority, certificates.read_key(key), forged)


def test_revoked_lists_all_certificates_of_the_site_and_no_others(enrolments: Enrolments, authority: Authority) -> None:
    """The first, and its successor."""
    key, present = _enrolled(enrolments, authority)
    successor = certificates.read_certificate(_renew(enrolments, authority, key, present))
    secret, _ = enrolments.register(OTHER)
    enrolments.redeem(secret, signing_request()[1], authority)
    enrolments.revoke(SITE)
    assert {serial for serial, _ in enrolments.revoked()} == {present.serial_number, successor.serial_number}


def test_revoked_forgets_what_has_ended_by_itself(enrolments: Enrolments, authority: Authority, clock: Clock) -> None:
    """The list does not grow for ever (I15)."""
    _, present = _enrolled(enrolments, authority)
    enrolments.revoke(SITE)
    clock.now = present.not_valid_after_utc
    assert enrolments.revoked() == []


def test_revoke_of_a_site_that_is_none_says_so(enrolments: Enrolments) -> None:
    """A slip of the pen is not taken for done."""
    assert not enrolments.revoke("nowhere")


def test_states_in_one_word(enrolments: Enrolments, authority: Authority, clock: Clock) -> None:
    """From waiting to removed."""
    seen = []

    def look() -> None:
        seen.append(enrolments.all()[0].state(clock.now))

    secret, _ = enrolments.register(SITE)
    look()
    enrolments.redeem(secret, signing_request()[1], authority)
    look()
    enrolments.revoke(SITE)
    look()
    enrolments.remove(SITE)
    look()
    enrolments.register(SITE)
    look()
    clock.now += timedelta(days=91)
    look()
    assert seen == ["waiting", "enrolled", "revoked", "removed", "enrolled", "expired"]


def test_removed_site_is_shown_no_more_until_it_is_heard_again(
    enrolments: Enrolments, engine: Engine, clock: Clock
) -> None:
    """Its rows stay, for what refers to them; a site that enrols anew and beats is back."""
    sites = Sites(engine)
    sites.save_status([StatusSeen(site=SITE, status=status(), at=clock.now)])
    sites.save_beats([BeatSeen(site=SITE, heartbeat=heartbeat(), at=clock.now)])
    assert sites.get(SITE) is not None
    clock.now += HOUR
    enrolments.remove(SITE)
    assert (sites.get(SITE), sites.all()) == (None, [])
    clock.now += HOUR
    sites.save_beats([BeatSeen(site=SITE, heartbeat=heartbeat(seq=99), at=clock.now)])
    assert sites.get(SITE) is not None


def test_renewal_again_by_the_same_key_gives_the_same_certificate(enrolments: Enrolments, authority: Authority) -> None:
    """An agent that cannot keep the answer asks every hour, and a captured request may be sent again and again."""
    key, present = _enrolled(enrolments, authority)
    _, request = signing_request()
    signature = key.sign(RENEWAL_CONTEXT + certificates.request_bytes(request), ec.ECDSA(SHA256()))
    texts = {enrolments.renew(present, request, signature, authority)[1] for _ in range(MOST_GOOD + 5)}
    assert len(texts) == 1
    assert _renew(enrolments, authority, key, present) not in texts


def test_renewal_again_after_a_revocation_gives_nothing(enrolments: Enrolments, authority: Authority) -> None:
    """What was given once is not given again to a site that was put out."""
    key, present = _enrolled(enrolments, authority)
    _, request = signing_request()
    signature = key.sign(RENEWAL_CONTEXT + certificates.request_bytes(request), ec.ECDSA(SHA256()))
    enrolments.renew(present, request, signature, authority)
    enrolments.revoke(SITE)
    with pytest.raises(NotEnrolled, match="revoked"):
        enrolments.renew(present, request, signature, authority)


def _waits(engine: Engine) -> bool:
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar_one()
    return bool(found)


@not_sqlite
def test_nothing_is_issued_behind_a_revocation(engine: Engine, enrolments: Enrolments, authority: Authority) -> None:
    """A renewal and a code that come while the site is being revoked wait, and then find that it was."""
    key, present = _enrolled(enrolments, authority)
    secret, _ = enrolments.register(SITE)
    with ThreadPoolExecutor(1) as pool:
        for late in (
            lambda: _renew(enrolments, authority, key, present),
            lambda: enrolments.redeem(secret, signing_request()[1], authority),
        ):
            with writing(engine) as connection:
                enrolments._hold(connection, SITE)
                asked = pool.submit(late)
                eventually(lambda: _waits(engine), what="somebody who waits")
                now = datetime.now(UTC)
                connection.execute(update(certificates_table).values(revoked_at=now))
                connection.execute(update(enrolments_table).values(expires_at=now - HOUR))
            with pytest.raises(NotEnrolled):
                asked.result(20)
