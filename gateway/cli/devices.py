"""Phones: listed, shown, blocked, wiped, begun anew, forgotten. A running gateway obeys within seconds."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from gateway.app import admission_of
from gateway.cli.common import as_json, config, decisions, shown, told, with_store
from gateway.cli.folders import user_argument
from gateway.config import load
from gateway.eas.admission import Admission
from gateway.eas.deciding import find_device
from gateway.policies import COMPLIANCE
from gateway.ports import Items, State
from gateway.types import Access, Device, UserId, Wipe, WipeStage

__all__ = ["described", "devices"]

_device_argument = click.argument("device")


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
        whose = UserId(user.strip().lower()) if user else None
        found = [*await state.list_devices(whose), *await state.awaited_devices(whose)]
        if as_json:
            click.echo(json.dumps([described(one, admission) for one in found], indent=2, ensure_ascii=False))
            return
        for one in found:
            access, wipe = (
                admission.access_of(one).value,
                one.control.stage.value if one.control.stage else "-",
            )
            times = (_moment(one.last_seen), _moment(one.synced))
            row = (one.user, one.id, one.type, one.version, *times, one.address, access, wipe, one.agent)
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
        known = described(await find_device(state, user, device), admission)
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
    kind = Wipe.ACCOUNT if account_only else Wipe.DEVICE

    async def ask(state: State, _: Items) -> None:
        known = await find_device(state, user, device)
        what = "its account" if account_only else "EVERYTHING ON IT"
        if not yes:
            click.confirm(f"Have {known.type or 'device'} {known.id} of {user} delete {what}?", abort=True)
        await decisions(state).wipe(user, known.id, kind)

    with_store(file, ask)


@devices.command()
@user_argument
@_device_argument
@config
@told
def unwipe(file: Path, user: UserId, device: str) -> None:
    """Take back the wipe of DEVICE of USER, unless it is done."""
    with_store(file, lambda state, _: decisions(state).unwipe(user, device))


@devices.command()
@user_argument
@_device_argument
@config
@told
def resync(file: Path, user: UserId, device: str) -> None:
    """Have DEVICE of USER synchronise everything anew."""
    with_store(file, lambda state, _: decisions(state).resync(user, device))


@devices.command()
@user_argument
@_device_argument
@config
@told
def remove(file: Path, user: UserId, device: str) -> None:
    """Forget DEVICE of USER, and what was decided of it; should it come again, it begins anew."""
    with_store(file, lambda state, _: decisions(state).remove(user, device))


def _decide(file: Path, user: UserId, device: str, access: Access | None) -> None:
    async def decide(state: State, _: Items) -> None:
        if await decisions(state).set_access(user, device, access) is None:
            click.echo(f"{user} has no device {device} yet; should it come, this holds", err=True)

    with_store(file, decide)


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
        "first_seen": _moment(device.first_seen),
        "last_seen": _moment(device.last_seen),
        "last_sync": _moment(device.synced),
        "address": device.address or None,
        "access": admission.access_of(device).value,
        "decided": control.access is not None or control.stage is WipeStage.DONE,
        "policy": policy.name,
        "policy_by": why,
        "compliance": (COMPLIANCE.get(device.compliance, "?") if current else "not yet"),
        "refused": COMPLIANCE.get(device.refused),
        "wipe": control.wipe.value if control.wipe else None,
        "wipe_stage": control.stage.value if control.stage else None,
        "wipe_asked": _moment(control.asked),
        "information": dict(device.information),
    }


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None
