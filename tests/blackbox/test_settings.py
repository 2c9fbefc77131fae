"""Settings: each property with a Status of its own, in the order asked (MS-ASCMD 2.2.1.18)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import AirSync, Settings


def ask(phone: Phone, *properties: Element) -> Element:
    return phone.post("Settings", element(Settings.Settings, *properties)).root


def shape(root: Element) -> list[Any]:
    """The tree as nested lists, for comparison at a glance."""
    return [root.tag.name, [shape(child) for child in root] if root.children else root.text()]


def user_information() -> Element:
    return element(Settings.UserInformation, element(Settings.Get))


def device_information(*values: Element) -> Element:
    return element(Settings.DeviceInformation, element(Settings.Set, *values))


def test_user_information(each_phone: Phone) -> None:
    address = f"{each_phone.user}@example.test"
    told: list[object] = ["EmailAddresses", [["SMTPAddress", address]]]
    if each_phone.number >= 14.1:
        addresses = ["EmailAddresses", [["SMTPAddress", address], ["PrimarySmtpAddress", address]]]
        told = ["Accounts", [["Account", [addresses]]]]
    assert shape(ask(each_phone, user_information())) == [
        "Settings",
        [["Status", "1"], ["UserInformation", [["Status", "1"], ["Get", [told]]]]],
    ]


def test_answers_come_in_the_order_asked(some_phone: Phone) -> None:
    root = ask(some_phone, user_information(), device_information(element(Settings.Model, "Test")))
    assert [child.tag.name for child in root] == ["Status", "UserInformation", "DeviceInformation"]
    assert shape(root.children[2]) == ["DeviceInformation", [["Status", "1"]]]


def away(state: int, text: str) -> Element:
    """A Set with a text for people inside."""
    message = element(
        Settings.OofMessage,
        element(Settings.AppliesToInternal),
        element(Settings.Enabled, 1),
        element(Settings.ReplyMessage, text),
        element(Settings.BodyType, "Text"),
    )
    return element(Settings.Oof, element(Settings.Set, element(Settings.OofState, state), message))


def test_without_a_server_that_answers_people_nobody_is_away_and_texts_are_kept(
    some_phone: Phone, other: Phone
) -> None:
    get = element(Settings.Oof, element(Settings.Get, element(Settings.BodyType, "Text")))

    def told(phone: Phone) -> tuple[str | None, list[str | None]]:
        root = ask(phone, get, user_information())
        assert [child.tag.name for child in root] == ["Status", "Oof", "UserInformation"]
        assert root.children[1].child_text(Settings.Status) == "1"
        held = root.children[1].children[1]
        texts = [one.child_text(Settings.ReplyMessage) for one in held.findall(Settings.OofMessage)]
        return held.child_text(Settings.OofState), texts

    def changed(*asked: Element) -> object:
        root = ask(some_phone, *asked)
        assert root.child_text(Settings.Status) == "1"
        return shape(root.children[1])

    assert told(some_phone) == ("0", ["", "", ""])
    assert changed(away(1, "On holiday")) == ["Oof", [["Status", "3"]]]
    assert told(some_phone) == told(other) == ("0", ["On holiday", "", ""])
    assert changed(away(0, "Gone fishing")) == ["Oof", [["Status", "1"]]]
    assert told(some_phone) == told(other) == ("0", ["Gone fishing", "", ""])
    assert changed(away(9, "Never")) == ["Oof", [["Status", "5"]]]
    assert told(other) == ("0", ["Gone fishing", "", ""])


@pytest.mark.parametrize("twice", [True, False])
def test_a_malformed_request_is_2_without_properties(some_phone: Phone, twice: bool) -> None:
    root = ask(some_phone, *([user_information()] * 2 if twice else []))
    assert shape(root) == ["Settings", [["Status", "2"]]]


def test_all_is_checked_before_anything_is_done(some_phone: Phone) -> None:
    """A property that does not exist spoils the request, and what stands before it is not done."""
    for wrong in (element(Settings.Set), element(Settings.Model, "x"), element(AirSync.Sync)):
        root = ask(some_phone, device_information(element(Settings.Model, "Spoiled")), wrong)
        assert shape(root) == ["Settings", [["Status", "2"]]]


def test_every_property_has_an_answer_of_its_own(new_phone: MakePhone) -> None:
    """Whatever becomes of the others."""
    phone = new_phone("14.1")
    password = element(Settings.DevicePassword, element(Settings.Set, element(Settings.Password, "123456")))
    rights = element(Settings.RightsManagementInformation, element(Settings.Get))
    gone = away(1, "Gone")
    root = ask(phone, rights, gone, password, element(Settings.UserInformation), user_information())
    assert shape(root) == ["Settings", [["Status", "2"]]], "one of them twice"
    root = ask(phone, rights, gone, password, element(Settings.UserInformation), device_information())
    templates = ["Get", [["RightsManagementTemplates", ""]]]
    assert shape(root) == [
        "Settings",
        [
            ["Status", "1"],
            ["RightsManagementInformation", [["Status", "168"], templates]],
            ["Oof", [["Status", "3"]]],
            ["DevicePassword", [["Status", "7"]]],
            ["UserInformation", [["Status", "2"]]],
            ["DeviceInformation", [["Status", "1"]]],
        ],
    ]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ([], "2"),
        ([element(Settings.Set)], "2"),
        ([element(Settings.Set, element(Settings.Password, "secret-" * 40))], "5"),
        ([element(Settings.Set, element(Settings.Password, "secret-recovery"))], "7"),
        ([element(Settings.Set, element(Settings.Password))], "7"),
    ],
)
def test_recovery_passwords_are_not_kept(
    phone: Phone, shared_gateway: Gateway, asked: list[Element], status: str
) -> None:
    root = ask(phone, element(Settings.DevicePassword, *asked))
    assert shape(root)[1][1:] == [["DevicePassword", [["Status", status]]]]
    assert "secret-" not in shared_gateway.log()


def test_rights_management_came_with_14_1(new_phone: MakePhone) -> None:
    asked = element(Settings.RightsManagementInformation, element(Settings.Get))
    assert shape(ask(new_phone("14.0"), asked)) == ["Settings", [["Status", "2"]]]


def test_the_addresses_of_a_user(dovecot: Dovecot, smtp_sink: SmtpSink, user: str) -> None:
    """All that are named; those that a pattern allows are not."""
    granted = ["{local}.alias@{domain}", "info@example.test", "{user}", "{local}+*@{domain}"]
    with Gateway(dovecot, smtp_sink, sections={"identity": {"allow_from": granted}}) as gateway:
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        told = shape(ask(phone, user_information()))
    own = f"{user}@example.test"
    addresses = [own, f"{user}.alias@example.test", "info@example.test"]
    listed = [*(["SMTPAddress", one] for one in addresses), ["PrimarySmtpAddress", own]]
    account = ["Account", [["EmailAddresses", listed]]]
    assert told[1][1] == ["UserInformation", [["Status", "1"], ["Get", [["Accounts", [account]]]]]]


def test_device_information_without_set_is_2(some_phone: Phone) -> None:
    root = ask(some_phone, element(Settings.DeviceInformation))
    assert shape(root) == [
        "Settings",
        [["Status", "1"], ["DeviceInformation", [["Status", "2"]]]],
    ]
