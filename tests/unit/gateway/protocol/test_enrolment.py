"""The code that a person carries to a site."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.protocol.enrolment import FINGERPRINT_BYTES, SECRET_BYTES, Enrolled, EnrolmentCode
from gateway.protocol.errors import InvalidInput

CODE = EnrolmentCode(
    url="https://centre.example:8443", secret=bytes(range(SECRET_BYTES)), fingerprint=bytes(FINGERPRINT_BYTES)
)


@given(
    secret=st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES),
    fingerprint=st.binary(min_size=FINGERPRINT_BYTES, max_size=FINGERPRINT_BYTES),
    host=st.from_regex(r"[a-z]{1,30}(\.[a-z]{2,10})?(:[1-9][0-9]{3})?", fullmatch=True),
)
def test_code_is_read_as_it_was_written(secret: bytes, fingerprint: bytes, host: str) -> None:
    """Whatever is in it."""
    code = EnrolmentCode(url=f"https://{host}", secret=secret, fingerprint=fingerprint)
    assert EnrolmentCode.read(str(code)) == code


def test_code_broken_over_lines_is_read() -> None:
    """A terminal or a mail wraps it; white space does not matter."""
    text = str(CODE)
    assert EnrolmentCode.read(f"  {text[:40]}\n {text[40:]} \n") == CODE


@pytest.mark.parametrize("cut", [1, 5, 40, 80])
def test_code_cut_off_refused(cut: int) -> None:
    """A part of it is not taken for the whole, unless only the address is shorter, which then leads nowhere."""
    text = str(CODE)[:-cut]
    try:
        read = EnrolmentCode.read(text)
    except InvalidInput:
        return
    assert (read.secret, read.fingerprint) == (CODE.secret, CODE.fingerprint)
    assert CODE.url.startswith(read.url)


@pytest.mark.parametrize("text", ["", "tge1_", "tge2_AAAA", "arava-1", "tge1_!!!!", "tge1_" + "A" * 4_000])
def test_text_that_is_no_code_refused(text: str) -> None:
    """With a word on what to do."""
    with pytest.raises(InvalidInput, match="copy it whole"):
        EnrolmentCode.read(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but InvalidInput comes out."""
    for each in (text, f"tge1_{text}"):
        try:
            EnrolmentCode.read(each)
        except InvalidInput:
            continue


@pytest.mark.parametrize("host", ["", "a b", 'x"\nsite = "other', "x\\", "x'", "x#", "x\x00", "é"])
def test_broker_that_is_no_host_is_refused(host: str) -> None:
    """It is written into the site's file, where a quotation mark or a line's end would say more than a host."""
    with pytest.raises(ValidationError):
        Enrolled(site="arava-1", certificate="x", authority="x", broker_host=host, broker_port=8884)


@pytest.mark.parametrize("host", ["broker.example", "192.0.2.1", "2001:db8::1", "my_broker-2"])
def test_broker_by_name_or_address_is_taken(host: str) -> None:
    """Of either kind."""
    made = Enrolled(site="arava-1", certificate="x", authority="x", broker_host=host, broker_port=8884)
    assert made.broker_host == host
