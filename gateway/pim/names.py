"""Names of what iCalendar itself has no property for: those that Outlook and others use, else our own."""

from __future__ import annotations

__all__ = [
    "ALT_DESC",
    "APPLE_LOCATION",
    "BLOB",
    "BLOB_ZONE",
    "BUSY",
    "CALENDAR_TYPE",
    "CONFERENCE_LINK",
    "EXTERNAL_LINKS",
    "FILE_ID",
    "FILE_INLINE",
    "FILE_NUMBER",
    "FILE_SCHEME",
    "LOCATIONS",
    "NO_COUNTER",
    "OWN",
    "PROPOSED",
    "REPLIED",
    "REPLY_TIME",
    "RESPONSE",
    "RESPONSE_REQUESTED",
    "SELF_TOLD",
]

OWN = "X-ACTIVESYNC-"
"""What begins so is the gateway's own, and is believed only in texts of the store."""

ALT_DESC = "X-ALT-DESC"
"""The description in HTML."""
LOCATIONS = "X-MICROSOFT-LOCATIONS"
"""A JSON list of places."""
APPLE_LOCATION = "X-APPLE-STRUCTURED-LOCATION"
BUSY = "X-MICROSOFT-CDO-BUSYSTATUS"
REPLY_TIME = "X-MICROSOFT-CDO-REPLYTIME"
NO_COUNTER = "X-MICROSOFT-DISALLOW-COUNTER"
CONFERENCE_LINK = "X-MICROSOFT-ONLINEMEETINGCONFLINK"
EXTERNAL_LINKS = (
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-GOOGLE-CONFERENCE",
    "CONFERENCE",
)
"""Where one can join, the first of them that is there; CONFERENCE is that of RFC 7986."""

BLOB = f"{OWN}TIMEZONE"
"""The time zone as the phone sent it."""
BLOB_ZONE = f"{OWN}TZID"
"""Its parameter: the TZID it was taken for; with another one it is out of date."""
CALENDAR_TYPE = f"{OWN}CALENDARTYPE"
"""The calendar by which the rule counts, as a phone numbers them."""
RESPONSE = f"{OWN}RESPONSE"
"""The answer of a user who is not among the attendees, in the words of PARTSTAT."""
RESPONSE_REQUESTED = f"{OWN}RESPONSE-REQUESTED"
SELF_TOLD = f"{OWN}SELF-TOLD"
"""How many changes there were since SEQUENCE was raised of which devices told people by themselves."""

FILE_SCHEME = "x-activesync-file"
"""URIs of ATTACH that name a file of the store by its number."""
FILE_NUMBER = "MANAGED-ID"
"""Parameters of ATTACH: this one and FILENAME, SIZE and FMTTYPE are those of RFC 8607."""
FILE_ID = f"{OWN}CONTENT-ID"
FILE_INLINE = f"{OWN}INLINE"

PROPOSED = f"{OWN}PROPOSED"
"""Parameters of ATTENDEE: a period that he would like better,"""
REPLIED = "X-CALENDARSERVER-DTSTAMP"
"""and the DTSTAMP of his newest answer."""
