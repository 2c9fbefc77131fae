"""Who somebody is, and what proves it to the gateway and opens the mail server for him."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from gateway.types.ids import DeviceId, UserId


@dataclass(frozen=True, slots=True)
class Password:
    """A user's login and password."""

    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A user's login, and the token that proves it (RFC 6750). Another token of his is as good."""

    login: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MasterUser:
    """A user's login, opened by somebody who may log in as everybody, without the user's password.

    `separator` stands between both where the server takes them as one login ("anna*master"); "" where it is
    told for whom by SASL (the authorization identity of RFC 4616).
    """

    login: str
    master: str
    password: str = field(repr=False)
    separator: str = ""


Credentials: TypeAlias = Password | BearerToken | MasterUser
"""What logs in upstream. Lives in memory only; never in `repr`, logs or the store."""


class LoginKind(StrEnum):
    """What a user proved with who he is."""

    PASSWORD = "password"  # noqa: S105 (a name)
    """With the password of his mail account."""
    APP_PASSWORD = "app password"  # noqa: S105 (a name)
    TOKEN = "token"  # noqa: S105 (a name)
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Login:
    """How a user logged in: `app_password` is the number of the one he used, `expires` the end of a token."""

    kind: LoginKind = LoginKind.PASSWORD
    app_password: int = 0
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated user: who it is, which address is his, and what opens the upstream for him."""

    user: UserId
    email: str
    credentials: Credentials
    display_name: str = ""
    login: Login = Login()


@dataclass(frozen=True, slots=True)
class AppPassword:
    """A password that a user made for one device or purpose, and can revoke alone.

    `number` is unique in the store and never given again; 0 before it is stored. `device` used it last, at
    `used`, which is not exact; with `bound` no other device may. The text itself is known to nobody.
    """

    user: UserId
    name: str
    digest: bytes = field(repr=False)
    created: datetime
    bound: bool = False
    device: DeviceId = field(default=DeviceId(""))
    used: datetime | None = None
    number: int = 0
