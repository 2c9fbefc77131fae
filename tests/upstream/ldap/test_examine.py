"""What an administrator is told of LDAP servers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.groups import group_name
from gateway.ports.examining import Finding, Verdict
from gateway.types import Credentials, Password
from gateway.upstream.ldap import LdapSettings, Url
from gateway.upstream.ldap.examine import examine
from tests.support.ports import free_ports
from tests.support.slapd import MANAGER, PASSWORD, Slapd


@pytest.fixture
def settings(slapd: Slapd) -> LdapSettings:
    return LdapSettings(
        urls=(Url(slapd.host, slapd.port),),
        base=slapd.branch(),
        ca_file=slapd.tls.certificate,
        bind_dn=MANAGER,
        password=PASSWORD,
        timeout=30,
    )


async def look(settings: LdapSettings, credentials: Credentials | None = None) -> list[Finding]:
    return [finding async for finding in examine(settings, credentials)]


async def test_each_server_is_looked_at(settings: LdapSettings) -> None:
    dead = Url("127.0.0.1", free_ports(1)[0])
    first, second = await look(replace(settings, urls=(dead, *settings.urls)))
    assert first.verdict is Verdict.FAILURE
    assert "ldap.host" not in first.remedy  # there is no such setting
    assert "ldap.url" in first.remedy
    assert second.verdict is Verdict.OK


async def test_what_is_wrong_is_named(settings: LdapSettings) -> None:
    (login,) = await look(replace(settings, password="wrong"))
    assert "ldap.bind_dn" in login.remedy
    assert "wrong" not in login.text
    (base,) = await look(replace(settings, base="ou=nowhere,dc=example,dc=com"))
    assert "ldap.base" in base.remedy


async def test_where_users_log_in_one_is_needed(settings: LdapSettings) -> None:
    by_user = replace(settings, bind="user", bind_dn="{user}")
    (nobody,) = await look(by_user)
    assert "--user" in nobody.text
    (somebody,) = await look(by_user, Password(MANAGER, PASSWORD))
    assert somebody.verdict is Verdict.OK


async def test_groups_that_nobody_finds_are_named(slapd: Slapd, settings: LdapSettings) -> None:
    group = f"cn=Sales,{settings.base}"
    slapd.add(group, objectClass="groupOfNames", member=f"cn=gone,{settings.base}")
    slapd.add(f"uid=board,{settings.base}", objectClass="inetOrgPerson", cn="Board", sn="x")
    named = {"sales", group_name(group)}
    *_, found = [one async for one in examine(settings, None, named)]
    assert (found.verdict, "sales" in found.text) == (Verdict.OK, True)
    *_, found = [one async for one in examine(settings, None, {*named, "board", f"cn=x,{settings.base}"})]
    assert found.verdict is Verdict.FAILURE
    assert f"no group board, cn=x,{settings.base}" in found.text
    assert "devices.rules" in found.remedy


async def test_who_is_found_in_no_group_is_doubtful(slapd: Slapd, settings: LdapSettings) -> None:
    ann = f"uid=ann,{settings.base}"
    slapd.add(ann, objectClass="inetOrgPerson", cn="Ann", sn="x", mail="ann@a.example")
    slapd.add(f"cn=team,{settings.base}", objectClass="groupOfNames", member=ann)
    for addresses, alias, said in (
        ({"ann@a.example"}, "", "the user is in team"),
        ({"ann@b.example"}, "ann", "the user is in team"),
        ({"ann@b.example"}, "", "no group at all, by ann@b.example"),
    ):
        *_, found = [one async for one in examine(settings, None, {"team"}, (addresses, alias))]
        assert said in found.text
        assert ("ldap.user" in found.remedy) == ("no group" in said)
