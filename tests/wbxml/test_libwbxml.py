"""The code pages against those of libwbxml, an implementation by others."""

from __future__ import annotations

import subprocess

from lxml import etree

from tests.wbxml.vectors import VECTORS
from wbxml.pages import PAGES, lookup
from wbxml.tokens import FIRST_TAG, LAST_TAG

PAGE_NAMES = {16: "Gal"}

_RECURRENCE = "Type Until Occurrences Interval DayOfWeek DayOfMonth WeekOfMonth MonthOfYear"
_ADDRESS = "City Country PostalCode State Street"

NAMES = {
    # Contacts
    **{
        f"Contacts:{kind}Address{part}": f"{kind}{part}"
        for kind in ("Business", "Home", "Other")
        for part in _ADDRESS.split()
    },
    "Contacts:AssistantPhoneNumber": "AssistantTelephoneNumber",
    # Email
    **{f"Email:{name}": f"Recurrence_{name}" for name in _RECURRENCE.split()},
    "Email:AttOid": "AttOId",
    "Email:DtStamp": "DTStamp",
    "Email:ReplyTo": "Reply-To",
    "Email:Status": "FlagStatus",
    # Calendar
    **{f"Calendar:{name}": f"Recurrence_{name}" for name in _RECURRENCE.split()},
    "Calendar:AttendeeStatus": "Attendee_Status",
    "Calendar:AttendeeType": "Attendee_Type",
    "Calendar:CompressedRTF": "Compressed_RTF",
    "Calendar:Deleted": "Exception_Deleted",
    "Calendar:DtStamp": "DTStamp",
    "Calendar:Email": "Attendee_Email",
    "Calendar:ExceptionStartTime": "Exception_StartTime",
    "Calendar:Name": "Attendee_Name",
    "Calendar:OrganizerEmail": "Organizer_Email",
    "Calendar:OrganizerName": "Organizer_Name",
    "Calendar:Timezone": "TimeZone",
    # Tasks
    **{f"Tasks:{name}": f"Recurrence_{name}" for name in _RECURRENCE.split()},
    "Tasks:DeadOccur": "Recurrence_DeadOccur",
    "Tasks:Regenerate": "Recurrence_Regenerate",
    "Tasks:Start": "Recurrence_Start",
    "Tasks:UtcDueDate": "UTCDueDate",
    "Tasks:UtcStartDate": "UTCStartDate",
    # others
    "ComposeMail:Email": "ForwardeeEmail",
    "ComposeMail:Mime": "MIME",
    "ComposeMail:Name": "ForwardeeName",
    "Provision:RequireStorageCardEncryption": "DeviceEncryptionEnabled",
    "RightsManagement:Owner": "RMOwner",
    "RightsManagement:RemoveRightsManagementProtection": "RemoveRightsManagementDistribution",
    "Settings:RightsManagementInformation": "ihsManagementInformation",  # a slip of libwbxml
    "Settings:SMTPAddress": "SmtpAddress",
}
"""Same token, same meaning, another spelling."""

MISSING = {
    *(f"Calendar:{name}" for name in ["Attachment", "Attachments", "AttName", "AttSize", "AttOid"]),
    *(f"Calendar:{name}" for name in ["AttMethod", "AttRemoved", "DisplayName"]),
    "ComposeMail:Type",
    "MeetingResponse:ProposedStartTime",
    "MeetingResponse:ProposedEndTime",
    "Provision:AccountOnlyRemoteWipe",
    "Search:Stores",
    *(f"Find:{tag.name}" for tag in PAGES[25].tokens.values()),
}
"""Tags that libwbxml, or the release of it in some Debian, does not know."""


def _xml_of_libwbxml(document: bytes) -> etree._Element:
    command = ["wbxml2xml", "-l", "ACTIVESYNC", "-m", "0", "-k", "-o", "-", "-"]
    done = subprocess.run(command, input=document, capture_output=True, check=True, timeout=30)
    return etree.fromstring(done.stdout)


def _read_by_libwbxml() -> dict[tuple[int, int], tuple[str, str] | None]:
    """Return page name and tag name of every possible token, None for one libwbxml does not know."""
    tokens = range(FIRST_TAG, LAST_TAG + 1)
    body = b"".join(bytes([0x00, page, *tokens]) for page in PAGES)
    names = [etree.QName(child) for child in _xml_of_libwbxml(b"\x03\x01\x6a\x00\x45" + body + b"\x01")]
    places = [(page, token) for page in PAGES for token in tokens]
    return {
        place: None if name.localname == "unknown" else ((name.namespace or "").rstrip(":"), name.localname)
        for place, name in zip(places, names, strict=True)
    }


def test_every_token_of_every_page() -> None:
    differences = {}
    for (page, token), theirs in _read_by_libwbxml().items():
        ours = lookup(page, token)
        expected = None
        if ours is not None and not (theirs is None and repr(ours) in MISSING):
            expected = PAGE_NAMES.get(page, ours.namespace), NAMES.get(repr(ours), ours.name)
        if theirs != expected:
            differences[page, hex(token)] = (ours, theirs)
    assert differences == {}


def test_the_list_of_differences_is_not_too_long() -> None:
    known = {repr(tag) for page in PAGES.values() for tag in page.tokens.values()}
    assert known >= MISSING | NAMES.keys()
    assert not MISSING & NAMES.keys()
    assert all(spelling != name.partition(":")[2] for name, spelling in NAMES.items())


def test_libwbxml_reads_our_documents() -> None:
    for vector in VECTORS:
        read = _xml_of_libwbxml(vector.wire)
        theirs = [
            (etree.QName(node).localname.lower(), (node.text or "").strip()) for node in read.iter("{*}*")
        ]
        ours = [
            (node.tag.name.lower(), "" if node.tag.opaque else node.text()) for node in vector.tree.iter()
        ]
        if vector.name.startswith("SendMail"):
            theirs = [(name, "" if name == "mime" else text) for name, text in theirs]
        assert theirs == ours, vector.name
