"""The trace: whom it shows, and that it shows nothing people wrote."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.eas.request import parse
from gateway.store.sqlite import SqliteState
from gateway.types import DeviceId, UserId
from gateway.web.trace import Trace, redacted
from tests.web.support import Time
from wbxml import Element, element
from wbxml.pages import PAGES, AirSync, AirSyncBase, ComposeMail, Email, FolderHierarchy, Provision

SECRET = "Grüße an alle 4711"


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.mark.parametrize(
    ("traced", "user", "device", "wanted"),
    [
        ([], "jo", "d1", False),
        (["Jo"], "jo", "d1", True),
        (["jo/D1"], "jo", "d1", True),
        (["jo/d2"], "jo", "d1", False),
        (["al", "jo/d2", "jo/d1"], "jo", "d1", True),
        (["jo@x"], "jo", "d1", False),
    ],
)
async def test_who(state: SqliteState, traced: list[str], user: str, device: str, wanted: bool) -> None:
    assert Trace(traced, state, Time()).wants(UserId(user), DeviceId(device)) is wanted


@pytest.mark.parametrize("device", ["", "D1"])
async def test_what_is_asked_for_is_stored_until_it_ends(state: SqliteState, device: str) -> None:
    clock = Time()
    trace, jo = Trace([], state, clock), UserId("jo")
    request = parse(b"Cmd=Sync&User=jo&DeviceId=d1&DeviceType=A", {"ms-asprotocolversion": "16.1"})
    await state.set_trace(jo, DeviceId(device), clock.now() + timedelta(seconds=60))
    assert not trace.wants(jo, request.device_id)
    await trace.refresh()
    assert trace.wants(jo, request.device_id)
    assert trace.wants(jo, DeviceId("d2")) is (device == "")
    assert not trace.wants(UserId("bo"), request.device_id)
    trace.request(jo, request, element(AirSync.Sync, element(Email.Subject, SECRET)), 0)
    trace.reply(jo, request, None, 503, "slowed")
    clock.value += timedelta(seconds=60)
    await trace.refresh()
    assert not trace.wants(jo, request.device_id)
    asked, answered = (json.loads(one.line) for one in await state.read_trace(jo, request.device_id, 0, 9))
    assert (asked["kind"], asked["command"], asked["version"]) == ("request", "Sync", "16.1")
    assert "[18 characters]" in asked["document"]
    assert SECRET not in asked["document"]
    assert answered == {
        "kind": "reply",
        "command": "Sync",
        "version": "16.1",
        "document": None,
        "http": 503,
        "reason": "slowed",
    }


async def test_a_store_that_fails_stops_no_request(state: SqliteState) -> None:
    """It is said once while nothing is lost by it, and each time that something is."""
    clock = Time()
    trace, jo = Trace(["jo"], state, clock), UserId("jo")
    request = parse(b"Cmd=Sync&User=jo&DeviceId=d1&DeviceType=A", {"ms-asprotocolversion": "16.1"})
    await state.set_trace(jo, DeviceId(""), clock.now() + timedelta(seconds=60))
    await trace.refresh()
    await state.aclose()
    with capture_logs() as log:
        for _ in range(3):
            await trace.refresh()
        assert trace.wants(jo, DeviceId("d1"))
        trace.reply(jo, request, None, 503, "")
        await trace.refresh()
    said = [one for one in log if one["event"] == "cannot see who is to be traced"]
    assert [one.get("lost", 0) for one in said] == [0, 1]


def test_the_protocol_is_shown_and_texts_are_not() -> None:
    document = element(
        AirSync.Sync,
        element(AirSync.SyncKey, "{e}.12"),
        element(AirSync.ServerId, "5:17"),
        element(Email.Subject, SECRET),
        element(Email.Read, "1"),
        element(AirSyncBase.Body, element(AirSyncBase.Type, 2), element(AirSyncBase.Data, SECRET)),
        element(ComposeMail.Mime, SECRET.encode()),
        element(FolderHierarchy.DisplayName, SECRET),
        element(Provision.PolicyKey, "4242"),
    )
    shown = redacted(document)
    for text in ("{e}.12", "5:17", ">1<", ">2<", "4242", "[18 characters]", "[20 bytes]"):
        assert text in shown
    assert "4711" not in shown


FREE_TEXT = frozenset(
    [
        "Subject",
        "To",
        "Cc",
        "Bcc",
        "From",
        "Sender",
        "ReplyTo",
        "DisplayTo",
        "Body",
        "Data",
        "Mime",
        "MIMEData",
        "Preview",
        "Location",
        "DisplayName",
        "EmailAddress",
        "FirstName",
        "LastName",
        "Password",
        "UserName",
        "ReplyMessage",
        "FreeText",
        "Query",
        "Value",
        "PhoneNumber",
        "MobilePhoneNumber",
        "Content",
        "IMEI",
        "FriendlyName",
        "ThreadTopic",
        "Category",
        "OrganizerEmail",
        "Picture",
        "Forwardee",
        "Email",
        "Name",
    ]
)


def test_no_tag_that_holds_text_of_people_is_shown() -> None:
    shown = {
        repr(tag)
        for page in PAGES.values()
        for tag in page.tokens.values()
        if tag.name in FREE_TEXT and SECRET in redacted(Element(tag, SECRET))
    }
    # "Mailbox" or "GAL"; the policy.
    assert shown == {"Search:Name", "Provision:Data"}
