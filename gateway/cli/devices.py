"""Phones: listed, shown, blocked, wiped, begun anew, forgotten. A running gateway obeys within seconds."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from gateway.app import admission_of
from gateway.cli.common import act, as_json, config, shown, told, with_store
from gateway.cli.folders import user_argument
from gateway.config import load
from gateway.eas.admission import Admission
from gateway.eas.request import as_stored
from gateway.errors import GatewayError
from gateway.ports import Items, State
from gateway.types import Access, Device, DeviceId, UserId, Wipe, WipeStage

__all__ = ["described", "devices", "known_device"]

_device_argument = click.argument("device")
_FIRST_WITH_ACCOUNT_WIPE = 16.1
_COMPLIANCE = {1: "applied", 2: "applied in part", 3: "not applied", 4: "managed by somebody else"}


@click.group()
def devices() -> None:
    """Phones: list, show, block, allow, wipe.

    USER is a login at the IMAP server, DEVICE an id that `devices list` shows. A running gateway obeys within
    seconds.
    """


@devices.command("list")
@click.argument("user", required=False)
@as_json
@config
@told
def list_devices(file: Path, user: str | None, as_json: bool) -> None:
    """List the phones of USER, or those of everybody.

    Columns: user, id, type, version, when it was last seen, what it may do, its wipe, and its User-Agent.
    """
    admission = admission_of(load(file, os.environ))

    async def show(state: State, _: Items) -> None:
        found = await state.list_devices(UserId(user.strip().lower()) if user else None)
        if as_json:
            click.echo(json.dumps([described(one, admission) for one in found], indent=2, ensure_ascii=False))
            return
        for one in found:
            access, wipe = (
                admission.access_of(one).value,
                one.control.stage.value if one.control.stage else "-",
            )
            row = (one.user, one.id, one.type, one.version, _moment(one.last_seen), access, wipe, one.agent)
            click.echo("\t".join(map(shown, row)))

    with_store(file, show)


@devices.command()
@user_argument
@_device_argument
@as_json
@config
@told
def show(file: Path, user: UserId, device: str, as_json: bool) -> None:
    """Show what is known of DEVICE of USER."""
    admission = admission_of(load(file, os.environ))

    async def tell(state: State, _: Items) -> None:
        known = described(await known_device(state, user, device), admission)
        if as_json:
            click.echo(json.dumps(known, indent=2, ensure_ascii=False))
        else:
            for name, value in known.items():
                click.echo(f"{name:<12}  {shown(value)}")

    with_store(file, tell)


@devices.command()
@user_argument
@_device_argument
@config
@told
def block(file: Path, user: UserId, device: str) -> None:
    """Block DEVICE of USER, whatever the rules say; it may be one that never came yet."""
    _decide(file, user, device, Access.BLOCK)


@devices.command()
@user_argument
@_device_argument
@config
@told
def allow(file: Path, user: UserId, device: str) -> None:
    """Allow DEVICE of USER, whatever the rules say."""
    _decide(file, user, device, Access.ALLOW)


@devices.command()
@user_argument
@_device_argument
@config
@told
def quarantine(file: Path, user: UserId, device: str) -> None:
    """Have DEVICE of USER wait, with a message that says so."""
    _decide(file, user, device, Access.QUARANTINE)


@devices.command()
@user_argument
@_device_argument
@config
@told
def undecide(file: Path, user: UserId, device: str) -> None:
    """Have the rules say again what DEVICE of USER may do."""
    _decide(file, user, device, None)


@devices.command()
@user_argument
@_device_argument
@click.option(
    "--account-only", is_flag=True, help="Delete the account alone, and leave the rest (since 16.1)."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@config
@told
def wipe(file: Path, user: UserId, device: str, account_only: bool, yes: bool) -> None:
    """Have DEVICE of USER delete everything that is on it, at its next request.

    Afterwards it is barred, until `devices remove` clears it.
    """

    async def ask(state: State, _: Items) -> None:
        known = await known_device(state, user, device)
        if account_only and float(known.version or 0) < _FIRST_WITH_ACCOUNT_WIPE:
            raise GatewayError(
                f"the device speaks version {known.version or '?'}, which cannot wipe the account alone"
            )
        what = "its account" if account_only else "EVERYTHING ON IT"
        if not yes:
            click.confirm(f"Have {known.type or 'device'} {known.id} of {user} delete {what}?", abort=True)
        kind = Wipe.ACCOUNT if account_only else Wipe.DEVICE
        asked = act("device.wipe", user, known.id, kind.value)
        if not await state.ask_wipe(user, known.id, kind, asked.at, asked):
            raise GatewayError("the device is wiped already")

    with_store(file, ask)


@devices.command()
@user_argument
@_device_argument
@config
@told
def unwipe(file: Path, user: UserId, device: str) -> None:
    """Take back the wipe of DEVICE of USER, unless it is done."""

    async def cancel(state: State, _: Items) -> None:
        known = await known_device(state, user, device)
        taken_back = act("device.unwipe", user, known.id)
        if not await state.ask_wipe(user, known.id, None, taken_back.at, taken_back):
            raise GatewayError("there is no wipe to be taken back")

    with_store(file, cancel)


@devices.command()
@user_argument
@_device_argument
@config
@told
def resync(file: Path, user: UserId, device: str) -> None:
    """Have DEVICE of USER synchronise everything anew."""

    async def begin(state: State, _: Items) -> None:
        known = await known_device(state, user, device)
        await state.forget_syncs(user, known.id, act("device.resync", user, known.id))

    with_store(file, begin)


@devices.command()
@user_argument
@_device_argument
@config
@told
def remove(file: Path, user: UserId, device: str) -> None:
    """Forget DEVICE of USER, and what was decided of it; should it come again, it begins anew."""

    async def forget(state: State, _: Items) -> None:
        known = await _named(state, user, device) or as_stored(device)
        if not await state.forget_device(user, known, act("device.remove", user, known)):
            raise GatewayError(f"{user} has no device {device}")

    with_store(file, forget)


def _decide(file: Path, user: UserId, device: str, access: Access | None) -> None:
    async def decide(state: State, _: Items) -> None:
        known = await _named(state, user, device)
        if known is None:
            click.echo(f"{user} has no device {device} yet; should it come, this holds", err=True)
            known = as_stored(device)
        decided = act(f"device.{access.value if access else 'undecide'}", user, known)
        await state.set_access(user, known, access, decided)

    with_store(file, decide)


async def known_device(state: State, user: UserId, device: str) -> Device:
    """The device, by its id in any case of letters. Raises `GatewayError`."""
    found = await _alike(state, user, device)
    if not found:
        raise GatewayError(f"{user} has no device {device}; `devices list {user}` shows those there are")
    return found[0]


async def _named(state: State, user: UserId, device: str) -> DeviceId | None:
    """The id of the device whose id is this one, in any case of letters; None when there is none."""
    found = await _alike(state, user, device)
    return found[0].id if found else None


async def _alike(state: State, user: UserId, device: str) -> list[Device]:
    """The devices with this id in any case of letters, the one with this very id first."""
    found = [one for one in await state.list_devices(user) if one.id.lower() == device.lower()]
    return sorted(found, key=lambda one: one.id != device)


def described(device: Device, admission: Admission) -> Mapping[str, object]:
    """What is known of a device, by name, for people and programs."""
    control, policy = device.control, admission.policy_of(device)
    current = bool(device.policy_key) and device.policy == policy.digest
    return {
        "user": device.user,
        "id": device.id,
        "type": device.type,
        "version": device.version,
        "agent": device.agent,
        "first_seen": _moment(device.first_seen),
        "last_seen": _moment(device.last_seen),
        "access": admission.access_of(device).value,
        "decided": control.access is not None or control.stage is WipeStage.DONE,
        "policy": policy.name,
        "compliance": (_COMPLIANCE.get(device.compliance, "?") if current else "not yet"),
        "wipe": control.wipe.value if control.wipe else None,
        "wipe_stage": control.stage.value if control.stage else None,
        "wipe_asked": _moment(control.asked),
        "information": dict(device.information),
    }


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None
