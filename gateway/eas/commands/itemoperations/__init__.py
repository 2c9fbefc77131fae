"""ItemOperations (MS-ASCMD 2.2.1.10): fetching items and attachments, emptying and moving."""

from gateway.eas.commands.itemoperations.handler import ItemOperations

__all__ = ["ItemOperations"]
