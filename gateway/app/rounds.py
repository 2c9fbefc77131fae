"""What runs beside the requests: housekeeping, and looking for what other processes changed."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from gateway.config import DevicesSection
from gateway.eas.commands.base import Services
from gateway.errors import GatewayError
from gateway.ports import State, Turns
from gateway.ports.sessions import EVERY_DEVICE
from gateway.store.sqlite import SqliteItems
from gateway.web.eas import EasEndpoint

_HOUR = timedelta(hours=1)
_MINUTE = 60
_ATTENDING = 5
"""Seconds from one look for what other processes changed in the store to the next."""
_UNPROVISIONED = timedelta(days=1)
"""How long a device is remembered that asks but is never provisioned: anybody with a login can invent ids."""
_GONE = timedelta(days=1)
"""How long what is known of a message outlives it, for a move that is noted later."""
_MOVED = timedelta(days=7)
"""How long it is remembered where messages went that a device moved, in case it asks again."""
_TRACED = timedelta(days=1)
"""How long it is kept what a device asked that was traced."""
_UNUSED = timedelta(days=1)
"""How long a file is kept that no item refers to, and known what was mailed because of an item."""
_AWAY = timedelta(days=90)
"""How long a user is found by others who does not come any more, and his groups are known."""


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run endless work beside what is in the context; should it fail, that is logged at once."""
    task = asyncio.create_task(work)
    task.add_done_callback(_ended)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        # Formatted here, since some renderers show the values of variables.
        trace = "".join(traceback.format_exception(error))
        structlog.get_logger("gateway.app").error("what ran beside the requests failed", exception=trace)


async def attending(items: SqliteItems) -> None:
    """Have waiting phones told of what the command line changes meanwhile."""
    log = structlog.get_logger("gateway.app")
    while True:
        try:
            await items.tell_of_others()
        except GatewayError as error:
            log.warning("cannot see what others change", reason=error.detail)
        await asyncio.sleep(_ATTENDING)


async def obeying(state: State, eas: EasEndpoint) -> None:
    """Have devices that wait learn at once what was decided of them, perhaps by another process."""
    log = structlog.get_logger("gateway.app")
    newest = 0
    decided = asyncio.Event()
    unsubscribe = state.watch_decisions(decided.set)
    try:
        while True:
            decided.clear()
            try:
                newest, devices = await state.decided_devices(newest)
            except GatewayError as error:
                log.warning("cannot see what was decided of devices", reason=error.detail)
            else:
                for user, device in devices:
                    if device == EVERY_DEVICE:
                        eas.sign_out(user)
                    else:
                        eas.interrupt(user, device)
            with suppress(TimeoutError):
                async with asyncio.timeout(_ATTENDING):
                    await decided.wait()
    finally:
        unsubscribe()


async def hourly(turns: Turns, job: str, work: Callable[[], Awaitable[None]]) -> None:
    """Have a job done once an hour, by one of the processes that share the store.

    Where it fails, it is tried again a minute later.
    """
    log = structlog.get_logger("gateway.app")
    while True:
        try:
            async with turns.turn(job, _HOUR) as mine:
                if mine:
                    await work()
        except GatewayError as error:
            log.warning("a job failed", job=job, reason=error.detail)
        await asyncio.sleep(_MINUTE)


async def keep_house(services: Services, devices: DevicesSection) -> None:
    """Forget what is of no use any more: old messages sent, ids that became no devices, files unused.

    And devices that do not come any more, and what was decided long ago, where it is said how long is too
    long. Raises `GatewayError`.
    """
    now = services.clock.now()
    await services.state.prune_sends(now - services.limits.duplicate_window)
    await services.state.prune_devices(now - _UNPROVISIONED)
    expiry, remembering = timedelta(days=devices.expire_days), timedelta(days=devices.audit_days)
    if expiry and (forgotten := await services.state.expire_devices(now - expiry)):
        log = structlog.get_logger("gateway.app")
        log.info("devices forgotten that did not come any more", count=forgotten)
    if remembering:
        await services.state.prune_acts(now - remembering)
    await services.state.prune_traces(now, now - _TRACED)
    await services.state.prune_moves(now - _MOVED)
    await services.state.prune_annotations(now - _GONE)
    await services.items.prune_items(now - _UNUSED)
    await services.directory.people.prune_people(now - _AWAY, services.identity.rules)
    await services.state.prune_memberships(now - _AWAY)


@dataclass(slots=True)
class Stored:
    """How much there is in the store of what is to be watched, as it was counted last."""

    poison: int = 0


async def counting(state: State, stored: Stored) -> None:
    """Count what there is in the store, once a minute."""
    log = structlog.get_logger("gateway.app")
    while True:
        try:
            stored.poison = await state.count_poison()
        except GatewayError as error:
            log.warning("cannot count what is in the store", reason=error.detail)
        await asyncio.sleep(_MINUTE)
