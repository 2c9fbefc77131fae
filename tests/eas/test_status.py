"""How failures are told, over every command, kind and version."""

from __future__ import annotations

import pytest

from gateway.eas.request import COMMAND_CODES
from gateway.eas.status import RETRY_AFTER, HttpAnswer, Level, StatusAnswer, answer, retry_after, value
from gateway.eas.versions import Version
from gateway.errors import Kind, StoreUnavailable, UpstreamUnavailable
from wbxml import element
from wbxml.pages import AirSync, ComposeMail, FolderHierarchy, MeetingResponse, Ping, Settings

V = Version
COMMANDS = tuple(COMMAND_CODES.values())
HTTP_ERRORS = {200, 400, 403, 449, 500, 501, 503, 505, 507}


def test_devices_come_soon_and_not_all_at_once_when_the_store_was_away() -> None:
    waits = {retry_after(StoreUnavailable("no connection")) for _ in range(200)}
    assert min(waits) >= 5
    assert max(waits) <= 15
    assert len(waits) > 5
    assert retry_after(UpstreamUnavailable("no connection")) == RETRY_AFTER


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_kind_has_an_answer_the_version_knows(command: str, version: Version) -> None:
    for kind in Kind:
        found = answer(command, kind, version)
        if isinstance(found, HttpAnswer):
            assert found.code in HTTP_ERRORS
        else:
            assert found.value > 1
            assert found.value < 101 or version.body_status
            assert found.value < 164 or version >= V.V14_1
            told = element(found.status, str(found.value))
            inside = element(MeetingResponse.Result, told) if command == "MeetingResponse" else told
            assert found.document() == element(found.root, inside)


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_part_has_a_status_of_one_byte(command: str, level: Level, version: Version) -> None:
    for kind in Kind:
        found = value(command, level, kind, version)
        assert 1 <= found <= 184
        assert found < 164 or version >= V.V14_1


@pytest.mark.parametrize("kind", Kind)
def test_without_command_or_version_the_http_code_tells(kind: Kind) -> None:
    for found in (answer(None, kind, V.V16_1), answer("Sync", kind, None), answer(None, kind, None)):
        assert isinstance(found, HttpAnswer)


@pytest.mark.parametrize(
    ("command", "kind", "version", "expected"),
    [
        # Common codes in the root element from 14.0, HTTP codes before.
        ("Sync", Kind.INVALID_POLICY_KEY, V.V16_1, (AirSync.Sync, AirSync.Status, 144)),
        ("Sync", Kind.INVALID_POLICY_KEY, V.V12_1, 449),
        (
            "FolderSync",
            Kind.DEVICE_NOT_PROVISIONED,
            V.V14_0,
            (FolderHierarchy.FolderSync, FolderHierarchy.Status, 142),
        ),
        ("FolderSync", Kind.DEVICE_NOT_PROVISIONED, V.V12_0, 449),
        ("Sync", Kind.INVALID_WBXML, V.V14_1, (AirSync.Sync, AirSync.Status, 102)),
        ("Sync", Kind.INVALID_WBXML, V.V12_1, 400),
        ("Sync", Kind.USER_DISABLED, V.V12_1, 403),
        ("Sync", Kind.MAILBOX_QUOTA_EXCEEDED, V.V12_1, 507),
        ("Sync", Kind.COMMAND_NOT_SUPPORTED, V.V12_1, 501),
        ("SendMail", Kind.NO_RECIPIENT, V.V16_1, (ComposeMail.SendMail, ComposeMail.Status, 119)),
        ("SendMail", Kind.INVALID_IDS, V.V12_1, 500),
        ("SendMail", Kind.PREVIOUSLY_SENT, V.V12_1, 200),
        ("SmartReply", Kind.ITEM_NOT_FOUND, V.V16_1, (ComposeMail.SmartReply, ComposeMail.Status, 150)),
        ("SmartReply", Kind.ITEM_NOT_FOUND, V.V12_1, 500),
        ("Provision", Kind.SYNC_STATE_NOT_FOUND, V.V12_1, 500),
        # A command's own values hold in every version.
        ("Sync", Kind.INVALID_XML, V.V16_1, (AirSync.Sync, AirSync.Status, 4)),
        ("Sync", Kind.INVALID_XML, V.V12_1, (AirSync.Sync, AirSync.Status, 4)),
        ("Sync", Kind.INVALID_STORED_REQUEST, V.V14_1, (AirSync.Sync, AirSync.Status, 13)),
        (
            "FolderSync",
            Kind.SYNC_STATE_NOT_FOUND,
            V.V12_1,
            (FolderHierarchy.FolderSync, FolderHierarchy.Status, 9),
        ),
        ("Ping", Kind.INVALID_STORED_REQUEST, V.V16_1, (Ping.Ping, Ping.Status, 3)),
        ("Settings", Kind.INVALID_XML, V.V12_1, (Settings.Settings, Settings.Status, 2)),
        # 14.0 does not know the codes of 14.1.
        ("Sync", Kind.BODY_PART_TYPE, V.V14_1, (AirSync.Sync, AirSync.Status, 164)),
        ("Sync", Kind.BODY_PART_TYPE, V.V14_0, (AirSync.Sync, AirSync.Status, 103)),
        # What passes is told by a 503 wherever a Status would make a phone try again at once.
        ("Sync", Kind.MAILBOX_OFFLINE, V.V16_1, 503),
        ("Ping", Kind.SERVER_ERROR_RETRY, V.V16_1, 503),
        # No document, no Status.
        ("GetAttachment", Kind.VERSION_NOT_SUPPORTED, V.V14_1, 400),
        ("GetAttachment", Kind.ITEM_NOT_FOUND, V.V12_1, 500),
    ],
)
def test_answers(command: str, kind: Kind, version: Version, expected: object) -> None:
    found = answer(command, kind, version)
    if isinstance(found, StatusAnswer):
        assert (found.root, found.status, found.value) == expected
    else:
        assert found.code == expected


@pytest.mark.parametrize(
    ("command", "level", "kind", "expected"),
    [
        ("Sync", Level.COLLECTION, Kind.SYNC_STATE_NOT_FOUND, 3),
        ("Sync", Level.COLLECTION, Kind.ITEM_NOT_FOUND, 12),
        ("Sync", Level.COLLECTION, Kind.SERVER_ERROR, 5),
        ("Sync", Level.ITEM, Kind.ITEM_NOT_FOUND, 8),
        ("Sync", Level.ITEM, Kind.INVALID_XML, 6),
        ("ItemOperations", Level.ITEM, Kind.ITEM_NOT_FOUND, 6),
        ("ItemOperations", Level.ITEM, Kind.TOO_LARGE, 11),
        ("MoveItems", Level.ITEM, Kind.ITEM_NOT_FOUND, 1),
        ("MeetingResponse", Level.ITEM, Kind.SERVER_ERROR, 4),
    ],
)
def test_parts(command: str, level: Level, kind: Kind, expected: int) -> None:
    assert {value(command, level, kind, version) for version in Version} == {expected}


def test_a_part_without_own_value_takes_the_common_one_or_the_commands_failure() -> None:
    assert value("Sync", Level.ITEM, Kind.INVALID_POLICY_KEY, V.V16_1) == 144
    assert value("Sync", Level.ITEM, Kind.INVALID_POLICY_KEY, V.V12_1) == 5
