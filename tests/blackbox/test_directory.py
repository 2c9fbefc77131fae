"""People and groups from LDAP, a file and the gateway's own users together, as phones see them."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.blackbox.people import (
    AWAY,
    BUSY,
    HALF,
    NINE,
    TENTATIVE,
    address,
    addresses,
    ask,
    availability,
    come,
    find,
    fresh,
    picture,
    plan,
    resolve,
    search,
    shown,
    span,
    status,
)
from tests.support.certificates import Authority, bundle
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone, add, commands, statuses
from tests.support.slapd import MANAGER, PASSWORD, Slapd
from tests.support.smtp_sink import SmtpSink
from tests.support.stalling import StallingWay
from wbxml import Element, element
from wbxml.pages import GAL, Contacts, Find, Search
from wbxml.pages import ResolveRecipients as Page

SMALL, LARGE = b"\xff\xd8\xffsmall", b"\xff\xd8\xff" + b"x" * 50_000
AUTHORITY = Authority()
VERA = AUTHORITY.issue("vera@example.test")
XENA = AUTHORITY.issue("xena@example.test")
YURI = AUTHORITY.issue("yuri@example.test")
EXPIRED = AUTHORITY.issue("walt@example.test", starts=datetime.now(UTC) - timedelta(days=9))
FILE = """
[[people]]
name = "Yuri Young"
address = "yuri@example.test"
title = "Pilot"
photo = "yuri.jpg"
certificate = "yuri.der"

[[people]]
name = "Not shown: LDAP has a name"
address = "Vera@example.test"
home_phone = "+1 3"

[[groups]]
name = "The crew"
address = "crew@example.test"
members = ["vera@example.test", "yuri@example.test", "walt@example.test", "desk@example.test"]

[[groups]]
name = "The desk"
address = "desk@example.test"
members = ["crew@example.test", "xena@example.test"]
"""


@dataclass(frozen=True)
class Site:
    """A gateway with a directory in LDAP, and what users of the gateway may be added to."""

    gateway: Gateway
    dovecot: Dovecot
    slapd: Slapd
    branch: str

    def phone(self, version: str = "16.1", name: str = "") -> Phone:
        return come(self.gateway, self.dovecot, name or fresh("user"), version)

    def group(self, *members: str) -> str:
        """Makes a group of people by their logins; returns its address."""
        name = fresh("group")
        for member in members:
            self.slapd.add(
                f"uid={member},{self.branch}", objectClass="inetOrgPerson", cn=member, sn=member,
                mail=f"{member}@example.test",
            )  # fmt: skip
        dns = [f"uid={member},{self.branch}" for member in members]
        self.slapd.add(
            f"cn={name},{self.branch}", objectClass=["groupOfNames", "extensibleObject"],
            mail=f"{name}@example.test", member=dns,
        )  # fmt: skip
        return f"{name}@example.test"


def fill(slapd: Slapd, branch: str) -> None:
    def add(name: str, surname: str, **more: str | bytes | list[str]) -> None:
        person = {"objectClass": "inetOrgPerson", "cn": f"{name} {surname}", "sn": surname, "givenName": name}
        slapd.add(f"uid={name.lower()},{branch}", **person | {"mail": f"{name.lower()}@example.test"} | more)

    add(
        "Vera", "Vine", title="Head", o="Example", roomNumber="B 12", telephoneNumber="+1 1", mobile="+1 2",
        jpegPhoto=SMALL, mail=["vera@example.test", "vine@elsewhere.test"],
        **{"userCertificate;binary": VERA},
    )  # fmt: skip
    add("Walt", "Vine", jpegPhoto=LARGE, **{"userCertificate;binary": EXPIRED})
    add("Xena", "Vine", jpegPhoto=SMALL, userSMIMECertificate=bundle(XENA, AUTHORITY.certificate))
    add("Zoe", "Vine", mail="zoe@elsewhere.test")


def sections(
    slapd: Slapd, branch: str, file: Path
) -> dict[str, dict[str, str | int | float | bool | list[str]]]:
    return {
        "ldap": {
            "url": [slapd.url],
            "base": branch,
            "bind_dn": MANAGER,
            "password": PASSWORD,
            "ca_file": str(slapd.tls.certificate),
            "timeout": 20,
        },
        "directory": {"file": str(file)},
    }


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    (folder / "yuri.jpg").write_bytes(SMALL)
    (folder / "yuri.der").write_bytes(YURI)
    (folder / "people.toml").write_text(FILE)
    return folder / "people.toml"


@pytest.fixture(scope="module")
def site(dovecot: Dovecot, shared_sink: SmtpSink, slapd: Slapd, file: Path) -> Iterator[Site]:
    branch = slapd.branch()
    fill(slapd, branch)
    with Gateway(dovecot, shared_sink, sections=sections(slapd, branch, file)) as gateway:
        yield Site(gateway, dovecot, slapd, branch)


@pytest.fixture
def phone(site: Site) -> Phone:
    return site.phone()


# --- the address list --------------------------------------------------------------------------------------

EVERYTHING = {
    "DisplayName": "Vera Vine",
    "Phone": "+1 1",
    "Office": "B 12",
    "Title": "Head",
    "Company": "Example",
    "Alias": "vera",
    "FirstName": "Vera",
    "LastName": "Vine",
    "HomePhone": "+1 3",
    "MobilePhone": "+1 2",
    "EmailAddress": "vera@example.test",
}


@pytest.mark.parametrize("version", ["2.5", "12.1", "14.1", "16.1"])
def test_all_properties(site: Site, version: str) -> None:
    phone = site.phone(version)
    assert shown(search(phone, "vera vi")) == [EVERYTHING]
    if version == "16.1":
        assert shown(find(phone, "VERA")) == [EVERYTHING]


def test_nobody_outside_the_domain(phone: Phone) -> None:
    assert addresses(search(phone, "vine")) == [f"{name}@example.test" for name in ("vera", "walt", "xena")]
    for text in ("zoe", "zoe@elsewhere.test", "vine@elsewhere.test"):
        assert addresses(search(phone, text)) == []
        assert status(resolve(phone, text)[0]) == ("4", None)


def test_pages_over_all_sources(site: Site) -> None:
    prefix = fresh("page").replace("-", "")
    for number in (0, 2, 3, 5):
        site.slapd.add(
            f"uid={prefix}.{number},{site.branch}", objectClass="inetOrgPerson", sn="x",
            cn=f"{prefix}.{number}", mail=f"{prefix}.{number}@example.test",
        )  # fmt: skip
    phone = next(site.phone(name=f"{prefix}.{number}") for number in (1, 3, 4))
    for number in (3, 4):
        site.phone(name=f"{prefix}.{number}")
    everybody = [f"{prefix}.{number}@example.test" for number in range(6)]
    pages = [search(phone, prefix, element(Search.Range, each)) for each in ("0-1", "2-3", "4-9")]
    assert [one for page in pages for one in addresses(page)] == everybody
    assert [page.child_text(Search.Range) for page in pages] == ["0-1", "2-3", "4-5"]
    assert {page.child_text(Search.Total) for page in pages} == {"6"}
    assert search(phone, prefix, element(Search.Range, "6-7")).child_text(Search.Status) == "12"
    assert addresses(find(phone, prefix, element(Find.Range, "4-9"))) == everybody[4:]


def photos(answer: Element) -> list[tuple[str | None, bytes | None]]:
    """The status of each picture, and the picture."""
    return [
        (one.child_text(GAL.Status), data.data() if (data := one.find(GAL.Data)) else None)
        for one in answer.iter()
        if one.tag is GAL.Picture
    ]


@pytest.mark.parametrize("version", ["14.1", "16.0", "16.1"])
def test_photos_of_people(site: Site, version: str) -> None:
    """Vera and Xena have small ones, Walt a large one, Yuri one from the file (MS-ASCMD 2.2.3.135)."""
    phone = site.phone(version)

    def told(*limits: Element) -> list[tuple[str | None, bytes | None]]:
        found = photos(search(phone, "vine", element(Search.Picture, *limits)))
        if version == "16.1":
            same = [element(getattr(Find, one.tag.name), one.text()) for one in limits]
            assert photos(find(phone, "vine", element(Find.Picture, *same))) == found
        return found

    small, large = ("1", SMALL), ("1", LARGE)
    assert told() == [small, large, small]
    assert told(element(Search.MaxSize, 10_000)) == [small, ("174", None), small]
    assert told(element(Search.MaxSize, 10_000), element(Search.MaxPictures, 1)) == [
        small, ("174", None), ("175", None)
    ]  # fmt: skip
    assert told(element(Search.MaxPictures, 0)) == [("175", None)] * 3
    assert told(element(Search.MaxSize, 0)) == [("174", None)] * 3
    assert photos(search(phone, "yuri", element(Search.Picture))) == [small]
    assert picture(search(phone, phone.user, element(Search.Picture))) == [("Status", "173")]


# --- certificates ------------------------------------------------------------------------------------------


def certificates(response: Element) -> tuple[list[str | None], list[bytes], list[bytes]]:
    """Status, CertificateCount and RecipientCount of the only recipient; certificates, mini-certificates."""
    (recipient,) = response.findall(Page.Recipient)
    told = recipient.find(Page.Certificates)
    assert told is not None
    counts = [told.child_text(tag) for tag in (Page.Status, Page.CertificateCount, Page.RecipientCount)]
    full, mini = (
        [base64.b64decode(one.text(), validate=True) for one in told.findall(tag)]
        for tag in (Page.Certificate, Page.MiniCertificate)
    )
    return counts, full, mini


FULL, MINI = element(Page.CertificateRetrieval, 2), element(Page.CertificateRetrieval, 3)


@pytest.mark.parametrize("version", ["2.5", "12.1", "14.1", "16.1"])
def test_certificates_of_people(site: Site, version: str) -> None:
    phone = site.phone(version)
    names = ("vera", "xena@example.test", "Yuri Young", "walt", phone.user)
    vera, xena, yuri, walt, nobody = map(certificates, resolve(phone, *names, options=(FULL,)))
    assert vera == (["1", "1", "1"], [VERA], [])
    assert xena == (["1", "1", "1"], [XENA], []), "without that of the authority"
    assert yuri == (["1", "1", "1"], [YURI], [])
    assert walt == nobody == (["7", None, None], [], [])
    mini = [certificates(one) for one in resolve(phone, "vera", "walt", options=(MINI,))]
    assert mini == [(["8", "1", "1"], [], []), (["7", None, None], [], [])]


def test_ambiguous_names_get_no_certificates(phone: Phone) -> None:
    (several,) = resolve(phone, "vine", options=(FULL, span(NINE), element(Page.Picture)))
    assert status(several) == ("2", "3")
    assert {tuple(child.tag.name for child in one) for one in several.findall(Page.Recipient)} == {
        ("Type", "DisplayName", "EmailAddress", "Picture")
    }


def test_a_limit_to_certificates(phone: Phone) -> None:
    """Nobody gets a part of his, and others still get theirs (MS-ASCMD 2.2.3.101)."""

    def told(most: int, *names: str) -> list[list[str | None]]:
        options = (FULL, element(Page.MaxCertificates, most))
        return [certificates(one)[0] for one in resolve(phone, *names, options=options)]

    one, over, crowd = ["1", "1", "1"], ["8", "1", "1"], ["8", "3", "4"]
    assert told(2, "vera", "xena", "yuri") == [one, one, over]
    assert told(0, "vera", "walt") == [over, ["7", None, None]]
    assert told(2, "vera", "the crew", "xena", "yuri") == [one, crowd, one, over]
    assert told(3, "the crew", "vera") == [["1", "3", "4"], over]


def test_certificates_of_a_group(phone: Phone) -> None:
    """One of each member: by the counts a device sees that Walt has none."""
    counts, full, _ = certificates(resolve(phone, "crew@example.test", options=(FULL,))[0])
    assert counts == ["1", "3", "4"]
    assert sorted(full) == sorted([VERA, XENA, YURI])
    counts, full, mini = certificates(resolve(phone, "crew@example.test", options=(MINI,))[0])
    assert (counts, full, mini) == (["8", "3", "4"], [], [])


def test_photos_of_recipients(phone: Phone) -> None:
    """MaxPictures counts for each name by itself."""
    limits = (element(Page.MaxSize, 1000), element(Page.MaxPictures, 1))
    responses = resolve(phone, "vine", "vera", "yuri", "walt", options=(element(Page.Picture, *limits),))
    told = [
        [
            (one.child_text(Page.Status), data.data() if (data := one.find(Page.Data)) else None)
            for one in response.iter()
            if one.tag is Page.Picture
        ]
        for response in responses
    ]
    small = ("1", SMALL)
    assert told == [[small, ("174", None), ("175", None)], [small], [small], [("174", None)]]


# --- groups ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["14.0", "14.1", "16.1"])
def test_when_all_of_a_group_are_free(site: Site, version: str) -> None:
    one, two = site.phone(version), site.phone(version)
    plan(one, NINE, HALF, TENTATIVE)
    plan(two, NINE, HALF, AWAY)
    plan(two, NINE + 2 * HALF, HALF, BUSY)
    half_hours = (span(NINE, NINE + 4 * HALF),)
    both = site.group(one.user, two.user)
    (group,) = resolve(one, both, options=half_hours)
    assert status(group) == ("1", "1")
    assert availability(group) == ("1", "3020")
    with_stranger = site.group(one.user + "x", two.user + "x")
    assert availability(resolve(one, with_stranger, options=half_hours)[0]) == ("163", None)
    name = fresh("mixed")
    dns = [f"cn={both.partition('@')[0]},{site.branch}", f"uid={one.user}x,{site.branch}"]
    site.slapd.add(
        f"cn={name},{site.branch}", objectClass=["groupOfNames", "extensibleObject"],
        mail=f"{name}@example.test", member=dns,
    )  # fmt: skip
    assert availability(resolve(one, name, options=half_hours)[0]) == ("1", "3424")


@pytest.mark.parametrize(("count", "told"), [(20, ("1", "1")), (21, ("161", None))])
def test_a_large_group(site: Site, count: int, told: tuple[str, str | None]) -> None:
    phone = site.phone()
    plan(phone, NINE, HALF, TENTATIVE)
    crowd = [f"{uuid.uuid4().hex[:8]}-{number}" for number in range(count - 1)]
    (group,) = resolve(phone, site.group(phone.user, *crowd), options=(span(NINE, NINE + HALF),))
    assert availability(group) == told


def test_too_many_groups(phone: Phone) -> None:
    responses = resolve(phone, *["crew@example.test"] * 101, options=(span(NINE, NINE + HALF),))
    assert {availability(one) for one in responses} == {("160", None)}


def test_somebody_known_by_another_address(site: Site) -> None:
    """A user of the gateway is busy under every address that the directory has of him."""
    busy, asking = site.phone(), site.phone()
    plan(busy, NINE, HALF, BUSY)
    site.slapd.add(
        f"uid={busy.user},{site.branch}", objectClass="inetOrgPerson", cn="Somebody Known", sn="Known",
        mail=[f"first.{busy.user}@example.test", address(busy)],
    )  # fmt: skip
    for name in (f"first.{busy.user}@example.test", address(busy)):
        (response,) = resolve(asking, name, options=(span(NINE, NINE + HALF),))
        assert availability(response) == ("1", "2")
        assert response.children[-1].child_text(Page.DisplayName) == "Somebody Known"


# --- address books -----------------------------------------------------------------------------------------


def keep(phone: Phone, name: str, mail: str) -> None:
    """Have a phone add a contact."""
    folder = phone.folders()["Contacts"]
    if folder not in phone.keys:
        phone.begin(folder)
    data = (element(Contacts.LastName, name), element(Contacts.Email1Address, mail))
    served = phone.sync(folder, commands(add(uuid.uuid4().hex, *data)))
    assert [each for _, _, each in statuses(served)] == ["1"]


@pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
def test_own_contacts_as_recipients(site: Site, version: str) -> None:
    """They are recipients (Type 2, MS-ASCMD 2.2.3.186.5), and in no address list."""
    mine, other = site.phone(version), site.phone(version)
    name = fresh("Carla")
    keep(mine, name, f"{name}@far.test")
    keep(mine, "My Vera", "vera@example.test")
    known, vera = resolve(mine, name, "vera@example.test")
    assert status(known) == status(vera) == ("1", "1")
    assert [child.text() for child in known.children[-1]] == ["2", name, f"{name}@far.test"]
    assert [child.text() for child in vera.children[-1]] == ["1", "Vera Vine", "vera@example.test"]
    assert addresses(search(mine, name)) == []
    assert status(resolve(other, name)[0]) == ("4", None)


def test_an_address_book_for_all(dovecot: Dovecot, shared_sink: SmtpSink) -> None:
    owner, name = fresh("owner"), fresh("Carla")
    section = {"address_books": [f"{owner.upper()}/contacts"]}
    with Gateway(dovecot, shared_sink, sections={"directory": section}) as gateway:
        phone = come(gateway, dovecot, fresh("user"))
        assert addresses(search(phone, name)) == []
        keep(come(gateway, dovecot, owner), name, f"{name}@example.test")
        assert addresses(search(phone, name)) == addresses(find(phone, name)) == [f"{name}@example.test"]
        (response,) = resolve(phone, name)
        assert [child.text() for child in response.children[-1]] == ["1", name, f"{name}@example.test"]


# --- a directory that is away ------------------------------------------------------------------------------


def test_a_directory_that_is_away(
    dovecot: Dovecot, shared_sink: SmtpSink, file: Path, seen: Callable[[Phone], list[str]]
) -> None:
    """Whoever looks somebody up is told to come again, and mail is not concerned."""
    with Slapd() as slapd:
        branch = slapd.branch()
        fill(slapd, branch)
        with Gateway(dovecot, shared_sink, sections=sections(slapd, branch, file)) as gateway:
            old, new = (come(gateway, dovecot, fresh("user"), version) for version in ("12.1", "16.1"))
            assert addresses(search(new, "vera")) == ["vera@example.test"]
            slapd.kill()
            for phone in (old, new):
                assert search(phone, "vera").child_text(Search.Status) == "3"
                root = ask(phone, "vera").root
                assert [(one.tag.name, one.text()) for one in root] == [("Status", "6")]
                assert seen(phone) == []
            slapd.start()
            assert addresses(search(new, "vera")) == ["vera@example.test"]
            assert status(resolve(old, "vera")[0]) == ("1", "1")


def test_a_directory_that_stalls(
    dovecot: Dovecot, shared_sink: SmtpSink, site: Site, file: Path, seen: Callable[[Phone], list[str]]
) -> None:
    """In the middle of a question: the answer is the same as if it were away, and nobody else waits."""
    with StallingWay(site.slapd.host, site.slapd.port, b"walt") as way:
        changed = sections(site.slapd, site.branch, file)
        changed["ldap"] |= {"url": [f"ldap://{way.host}:{way.port}"], "starttls": False, "timeout": 3}
        with Gateway(dovecot, shared_sink, sections=changed) as gateway:
            phone = come(gateway, dovecot, fresh("user"))
            assert addresses(search(phone, "vera")) == ["vera@example.test"]
            assert search(phone, "walt").child_text(Search.Status) == "3"
            assert [one.text() for one in ask(phone, "vera", "walt").root] == ["6"]
            assert way.stalled
            assert seen(phone) == []
            assert addresses(search(phone, "vera")) == ["vera@example.test"]


@pytest.fixture
def seen() -> Callable[[Phone], list[str]]:
    """Synchronises the INBOX of a phone; returns what came."""

    def sync(phone: Phone) -> list[str]:
        inbox = phone.folders()["Inbox"]
        phone.begin(inbox)
        return [*phone.sync(inbox).added]

    return sync
