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
    "DEAD_SERIES",
    "EXTERNAL_LINKS",
    "FILE_ID",
    "FILE_INLINE",
    "FILE_NUMBER",
    "FILE_SCHEME",
    "IMPORTANCE",
    "LOCATIONS",
    "MESSAGE_CLASS",
    "NOTED_FOR",
    "NO_COUNTER",
    "OCCURRENCES",
    "OFFSET",
    "ORDINAL",
    "OWN",
    "PROPOSED",
    "REGENERATES",
    "REPLIED",
    "REPLY_TIME",
    "RESPONSE",
    "RESPONSE_REQUESTED",
    "SELF_TOLD",
    "SERIES",
    "SUB_ORDINAL",
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

OFFSET = f"{OWN}OFFSET"
"""Parameter of the dates of a task: how far its clock is from UTC, where that is not the users' zone."""
IMPORTANCE = f"{OWN}IMPORTANCE"
"""The importance of a task beyond what PRIORITY can say."""
REGENERATES = f"{OWN}REGENERATES"
"""The rule counts from when the task was done."""
SERIES = f"{OWN}SERIES"
"""Where a series of tasks began, by the clock, when the task stands at a later occurrence."""
OCCURRENCES = f"{OWN}OCCURRENCES"
"""Its parameters: how many it has from there on,"""
NOTED_FOR = f"{OWN}NOTED-FOR"
"""and the date and the rule of which that is true: with others it is out of date."""
DEAD_SERIES = f"{OWN}DEAD-SERIES"
"""The rule of the series that a task was an occurrence of; its parameter SERIES says where that began."""
ORDINAL = f"{OWN}ORDINAL"
SUB_ORDINAL = f"{OWN}SUB-ORDINAL"
MESSAGE_CLASS = f"{OWN}MESSAGE-CLASS"
"""The class of a note, when it is not that of every note."""
