"""Settings: each property with a Status of its own, in the order asked (MS-ASCMD 2.2.1.18)."""

from __future__ import annotations

import pytest

from tests.support.phone import Phone
from wbxml import Element, element
from wbxml.pages import Settings


def ask(phone: Phone, *properties: Element) -> Element:
    return phone.post("Settings", element(Settings.Settings, *properties)).root


def shape(root: Element) -> object:
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


def test_an_out_of_office_request_is_refused_below_the_property(some_phone: Phone) -> None:
    asked = element(Settings.Oof, element(Settings.Get, element(Settings.BodyType, "Text")))
    root = ask(some_phone, asked, user_information())
    assert root.child_text(Settings.Status) == "1"
    assert [child.tag.name for child in root] == ["Status", "Oof", "UserInformation"]
    (status,) = root.children[1]
    assert status.text() not in {"", "1"}


@pytest.mark.parametrize("twice", [True, False])
def test_a_malformed_request_is_2_without_properties(some_phone: Phone, twice: bool) -> None:
    root = ask(some_phone, *([user_information()] * 2 if twice else []))
    assert shape(root) == ["Settings", [["Status", "2"]]]


def test_device_information_without_set_is_2(some_phone: Phone) -> None:
    root = ask(some_phone, element(Settings.DeviceInformation))
    assert shape(root) == [
        "Settings",
        [["Status", "1"], ["DeviceInformation", [["Status", "2"]]]],
    ]
