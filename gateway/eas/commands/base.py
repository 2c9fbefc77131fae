"""What every command is given and gives back: the contract between the endpoint and the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from enum import Enum, auto
from typing import Protocol

import structlog
from structlog.typing import FilteringBoundLogger

from gateway.eas.addresslist import AddressList
from gateway.eas.admission import Admission
from gateway.eas.ahead import Ahead
from gateway.eas.identity import Identity
from gateway.eas.memberships import LearnedGroups
from gateway.eas.request import EasRequest
from gateway.eas.stubs import Stubs
from gateway.eas.tally import Tally
from gateway.eas.versions import Version
from gateway.ports import Bus, Clock, Filters, Items, NoOthers, Pieces, Spool, State, Submission
from gateway.ports.certificates import Certificates
from gateway.sync.always import AlwaysMoved
from gateway.sync.background import Background
from gateway.sync.copies import SentCopies
from gateway.sync.crowding import Crowding
from gateway.sync.delegates import Delegation
from gateway.sync.editable import EditableMailboxes
from gateway.sync.intake import Intake
from gateway.sync.meetingmail import MeetingMail
from gateway.sync.notices import NoticeMail
from gateway.sync.recipients import Recipients
from gateway.sync.searches import Searches
from gateway.sync.taken import Taken
from gateway.sync.verbs import VerbMarks
from gateway.sync.waiter import Signal
from gateway.types import Device, DeviceId, Principal
from wbxml import Element, Tag

__all__ = [
    "ALL_DEVICES",
    "DEVICE_LEASE",
    "MOST_SENDING",
    "BodyRule",
    "Command",
    "Context",
    "Limits",
    "Raw",
    "Reply",
    "Services",
]


@dataclass(frozen=True, slots=True)
class Raw:
    """A reply that is not a WBXML document: an attachment, a multipart answer.

    A large body comes in pieces. `close` frees them when they were sent, or when nobody is left to send to.
    """

    content_type: str
    body: bytes | Pieces
    close: Callable[[], None] | None = None


_LONGEST_REASON = 500

MOST_SENDING = 8
"""Messages of one user on their way at a time; a dead SMTP server would have phones pile up more and more."""

DEVICE_LEASE = "device"
"""Name of the lease under which a stored `Device` is read, changed and written."""
ALL_DEVICES = DeviceId("")
"""Under that lease of all devices of a user they are counted; it is taken before that of one."""

Reply = Element | Raw | None
"""What a handler returns; None is the empty 200."""


class BodyRule(Enum):
    """What the request body of a command is."""

    REQUIRED = auto()
    """A WBXML document, always."""
    OPTIONAL = auto()
    """A WBXML document, or nothing: repeat the last request (Sync, Ping)."""
    MIME = auto()
    """The message itself up to 12.1, a WBXML document since."""
    NONE = auto()
    """Nothing; the query says all (GetAttachment)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds a request is held to (section `[eas]`). Heartbeats are in seconds, sizes in octets."""

    heartbeat_min: int = 60
    heartbeat_max: int = 3540
    max_ping_folders: int = 1000
    max_collections: int = 1000
    max_body: int = 50 * 1024 * 1024
    """Of a request body, both as sent and with its compression undone."""
    max_elements: int = 200_000
    max_depth: int = 32
    notify_all: bool = False
    """Whether a change or deletion ends a Ping too, and not new mail alone (MS-ASCMD 3.1.5.8)."""
    duplicate_window: timedelta = timedelta(days=1)
    """How long a message sent is remembered, so that a repeated SendMail is recognised."""
    search_seconds: float = 20
    """How long one search may take; what was found by then is answered."""
    search_results: int = 1000
    """Messages one search finds at most, the newest ones."""
    sms_mailbox: str = ""
    """Mailbox for the text messages that phones upload; "": they are refused."""


@dataclass(frozen=True, slots=True)
class Services:
    """What outlives a request; wired once, in `gateway/app`.

    `release` is the version of this package. `discovery` are the headers that tell versions and commands, for
    the first FolderSync to repeat (MS-ASHTTP 2.2.1.1.2.4).
    """

    state: State
    items: Items
    submission: Submission
    clock: Clock
    limits: Limits
    identity: Identity
    directory: AddressList
    certificates: Certificates
    release: str
    spool: Callable[[], Spool]
    """Makes room for what is too large for memory."""
    discovery: Mapping[str, str] = field(default_factory=dict)
    tentative: bool = True
    """Whether an invitation becomes an event before it is answered."""
    zone: tzinfo = UTC
    """Of whole days and times that nobody said a zone of."""
    patience: timedelta = timedelta(days=5)
    """How long the SMTP server may refuse a scheduling message for the moment before it is given up."""
    filters: Filters | None = None
    """Out-of-office replies, where there is a server that sends them."""
    admission: Admission = field(default_factory=Admission)
    """Who is let in, and which policy each device is to have."""
    groups: LearnedGroups | None = None
    """Knows the groups of users that are of directories, where any of these is named."""
    recipients: Recipients | None = None
    """Notes to whom users write, unless that is not wanted."""
    background: Background = field(default_factory=Background)
    """Owns work that goes on when its request is over."""
    copies: SentCopies = field(init=False)
    taken: Taken = field(init=False)
    ahead: Ahead = field(init=False)
    verbs: VerbMarks = field(init=False)
    notices: NoticeMail = field(init=False)
    intake: Intake = field(init=False)
    stubs: Stubs = field(init=False)
    always: AlwaysMoved = field(init=False)
    searches: Searches = field(default_factory=Searches)
    """What devices searched for lately."""
    sending: Crowding = field(default_factory=lambda: Crowding(MOST_SENDING))
    """Messages being sent, which goes on without their requests."""
    tally: Tally = field(default_factory=Tally)
    bus: Bus = field(default_factory=NoOthers)
    """What processes that share the store tell each other."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "copies", SentCopies(self.state, self.background, self.bus))
        object.__setattr__(self, "taken", Taken(self.state, self.background))
        object.__setattr__(self, "ahead", Ahead(self.background))
        object.__setattr__(self, "verbs", VerbMarks(self.state, self.background, self.bus))
        notices = NoticeMail(
            self.state,
            self.items,
            self.clock,
            self.background,
            spool=self.spool,
            patience=self.patience,
            bus=self.bus,
        )
        object.__setattr__(self, "notices", notices)
        delegation = Delegation(self.state, self.identity.address, notices.stored, self.zone)
        meetings = MeetingMail(self.items, self.clock, self.tentative, self.zone, delegation)
        intake = Intake(self.state, self.background, meetings)
        object.__setattr__(self, "intake", intake)
        object.__setattr__(self, "always", AlwaysMoved(self.state, self.bus))
        object.__setattr__(self, "stubs", Stubs(self.state, self.clock, self.background, self.release))


@dataclass(slots=True)
class Context:
    """One request, its sender, and what serves it.

    `stopping` is set when the server shuts down, and `superseded` when the device sent a newer request of the
    same command: a handler that holds its answer returns early on either, and says by `on_hold` that it does
    so, for earlier ones that wait elsewhere. `reply_headers` are added to the HTTP reply.
    """

    request: EasRequest
    principal: Principal
    device: Device
    mailboxes: EditableMailboxes
    services: Services
    stopping: Signal
    superseded: Signal
    on_hold: Callable[[], None] = lambda: None
    reply_headers: dict[str, str] = field(default_factory=dict)
    status: str = ""
    reason: str = ""

    @property
    def log(self) -> FilteringBoundLogger:
        """Names the request in what is said; most requests say nothing, so it is made when one does."""
        request, user = self.request, self.principal.user
        log: FilteringBoundLogger = structlog.get_logger(
            "gateway.eas", user=user, device=request.device_id, command=request.command
        )
        return log

    def note(self, status: str, reason: str) -> None:
        """Have the log line of the request say what was refused inside a reply that is no failure as a whole.

        The first `status` other than "" counts, the reasons add up.
        """
        self.status = self.status or status
        self.reason = (f"{self.reason}; {reason}" if self.reason else reason)[:_LONGEST_REASON]


class Command(Protocol):
    """One ActiveSync command. Everything but `handle` is a constant of the class."""

    @property
    def name(self) -> str:
        """As in the `Cmd` parameter."""
        ...

    @property
    def code(self) -> int:
        """As in the base64 query (MS-ASHTTP 2.2.1.1.1.1.2)."""
        ...

    @property
    def root(self) -> Tag | None:
        """The root element of request and reply; None: it has no document."""
        ...

    @property
    def status(self) -> Tag | None:
        """The Status child of `root`, for errors of the whole request; None: there is none."""
        ...

    @property
    def first(self) -> Version:
        """The first version that has the command."""
        ...

    @property
    def last(self) -> Version | None:
        """The last version that has the command; None: it is still there."""
        ...

    @property
    def needs_policy_key(self) -> bool:
        """Whether a device must have been provisioned first (MS-ASPROV 3.1.5.1)."""
        ...

    @property
    def body(self) -> BodyRule:
        """What the request body is."""
        ...

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:
        """Serve one request.

        `root` is the decoded document, None when there is none; `body` holds the message of the MIME form,
        and is empty otherwise. Raises GatewayError, which the endpoint answers by `gateway/eas/status.py`.
        Cancelled when the client goes away; what must be finished by then is shielded by the command.
        """
        ...
