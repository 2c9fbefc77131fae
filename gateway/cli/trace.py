"""`trace`: what one user's phones ask and are answered, as it happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from gateway.app import SystemClock
from gateway.cli.common import act, as_json, config, shown, told, with_store
from gateway.cli.folders import note_stranger, user_argument
from gateway.eas.deciding import find_device
from gateway.ports import Items, State
from gateway.ports.traces import Traced
from gateway.types import DeviceId, UserId

__all__ = ["trace"]

_LONGEST = 24 * 3600
_LOOKING = 1.0
"""Seconds from one look at what came of it to the next."""
_PAGE = 100
_EVERY_DEVICE = DeviceId("")


@click.command()
@user_argument
@click.argument("device", required=False)
@click.option(
    "--seconds",
    type=click.IntRange(1, _LONGEST),
    default=600,
    show_default=True,
    help="How long at most; Ctrl-C ends it earlier.",
)
@click.option("--show", is_flag=True, help="Only show what was traced, up to a day ago.")
@as_json
@config
@told
def trace(*, file: Path, user: UserId, device: str | None, seconds: int, show: bool, as_json: bool) -> None:
    """Show what the phones of USER (or DEVICE alone) ask the running gateway and are answered.

    Requests and replies are XML in which of all texts of people (mail, names, addresses, passwords) only the
    length is left. The gateway begins within seconds.
    """

    async def follow(state: State, items: Items) -> None:
        await note_stranger(state, items, user)
        name = (await find_device(state, user, device)).id if device else _EVERY_DEVICE
        if show:
            await _print(state, user, name, 0, as_json)
            return
        clock = SystemClock()
        click.echo(
            f"activesync-gateway: waits for requests of {user}, until Ctrl-C or for {seconds} s", err=True
        )
        until = clock.now() + timedelta(seconds=seconds)
        newest = await _newest(state, user, name)
        await state.note_act(act("device.trace", user, name, f"{seconds} s"))
        await state.set_trace(user, name, until)
        try:
            while clock.now() < until:
                await asyncio.sleep(_LOOKING)
                newest = await _print(state, user, name, newest, as_json)
        finally:
            await state.set_trace(user, name, None)

    with suppress(KeyboardInterrupt):
        with_store(file, follow)


async def _newest(state: State, user: UserId, device: DeviceId) -> int:
    """The number of the newest entry there is already."""
    newest = 0
    while found := await state.read_trace(user, device, newest, _PAGE):
        newest = found[-1].number
    return newest


async def _print(state: State, user: UserId, device: DeviceId, newest: int, as_json: bool) -> int:
    """Print what came after an entry; returns the number of the last one."""
    while found := await state.read_trace(user, device, newest, _PAGE):
        for one in found:
            click.echo(_as_json(one) if as_json else _as_text(one))
        newest = found[-1].number
    return newest


def _as_json(one: Traced) -> str:
    """One object in a line."""
    told: Mapping[str, Any] = json.loads(one.line)
    whose = {"at": one.at.isoformat(timespec="milliseconds"), "user": one.user, "device": one.device}
    return json.dumps({**whose, **told}, ensure_ascii=False)


def _as_text(one: Traced) -> str:
    told: Mapping[str, Any] = json.loads(one.line)
    arrow = ">" if told["kind"] == "request" else "<"
    facts = [f"{name} {told[name]}" for name in ("http", "mime", "reason") if told.get(name)]
    head = (one.at.isoformat(timespec="milliseconds"), arrow, one.device, told["command"], told["version"])
    document = (told["document"] or "").rstrip()
    body = "".join(f"\n{shown(line)}" for line in document.splitlines())
    return " ".join([*map(shown, head), *map(shown, facts)]) + body
