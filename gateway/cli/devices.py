"""Phones: listed, shown, blocked, wiped, begun anew, forgotten. A running gateway obeys within seconds."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import click

from gateway.app import admission_of
from gateway.cli.common import (
    as_json,
    config,
    confirm,
    decisions,
    moment,
    print_json,
    print_stream,
    recall_groups,
    shown,
    told,
    with_store,
)
from gateway.cli.folders import user_argument
from gateway.config import load
from gateway.eas.admission import Admission
from gateway.eas.deciding import Decisions, find_device
from gateway.eas.request import as_stored
from gateway.policies import COMPLIANCE
from gateway.ports import Items, State
from gateway.ports.devicelist import Place
from gateway.types import Access, Device, UserId, Wipe, WipeStage

__all__ = ["described", "devices"]

_AT_ONCE = 1000
"""Devices that are read at a time."""
_device_argument = click.argument("device")
_COLUMNS = (
    *("user", "id", "type", "version", "last_seen", "last_sync"),
    *("address", "access", "wipe_stage", "agent"),
)


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

    Those that never came follow, if something was decided of them. Columns: user, id, type, version, when it
    was last seen and when it synchronised, from where, what it may do, its wipe, and its User-Agent. When and
    from where it synchronised is known some minutes later.
    """
    admission = admission_of(load(file, os.environ))

    async def show(state: State, _: Items) -> None:
        await recall_groups(state, admission)
        whose = UserId(user.strip().lower()) if user else None
        await print_stream(_described(state, whose, admission), _COLUMNS, as_json=as_json)

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
        await recall_groups(state, admission)
        known = described(await find_device(state, user, device), admission)
        if as_json:
            print_json(known)
        else:
            for name, value in known.items():
                click.echo(f"{name:<12}  {shown(value)}")

    with_store(file, tell)


@devices.command()
@user_argument
@_device_argument
@as_json
@config
@told
def block(file: Path, user: UserId, device: str, as_json: bool) -> None:
    """Block DEVICE of USER, whatever the rules say; it may be one that never came yet."""
    _decide(file, user, device, Access.BLOCK, as_json=as_json)


@devices.command()
@user_argument
@_device_argument
@as_json
@config
@told
def allow(file: Path, user: UserId, device: str, as_json: bool) -> None:
    """Allow DEVICE of USER, whatever the rules say."""
    _decide(file, user, device, Access.ALLOW, as_json=as_json)


@devices.command()
@user_argument
@_device_argument
@as_json
@config
@told
def quarantine(file: Path, user: UserId, device: str, as_json: bool) -> None:
    """Have DEVICE of USER wait, with a message that says so."""
    _decide(file, user, device, Access.QUARANTINE, as_json=as_json)


@devices.command()
@user_argument
@_device_argument
@as_json
@config
@told
def undecide(file: Path, user: UserId, device: str, as_json: bool) -> None:
    """Have the rules say again what DEVICE of USER may do."""
    _decide(file, user, device, None, as_json=as_json)


@devices.command()
@user_argument
@_device_argument
@click.option(
    "--account-only", is_flag=True, help="Delete the account alone, and leave the rest (since 16.1)."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@config
@told
def wipe(*, file: Path, user: UserId, device: str, account_only: bool, yes: bool, as_json: bool) -> None:
    """Have DEVICE of USER delete everything that is on it, at its next request.

    Afterwards it is barred, until `devices remove` clears it.
    """
    kind = Wipe.ACCOUNT if account_only else Wipe.DEVICE

    async def ask(state: State, _: Items) -> None:
        known = await find_device(state, user, device)
        what = "its account" if account_only else "EVERYTHING ON IT"
        if not yes:
            confirm(f"Have {known.type or 'device'} {known.id} of {user} delete {what}?")
        await decisions(state).wipe(user, known.id, kind)
        if as_json:
            print_json({"act": "device.wipe", "user": user, "device": known.id, "wipe": kind.value})

    with_store(file, ask)


@devices.command()
@user_argument
@_device_argument
@as_json
@config
@told
def unwipe(file: Path, user: UserId, device: str, as_json: bool) -> None:
    """Take back the wipe of DEVICE of USER, unless it is done."""
    _act(file, user, device, "unwipe", Decisions.unwipe, as_json=as_json)


@devices.command()
@user_argument
@_device_argument
@as_json
@config
@told
def resync(file: Path, user: UserId, device: str, as_json: bool) -> None:
    """Have DEVICE of USER synchronise everything anew."""
    _act(file, user, device, "resync", Decisions.resync, as_json=as_json)


@devices.command()
@user_argument
@_device_argument
@as_json
@config
@told
def remove(file: Path, user: UserId, device: str, as_json: bool) -> None:
    """Forget DEVICE of USER, and what was decided of it; should it come again, it begins anew."""
    _act(file, user, device, "remove", Decisions.remove, as_json=as_json)


async def _described(
    state: State, user: UserId | None, admission: Admission
) -> AsyncIterator[Sequence[Mapping[str, object]]]:
    place: Place | None = None
    while some := await state.devices_after(place, _AT_ONCE, user):
        yield [described(one, admission) for one in some]
        place = some[-1].user, some[-1].id
    yield [described(one, admission) for one in await state.awaited_devices(user)]


def _decide(file: Path, user: UserId, device: str, access: Access | None, *, as_json: bool) -> None:
    async def decide(state: State, _: Items) -> None:
        known = await decisions(state).set_access(user, device, access)
        if as_json:
            name = known.id if known else as_stored(device)
            what = f"device.{access.value if access else 'undecide'}"
            print_json({"act": what, "user": user, "device": name, "known": known is not None})
        elif known is None:
            click.echo(f"{user} has no device {device} yet; should it come, this holds", err=True)

    with_store(file, decide)


def _act(
    file: Path,
    user: UserId,
    device: str,
    name: str,
    act: Callable[[Decisions, UserId, str], Awaitable[None]],
    *,
    as_json: bool,
) -> None:
    async def work(state: State, _: Items) -> None:
        known = await find_device(state, user, device)
        await act(decisions(state), user, known.id)
        if as_json:
            print_json({"act": f"device.{name}", "user": user, "device": known.id})

    with_store(file, work)


def described(device: Device, admission: Admission) -> Mapping[str, object]:
    """What is known of a device, by name, for people and programs."""
    control = device.control
    policy, why = admission.policies.chosen(device.user, device.id)
    current = bool(device.policy_key) and device.policy == policy.digest
    return {
        "user": device.user,
        "id": device.id,
        "type": device.type,
        "version": device.version,
        "agent": device.agent,
        "first_seen": moment(device.first_seen),
        "last_seen": moment(device.last_seen),
        "last_sync": moment(device.synced),
        "address": device.address or None,
        "access": admission.access_of(device).value,
        "decided": control.access is not None or control.stage is WipeStage.DONE,
        "policy": policy.name,
        "policy_by": why,
        "compliance": (COMPLIANCE.get(device.compliance, "?") if current else "not yet"),
        "refused": COMPLIANCE.get(device.refused),
        "wipe": control.wipe.value if control.wipe else None,
        "wipe_stage": control.stage.value if control.stage else None,
        "wipe_asked": moment(control.asked),
        "information": dict(device.information),
    }
