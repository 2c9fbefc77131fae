"""The authorities that are trusted for certificates of mail, from a file."""

from __future__ import annotations

import ssl
from pathlib import Path

import structlog

from gateway.mail.certificates import Authorities, read_bundle

__all__ = ["read_authorities"]


def read_authorities(file: Path | None) -> Authorities:
    """Those in a file (PEM), or the system's; nobody, and a warning, where there are none."""
    source = file or ssl.get_default_verify_paths().cafile
    log = structlog.get_logger("gateway.certificates")
    try:
        found = read_bundle(Path(source).read_bytes()) if source else []
    except OSError as error:
        log.warning("authorities cannot be read", file=str(source), reason=error.strerror)
        found = []
    if not found:
        log.warning("no authority is trusted for certificates of mail: see certificates.ca_file")
    return Authorities.of(found)
