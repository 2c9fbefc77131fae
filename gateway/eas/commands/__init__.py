"""The ActiveSync commands, one file each."""

from __future__ import annotations

from gateway.eas.commands.base import Command

__all__ = ["COMMANDS"]

COMMANDS: tuple[Command, ...] = ()
"""Every command served. To add one, write its file and name it here."""
