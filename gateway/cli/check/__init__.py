"""`activesync-gateway check`: looks at everything a phone needs, and says what to do about it."""

from gateway.cli.check.command import check

__all__ = ["check"]
