"""Telling systemd how far a service is (sd_notify(3), Type=notify)."""

from __future__ import annotations

import os
import socket

import structlog

__all__ = ["tell_systemd"]


def tell_systemd(state: str) -> None:
    """Say that the service serves ("READY=1") or ends ("STOPPING=1"), where somebody wants to know."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # of the abstract namespace
        address = f"\0{address[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.connect(address)
            out.send(state.encode())
    except OSError as error:
        structlog.get_logger("gateway").warning("systemd cannot be told", state=state, reason=str(error))
