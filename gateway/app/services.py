"""What outlives a request of a phone, and what is counted of it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from zoneinfo import ZoneInfo

from gateway.app.parts import admission_of, certificates_of, filters_of, identity_of, limits_of
from gateway.app.people import address_list_of, directories_of, groups_of
from gateway.app.release import RELEASE, SystemClock
from gateway.app.rounds import Stored
from gateway.app.stores import Stores
from gateway.config import Settings
from gateway.eas.commands import COMMANDS
from gateway.eas.commands.base import Services
from gateway.eas.tally import Tally
from gateway.ports import Submission
from gateway.store.spool import FileSpool
from gateway.sync.background import Background, computing
from gateway.sync.recipients import Recipients, forget_recipients
from gateway.upstream.imap.upstream import ImapUpstream
from gateway.upstream.smtp import SmtpSubmission
from gateway.web.brakes import Brakes
from gateway.web.eas import discovery
from gateway.web.metrics import Metrics

__all__ = ["services_of", "show"]


async def services_of(
    settings: Settings, stores: Stores, submission: Submission, parts: AsyncExitStack
) -> Services:
    """What commands need besides a request; `parts` ends what they leave to be done. Raises GatewayError."""
    items, people = stores.items, stores.people
    directories = [*directories_of(settings, items, parts)]
    admission, background = admission_of(settings), Background()
    services = Services(
        state=stores.state,
        items=items,
        submission=submission,
        clock=SystemClock(),
        limits=limits_of(settings),
        identity=identity_of(settings),
        directory=address_list_of(settings, directories, people, items),
        certificates=certificates_of(settings),
        release=RELEASE,
        spool=FileSpool,
        discovery=discovery(COMMANDS),
        tentative=settings.calendar.invitations == "tentative",
        zone=ZoneInfo(settings.calendar.timezone),
        patience=timedelta(days=settings.calendar.retry_days),
        filters=filters_of(settings),
        admission=admission,
        groups=groups_of(settings, admission, directories, stores.state, background),
        background=background,
        recipients=Recipients(items, SystemClock()) if settings.eas.recipients else None,
        bus=stores.bus,
    )
    if services.recipients is None:
        await forget_recipients(items)
    parts.push_async_callback(services.background.aclose, settings.server.shutdown_grace)
    return services


def show(
    metrics: Metrics,
    tally: Tally,
    *,
    imap: ImapUpstream,
    smtp: SmtpSubmission,
    stores: Stores,
    stored: Stored,
    brakes: Brakes,
) -> None:
    """Show the counts that the parts keep."""
    for name, documentation, now in (
        ("computing_queue", "Work that is computed beside the event loop, or waits.", computing),
        ("eas_requests_held", "Pings and Syncs that wait for news.", lambda: tally.held),
        ("eas_poison_items", "Items that cannot be shown now, by the minute.", lambda: stored.poison),
        ("imap_connections", "Open connections to the IMAP server.", lambda: imap.open_connections),
    ):
        metrics.watch(name, documentation, now)
    for name, documentation, total in (
        (
            "eas_replays",
            "Syncs of a collection answered again, as the answer got lost.",
            lambda: tally.replays,
        ),
        ("eas_conflicts", "Operations refused since the server's version wins.", lambda: tally.conflicts),
        ("eas_stubs", "Items that could not be shown and are told as stubs.", lambda: tally.stubs),
        (
            "eas_requests_slowed",
            "Requests put off since their device asks too much.",
            lambda: brakes.slowed,
        ),
        ("smtp_messages_sent", "Messages that the SMTP server took.", lambda: smtp.sent),
        ("smtp_messages_failed", "Attempts at which it took none.", lambda: smtp.failed),
        ("store_transactions", "Writes to the store.", stores.transactions),
        ("store_commits", "Commits of the store, each of one or more writes.", stores.commits),
    ):
        metrics.count(name, documentation, total)
