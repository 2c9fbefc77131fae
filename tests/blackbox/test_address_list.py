"""People in the address list: Search of the GAL in every version, Find in 16.1, and who sees whom."""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import MakePhone
from tests.blackbox.people import addresses, come, find, fresh, picture, search, shown
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, Section
from tests.support.phone import Phone
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import AirSync, Find, Search


def test_people_are_found(each_phone: Phone, shared_gateway: Gateway, dovecot: Dovecot) -> None:
    name = fresh("anna")
    come(shared_gateway, dovecot, name)
    store = search(each_phone, name.upper()[:9])
    assert [child.tag.name for child in store] == ["Status", "Result", "Range", "Total"]
    assert (store.child_text(Search.Range), store.child_text(Search.Total)) == ("0-0", "1")
    address = f"{name}@example.test"
    assert shown(store) == [{"DisplayName": address, "Alias": name, "EmailAddress": address}]


def test_version_2_5_finds_people_too(new_phone: MakePhone, user: str) -> None:
    phone = new_phone("2.5")
    phone.provision()
    assert addresses(search(phone, user)) == [f"{user}@example.test"]


def test_nobody_is_found(each_phone: Phone) -> None:
    for text in ("nobody-at-all", "", "a", "%%", "  "):
        store = search(each_phone, text)
        assert [(child.tag.name, child.text()) for child in store] == [("Status", "1"), ("Total", "0")]


def test_what_nobody_types_is_refused(each_phone: Phone) -> None:
    long = "nobody " * 100_000
    store = search(each_phone, long)
    assert [(child.tag.name, child.text()) for child in store] == [("Status", "2")]
    if each_phone.version == "16.1":
        assert [child.text() for child in find(each_phone, long)] == ["GAL", "2"]


def test_a_query_as_for_mail_finds_people_by_its_text(
    some_phone: Phone, shared_gateway: Gateway, dovecot: Dovecot
) -> None:
    name = fresh("anna")
    come(shared_gateway, dovecot, name)

    def told(*conditions: Element) -> Element:
        store = element(
            Search.Store, element(Search.Name, "GAL"), element(Search.Query, element(Search.And, *conditions))
        )
        root = some_phone.post("Search", element(Search.Search, store)).root
        return root.children[1].children[0]

    text = element(Search.FreeText, name)
    assert addresses(told(element(AirSync.Class, "Contacts"), text)) == [f"{name}@example.test"]
    for wrong in ((text, text), (element(AirSync.CollectionId, "1"),)):
        assert [(child.tag.name, child.text()) for child in told(*wrong)] == [("Status", "2")]


@pytest.fixture(scope="module")
def several(shared_gateway: Gateway, dovecot: Dovecot) -> tuple[str, list[str]]:
    """What seven people are found by, and their addresses."""
    prefix = fresh("team").replace("-", "")
    names = [f"{prefix}.{number}" for number in range(7)]
    for name in names:
        come(shared_gateway, dovecot, name)
    return prefix, [f"{name}@example.test" for name in names]


@pytest.mark.parametrize(
    ("span", "first", "last"), [("0-99", 0, 6), ("0-2", 0, 2), ("3-4", 3, 4), ("5-50", 5, 6)]
)
def test_ranges_of_search(
    some_phone: Phone, several: tuple[str, list[str]], span: str, first: int, last: int
) -> None:
    prefix, everybody = several
    store = search(some_phone, prefix, element(Search.Range, span))
    assert addresses(store) == everybody[first : last + 1]
    assert (store.child_text(Search.Range), store.child_text(Search.Total)) == (f"{first}-{last}", "7")


@pytest.mark.parametrize(("span", "status"), [("7-9", "12"), ("0-100", "12"), ("3-1", "2"), ("all", "2")])
def test_ranges_that_search_has_not(
    some_phone: Phone, several: tuple[str, list[str]], span: str, status: str
) -> None:
    store = search(some_phone, several[0], element(Search.Range, span))
    assert [(child.tag.name, child.text()) for child in store] == [("Status", status)]


def test_find(phone: Phone, several: tuple[str, list[str]]) -> None:
    prefix, everybody = several
    response = find(phone, prefix, element(Find.Range, "1-2"))
    assert [child.tag.name for child in response] == ["Store", "Status", "Result", "Result", "Range", "Total"]
    assert addresses(response) == everybody[1:3]
    assert (response.child_text(Find.Range), response.child_text(Find.Total)) == ("1-2", "7")
    assert addresses(find(phone, prefix, element(Find.Range, "0-999"))) == everybody
    for nothing in (find(phone, "nobody-at-all"), find(phone, "a")):
        assert [child.tag.name for child in nothing] == ["Store", "Status", "Total"]
        assert nothing.child_text(Find.Total) == "0"


@pytest.mark.parametrize("version", ["14.1", "16.0", "16.1"])
def test_nobody_has_a_picture(new_phone: MakePhone, user: str, version: str) -> None:
    """173: there is none (MS-ASCMD 2.2.3.135)."""
    phone = new_phone(version)
    phone.provision()
    for limits in ((), (element(Search.MaxSize, 10000), element(Search.MaxPictures, 3))):
        store = search(phone, user, element(Search.Picture, *limits))
        assert picture(store) == [("Status", "173")]
    wrong = element(Search.Picture, element(Search.MaxSize, "large"))
    assert search(phone, user, wrong).child_text(Search.Status) == "2"


def test_find_tells_that_nobody_has_a_picture(phone: Phone) -> None:
    assert picture(find(phone, phone.user, element(Find.Picture))) == [("Status", "173")]


def test_pictures_came_later(new_phone: MakePhone, user: str) -> None:
    phone = new_phone("14.0")
    phone.provision()
    assert search(phone, user, element(Search.Picture)).child_text(Search.Status) == "2"


@pytest.mark.parametrize(
    ("reach", "seen"), [("domain", ["a.test"]), ("all", ["a.test", "b.test"]), ("none", None)]
)
def test_who_sees_whom(dovecot: Dovecot, smtp_sink: SmtpSink, reach: str, seen: list[str] | None) -> None:
    sections: dict[str, Section] = {
        "imap": {"login": "{local}"},
        "identity": {"email": "{user}", "name": "The {local}"},
        "directory": {"users": reach, "min_query": 4},
    }
    one, two, me = fresh("carla"), fresh("carla"), fresh("ben")
    with Gateway(dovecot, smtp_sink, sections=sections) as gateway:
        come(gateway, dovecot, f"{one}@a.test")
        come(gateway, dovecot, f"{two}@B.test")
        phone = come(gateway, dovecot, f"{me}@A.test")
        store, response = search(phone, "carla"), find(phone, "carla")
        if seen is None:
            assert store.child_text(Search.Status) == "6"
            assert response.child_text(Find.Status) == "2"
            return
        assert {one.partition("@")[2].lower() for one in addresses(store)} == set(seen)
        assert addresses(response) == addresses(store)
        assert shown(search(phone, one))[0]["DisplayName"] == f"The {one}"
        assert addresses(search(phone, "car")) == []


def test_people_are_found_after_a_restart(dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    name = fresh("dora")
    with Gateway(dovecot, smtp_sink) as gateway:
        come(gateway, dovecot, name)
        gateway.kill()
        gateway.start()
        phone = come(gateway, dovecot, fresh("ben"))
        assert addresses(search(phone, name)) == [f"{name}@example.test"]


def test_other_addresses_when_the_configuration_changes(dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    name = fresh("dora")
    with Gateway(dovecot, smtp_sink) as gateway:
        phone = come(gateway, dovecot, name)
        assert addresses(search(phone, name)) == [f"{name}@example.test"]
        gateway.kill()
        changed = gateway.config.read_text().replace("{user}@example.test", "{user}@new.example.test")
        gateway.config.write_text(changed)
        gateway.start()
        assert addresses(search(phone, name)) == [f"{name}@new.example.test"]
