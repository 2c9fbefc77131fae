"""What the gateway stands on: the store and the mail servers, opened; measured where spans are wanted."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from gateway.app.parts import imap_settings, smtp_settings
from gateway.app.stores import Stores, serve_store
from gateway.app.telemetry import spans_of
from gateway.config import Settings
from gateway.ports import Mailboxes, MailboxesFactory, Submission
from gateway.types import Principal
from gateway.upstream.imap.upstream import ImapUpstream
from gateway.upstream.smtp import SmtpSubmission
from gateway.web.timing import measured

if TYPE_CHECKING:
    from gateway.web.spans import Spans

__all__ = ["Behind", "open_behind"]


@dataclass(frozen=True, slots=True)
class Behind:
    """The open parts; `stores`, `mailboxes` and `submission` are what requests use of them."""

    imap: ImapUpstream
    smtp: SmtpSubmission
    stores: Stores
    mailboxes: MailboxesFactory
    submission: Submission
    spans: Spans | None
    """What sends the spans; None: nobody wants any, and nothing is measured."""


async def open_behind(settings: Settings, processes: int, parts: AsyncExitStack) -> Behind:
    """Open them for one of so many processes on a machine; `parts` closes them. Raises `GatewayError`.

    No mail server need be reached for that.
    """
    stores = await parts.enter_async_context(serve_store(settings))
    imap = ImapUpstream(imap_settings(settings, processes))
    parts.push_async_callback(imap.aclose)
    smtp = SmtpSubmission(smtp_settings(settings))
    parts.push_async_callback(smtp.aclose)
    spans = spans_of(settings)
    if spans is None:
        return Behind(imap, smtp, stores, imap.mailboxes, smtp, None)
    parts.push_async_callback(asyncio.to_thread, spans.close)
    stores = replace(stores, state=measured(stores.state, "store"), items=measured(stores.items, "store"))
    mailboxes = partial(_measured_mailboxes, imap)
    return Behind(imap, smtp, stores, mailboxes, measured(smtp, "upstream"), spans)


def _measured_mailboxes(imap: ImapUpstream, principal: Principal) -> Mailboxes:
    return measured(imap.mailboxes(principal), "upstream")
