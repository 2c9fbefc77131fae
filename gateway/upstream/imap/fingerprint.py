"""Recognising credentials without keeping them: a keyed digest that means nothing outside this process."""

from __future__ import annotations

import hashlib
import secrets
from typing import NewType

from gateway.types import Credentials

Fingerprint = NewType("Fingerprint", bytes)

_KEY = secrets.token_bytes(32)


def fingerprint(credentials: Credentials) -> Fingerprint:
    """Equal for equal login and password, different otherwise."""
    digest = hashlib.blake2b(key=_KEY, digest_size=32)
    login = credentials.login.encode("utf-8", "surrogatepass")
    digest.update(len(login).to_bytes(4, "big"))
    digest.update(login)
    digest.update(credentials.password.encode("utf-8", "surrogatepass"))
    return Fingerprint(digest.digest())
