"""ResolveRecipients (MS-ASCMD 2.2.1.15): whom names mean, their certificates, when they are free."""

from gateway.eas.commands.resolverecipients.handler import ResolveRecipients

__all__ = ["ResolveRecipients"]
