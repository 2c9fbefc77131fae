"""Recognising credentials without keeping them: a keyed digest that means nothing outside this process."""

from __future__ import annotations

import hashlib
import secrets
from typing import NewType

from gateway.types import BearerToken, Credentials, MasterUser, Password

Fingerprint = NewType("Fingerprint", bytes)

_KEY = secrets.token_bytes(32)


def fingerprint(credentials: Credentials) -> Fingerprint:
    """Equal for equal login and proof, different otherwise.

    Tokens of one user are equal: the gateway has verified each, and a user whose token was renewed goes on
    with the connections he has.
    """
    texts = (type(credentials).__name__, credentials.login, *_proof(credentials))
    octets = [text.encode("utf-8", "surrogatepass") for text in texts]
    whole = b"".join([len(each).to_bytes(4, "big") + each for each in octets])
    return Fingerprint(hashlib.blake2b(whole, key=_KEY, digest_size=32).digest())


def _proof(credentials: Credentials) -> tuple[str, ...]:
    match credentials:
        case Password(password=password):
            return (password,)
        case MasterUser(master=master, password=password):
            return (master, password)
        case BearerToken():
            return ()
