"""Where people are looked up."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from gateway.config.sections.section import Section
from gateway.config.values import (
    Attribute,
    File,
    Filter,
    LdapUrl,
    Owned,
    UserFilter,
    words,
)


class DirectorySection(Section):
    """Looking up people."""

    users: Literal["domain", "all", "none"] = "domain"
    """Whom a user finds, wherever they are listed: those of his mail domain, all, or nobody."""
    min_query: Annotated[int, Field(ge=1, le=20)] = 2
    """Fewest characters that are searched for."""
    file: File | None = None
    """People and groups, in TOML or CSV."""
    address_books: Annotated[tuple[Owned, ...], BeforeValidator(words)] = ()
    """Folders of contacts in which everybody finds people: "anna@example.com/Company"."""
    groups_seconds: Annotated[int, Field(ge=10, le=86400)] = 600
    """Seconds for which it counts in which groups the directories said that a user is."""


class LdapSection(Section):
    """People and groups in an LDAP server; without this section none is asked."""

    url: Annotated[tuple[LdapUrl, ...], BeforeValidator(words)] = Field(min_length=1, max_length=5)
    """The servers, asked in this order when one fails: "ldaps://ldap.example.com"."""
    base: Annotated[str, Field(min_length=1)]
    """The DN below which people and groups are."""
    server: Literal["openldap", "ad", "freeipa"] = "openldap"
    """What kind of server it is: which attributes it has, and how people and groups are told from others."""
    starttls: bool = True
    """Whether connections to ldap:// are secured before anything is said."""
    ca_file: File | None = None
    """Certificates of the authorities to trust (PEM) instead of the system's."""
    verify: bool = True
    """Whether the server's certificate is checked."""
    timeout: Annotated[float, Field(gt=0, le=60)] = 5
    """Seconds each server may take for one question."""
    bind: Literal["service", "user", "anonymous"] = "service"
    """Whether to log in with `bind_dn` and `password`, as the phone's user, or not at all."""
    bind_dn: str = ""
    """The DN to log in with; for users a template as "uid={local},ou=people,dc=example,dc=com"."""
    password: SecretStr = SecretStr("")
    """The password of the service account."""
    people: Filter = ""
    """Filter for people, instead of the one for the kind of server."""
    groups: Filter = ""
    """Filter for groups, likewise."""
    user: UserFilter = ""
    """Filter for a user's own entry, to know his groups: a template as "(uid={local})"."""
    attributes: Annotated[tuple[Attribute, ...], BeforeValidator(words)] = ()
    """Other attributes: "phone=ipPhone", "office=roomNumber|l"."""
    size_limit: Annotated[int, Field(ge=10, le=10_000)] = 500
    """Most entries one search takes in."""
    max_connections: Annotated[int, Field(ge=1, le=100)] = 4
    """Most connections at a time; further questions wait."""

    @model_validator(mode="after")
    def _check_login(self) -> Self:
        if self.bind == "service" and not (self.bind_dn and self.password.get_secret_value()):
            raise ValueError('bind = "service" needs bind_dn and password')
        if self.bind == "user" and not re.search(r"\{(user|local)\}", self.bind_dn):
            raise ValueError('bind = "user" needs a bind_dn with {user} or {local}')
        return self
