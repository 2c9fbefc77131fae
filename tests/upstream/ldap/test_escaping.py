"""Texts of people stay texts, whatever they type."""

from __future__ import annotations

import ldap3.utils.dn
import pytest

from gateway.upstream.ldap import SCHEMAS, queries
from gateway.upstream.ldap.escaping import dn_value, ends, equals, starts
from gateway.upstream.ldap.schemas import Attributes, Schema

PLAIN = Schema("(person)", "(group)", Attributes(
    address=("mail",), name=("cn",), alias=("uid",), first_name=(), last_name=("sn",)
))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("ann", "ann"),
        ("*", r"\2a"),
        ("*)(uid=*", r"\2a\29\28uid=\2a"),
        ("a\\b", r"a\5cb"),
        ("\0", r"\00"),
        ("a b", r"a\20b"),
        ("\n\x7f", r"\0a\7f"),
        ("Müller", r"M\c3\bcller"),
        ("\ud800", "?"),
    ],
)
def test_values_of_filters(text: str, escaped: str) -> None:
    assert equals("cn", text) == f"(cn={escaped})"
    assert starts("cn", text) == f"(cn={escaped}*)"
    assert starts("cn", text, before=" ") == rf"(cn=*\20{escaped}*)"
    assert ends("cn", text) == f"(cn=*{escaped})"


@pytest.mark.parametrize(
    "text", ["ann", "a,ou=x", 'a+b"c\\d<e>;=f', "# a", " a ", "  ", " ", "#", "\0", "Müller", "a\nb"]
)
def test_values_of_names(text: str) -> None:
    """ldap3 reads them as what they were, in one place of the name."""
    dn = f"uid={dn_value(text)},ou=people"
    parts = ldap3.utils.dn.parse_dn(dn, escape=False, strip=False)
    assert [(name, between) for name, _, between in parts] == [("uid", ","), ("ou", "")]
    octets, at = bytearray(), 0
    value = parts[0][1].encode()
    while at < len(value):
        escaped = value[at : at + 1] == b"\\"
        octets += bytes.fromhex(value[at + 1 : at + 3].decode()) if escaped else value[at : at + 1]
        at += 3 if escaped else 1
    assert octets.decode() == text


def test_words_that_are_searched_for() -> None:
    assert queries.searched(PLAIN, "ann ar*", None) == (
        "(&(&(|(person)(group))(|(mail=*)))"
        r"(|(cn=ann*)(sn=ann*)(uid=ann*)(cn=*\20ann*)(mail=ann*))"
        r"(|(cn=ar\2a*)(sn=ar\2a*)(uid=ar\2a*)(cn=*\20ar\2a*)(mail=ar\2a*)))"
    )
    assert queries.searched(PLAIN, " , ", None) is None


def test_a_domain() -> None:
    assert (queries.named(PLAIN, "ann", "a*.example") or "").startswith(
        r"(&(&(|(person)(group))(|(mail=*@a\2a.example)))(|(cn=ann)(uid=ann)(mail=ann)))"
    )
    assert queries.named(PLAIN, " ", None) is None


def test_addresses_of_active_directory_have_a_prefix() -> None:
    asked = queries.at(SCHEMAS["ad"], ["ann@a.example", "ben@a.example"])
    for name in ("ann", "ben"):
        assert f"(mail={name}@a.example)(proxyAddresses=smtp:{name}@a.example)" in asked
    assert "(proxyAddresses=smtp:ann*)" in (queries.searched(SCHEMAS["ad"], "ann", None) or "")
