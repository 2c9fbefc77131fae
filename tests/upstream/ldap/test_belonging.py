"""The groups somebody is in: in a real OpenLDAP, and by what other servers say of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import UpstreamError
from gateway.groups import group_name
from gateway.ports.directory import Viewer
from gateway.types import Password, UserId
from gateway.upstream.ldap import SCHEMAS, LdapDirectory, LdapSettings, Url
from gateway.upstream.ldap.belonging import groups_of
from gateway.upstream.ldap.primary import primary_groups
from gateway.upstream.ldap.session import Found
from tests.support.slapd import MANAGER, PASSWORD, Slapd

ANN = "ann@a.example"
VIEWER = Viewer(UserId("ann"), Password("ann", "secret"))
AD = SCHEMAS["ad"]


def settings_of(slapd: Slapd, base: str) -> LdapSettings:
    """How all of a branch is read."""
    return LdapSettings(
        urls=(Url(slapd.host, slapd.port),),
        base=base,
        ca_file=slapd.tls.certificate,
        bind_dn=MANAGER,
        password=PASSWORD,
        timeout=30.0,
    )


async def test_members_members_of_members_and_names_of_members(slapd: Slapd) -> None:
    base = slapd.branch()
    person = {"objectClass": "inetOrgPerson", "sn": "x"}
    slapd.add(f"uid=ann,{base}", **person, cn="Ann", mail=["x@b.example", ANN])
    slapd.add(f"uid=ben,{base}", **person, cn="Ben")
    ann, ben = f"uid=ann,{base}", f"uid=ben,{base}"
    slapd.add(
        f"cn=Inner,{base}", objectClass=["groupOfNames", "extensibleObject"], mail="inner@a.example",
        member=ann.upper(),
    )  # fmt: skip
    slapd.add(f"cn=outer,{base}", objectClass="groupOfNames", member=[f"cn=inner,{base}", f"cn=outer,{base}"])
    slapd.add(f"cn=ring,{base}", objectClass="groupOfUniqueNames", uniqueMember=f"cn=outer,{base}")
    slapd.add(f"cn=ring2,{base}", objectClass="groupOfNames", member=[f"cn=ring,{base}", ben])
    slapd.add(f"cn=unix,{base}", objectClass="posixGroup", gidNumber="1", memberUid=["ann", "ben"])
    slapd.add(f"cn=others,{base}", objectClass="groupOfNames", member=ben)
    settings = settings_of(slapd, base)
    directory = LdapDirectory(settings)
    found = await directory.groups_of(VIEWER, {ANN}, "")
    assert {"inner", "outer", "ring", "ring2", "unix", "inner@a.example", f"cn=inner,{base}"} <= found
    assert "others" not in found
    assert {"unix", "others"} <= await directory.groups_of(VIEWER, {"ben@nowhere.example"}, "ben")
    assert await directory.groups_of(VIEWER, {"nobody@a.example"}, "*") == frozenset()
    await directory.aclose()
    by_filter = LdapDirectory(replace(settings, user="(&(uid={local})(cn=Ann))"))
    viewer = Viewer(UserId("ann"), Password("ann@elsewhere.example", "secret"))
    assert "inner" in await by_filter.groups_of(viewer, {"ann@elsewhere.example"}, "")
    forged = Viewer(UserId("x"), Password("*)(uid=ann@x", "secret"))
    assert await by_filter.groups_of(forged, set(), "") == frozenset()
    await by_filter.aclose()


async def test_the_primary_group_counts_which_names_no_members(slapd: Slapd) -> None:
    base = slapd.branch()
    unix = {"sn": "x", "cn": "x", "homeDirectory": "/", "gidNumber": "70"}
    for number, name, address in (("1", "ann", ANN), ("2", "ben", "ben@a.example")):
        slapd.add(
            f"uid={name},{base}", objectClass=["inetOrgPerson", "posixAccount"], **unix, uidNumber=number,
            mail=address,
        )  # fmt: skip
    slapd.add(f"cn=staff,{base}", objectClass="posixGroup", gidNumber="70")
    slapd.add(f"cn=guests,{base}", objectClass="posixGroup", gidNumber="7")
    slapd.add(f"cn=all,{base}", objectClass="groupOfNames", member=f"cn=staff,{base}")
    directory = LdapDirectory(settings_of(slapd, base))
    found = await directory.groups_of(VIEWER, {ANN}, "")
    await directory.aclose()
    assert found == {"staff", f"cn=staff,{base}", "all", f"cn=all,{base}"}


def sid(*parts: int) -> bytes:
    """Of a domain of Windows, or of what is in it: S-1-5-21-..."""
    head = bytes((1, len(parts) + 1, 0, 0, 0, 0, 0, 5))
    return head + b"".join(part.to_bytes(4, "little") for part in (21, *parts))


async def test_the_primary_group_in_active_directory_has_a_sid_beside_that_of_the_user(slapd: Slapd) -> None:
    base = slapd.branch()
    here, elsewhere = (0x2A28292A, 0x5C000D0A, 0xFFFFFFFF), (1, 2, 3)
    slapd.add(
        f"uid=ann,{base}", objectClass=["inetOrgPerson", "extensibleObject"], sn="x", cn="x", mail=ANN,
        objectSid=sid(*here, 1104), primaryGroupID="513",
    )  # fmt: skip
    groups = {"Domain Users": (*here, 513), "Admins": (*here, 512), "Other": (*elsewhere, 513)}
    for name, parts in groups.items():
        slapd.add(f"cn={name},{base}", objectClass="group", objectSid=sid(*parts))
    slapd.add(f"cn=Everyone,{base}", objectClass="group", member=f"cn=domain users,{base}")
    directory = LdapDirectory(replace(settings_of(slapd, base), schema=AD))
    found = await directory.groups_of(VIEWER, {ANN}, "")
    await directory.aclose()
    assert found == {"domain users", f"cn=domain users,{base}", "everyone", f"cn=everyone,{base}"}


@pytest.mark.parametrize(
    ("own", "number"),
    [
        (b"", b"513"),
        (sid(1, 2)[:-1], b"513"),
        (b"\1\0" + bytes(6), b"513"),
        (sid(1, 2), b"-1"),
        (sid(1, 2), b"4294967296"),
        (sid(1, 2), b"1" * 5000),
        (sid(1, 2), "\N{SUPERSCRIPT TWO}".encode()),
    ],
)
def test_a_sid_or_a_number_that_is_none_names_no_group(own: bytes, number: bytes) -> None:
    assert [*primary_groups({"objectsid": [own], "primarygroupid": [number]})] == []


async def test_names_as_people_write_them_are_those_the_server_writes(slapd: Slapd) -> None:
    base = slapd.branch()
    slapd.add(f"uid=ann,{base}", objectClass="inetOrgPerson", sn="x", cn="Ann", mail=ANN)
    names = (
        *(
            r"cn=Smith\, Board",
            r"CN=a\+b",
            r"cn=b\5c",
            r"cn=c\\",
            r"cn=gr\C3\B6\C3\9Fe",
            "cn=gro\u0308\u00dfer",
        ),
        *(r"cn=\#first", r"cn=\"quoted\"", r"cn=x\=y", "cn=Two  blanks", "ou=unit+cn=both"),
    )
    written = [f"{name},{base.replace(',', ' , ')}" for name in names]
    for name in written:
        slapd.add(name, objectClass="groupOfNames", member=f"uid=ann,{base}")
    directory = LdapDirectory(settings_of(slapd, base))
    found = await directory.groups_of(VIEWER, {ANN}, "")
    await directory.aclose()
    assert {group_name(name) for name in written} <= found
    assert group_name(f"cn=both + OU=unit, {base}") in found
    assert "smith, board" in found


async def test_a_part_of_the_groups_is_no_answer() -> None:
    with Slapd(sizelimit=3) as slapd:
        base = slapd.branch()
        person = {"objectClass": "inetOrgPerson", "sn": "x", "cn": "x"}
        slapd.add(f"uid=ann,{base}", **person, mail=ANN, userPassword="secret")
        settings = replace(settings_of(slapd, base), bind_dn=f"uid=ann,{base}", password="secret")
        directory = LdapDirectory(settings)
        for number in range(1, 5):
            slapd.add(f"cn={number},{base}", objectClass="groupOfNames", member=f"uid=ann,{base}")
            if number == 3:
                assert {"1", "2", "3"} <= await directory.groups_of(VIEWER, {ANN}, "")
        with pytest.raises(UpstreamError, match="there are more"):
            await directory.groups_of(VIEWER, {ANN}, "")
        await directory.aclose()


class Known:
    """A server where entries say themselves what they are members of."""

    def __init__(self, entries: dict[str, dict[str, list[str]]]) -> None:
        self.entries = entries

    def search(self, condition: str, attributes: object, most: int, *, whole: bool = False) -> list[Found]:
        return [
            found
            for dn in self.entries
            if f"(mail={dn[3:]})" in condition and (found := self.read(dn, attributes))
        ][:most]

    def read(self, dn: str, attributes: object) -> Found | None:
        if dn not in self.entries:
            return None
        told = {name: [one.encode() for one in values] for name, values in self.entries[dn].items()}
        return Found(dn, told)


def test_what_an_entry_says_itself_counts_too() -> None:
    known = Known({
        "cn=ann": {"objectClass": ["person"], "memberOf": ["cn=board", "cn=gone"]},
        "cn=board": {"objectClass": ["group"], "cn": ["The Board"], "memberOf": ["cn=all"]},
        "cn=all": {"objectClass": ["group"], "cn": ["all"], "memberOf": ["cn=board"]},
    })  # fmt: skip
    assert groups_of(known, AD, "(mail=ann)") == {"cn=board", "the board", "cn=all", "all"}


def test_more_groups_than_can_be_looked_at_are_no_answer() -> None:
    many = {f"cn={number}": {"objectClass": ["group"], "cn": [f"{number}"]} for number in range(1001)}
    ann = {"objectClass": ["person"], "memberOf": [*many]}
    with pytest.raises(UpstreamError, match="more than 1000 groups"):
        groups_of(Known({"cn=ann": ann, **many}), AD, "(mail=ann)")
    crowd = {f"cn={number}": {"objectClass": ["person"]} for number in range(11)}
    with pytest.raises(UpstreamError, match="more entries"):
        groups_of(Known(crowd), AD, "".join(f"(mail={number})" for number in range(11)))
