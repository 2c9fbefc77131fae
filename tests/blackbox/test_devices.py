"""Policies, access and remote wipe, over HTTP with the command line beside (MS-ASPROV 3.1.5)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

from gateway.cli import main
from tests.blackbox.conftest import MakePhone
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, Section
from tests.support.phone import Answer, Phone, add, commands, policy_of, policy_request
from wbxml import Element, element
from wbxml.pages import (
    AirSync,
    AirSyncBase,
    Calendar,
    Email,
    FolderHierarchy,
    GetItemEstimate,
    Ping,
    Provision,
    Settings,
)

THREE = ("12.1", "14.1", "16.1")
SYNC = element(AirSync.Sync, element(AirSync.Collections))

Manage = Callable[..., str]


@pytest.fixture(scope="module")
def sections() -> Mapping[str, Section]:
    """Policies: a strict one for devices that say so by their name, and a lax one."""
    return {
        "eas": {"heartbeat_min": 1},
        "devices": {"limit": 2, "notice": "Ask Ann."},
        "policies": {
            "default": {"DevicePasswordEnabled": True, "MinDevicePasswordLength": 6},
            "strict": {
                "devices": ["*/STRICT*"],
                "allow_partial": False,
                "allow_external": False,
                "DevicePasswordEnabled": True,
            },
            "lax": {"devices": ["*/LAX*"], "allow_nonprovisionable": True, "AllowCamera": False},
            "short": {"devices": ["*/SHORT*"], "MinDevicePasswordLength": 4},
        },
    }


@pytest.fixture
def manage(shared_gateway: Gateway) -> Manage:
    """Calls `activesync-gateway devices` beside the gateway."""

    def call(*args: str) -> str:
        result = CliRunner().invoke(main, ["devices", *args, "--config", str(shared_gateway.config)])
        assert result.exit_code == 0, result.output
        return result.stdout

    return call


def folder_sync(phone: Phone) -> Answer:
    request = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))
    return phone.post("FolderSync", request)


def told(phone: Phone, answer: Answer) -> int:
    """How a request went: the HTTP code before 14.0, the Status since; 1 is well in both."""
    if answer.code != 200:
        assert phone.number < 14
        return answer.code
    return int(answer.root.child_text(FolderHierarchy.Status) or 0)


def names(root: Element) -> list[str]:
    return [child.tag.name for child in root]


# --- policies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["12.0", *THREE])
def test_the_policy_is_told_and_needed(new_phone: MakePhone, version: str) -> None:
    phone = new_phone(version)
    phone.policy_key = 0
    assert told(phone, folder_sync(phone)) == (449 if phone.number < 14 else 142)
    data = policy_of(phone.post("Provision", policy_request())).find(Provision.Data)
    assert data is not None
    (document,) = data
    assert document.child_text(Provision.DevicePasswordEnabled) == "1"
    assert document.child_text(Provision.MinDevicePasswordLength) == "6"
    phone.provision()
    assert told(phone, folder_sync(phone)) == 1


@pytest.mark.parametrize("version", THREE)
def test_side_by_side_one_needs_a_policy_and_another_does_not(new_phone: MakePhone, version: str) -> None:
    strict, lax = new_phone(version, device="STRICT"), new_phone(version, device="LAX")
    for phone in (strict, lax):
        phone.policy_key = None
    assert told(strict, folder_sync(strict)) == (449 if strict.number < 14 else 142)
    assert told(lax, folder_sync(lax)) == 1


@pytest.mark.parametrize(("status", "refused"), [("2", 139), ("3", 139), ("4", 145)])
@pytest.mark.parametrize("version", THREE)
def test_a_device_that_does_not_comply(new_phone: MakePhone, version: str, status: str, refused: int) -> None:
    strict = new_phone(version, device="STRICT")
    strict.policy_key = 0
    key = policy_of(strict.post("Provision", policy_request())).child_text(Provision.PolicyKey)
    answer = strict.post("Provision", policy_request(key, status))
    if strict.number < 14:
        assert answer.code == 403
    else:
        assert [(child.tag.name, child.text()) for child in answer.root] == [("Status", str(refused))]
    # It is not provisioned by that; once it complies it is.
    assert policy_of(strict.post("Provision", policy_request(key, "1"))).child_text(Provision.Status) == "1"


@pytest.mark.parametrize(
    ("device", "status", "said"),
    [
        ("PHONE1", "2", "applied in part"),
        ("STRICT", "2", "applied in part"),
        ("STRICT", "4", "managed by somebody else"),
    ],
)
@pytest.mark.parametrize("version", THREE)
def test_what_a_device_says_of_its_policy_is_shown(
    new_phone: MakePhone, manage: Manage, version: str, device: str, status: str, said: str
) -> None:
    """Whether it is let in so or refused for it."""
    phone = new_phone(version, device=device)
    phone.policy_key = 0
    key = policy_of(phone.post("Provision", policy_request())).child_text(Provision.PolicyKey)
    answer = phone.post("Provision", policy_request(key, status))
    shown = json.loads(manage("show", phone.user, device, "--json"))
    if device == "STRICT":
        assert (shown["policy"], shown["compliance"], shown["refused"]) == ("strict", "not yet", said)
        phone.provision()
    else:
        assert (shown["policy"], shown["compliance"], shown["refused"]) == ("default", said, None)
        phone.policy_key = int(policy_of(answer).child_text(Provision.PolicyKey) or 0)
    assert told(phone, folder_sync(phone)) == 1
    assert json.loads(manage("show", phone.user, device, "--json"))["refused"] is None


def test_a_policy_that_changes_is_handed_out_anew(
    shared_gateway: Gateway, new_phone: MakePhone, dovecot: Dovecot
) -> None:
    """And nothing is synchronised again because of it."""
    phones = [new_phone(version, device=f"SHORT{version[:2]}") for version in THREE]
    inboxes = []
    for phone in phones:
        phone.user += f"-{phone.version}"
        dovecot.deliver(phone.user, messages.plain("known"))
        phone.provision()
        inboxes.append(phone.folders()["Inbox"])
        phone.begin(inboxes[-1])
        assert len(phone.sync(inboxes[-1]).added) == 1
    config = shared_gateway.config.read_text()
    assert "MinDevicePasswordLength = 4" in config
    shared_gateway.config.write_text(
        config.replace("MinDevicePasswordLength = 4", "MinDevicePasswordLength = 5")
    )
    try:
        shared_gateway.restart()
        for phone, inbox in zip(phones, inboxes, strict=True):
            refused = phone.post_sync(phone.collection(inbox))
            if phone.number < 14:
                assert refused.code == 449
            else:
                assert refused.root.child_text(AirSync.Status) == "143"
            data = policy_of(phone.post("Provision", policy_request())).find(Provision.Data)
            assert data is not None
            assert data.children[0].child_text(Provision.MinDevicePasswordLength) == "5"
            phone.provision()
            dovecot.deliver(phone.user, messages.plain("new"))
            (mail,) = phone.sync(inbox).added.values()
            assert mail.child_text(Email.Subject) == "new"
    finally:
        shared_gateway.config.write_text(config)
        shared_gateway.restart()


# --- access ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", THREE)
def test_blocked_and_allowed_again(
    shared_gateway: Gateway, new_phone: MakePhone, manage: Manage, version: str
) -> None:
    phone = new_phone(version)
    phone.provision()
    manage("block", phone.user, phone.device)
    assert told(phone, folder_sync(phone)) == (403 if phone.number < 14 else 129)
    manage("allow", phone.user, phone.device)
    assert told(phone, folder_sync(phone)) == 1  # with the key it had


@pytest.mark.parametrize("version", THREE)
def test_a_third_device_is_one_too_many(new_phone: MakePhone, manage: Manage, version: str) -> None:
    for name in ("A", "B"):
        new_phone(version, device=name).provision()
    third = new_phone(version, device="C")
    third.policy_key = 0
    answer = third.post("Provision", policy_request())
    status = {"12.1": 403, "14.1": 177, "16.1": 177}[version]
    assert (
        answer.code if third.number < 14 else int(answer.root.child_text(Provision.Status) or 0)
    ) == status
    manage("remove", third.user, "A")
    third.provision()


def test_of_devices_that_come_at_once_no_more_get_in_than_there_is_room_for(new_phone: MakePhone) -> None:
    """All have begun when the first is done: there was room for each of them then."""
    phones = [new_phone(device=f"D{number}") for number in range(4)]
    for phone in phones:
        phone.policy_key = 0
    keys = [
        policy_of(phone.post("Provision", policy_request())).child_text(Provision.PolicyKey)
        for phone in phones
    ]
    with ThreadPoolExecutor(len(phones)) as together:
        answers = together.map(
            lambda phone, key: phone.post("Provision", policy_request(key, "1")), phones, keys
        )
        assert sorted(answer.root.child_text(Provision.Status) for answer in answers) == [
            "1",
            "1",
            "177",
            "177",
        ]


@pytest.mark.parametrize("version", ["12.1", "16.1"])
def test_devices_that_need_no_policy_are_counted_too(new_phone: MakePhone, version: str) -> None:
    phones = [new_phone(version, device=f"LAX{number}") for number in range(3)]
    assert [told(phone, folder_sync(phone)) for phone in phones] == [1, 1, 403 if version == "12.1" else 177]


def test_a_waiting_device_learns_at_once_that_it_is_blocked(new_phone: MakePhone, manage: Manage) -> None:
    phone = new_phone("16.1")
    phone.provision()
    inbox = phone.folders()["Inbox"]
    watched = element(Ping.Folder, element(Ping.Id, inbox), element(Ping.Class, "Email"))
    request = element(Ping.Ping, element(Ping.HeartbeatInterval, 50), element(Ping.Folders, watched))
    answers: list[Answer] = []
    waiting = threading.Thread(target=lambda: answers.append(phone.post("Ping", request)))
    waiting.start()
    manage("block", phone.user, phone.device)
    waiting.join(45)
    assert answers, "the Ping was held on"
    again = phone.post("Ping", request)
    assert again.root.child_text(Ping.Status) == "129"


@pytest.mark.parametrize("version", ["2.5", *THREE])
def test_in_quarantine_there_is_one_message_until_it_is_over(
    new_phone: MakePhone, manage: Manage, dovecot: Dovecot, version: str
) -> None:
    phone = new_phone(version)
    dovecot.deliver(phone.user, messages.plain("the secret plan"))
    manage("quarantine", phone.user, phone.device)
    phone.provision()
    folders = phone.folders()
    assert {"Inbox", "Outbox", "Calendar"} <= set(folders)
    inbox = folders["Inbox"]
    phone.begin(inbox)
    served = phone.sync(inbox)
    (data,) = served.added.values()
    assert "waiting" in (data.child_text(Email.Subject) or "")
    body = data.find(AirSyncBase.Body)
    text = data.child_text(Email.Body) if body is None else body.child_text(AirSyncBase.Data)
    assert phone.device in (text or "")
    assert "Ask Ann." in (text or "")
    refused = phone.post("GetItemEstimate", element(GetItemEstimate.GetItemEstimate))
    status = refused.code if phone.number < 14 else refused.root.child_text(GetItemEstimate.Status)
    assert status in {403, "129"}
    manage("allow", phone.user, phone.device)
    # It is out of step, and begins anew with what there is.
    request = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, "quarantine.1"))
    assert phone.post("FolderSync", request).root.child_text(FolderHierarchy.Status) == "9"
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    (data,) = phone.sync(inbox).added.values()
    assert data.child_text(Email.Subject) == "the secret plan"


@pytest.mark.parametrize("version", ["12.1", "16.1"])
def test_in_quarantine_nothing_is_changed_and_nothing_lost(
    new_phone: MakePhone, manage: Manage, version: str
) -> None:
    phone = new_phone(version)
    phone.provision()
    inbox = phone.folders()["Inbox"]
    manage("quarantine", phone.user, phone.device)
    # It learns that it does not know its folders, whatever it watches.
    watched = element(Ping.Folder, element(Ping.Id, inbox), element(Ping.Class, "Email"))
    request = element(Ping.Ping, element(Ping.HeartbeatInterval, 50), element(Ping.Folders, watched))
    assert phone.post("Ping", request).root.child_text(Ping.Status) == "7"
    calendar = phone.folders()["Calendar"]
    phone.classes[calendar] = "Calendar"
    phone.begin(calendar)
    assert phone.sync(calendar, commands(add("c1", element(Calendar.Subject, "mine")))).status == "5"
    about = element(Settings.DeviceInformation, element(Settings.Set, element(Settings.Model, "M")))
    served = phone.post("Settings", element(Settings.Settings, about))
    assert served.root.child_text(Settings.Status) == "1"
    oof = element(Settings.Oof, element(Settings.Get, element(Settings.BodyType, "Text")))
    refused = phone.post("Settings", element(Settings.Settings, oof))
    assert (refused.code if phone.number < 14 else refused.root.child_text(Settings.Status)) in {403, "129"}


@pytest.mark.parametrize("version", ["12.1", "16.1"])
def test_a_device_begun_anew_gets_everything_again(
    new_phone: MakePhone, manage: Manage, dovecot: Dovecot, version: str
) -> None:
    phone = new_phone(version)
    phone.provision()
    root = phone.folder_sync()
    hierarchy = root.child_text(FolderHierarchy.SyncKey) or ""
    folders = phone.folders()
    chosen = {folders["Inbox"]: "Email", folders["Calendar"]: "Calendar", folders["Contacts"]: "Contacts"}
    phone.classes |= chosen
    dovecot.deliver(phone.user, messages.plain("here"))
    for folder in chosen:
        phone.begin(folder)
    assert len(phone.sync(folders["Inbox"]).added) == 1
    watched = [
        element(Ping.Folder, element(Ping.Id, name), element(Ping.Class, kind))
        for name, kind in chosen.items()
    ]
    request = element(Ping.Ping, element(Ping.HeartbeatInterval, 50), element(Ping.Folders, *watched))
    answers: list[Answer] = []
    waiting = threading.Thread(target=lambda: answers.append(phone.post("Ping", request, seconds=55)))
    waiting.start()
    manage("resync", phone.user, phone.device)
    waiting.join(45)
    assert answers, "the Ping was held on"
    # The Ping says it, and every key is one of nobody.
    assert phone.post("Ping", request).root.child_text(Ping.Status) == "7"
    assert phone.folder_sync(hierarchy).child_text(FolderHierarchy.Status) == "9"
    for folder in chosen:
        assert phone.sync(folder).status == "3"
    assert phone.folders() == folders
    for folder in chosen:
        phone.begin(folder)
    assert len(phone.sync(folders["Inbox"]).added) == 1


def test_a_device_of_before_the_quarantine_begins_anew(new_phone: MakePhone, manage: Manage) -> None:
    phone = new_phone("16.1")
    phone.provision()
    key = phone.folder_sync().child_text(FolderHierarchy.SyncKey) or ""
    manage("quarantine", phone.user, phone.device)
    assert phone.folder_sync(key).child_text(FolderHierarchy.Status) == "9"
    assert phone.folder_sync("0").child_text(FolderHierarchy.Status) == "1"
    manage("undecide", phone.user, phone.device)
    assert phone.folder_sync(key).child_text(FolderHierarchy.Status) == "1"


# --- wiping ------------------------------------------------------------------------------------------------


def wipe_report(tag: str, status: str) -> Element:
    kind = getattr(Provision, tag)
    return element(Provision.Provision, element(kind, element(Provision.Status, status)))


@pytest.mark.parametrize(
    ("version", "tag"),
    [("2.5", "RemoteWipe"), *((each, "RemoteWipe") for each in THREE), ("16.1", "AccountOnlyRemoteWipe")],
)
def test_a_wipe_from_the_order_to_the_message(
    new_phone: MakePhone, manage: Manage, dovecot: Dovecot, version: str, tag: str
) -> None:
    phone = new_phone(version, packed=version == "14.1")
    phone.provision()
    options = ["--account-only"] if tag.startswith("Account") else []
    manage("wipe", phone.user, phone.device, "--yes", *options)
    assert told(phone, folder_sync(phone)) == (449 if phone.number < 14 else 140)
    if phone.number >= 14:
        settings = element(Settings.Settings, element(Settings.UserInformation, element(Settings.Get)))
        assert phone.post("Settings", settings).root.child_text(Settings.Status) == "140"
    for request in (element(Provision.Provision), policy_request()):
        root = phone.post("Provision", request).root
        assert names(root) == ["Status", tag]
        assert root.child_text(Provision.Status) == "1"
    # It fails, and is asked again.
    root = phone.post("Provision", wipe_report(tag, "2")).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "2"), (tag, "")]
    assert names(phone.post("Provision", element(Provision.Provision)).root) == ["Status", tag]
    for _ in range(2):  # the answer to the first was lost
        root = phone.post("Provision", wipe_report(tag, "1")).root
        assert [(child.tag.name, child.text()) for child in root] == [("Status", "1")]
    assert told(phone, folder_sync(phone)) == (403 if phone.number < 14 else 129)
    with dovecot.imap(phone.user) as client:
        client.select("INBOX")
        _, found = client.search(None, "SUBJECT", "deleted")
        assert len(found[0].split()) == 1
    # Cleared, it may come again, from the beginning.
    manage("remove", phone.user, phone.device)
    phone.provision()
    assert told(phone, folder_sync(phone)) == 1


def test_a_device_that_is_wiped_is_let_do_nothing_more(new_phone: MakePhone, manage: Manage) -> None:
    """Also when somebody sets up the account anew on it."""
    phone = new_phone("16.1")
    phone.provision()
    manage("wipe", phone.user, phone.device, "--yes")
    phone.post("Provision", wipe_report("RemoteWipe", "1"))
    for request in (policy_request(), element(Provision.Provision)):
        root = phone.post("Provision", request).root
        assert [(child.tag.name, child.text()) for child in root] == [("Status", "129")]


@pytest.mark.parametrize("version", ["12.1", "14.1"])
def test_no_older_version_evades_the_wipe_of_an_account(
    new_phone: MakePhone, manage: Manage, version: str
) -> None:
    phone = new_phone("16.1")
    phone.provision()
    manage("wipe", phone.user, phone.device, "--account-only", "--yes")
    phone.version = version
    assert told(phone, folder_sync(phone)) == (403 if phone.number < 14 else 129)
    phone.version = "16.1"
    assert told(phone, folder_sync(phone)) == 140


def test_before_14_0_a_device_without_a_key_is_told_of_a_wipe_by_403(
    new_phone: MakePhone, manage: Manage
) -> None:
    phone = new_phone("12.1", device="LAX")
    assert told(phone, folder_sync(phone)) == 1
    manage("wipe", phone.user, phone.device, "--yes")
    assert folder_sync(phone).code == 403
    assert phone.post("Ping", element(Ping.Ping)).code == 449
    phone.policy_key = 0
    assert folder_sync(phone).code == 449


@pytest.mark.parametrize("version", THREE)
def test_a_wipe_that_is_taken_back(new_phone: MakePhone, manage: Manage, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    manage("wipe", phone.user, phone.device, "--yes")
    assert told(phone, folder_sync(phone)) != 1
    manage("unwipe", phone.user, phone.device)
    assert told(phone, folder_sync(phone)) == 1
    assert names(phone.post("Provision", element(Provision.Provision)).root) == ["Status"]


def test_nobody_else_can_have_a_device_wiped(new_phone: MakePhone) -> None:
    """What a device says of a wipe nobody asked for changes nothing."""
    phone = new_phone("16.1")
    phone.provision()
    for status in ("1", "2"):
        root = phone.post("Provision", wipe_report("RemoteWipe", status)).root
        assert root.child_text(Provision.Status) == "1"
        assert "RemoteWipe" not in names(root)
    assert told(phone, folder_sync(phone)) == 1
