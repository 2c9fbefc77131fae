"""Ways to log in besides the mail password, each only where the configuration turns it on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gateway.errors import AuthenticationFailed, TokenExpired
from gateway.ports import Clock, State
from gateway.ports.logins import Tokens
from gateway.types import Credentials, LoginKind, MasterUser, Principal

if TYPE_CHECKING:
    from gateway.web.certificates import ClientCertificates

__all__ = ["AppPasswordWay", "CertificateWay", "Master", "TokenWay", "Ways"]


@dataclass(frozen=True, slots=True)
class Master:
    """Who may log in upstream as every user."""

    login: str
    password: str = field(repr=False)
    separator: str = ""

    def opens(self, login: str) -> Credentials:
        """What opens the mailbox of a user."""
        return MasterUser(login, self.login, self.password, self.separator)


@dataclass(frozen=True, slots=True)
class AppPasswordWay:
    """App passwords; `required`: phones cannot log in with the mail password."""

    state: State
    clock: Clock
    master: Master
    required: bool = False

    async def check(self, principal: Principal) -> None:
        """Raises `AuthenticationFailed` when the app password of a login was revoked since."""
        number = principal.login.app_password
        if all(one.number != number for one in await self.state.app_passwords(principal.user)):
            raise AuthenticationFailed("app password: revoked meanwhile")


@dataclass(frozen=True, slots=True)
class TokenWay:
    """Bearer tokens; without `master` they log in upstream themselves."""

    tokens: Tokens
    clock: Clock
    master: Master | None = None
    domains: frozenset[str] = frozenset()
    """In which their users are; see `Identity.leads_to`."""

    def check(self, principal: Principal) -> None:
        """Raises `TokenExpired` when the token of a login is over."""
        if (seconds := self.seconds_left(principal)) is not None and seconds <= 0:
            raise TokenExpired("token: expired meanwhile")

    def seconds_left(self, principal: Principal) -> float | None:
        """How long a login holds; None: for good."""
        expires = principal.login.expires
        return None if expires is None else (expires - self.clock.now()).total_seconds()

    def challenge(self, fault: Literal["", "invalid_token"] = "") -> str:
        """What asks for a token (RFC 6750 3), and says where there are some as MS-XOAUTH 3.2.5.4 does."""
        sign_in = self.tokens.sign_in()
        said = {
            "realm": "ActiveSync",
            "trusted_issuers": sign_in.issuer,
            "authorization_uri": sign_in.authorization,
            "error": fault,
        }
        return "Bearer " + ", ".join(f'{name}="{_quoted(text)}"' for name, text in said.items() if text)


@dataclass(frozen=True, slots=True)
class CertificateWay:
    """Certificates of clients that a proxy checked."""

    certificates: ClientCertificates
    master: Master
    domains: frozenset[str] = frozenset()
    """In which their users are; see `Identity.leads_to`."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What there is; None: not here."""

    app_passwords: AppPasswordWay | None = None
    tokens: TokenWay | None = None
    certificates: CertificateWay | None = None

    async def check(self, principal: Principal) -> None:
        """Whether a login that was good still is. Raises `AuthenticationFailed`, and `GatewayError`."""
        match principal.login.kind:
            case LoginKind.APP_PASSWORD if self.app_passwords is not None:
                await self.app_passwords.check(principal)
            case LoginKind.TOKEN if self.tokens is not None:
                self.tokens.check(principal)
            case _:
                return


def _quoted(text: str) -> str:
    """The inside of a quoted string of a header (RFC 9110 5.6.4)."""
    return "".join(one for one in text if one.isascii() and one.isprintable() and one not in '"\\')
