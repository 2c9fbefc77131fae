"""Commands that show what there is and change nothing: check-config, poison."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gateway.app import check_files
from gateway.cli.common import config, told, with_store
from gateway.config import load
from gateway.ports import Items, State

__all__ = ["check_config", "poison"]


@click.command("check-config")
@config
@told
def check_config(file: Path) -> None:
    """Check the configuration file, and the files it names."""
    check_files(load(file, os.environ))
    click.echo(f"{file}: good")


@click.command()
@config
@told
def poison(file: Path) -> None:
    """List the items that could not be shown to a phone, and why."""

    async def show(state: State, _: Items) -> None:
        for entry in await state.list_poison():
            click.echo("\t".join(entry))

    with_store(file, show)
