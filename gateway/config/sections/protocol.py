"""What phones are given over the protocol: bounds, calendars, certificates, the way to the server."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gateway.config.sections.section import Section
from gateway.config.values import (
    File,
    Host,
    Moved,
    Reachable,
    TimeZone,
    words,
)


class EasSection(Section):
    """Bounds that requests are held to."""

    heartbeat_min: Annotated[int, Field(ge=1, le=3540)] = 60
    """Fewest seconds a phone may ask the server to hold a request."""
    heartbeat_max: Annotated[int, Field(ge=1, le=3540)] = 3540
    """Most seconds a phone may ask the server to hold a request."""
    max_ping_folders: Annotated[int, Field(ge=1, le=5000)] = 1000
    """Most folders one Ping may watch."""
    max_collections: Annotated[int, Field(ge=1, le=5000)] = 1000
    """Most collections one Sync may hold."""
    max_body: Annotated[int, Field(ge=65536, le=1 << 30)] = 50 * 1024 * 1024
    """Most bytes of a request, both as sent and with its compression undone."""
    max_elements: Annotated[int, Field(ge=1000)] = 200_000
    """Most elements of a request."""
    max_depth: Annotated[int, Field(ge=16, le=1000)] = 32
    """Most elements of a request inside each other."""
    notify_all: bool = False
    """Whether changed and deleted messages end the wait of a phone too, and not new ones alone."""
    duplicate_window: Annotated[int, Field(ge=60)] = 86400
    """Seconds for which a message sent is remembered, so that it is not sent again."""
    search_seconds: Annotated[float, Field(ge=1, le=300)] = 20
    """Seconds one search may take; what was found by then is answered."""
    search_results: Annotated[int, Field(ge=100, le=10000)] = 1000
    """Most messages one search finds, the newest ones."""
    sms_mailbox: Annotated[str, Field(max_length=100)] = ""
    """Mailbox in which text messages that phones upload are kept; without a name they are refused."""
    recipients: bool = True
    """Whether the addresses a user writes to are noted, for his phones to propose (since 14.0)."""


class BrakesSection(Section):
    """How much a device may ask before it is slowed; 0: without bound."""

    device_burst: Annotated[int, Field(ge=0)] = 200_000
    """Requests of a device at once; those refused count as ten."""
    device_per_hour: Annotated[int, Field(ge=0)] = 3_600
    """Requests it may make again in each hour, once these are used up."""
    user_burst: Annotated[int, Field(ge=0)] = 500_000
    """Requests of all devices of a user at once."""
    user_per_hour: Annotated[int, Field(ge=0)] = 18_000
    """Requests they may make again in each hour."""
    loop_turns: Annotated[int, Field(ge=0)] = 60
    """Repetitions of the same Ping or Sync, at once and to no effect, after which a device is put off,"""
    loop_seconds: Annotated[int, Field(ge=0)] = 300
    """if it goes on for so long."""


class CalendarSection(Section):
    """Calendars and meetings."""

    invitations: Literal["tentative", "ignore"] = "tentative"
    """Whether an invitation in the INBOX becomes a tentative event at once, or one when it is answered."""
    timezone: TimeZone = "UTC"
    """Zone of the users (a name of IANA), for whole days and times that nobody said a zone of."""
    retry_days: Annotated[float, Field(gt=0, le=100)] = 5
    """Days after which an invitation that the SMTP server goes on refusing for the moment is given up."""
    free_busy: Literal["domain", "all", "none"] = "domain"
    """Which users of the gateway see when a user is busy, and not with what: those of his mail domain."""


class AutodiscoverSection(Section):
    """How phones and mail programs find the servers of an address."""

    imap: Reachable = ""
    """Where mail programs reach the IMAP server: imap.example.com:993. Left out: as the gateway does."""
    smtp: Reachable = ""
    """Where they reach the SMTP server: smtp.example.com:465. Left out: as the gateway does."""
    moved: Annotated[tuple[Moved, ...], BeforeValidator(words)] = ()
    """Domains whose users have other addresses by now, each as old.example=new.example."""


class CertificatesSection(Section):
    """Checking the certificates of signed and encrypted mail, for phones that ask for it."""

    ca_file: File | None = None
    """Certificates of the authorities to trust (PEM) instead of the system's."""
    revocation: bool = True
    """Whether the servers that certificates name are asked about revocation."""
    hosts: Annotated[tuple[Host, ...], BeforeValidator(words)] = ()
    """Names of such servers that may be asked in private networks, and at any port."""
    timeout: Annotated[float, Field(gt=0, le=20)] = 5
    """Seconds to wait for one of them."""
