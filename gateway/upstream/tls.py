"""TLS towards the servers behind."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

__all__ = ["client_context"]


@cache
def client_context(ca_file: Path | None, verify: bool) -> ssl.SSLContext:  # a key of the cache
    """The TLS rules for a server: certificate and name are checked unless `verify` is off.

    Shared by all connections, because one context with the system's certificates takes most of a megabyte,
    and some time to be made. Raises OSError for a file that cannot be used.
    """
    context = ssl.create_default_context(cafile=ca_file)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
