"""The policy handshake, and what is refused without its key (MS-ASPROV 3.1.5)."""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import VERSIONS, MakePhone
from tests.support.phone import POLICY_TYPE, Phone, policy_of, policy_request
from wbxml import Element, element
from wbxml.pages import AirSync, FolderHierarchy, GetItemEstimate, ItemOperations, Ping, Provision, Settings


@pytest.fixture(params=VERSIONS)
def fresh(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    made = new_phone(request.param)
    made.policy_key = 0
    return made


def tags(parent: Element | None) -> list[str]:
    assert parent is not None
    return [child.tag.name for child in parent]


def folder_sync() -> Element:
    return element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))


def test_both_phases(fresh: Phone) -> None:
    first = fresh.post("Provision", policy_request())
    assert tags(first.root) == ["Status", "Policies"]
    offered = policy_of(first)
    assert tags(offered) == ["PolicyType", "Status", "PolicyKey", "Data"]
    assert offered.child_text(Provision.PolicyType) == POLICY_TYPE
    assert offered.child_text(Provision.Status) == "1"
    temporary = offered.child_text(Provision.PolicyKey) or ""
    assert 0 < int(temporary) < 1 << 32
    data = offered.find(Provision.Data)
    assert data is not None
    (document,) = data
    assert document.tag is Provision.EASProvisionDoc
    known_to_all = {"DevicePasswordEnabled", "AttachmentsEnabled", "AllowSimpleDevicePassword"}
    assert known_to_all <= set(tags(document))
    assert ("AllowCamera" in tags(document)) == (fresh.number >= 12.1)

    fresh.policy_key = int(temporary)
    second = fresh.post("Provision", policy_request(temporary, "1"))
    assert tags(second.root) == ["Status", "Policies"]
    accepted = policy_of(second)
    assert tags(accepted) == ["PolicyType", "Status", "PolicyKey"]
    assert accepted.child_text(Provision.Status) == "1"
    permanent = accepted.child_text(Provision.PolicyKey) or ""
    assert permanent != temporary
    fresh.policy_key = int(permanent)
    assert fresh.post("FolderSync", folder_sync()).root.child_text(FolderHierarchy.Status) == "1"


def test_a_repeated_acknowledgement_gets_the_same_key(fresh: Phone) -> None:
    temporary = policy_of(fresh.post("Provision", policy_request())).child_text(Provision.PolicyKey)
    answers = [fresh.post("Provision", policy_request(temporary, "1")).body for _ in range(2)]
    assert answers[0] == answers[1]


def test_a_wrong_temporary_key_is_5(fresh: Phone) -> None:
    temporary = policy_of(fresh.post("Provision", policy_request())).child_text(Provision.PolicyKey) or ""
    refused = policy_of(fresh.post("Provision", policy_request(str(int(temporary) ^ 1), "1")))
    assert tags(refused) == ["PolicyType", "Status"]
    assert refused.child_text(Provision.Status) == "5"
    assert policy_of(fresh.post("Provision", policy_request(temporary, "1"))).child_text(Provision.PolicyKey)


def test_an_unknown_policy_type_is_3(fresh: Phone) -> None:
    refused = policy_of(fresh.post("Provision", policy_request(kind="MS-WAP-Provisioning-XML")))
    assert tags(refused) == ["PolicyType", "Status"]
    assert refused.child_text(Provision.Status) == "3"


def test_a_missing_policy_type_is_2(fresh: Phone) -> None:
    root = fresh.post("Provision", policy_request(kind=None)).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "2")]


def test_what_is_no_request_and_no_acknowledgement_is_2(fresh: Phone) -> None:
    policy = element(Provision.Policy, element(Provision.PolicyType, POLICY_TYPE))
    temporary = policy_of(fresh.post("Provision", policy_request())).child_text(Provision.PolicyKey)
    for request in (element(Provision.Provision, policy), policy_request(temporary, "9")):
        root = fresh.post("Provision", request).root
        assert [(child.tag.name, child.text()) for child in root] == [("Status", "2")]


def test_an_empty_request_is_1_and_asks_for_no_wipe(fresh: Phone) -> None:
    root = fresh.post("Provision", element(Provision.Provision)).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "1")]


@pytest.mark.parametrize(
    "order", [("PolicyType", "PolicyKey", "Status"), ("PolicyKey", "Status", "PolicyType")]
)
def test_both_orders_of_the_acknowledgement(fresh: Phone, order: tuple[str, ...]) -> None:
    temporary = policy_of(fresh.post("Provision", policy_request())).child_text(Provision.PolicyKey) or ""
    values = {"PolicyType": POLICY_TYPE, "PolicyKey": temporary, "Status": "1"}
    policy = element(Provision.Policy, *(element(getattr(Provision, name), values[name]) for name in order))
    request = element(Provision.Provision, element(Provision.Policies, policy))
    assert policy_of(fresh.post("Provision", request)).child_text(Provision.Status) == "1"


@pytest.mark.parametrize("version", ["14.1", "16.0", "16.1"])
def test_device_information_is_answered_first(new_phone: MakePhone, version: str) -> None:
    values = element(Settings.Set, element(Settings.Model, "Test"), element(Settings.OS, "1.0"))
    request = policy_request(information=element(Settings.DeviceInformation, values))
    root = new_phone(version).post("Provision", request).root
    assert tags(root) == ["DeviceInformation", "Status", "Policies"]
    information = root.find(Settings.DeviceInformation)
    assert information is not None
    assert [(child.tag, child.text()) for child in information] == [(Settings.Status, "1")]


REQUESTS = {
    "FolderSync": (folder_sync(), FolderHierarchy.Status),
    "Sync": (element(AirSync.Sync, element(AirSync.Collections)), AirSync.Status),
    "GetItemEstimate": (element(GetItemEstimate.GetItemEstimate), GetItemEstimate.Status),
    "ItemOperations": (element(ItemOperations.ItemOperations), ItemOperations.Status),
}


@pytest.mark.parametrize("command", REQUESTS)
@pytest.mark.parametrize(("key", "status"), [(None, "142"), (0, "142"), (12345, "144")])
def test_commands_need_the_key(fresh: Phone, command: str, key: int | None, status: str) -> None:
    fresh.provision()
    fresh.policy_key = key
    request, tag = REQUESTS[command]
    answer = fresh.post(command, request)
    if fresh.number < 14:
        assert (answer.code, answer.body) == (449, b"")
    else:
        assert [(child.tag, child.text()) for child in answer.root] == [(tag, status)]


def test_the_temporary_key_opens_nothing_else(fresh: Phone) -> None:
    temporary = policy_of(fresh.post("Provision", policy_request())).child_text(Provision.PolicyKey) or ""
    fresh.policy_key = int(temporary)
    answer = fresh.post("FolderSync", folder_sync())
    if fresh.number < 14:
        assert answer.code == 449
    else:
        assert answer.root.child_text(FolderHierarchy.Status) in {"142", "144"}


def test_the_key_holds_for_one_device_alone(fresh: Phone) -> None:
    fresh.provision()
    fresh.device = "PHONE2"
    answer = fresh.post("FolderSync", folder_sync())
    assert (
        answer.code == 449 if fresh.number < 14 else answer.root.child_text(FolderHierarchy.Status) == "142"
    )


def test_ping_options_and_settings_need_no_key(fresh: Phone) -> None:
    fresh.policy_key = None
    assert fresh.raw("", method="OPTIONS").code == 200
    assert fresh.post("Ping").root.child_text(Ping.Status) == "3"
    asked = element(Settings.Settings, element(Settings.UserInformation, element(Settings.Get)))
    assert fresh.post("Settings", asked).root.child_text(Settings.Status) == "1"
