"""ResolveRecipients (MS-ASCMD 2.2.1.15): whom names mean, and when they are free."""

from gateway.eas.commands.resolverecipients.handler import ResolveRecipients

__all__ = ["ResolveRecipients"]
