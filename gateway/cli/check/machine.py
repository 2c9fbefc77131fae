"""The limits of this machine: open files, and what a Dovecot on it needs to tell of new mail at once."""

from __future__ import annotations

import asyncio
import ipaddress
import resource
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.cli.check.bounded import beside
from gateway.cli.serving import phones_allowed
from gateway.config import Settings
from gateway.ports.examining import Finding, doubtful, good

__all__ = ["machine"]

_INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
_ENOUGH_INSTANCES = 1024
_SECONDS = 10.0


async def machine(settings: Settings) -> AsyncIterator[Finding]:
    """What it allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    phones = phones_allowed(hard)
    if phones < settings.imap.max_connections:
        yield doubtful(
            f"{hard} files may be open here: enough for {phones} waiting phones",
            "raise LimitNOFILE= of the service; imap.max_connections says how many users are expected",
        )
    else:
        yield good(f"{hard} files may be open here")
    if not await _is_here(settings.imap.host):
        return
    try:
        instances = int(await asyncio.to_thread(_INSTANCES.read_text))
    except OSError:  # another kernel, without inotify
        return
    said = f"fs.inotify.max_user_instances is {instances}: a Dovecot here tells {instances} users of new mail"
    if instances < _ENOUGH_INSTANCES:
        yield doubtful(
            f"{said} at once, and all others up to 30 s late",
            "if there are more, set it above their number: sysctl -w fs.inotify.max_user_instances=4096, "
            "and in /etc/sysctl.d",
        )
    else:
        yield good(f"{said} at once")


async def _is_here(host: str) -> bool:
    """Whether a server is reached by the loopback interface."""
    try:
        found = await beside(lambda: socket.getaddrinfo(host, None), _SECONDS)
    except OSError:
        return False
    return any(ipaddress.ip_address(str(where[0]).partition("%")[0]).is_loopback for *_, where in found)
