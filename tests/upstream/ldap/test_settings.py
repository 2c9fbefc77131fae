"""How the configuration becomes settings: servers, schemas that a site has changed, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import LDAP_PROPERTIES, LdapSection, load
from gateway.errors import ConfigError
from gateway.upstream.ldap import PROPERTIES, SCHEMAS, Url, adapted

START = """
[imap]
host = "imap.example.com"
[smtp]
host = "smtp.example.com"
[store]
url = "sqlite:gateway.db"
[ldap]
"""
GOOD = """
url = "ldap://a.example,ldaps://b.example:1636/"
base = "dc=example"
bind_dn = "cn=gateway"
password = "topsecret"
attributes = "phone=ipPhone,office=roomNumber|l"
people = "(&(objectClass=person)(!(x=y)))"
"""


def section(tmp_path: Path, text: str) -> LdapSection:
    file = tmp_path / "gateway.toml"
    file.write_text(START + text)
    found = load(file, {}).ldap
    assert found is not None
    return found


def test_everything_said(tmp_path: Path) -> None:
    found = section(tmp_path, GOOD)
    assert [Url.parse(one) for one in found.url] == [
        Url("a.example", 389),
        Url("b.example", 1636, tls=True),
    ]
    assert Url.parse("ldaps://[::1]") == Url("::1", 636, tls=True)
    assert "topsecret" not in repr(found)
    schema = adapted(SCHEMAS["openldap"], found.people, found.groups, found.attributes)
    assert schema.people == found.people
    assert schema.groups == SCHEMAS["openldap"].groups
    assert (schema.attributes.phone, schema.attributes.office) == (("ipPhone",), ("roomNumber", "l"))
    assert schema.attributes.name == ("displayName", "cn")


def test_properties_are_the_same_on_both_sides() -> None:
    assert LDAP_PROPERTIES == PROPERTIES


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("ldap://a.example", "http://a.example", "ldap.url.0: allowed are URLs without path"),
        ("ldap://a.example", "ldap://a.example/dc=x", "ldap.url.0: allowed are URLs without path"),
        ('base = "dc=example"', "", "ldap.base is missing"),
        ("topsecret", "", 'ldap: bind = "service" needs bind_dn and password'),
        ('bind_dn = "cn=gateway"', 'bind = "user"', 'ldap: bind = "user" needs a bind_dn with {user} or'),
        (
            "phone=ipPhone",
            "fax=x",
            'ldap.attributes.0: allowed is "property=attribute", with one of address,',
        ),
        ("phone=ipPhone", "phone=a)(b", 'ldap.attributes.0: allowed is "property=attribute"'),
        (
            "(&(objectClass=person)(!(x=y)))",
            "(a=b)(c=d)",
            "ldap.people: allowed is one filter in parentheses",
        ),
        ("(&(objectClass=person)(!(x=y)))", "a=b", "ldap.people: allowed is one filter in parentheses"),
        ("(&(objectClass=person)(!(x=y)))", "((a=b)", "ldap.people: allowed is one filter in parentheses"),
    ],
)
def test_what_is_refused(tmp_path: Path, before: str, after: str, complaint: str) -> None:
    assert before in GOOD
    with pytest.raises(ConfigError) as caught:
        section(tmp_path, GOOD.replace(before, after))
    assert complaint in str(caught.value)
    assert "topsecret" not in str(caught.value).partition("gateway.toml")[2]
