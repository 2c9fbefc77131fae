"""Who a login is: the upstream login, the user's address, and the addresses he may send from."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gateway.types import Password, Principal, UserId

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    r"""The templates that turn what the phone sends into an identity.

    `login`, `email`, `name` and each of `allow_from` may hold `{user}` (as typed, without a Windows domain),
    `{local}` (before the @) and `{domain}` (after it; of `DOMAIN\user` the Windows domain). In `allow_from`
    they are taken from the user's address, and `*` outside of them stands for any text.
    """

    login: str = "{user}"
    email: str = "{user}"
    name: str = ""
    allow_from: tuple[str, ...] = ()

    @property
    def rules(self) -> str:
        """What logins and addresses are made by: with other templates, other addresses belong to others."""
        return f"{self.login} {self.email}"

    def principal(self, user: str, password: str) -> Principal:
        """Return the identity behind what a phone sent as user name and password."""
        values = _parts(user)
        login = _fill(self.login, values)
        return Principal(
            user=UserId(login.lower()),
            email=_fill(self.email, values),
            credentials=Password(login, password),
            display_name=_fill(self.name, values),
        )

    def leads_to(self, name: str, domains: Collection[str]) -> bool:
        """Whether a name that a token or a certificate proves is that of the user it leads to.

        Others than users prove it, of whom some may be anna in another domain: where the login drops the
        domain it is to be among `domains`, or without any that of the users' addresses; likewise a Windows
        domain. Nobody is led to by letters beyond ASCII that become such in lower case.
        """
        values = _parts(name)
        local, domain, windows = values["local"], values["domain"].lower(), "\\" in name
        if not local or (windows and "@" in name) or (name.lower().isascii() and not name.isascii()):
            return False
        if domains:
            return not domain or domain in domains
        if windows:
            return False
        kept = "{user}" in self.login or "{domain}" in self.login
        return not domain or kept or domain == _parts(_fill(self.email, _parts(local)))["domain"].lower()

    def address(self, user: UserId) -> str:
        """The address of another user, of whom nothing is known but his upstream login."""
        return _fill(self.email, _parts(user))

    def login_of(self, address: str) -> str | None:
        """What the user with this address logs in as; None where the address does not tell."""
        named: set[str] = set()
        pattern = "".join(_matching(part, named) for part in _PLACEHOLDERS.split(self.email))
        match = re.fullmatch(pattern, address, re.IGNORECASE)
        values = match.groupdict() if match else {}
        if "user" in values or "domain" not in values:
            return values.get("user") or values.get("local")
        return f"{values['local']}@{values['domain']}" if "local" in values else None

    def may_send_as(self, principal: Principal, address: str) -> bool:
        """Whether the address is the user's own or one `allow_from` grants; case does not matter."""
        wanted = address.strip().lower()
        if wanted == principal.email.lower():
            return True
        values = _parts(principal.email)
        literal = {name: _literal(value.lower()) for name, value in values.items()}
        return any(fnmatchcase(wanted, _fill(pattern.lower(), literal)) for pattern in self.allow_from)

    def addresses(self, email: str) -> tuple[str, ...]:
        """The addresses of the user with the address `email`: that one, and those `allow_from` names."""
        values = _parts(email)
        found = {email.lower(): email}
        for pattern in self.allow_from:
            if "*" not in pattern:
                address = _fill(pattern, values)
                found.setdefault(address.lower(), address)
        return tuple(found.values())

    def owns(self, email: str, address: str) -> bool:
        """Whether an address is that of the user with the address `email`, or leads to him too.

        So does what `allow_from` grants him, but for what a `*` may make another's: it counts behind a +.
        """
        wanted = address.strip().lower()
        if wanted == email.lower():
            return True
        values = _parts(email.lower())
        literal = {name: _literal(value) for name, value in values.items()}
        own = (pattern.lower() for pattern in self.allow_from if "*" not in pattern.replace("+*", ""))
        return any(fnmatchcase(wanted, _fill(pattern, literal)) for pattern in own)


def _parts(user: str) -> dict[str, str]:
    windows_domain, backslash, bare = user.rpartition("\\")
    local, at, domain = bare.rpartition("@")
    if not at:
        local, domain = bare, windows_domain if backslash else ""
    return {"user": bare, "local": local, "domain": domain}


_PLACEHOLDER = re.compile(r"\{(user|local|domain)\}")
_PLACEHOLDERS = re.compile(r"(\{(?:user|local|domain)\})")


def _fill(template: str, values: Mapping[str, str]) -> str:
    if "{" not in template:
        return template
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def _matching(part: str, named: set[str]) -> str:
    """The pattern for a part of a template, of which the placeholders in `named` came before."""
    if not _PLACEHOLDER.fullmatch(part):
        return re.escape(part)
    name = part[1:-1]
    if name in named:
        return f"(?P={name})"
    named.add(name)
    return f"(?P<{name}>.+)" if name == "user" else f"(?P<{name}>[^@]+)"


def _literal(text: str) -> str:
    """Quote what fnmatch would read as a pattern."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in text)
