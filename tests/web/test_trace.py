"""The trace: whom it shows, and that it shows nothing people wrote."""

from __future__ import annotations

import pytest

from gateway.types import DeviceId, UserId
from gateway.web.trace import Trace, redacted
from wbxml import Element, element
from wbxml.pages import PAGES, AirSync, AirSyncBase, ComposeMail, Email, FolderHierarchy, Provision

SECRET = "Grüße an alle 4711"


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
def test_who(traced: list[str], user: str, device: str, wanted: bool) -> None:
    assert Trace(traced).wants(UserId(user), DeviceId(device)) is wanted


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
