"""Attributes of people in OpenLDAP and Active Directory, and values that no phone should be told."""

from __future__ import annotations

import pytest

from gateway.ports.directory import LARGEST_PICTURE, Entry
from gateway.upstream.ldap import SCHEMAS
from gateway.upstream.ldap.entries import certificates, first_photo, to_entry

OPENLDAP, AD = SCHEMAS["openldap"].attributes, SCHEMAS["ad"].attributes


def raw(**values: str | bytes | list[str | bytes]) -> dict[str, list[bytes]]:
    listed = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    return {
        name.lower(): [one.encode() if isinstance(one, str) else one for one in some]
        for name, some in listed.items()
    }


def test_somebody_in_openldap() -> None:
    entry = to_entry(
        raw(
            objectClass=["top", "inetOrgPerson"], mail=["Ann@a.example", "a@b.example", "ANN@a.example"],
            cn="A. Archer", displayName="Ann Archer", uid="aa", givenName="Ann", sn="Archer", title="Head",
            roomNumber="12", o="Example", telephoneNumber=["", "+1", "+2"], homePhone="+3", mobile="+4",
        ),
        OPENLDAP,
    )  # fmt: skip
    assert entry == Entry(
        "Ann@a.example", "Ann Archer", "aa", "Ann", "Archer", "Head", "12", "Example", "+1", "+3", "+4",
        others=("a@b.example",),
    )  # fmt: skip


def test_somebody_in_active_directory() -> None:
    entry = to_entry(
        raw(
            objectClass=["top", "person", "user"], mail="ann@a.example", displayName="Ann", company="Example",
            sAMAccountName="aa", proxyAddresses=[
                "SMTP:ann@a.example", "smtp:archer@a.example", "X400:c=US;a= ;p=Org", "sip:ann@voice.example"
            ],
        ),
        AD,
    )  # fmt: skip
    assert entry == Entry("ann@a.example", "Ann", "aa", company="Example", others=("archer@a.example",))


@pytest.mark.parametrize(
    "name", ["groupOfNames", "GROUPOFUNIQUENAMES", "posixGroup", "group", "ipausergroup"]
)
def test_groups(name: str) -> None:
    assert to_entry(raw(objectClass=["top", name], mail="all@a.example", cn="All"), OPENLDAP) == Entry(
        "all@a.example", "All", group=True
    )


@pytest.mark.parametrize("mail", ["", "ann", "ann@", "a b@c", "a@b@c", b"\xff@a.example", '"a"@b', "a,b@c"])
def test_whoever_has_no_address(mail: str | bytes) -> None:
    assert to_entry(raw(cn="Ann", mail=mail), OPENLDAP) is None
    assert to_entry(raw(cn="Ann"), OPENLDAP) is None


def test_texts_are_one_clean_line() -> None:
    entry = to_entry(raw(mail="a@b.example", cn=" A\r\nB\0C \u2028", title="x" * 5000, o=b"\xff"), OPENLDAP)
    assert entry is not None
    assert (entry.name, len(entry.title), entry.company) == ("A B C", 1000, "\ufffd")


def test_photos_and_certificates() -> None:
    assert first_photo(raw(jpegPhoto=[b"", b"1", b"2"]), AD) == b"1"
    assert first_photo(raw(jpegPhoto=b"1", thumbnailPhoto=b"2"), AD) == b"2"
    assert len(first_photo(raw(jpegPhoto=b"1" * 1_000_000), OPENLDAP) or b"") == LARGEST_PICTURE + 1
    assert first_photo({}, AD) is None
    several = raw(userCertificate=[b"1", b"2"], userSMIMECertificate=[b"2", b"3"])
    assert certificates(several, OPENLDAP) == [b"1", b"2", b"3"]
