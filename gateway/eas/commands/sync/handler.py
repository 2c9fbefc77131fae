"""Sync, the handler.

Completes the request, has it served, holds the answer when there is nothing to say.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.eas import meetings, sentmail
from gateway.eas.classes import default_collection
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.commands.sync import request
from gateway.eas.commands.sync.exchange import Exchange
from gateway.eas.commands.sync.request import MAX_WAIT, SyncRequest
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from gateway.sync.folders import Folders
from gateway.sync.itemfolders import is_item_folder
from gateway.sync.keys import format_key
from wbxml import Element, element
from wbxml.pages import AirSync

MEMO = "sync"
_OUT_OF_RANGE = 14
_TOO_MANY = 15


class Sync:
    """Synchronises folders of mail and of items."""

    name = "Sync"
    code = 0
    root = AirSync.Sync
    status = AirSync.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.OPTIONAL

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises what concerns the whole request: `Refused`, `UpstreamUnavailable`, a login refused."""
        asked = await self._named(context, root) if root is not None else None
        root = None
        asked = await self._complete(context, asked)
        refusal = _limits(context, asked)
        if refusal is not None:
            return refusal
        await self._remember(context, asked)
        await sentmail.resume(context)
        find_mailbox = sentmail.find_mailbox(context)
        context.services.stubs.resume(context.principal.user, context.mailboxes, find_mailbox)
        meetings.mail(context)
        if any(is_item_folder(collection.id) for collection in asked.collections):
            await meetings.settle(context)
        else:
            meetings.look(context)
        folders = Folders(context.services.state, context.mailboxes, context.principal.user)
        exchange = Exchange(context, await folders.all())
        told = await exchange.run(asked)
        if not told and asked.wait is not None and await exchange.hold(asked):
            told = await exchange.run(asked)
        if told:
            return element(AirSync.Sync, element(AirSync.Collections, *told))
        if context.request.version < Version.V12_1:
            return element(AirSync.Sync, element(AirSync.Collections, *await exchange.unchanged(asked)))
        return None

    async def _named(self, context: Context, root: Element) -> SyncRequest:
        """The request, each of its collections with an id."""
        asked = request.parse(root, context.request.version)
        if all(collection.id for collection in asked.collections):
            return asked
        named = [
            collection
            if collection.id
            else replace(collection, id=await default_collection(context, collection.kind))
            for collection in asked.collections
        ]
        return replace(asked, collections=tuple(named))

    # --- the request remembered --------------------------------------------------------------------------

    async def _complete(self, context: Context, asked: SyncRequest | None) -> SyncRequest:
        """The request with what an empty or partial one leaves out taken from the last one.

        That is sound only as long as the device's keys are those it sent last: after an answer with a new
        key nobody knows whether it arrived, and the device is asked for the full request (Status 13).
        """
        if asked is not None and not asked.partial:
            return asked
        user, device = context.principal.user, context.device.id
        memo = await context.services.state.load_memo(user, device, MEMO)
        if memo is None:
            raise Refused(Kind.INVALID_STORED_REQUEST, "nothing to repeat")
        last = SyncRequest.recall(memo)
        complete = last if asked is None else asked.completed(last)
        named = {collection.id for collection in asked.collections} if asked else set()
        for collection in complete.collections:
            if collection.id in named:
                continue
            stored = await context.services.state.load_sync(user, device, collection.id)
            if stored is None or format_key(stored) != collection.key:
                raise Refused(Kind.INVALID_STORED_REQUEST, "the keys have moved on since the last request")
        return complete

    async def _remember(self, context: Context, asked: SyncRequest) -> None:
        value = asked.remember()
        user, device = context.principal.user, context.device.id
        if await context.services.state.load_memo(user, device, MEMO) != value:
            await context.services.state.save_memo(user, device, MEMO, value)


def _limits(context: Context, asked: SyncRequest) -> Element | None:
    """The answer to a request that is out of bounds (MS-ASCMD 2.2.3.177.17), None when it is not."""
    limits = context.services.limits
    if len(asked.collections) > limits.max_collections:
        return _limit(_TOO_MANY, limits.max_collections)
    if asked.wait is None:
        return None
    if asked.wait_in_minutes:
        shortest, longest, unit = 60, MAX_WAIT * 60, 60
    else:
        shortest, longest, unit = limits.heartbeat_min, limits.heartbeat_max, 1
    if asked.wait < shortest:
        return _limit(_OUT_OF_RANGE, shortest // unit)
    if asked.wait > longest:
        return _limit(_OUT_OF_RANGE, longest // unit)
    return None


def _limit(value: int, allowed: int) -> Element:
    return element(AirSync.Sync, element(AirSync.Status, value), element(AirSync.Limit, allowed))
