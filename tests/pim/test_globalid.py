"""GlobalObjId and UID."""

from __future__ import annotations

import base64
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from gateway.pim.globalid import global_object_id
from tests.support.globalid import uid_of
from tests.support.invitations import OUTLOOK_UID

WRAPPED = (
    "BAAAAIIA4AB0xbcQGoLgCAAAAAAAAAAAAAAAAAAAAAAAAAAAKwAAAHZDYWwtVWlkAQAAADIwMjYwMzAxVDEyMDAwMFotMUBleGFtcGxl"
    "Lm9yZwA="
)
OF_OUTLOOK = "BAAAAIIA4AB0xbcQGoLgCAfqAwmwwdLj9KXJAQAAAAAAAAAAEAAAAAABAgMEBQYHCAkKCwwNDg8="


def test_the_uid_of_another_program_is_wrapped() -> None:
    octets = global_object_id("20260301T120000Z-1@example.org")
    assert base64.b64encode(octets).decode() == WRAPPED
    assert uid_of(octets) == "20260301T120000Z-1@example.org"


def test_the_uid_of_outlook_is_the_id_without_the_occurrence() -> None:
    octets = base64.b64decode(OF_OUTLOOK)
    assert global_object_id(OUTLOOK_UID, date(2026, 3, 9)) == octets
    assert global_object_id(OUTLOOK_UID.lower(), date(2026, 3, 9)) == octets
    assert uid_of(octets) == OUTLOOK_UID


def test_an_occurrence_of_a_wrapped_uid() -> None:
    octets = global_object_id("x", date(2026, 3, 9))
    assert octets[16:20] == bytes([7, 0xEA, 3, 9])
    assert uid_of(octets) == "x"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300), st.none() | st.dates())
def test_any_uid_comes_back(uid: str, occurrence: date | None) -> None:
    assert uid_of(global_object_id(uid, occurrence)) == uid
