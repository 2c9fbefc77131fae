"""People in a real OpenLDAP: what is told, how it is reached, and what happens when it does not answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.errors import ConfigError, UpstreamError
from gateway.ports.directory import LARGEST_PICTURE, Entry, Members, Viewer
from gateway.types import Password, UserId
from gateway.upstream.ldap import SCHEMAS, LdapDirectory, LdapSettings, Url
from tests.support.certificates import Authority
from tests.support.ports import LOOPBACK, free_ports
from tests.support.slapd import MANAGER, PASSWORD, Slapd
from tests.support.stalling import StallingWay
from tests.support.tls import make_certificate

ANN = "ann@a.example"
CERTIFICATE = Authority().issue(ANN)
QUICK, PATIENT = 1.0, 30.0
"""Seconds to wait for a server that is known not to answer, and for one that does."""


@dataclass(frozen=True)
class People:
    """A branch with Ann, Ben and groups."""

    slapd: Slapd
    branch: str

    def settings(self, **changes: object) -> LdapSettings:
        plain = LdapSettings(
            urls=(Url(self.slapd.host, self.slapd.port),),
            base=self.branch,
            ca_file=self.slapd.tls.certificate,
            bind_dn=MANAGER,
            password=PASSWORD,
            timeout=PATIENT,
        )
        return replace(plain, **changes)  # type: ignore[arg-type]

    def through(self, way: StallingWay, **changes: object) -> LdapSettings:
        """By a way on which words can be read."""
        return self.settings(urls=(Url(way.host, way.port),), starttls=False, timeout=QUICK, **changes)


@pytest.fixture(scope="module")
def people(slapd: Slapd) -> People:
    made = People(slapd, slapd.branch())
    ann, ben = (f"uid={name},{made.branch}" for name in ("ann", "ben"))
    slapd.add(
        ann, objectClass="inetOrgPerson", cn="Ann Archer", sn="Archer", givenName="Ann", title="Head",
        mail=[ANN, "x@b.example"], telephoneNumber="+1", jpegPhoto=b"\xff\xd8photo", userPassword="ann's",
        **{"userCertificate;binary": CERTIFICATE}, userSMIMECertificate=b"smime",
    )  # fmt: skip
    slapd.add(
        ben,
        objectClass="inetOrgPerson",
        cn="*)(uid=*",
        sn="B",
        mail="ben@a.example",
        jpegPhoto=b"x" * 200_000,
    )
    group = {"objectClass": ["groupOfNames", "extensibleObject"]}
    slapd.add(
        f"cn=all,{made.branch}", **group, mail="all@a.example",
        member=[ann.upper(), f"cn=inner, {made.branch}", f"cn=all,{made.branch}"],
    )  # fmt: skip
    slapd.add(f"cn=inner,{made.branch}", **group, member=[ann, f"cn=unique,{made.branch}", "cn=gone"])
    slapd.add(
        f"cn=unique,{made.branch}", objectClass=["groupOfUniqueNames", "extensibleObject"],
        uniqueMember=[f"cn=unix,{made.branch}"],
    )  # fmt: skip
    slapd.add(f"cn=unix,{made.branch}", objectClass="posixGroup", gidNumber="1", memberUid=["ben", "nobody"])
    return made


@asynccontextmanager
async def looking(settings: LdapSettings) -> AsyncIterator[LdapDirectory]:
    directory = LdapDirectory(settings)
    try:
        yield directory
    finally:
        await directory.aclose()


def viewer(domain: str | None = None, password: str = "ann's", login: str = "ann@a.example") -> Viewer:
    return Viewer(UserId("ann"), Password(login, password), domain)


async def found(directory: LdapDirectory, text: str = "ann", who: Viewer | None = None) -> list[str]:
    return [one.address for one in (await directory.search(who or viewer(), text, 0, 9)).entries]


# --- what is told ------------------------------------------------------------------------------------------


async def test_everything_there_is(people: People) -> None:
    async with looking(people.settings()) as directory:
        entries = (await directory.search(viewer(), "arch", 0, 9)).entries
        assert entries == (
            Entry(ANN, "Ann Archer", "ann", "Ann", "Archer", "Head", phone="+1", others=("x@b.example",)),
        )
        (near,) = (await directory.named(viewer("b.example"), "ann archer", 9)).entries
        assert (near.address, near.others) == ("x@b.example", ())
        asked = [ANN, "x@b.example", "ben@a.example", "nobody@a.example"]
        pictures = await directory.pictures(viewer(), asked)
        assert {name: len(octets) for name, octets in pictures.items()} == {
            ANN: 7, "x@b.example": 7, "ben@a.example": LARGEST_PICTURE + 1
        }  # fmt: skip
        certificates = await directory.certificates(viewer(), asked)
        assert certificates[ANN] == [CERTIFICATE, b"smime"]
        assert sorted(certificates) == [ANN, "x@b.example"]
        assert await directory.pictures(viewer(), []) == {}


async def test_what_people_type_is_no_filter(people: People) -> None:
    async with looking(people.settings()) as directory:
        assert await found(directory, "*)(uid=*") == ["ben@a.example"]
        for text in ("a*", "*a", ")(", "\\2a", "(|", "(uid=ann)", "&", "ann\0"):
            assert await found(directory, text) == []
            assert (await directory.named(viewer(), text, 9)).total == 0


async def test_members_of_groups(people: People) -> None:
    async with looking(people.settings()) as directory:
        everybody = await directory.members(viewer(), "all@a.example", 9)
        assert everybody is not None
        assert {one.address for one in everybody.entries} == {ANN, "ben@a.example"}
        assert everybody.complete
        assert await directory.members(viewer(), "all@a.example", 0) == Members((), complete=False)
        assert await directory.members(viewer(), ANN, 9) is None
        (group,) = (await directory.search(viewer(), "all", 0, 9)).entries
        assert group.group


async def test_more_than_the_server_tells_at_once(slapd: Slapd) -> None:
    made = People(slapd, slapd.branch())
    for number in range(12):
        slapd.add(
            f"uid=u{number},{made.branch}", objectClass="inetOrgPerson", cn=f"User {number:02}", sn="x",
            mail=f"u{number}@a.example",
        )  # fmt: skip
    async with looking(made.settings(size_limit=10)) as directory:
        page = await directory.search(viewer(), "user", 8, 5)
        assert (len(page.entries), page.total) == (2, 10)


# --- how it is reached -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"starttls": False},
        {"ca_file": None, "verify": False},
        {"bind": "user", "bind_dn": "uid={local},BRANCH", "password": ""},
        "ldaps",
    ],
)
async def test_ways_in(people: People, changes: dict[str, object] | str) -> None:
    if isinstance(changes, str):
        changes = {"urls": (Url("localhost", people.slapd.tls_port, tls=True),)}
    if "bind_dn" in changes:
        changes = changes | {"bind_dn": f"uid={{local}},{people.branch}"}
    async with looking(people.settings(**changes)) as directory:
        assert await found(directory) == [ANN]
        assert await found(directory) == [ANN]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wrong"}, "refused the login of cn=manager"),
        ({"bind": "user", "bind_dn": "uid={local},BRANCH"}, "refused the login of uid="),
        ({"base": "dc=elsewhere"}, "the search failed: noSuchObject"),
        ({"bind": "anonymous"}, "the search failed: noSuchObject"),  # nobody sees nothing
        ({"ca_file": None}, "certificate verify failed"),
    ],
)
async def test_ways_that_are_closed(people: People, changes: dict[str, object], reason: str) -> None:
    if "bind_dn" in changes:
        changes = changes | {"bind_dn": f"uid={{local}},{people.branch}"}
    async with looking(people.settings(**changes)) as directory:
        for _ in range(2):
            with pytest.raises(UpstreamError, match=reason):
                await found(directory, who=viewer(password="wrong"))


async def test_another_certificate(people: People, tmp_path: Path) -> None:
    other = make_certificate(tmp_path).certificate
    urls = (Url("localhost", people.slapd.tls_port, tls=True),)
    for changes in ({"ca_file": other}, {"ca_file": other, "urls": urls}):
        async with looking(people.settings(**changes)) as directory:
            with pytest.raises(UpstreamError, match="certificate verify failed"):
                await found(directory)


def test_no_certificates(people: People, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    with pytest.raises(ConfigError, match=r"ldap\.ca_file: .*ca\.pem cannot be used"):
        LdapDirectory(people.settings(ca_file=tmp_path / "ca.pem"))


async def test_a_login_cannot_become_another_name(people: People) -> None:
    template = f"uid={{local}},{people.branch}"
    async with looking(people.settings(bind="user", bind_dn=template)) as directory:
        with pytest.raises(UpstreamError, match="refused the login"):
            await found(directory, who=viewer(login=f"ann,{people.branch}+x"))
        with pytest.raises(UpstreamError, match="without a password"):
            await found(directory, who=viewer(password=""))


# --- servers that fail -------------------------------------------------------------------------------------


async def test_nobody_listens(people: People) -> None:
    nowhere = Url(LOOPBACK, free_ports(1)[0])
    async with looking(
        people.settings(urls=(nowhere, Url(people.slapd.host, people.slapd.port)))
    ) as directory:
        assert await found(directory) == [ANN]
    async with looking(people.settings(urls=(nowhere,))) as directory:
        with pytest.raises(UpstreamError, match="no LDAP server can be asked"):
            await found(directory)


@pytest.mark.parametrize("words", [MANAGER.encode(), b"givenName"])
async def test_a_server_that_stalls(people: People, words: bytes) -> None:
    """At the login, or at the question: there is an answer in time."""
    with StallingWay(people.slapd.host, people.slapd.port, words) as way:
        async with looking(people.through(way)) as directory:
            with pytest.raises(UpstreamError, match="did not answer within 1 s"):
                await found(directory)


async def test_the_next_server(people: People) -> None:
    with StallingWay(people.slapd.host, people.slapd.port, b"givenName") as way:
        urls = (Url(way.host, way.port), Url(people.slapd.host, people.slapd.port))
        async with looking(replace(people.through(way), urls=urls, timeout=4.0)) as directory:
            assert await found(directory) == [ANN]
            assert await found(directory) == [ANN]
            assert way.stalled == 1, "the server that failed is asked last"


async def test_many_questions_to_a_server_that_stalls(people: People) -> None:
    """Threads are given back: they do not wait on."""
    with StallingWay(people.slapd.host, people.slapd.port, b"ann") as way:
        async with looking(replace(people.through(way, max_connections=2), timeout=QUICK)) as directory:
            answers = await asyncio.gather(*(found(directory) for _ in range(6)), return_exceptions=True)
            assert [type(one) for one in answers] == [UpstreamError] * 6
            assert way.stalled <= 6
            await _until(lambda: _answers(directory))


async def _answers(directory: LdapDirectory) -> bool:
    try:
        return await found(directory, "arch") == [ANN]
    except UpstreamError:
        return False


async def _until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENT
    while not await holds():  # type: ignore[misc]
        assert time.monotonic() < deadline


async def test_whoever_asked_goes_away(people: People) -> None:
    with StallingWay(people.slapd.host, people.slapd.port, b"givenName") as way:
        settings = replace(people.through(way, max_connections=1), timeout=PATIENT)
        async with looking(settings) as directory:
            asking = asyncio.create_task(found(directory))
            while not way.stalled:
                await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert [*await directory.pictures(viewer(), [ANN])] == [ANN], "the only thread is free again"


async def test_a_server_that_is_started_again() -> None:
    """A connection that was kept is found dead and replaced; while the server is away, that is told."""
    with Slapd() as own:
        branch = own.branch()
        own.add(f"uid=ann,{branch}", objectClass="inetOrgPerson", cn="Ann", sn="A", mail=ANN)
        async with looking(People(own, branch).settings()) as directory:
            assert await found(directory) == [ANN]
            own.kill()
            with pytest.raises(UpstreamError, match="no LDAP server can be asked"):
                await found(directory)
            own.start()
            assert await found(directory) == [ANN]
            own.kill()
            own.start()
            assert await found(directory) == [ANN]


@pytest.mark.parametrize("name", SCHEMAS)
async def test_the_filters_of_every_schema_are_filters(people: People, name: str) -> None:
    async with looking(people.settings(schema=SCHEMAS[name])) as directory:
        assert set(await found(directory)) <= {ANN}
        assert (await directory.named(viewer("a.example"), ANN, 9)).total <= 1
        await directory.members(viewer(), "all@a.example", 9)
        await directory.certificates(viewer(), [ANN])
