"""Sync (MS-ASCMD 2.2.1.21): request shape, handler and reply shape of the one big command."""

from gateway.eas.commands.sync.handler import Sync

__all__ = ["Sync"]
