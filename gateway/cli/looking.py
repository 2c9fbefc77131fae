"""Commands that show what there is and change nothing: check-config, devices, poison."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gateway.cli.common import config, told, with_store
from gateway.config import load
from gateway.ports import Items, State

__all__ = ["check_config", "devices", "poison"]


@click.command("check-config")
@config
@told
def check_config(file: Path) -> None:
    """Check the configuration file."""
    load(file, os.environ)
    click.echo(f"{file}: good")


@click.command()
@config
@told
def devices(file: Path) -> None:
    """List the phones that use the gateway."""

    async def show(state: State, _: Items) -> None:
        for device in await state.list_devices():
            seen = device.last_seen.isoformat(timespec="seconds") if device.last_seen else "-"
            row = (device.user, device.id, device.type, device.version, seen, device.agent)
            click.echo("\t".join(row))

    with_store(file, show)


@click.command()
@config
@told
def poison(file: Path) -> None:
    """List the items that could not be shown to a phone, and why."""

    async def show(state: State, _: Items) -> None:
        for entry in await state.list_poison():
            click.echo("\t".join(entry))

    with_store(file, show)
