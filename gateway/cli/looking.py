"""Commands that show what there is and change nothing: check-config, policies, poison."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from gateway.app import admission_of, check_files
from gateway.cli.common import as_json, config, print_json, print_rows, recall_groups, told, with_store
from gateway.config import load
from gateway.eas.choices import policy_counts
from gateway.eas.request import as_stored
from gateway.policies import Policy
from gateway.ports import Items, State
from gateway.ports.devicelist import PolicyCount
from gateway.types import DeviceId, UserId

__all__ = ["check_config", "poison", "policies"]

_POLICIES = (
    *("name", "devices", "acknowledged", "refused"),
    *("for_users", "for_devices", "for_groups", "demands"),
)
_CHOSEN = ("device", "policy", "by")
_POISON = ("user", "folder", "item", "release", "reason")


@click.command("check-config")
@as_json
@config
@told
def check_config(file: Path, as_json: bool) -> None:
    """Check the configuration file, the files it names, and that the extras it needs are installed."""
    check_files(load(file, os.environ))
    if as_json:
        print_json({"file": str(file), "good": True})
    else:
        click.echo(f"{file}: good")


@click.command()
@click.argument("user", required=False)
@click.argument("device", required=False)
@as_json
@config
@told
def policies(file: Path, user: str | None, device: str | None, as_json: bool) -> None:
    """List the policies, in the order they are looked through.

    Columns: name, how many devices it is for, how many of them acknowledged it as it is now and how many
    refused, the users, devices and groups it names, and what it demands.

    With USER, list which policy each device of the user gets (or DEVICE, be it known or not), and by what.
    Columns: device, policy, by what.
    """
    admission = admission_of(load(file, os.environ))

    async def show(state: State, _: Items) -> None:
        await recall_groups(state, admission)
        rows = [_policy(policy, count) for policy, count in await policy_counts(state, admission)]
        print_rows(rows, _POLICIES, as_json=as_json)

    async def explain(state: State, _: Items) -> None:
        await recall_groups(state, admission)
        whose = UserId((user or "").strip().lower())
        known = [one.id for one in await state.list_devices(whose)]
        names = [as_stored(device)] if device else known or [DeviceId("")]
        chosen = [(name, *admission.policies.chosen(whose, name)) for name in names]
        rows = [{"device": name or None, "policy": policy.name, "by": why} for name, policy, why in chosen]
        print_rows(rows, _CHOSEN, as_json=as_json)

    with_store(file, explain if user else show)


@click.command()
@as_json
@config
@told
def poison(file: Path, as_json: bool) -> None:
    """List the items that could not be shown to a phone, and why.

    Columns: user, folder, item, the release that failed at it, and why.
    """

    async def show(state: State, _: Items) -> None:
        rows = [dict(zip(_POISON, entry, strict=True)) for entry in await state.list_poison()]
        print_rows(rows, _POISON, as_json=as_json)

    with_store(file, show)


def _policy(policy: Policy, count: PolicyCount) -> Mapping[str, object]:
    return {
        "name": policy.name,
        "devices": count.devices,
        "acknowledged": count.acknowledged,
        "refused": count.refused,
        "for_users": policy.users,
        "for_devices": policy.devices,
        "for_groups": policy.groups,
        "demands": policy.values,
    }
