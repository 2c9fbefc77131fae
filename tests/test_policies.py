"""Policies as the configuration has them, and for whom each is."""

from __future__ import annotations

import pytest

from gateway.eas import wap
from gateway.eas.policy import document
from gateway.eas.versions import Version
from gateway.groups import Groups
from gateway.policies import ELEMENTS, NO_POLICY, Policies, Policy, keys, read_policy
from wbxml import encode
from wbxml.pages import Provision

STRICT = read_policy(
    "strict",
    {
        "DevicePasswordEnabled": True,
        "AlphanumericDevicePasswordRequired": True,
        "MinDevicePasswordLength": 6,
        "MaxDevicePasswordFailedAttempts": 8,
        "MaxInactivityTimeDeviceLock": 300,
        "AllowCamera": False,
        "AllowBluetooth": 1,
        "MaxEmailBodyTruncationSize": 0,
        "UnapprovedInROMApplicationList": ["games.exe", "chat.exe"],
    },
)


def test_every_element_is_one_of_the_page_in_its_order() -> None:
    tags = [getattr(Provision, one.name) for one in ELEMENTS]
    assert len(set(tags)) == len(tags)
    assert len(set(keys())) == len(keys())


@pytest.mark.parametrize("version", Version)
def test_what_is_not_demanded_is_taken_back(version: Version) -> None:
    told = {child.tag.name: child.text() for child in document(NO_POLICY, version)}
    if version >= Version.V12_0:
        assert told["DevicePasswordEnabled"] == "0"
        assert told["MinDevicePasswordLength"] == ""
    assert ("AllowCamera" in told) is (version >= Version.V12_1)
    assert "RequireSignedSMIMEAlgorithm" not in told


def test_what_is_demanded_is_told_in_the_order_of_the_schema() -> None:
    root = document(STRICT, Version.V14_1)
    told = {child.tag.name: child.text() for child in root}
    assert told["MinDevicePasswordLength"] == "6"
    assert told["AllowCamera"] == "0"
    assert told["AllowBluetooth"] == "1"
    names = [one.name for one in ELEMENTS]
    order = [names.index(child.tag.name) for child in root]
    assert order == sorted(order)
    programs = root.find(Provision.UnapprovedInROMApplicationList)
    assert programs is not None
    assert [child.text() for child in programs] == ["games.exe", "chat.exe"]
    assert encode(root)


def test_of_a_policy_a_device_of_2_5_is_told_what_it_knows() -> None:
    assert wap.document(NO_POLICY) == (
        '<wap-provisioningdoc><characteristic type="SecurityPolicy">'
        '<parm name="4131" value="1"/><parm name="4133" value="1"/></characteristic></wap-provisioningdoc>'
    )
    strict = wap.document(STRICT)
    for name, value in (
        ("4131", "0"),
        ("MinimumPasswordLength", "6"),
        ("PasswordComplexity", "0"),
        ("DeviceWipeThreshold", "8"),
        ("AEFrequencyValue", "5"),
    ):
        assert f'<parm name="{name}" value="{value}"/>' in strict


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"Camera": True}, "unknown key Camera; allowed are users, devices, "),
        ({"AllowCamera": 1}, "AllowCamera: allowed is true or false"),
        ({"MinDevicePasswordLength": 17}, "MinDevicePasswordLength: allowed is a number from 1 to 16"),
        ({"MinDevicePasswordLength": True}, "MinDevicePasswordLength: allowed is a number"),
        ({"AllowBluetooth": 3}, r"AllowBluetooth: allowed is 0 \(no\), 1 \(hands-free\), 2 \(yes\)"),
        ({"MaxEmailBodyTruncationSize": -2}, "allowed is -1, or a number from 0 to"),
        ({"ApprovedApplicationList": "x"}, "ApprovedApplicationList: allowed is a list of at most"),
        (
            {"PasswordRecoveryEnabled": True},
            "PasswordRecoveryEnabled: allowed is false: the gateway keeps no",
        ),
        ({"users": ["a", 1]}, "users: allowed is a list"),
        ({"devices": ["ann/D1", "D2"]}, "devices: allowed is a list of .* each as login/deviceid"),
        ({"refresh_hours": "1"}, "refresh_hours: allowed is a number"),
    ],
)
def test_a_mistake_says_what_is_allowed(written: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_policy("x", written)


def test_policies_are_told_apart_by_what_they_demand() -> None:
    assert NO_POLICY.digest == read_policy("lax", {"AllowCamera": True, "users": ["*"]}).digest == ""
    one, same, other = (
        read_policy("a", {"MinDevicePasswordLength": 4, "AllowCamera": False}),
        read_policy("b", {"AllowCamera": False, "MinDevicePasswordLength": 4, "refresh_hours": 3}),
        read_policy("c", {"MinDevicePasswordLength": 5, "AllowCamera": False}),
    )
    assert one.digest == same.digest
    assert len({one.digest, other.digest, ""}) == 3


@pytest.mark.parametrize(
    ("user", "device", "name"),
    [
        ("ann@example.com", "D1", "default"),
        ("eve@Board.example.com", "D1", "board"),
        ("eve@board.example.com", "KIOSK7", "kiosk"),
        ("room1", "X", "kiosk"),
        ("[room]", "X", "odd"),
        ("BO", "X", "sales"),
    ],
)
def test_the_device_goes_before_the_user(user: str, device: str, name: str) -> None:
    policies = Policies(
        (
            Policy("sales", groups=("sales", "field")),
            Policy("default"),
            Policy("board", users=("*@board.example.com",)),
            Policy("kiosk", devices=("*/kiosk*", "room1/x")),
            Policy("odd", users=("[room]",)),
        ),
        Groups({"field": ["bo", "*@board.example.com"], "others": ["ann@example.com"]}),
    )
    assert policies.of(user, device).name == name
    assert Policies().of(user, device) is NO_POLICY
    told = {"default": "default", "board": "user *@board", "sales": "group field", "odd": "user [room]"}
    assert policies.chosen(user, device)[1].startswith(told.get(name, "device "))
