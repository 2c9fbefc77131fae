"""What commands have in common: the configuration, the store, and how a failure is told."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import tzinfo
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import click

from gateway.app import open_store
from gateway.config import CONFIG_VARIABLE, load
from gateway.errors import GatewayError
from gateway.pim.clock import tzid_of
from gateway.ports import Items, State

__all__ = ["config", "reachable", "told", "with_store", "zone_of_users"]

_USAGE_ERROR = 2
P = ParamSpec("P")
T = TypeVar("T")


def config(function: Callable[P, T]) -> Callable[P, T]:
    """Give a command `--config FILE`."""
    return click.option(
        "--config",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar=CONFIG_VARIABLE,
        default=Path("/etc/activesync-gateway/gateway.toml"),
        show_default=True,
        help="Configuration file.",
    )(function)


def told(function: Callable[P, T]) -> Callable[P, T]:
    """Tell a failure in one line, and end with status 2."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except GatewayError as error:
            click.echo(f"activesync-gateway: {error}", err=True)
            sys.exit(_USAGE_ERROR)

    return call


def reachable(host: str) -> str:
    """Where something that listens on an address is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def zone_of_users(file: Path) -> tzinfo | None:
    """The `calendar.timezone` of a configuration; None for UTC, which may just not have been changed.

    Raises `GatewayError`.
    """
    zone = ZoneInfo(load(file, os.environ).calendar.timezone)
    return zone if tzid_of(zone) else None


def with_store(file: Path, work: Callable[[State, Items], Awaitable[T]]) -> T:
    """Do something with the store of a configuration, beside a gateway that serves from it or without one.

    Raises `GatewayError`.
    """

    async def run() -> T:
        async with open_store(load(file, os.environ)) as (state, items):
            return await work(state, items)

    return asyncio.run(run())
