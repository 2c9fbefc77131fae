"""Search (MS-ASCMD 2.2.1.16)."""

from gateway.eas.commands.search.handler import Search

__all__ = ["Search"]
