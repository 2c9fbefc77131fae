"""Which devices are let in, and the pages of users and administrators."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gateway.config.sections.section import Section
from gateway.config.values import Name, Network, VersionPattern, words


class AccessRuleSection(Section):
    """What devices may do that are alike; * stands for any text."""

    access: Literal["allow", "block", "quarantine"]
    """What they may do."""
    type: str = ""
    """Their type, as iPhone."""
    model: str = ""
    """Their model, as they tell it."""
    agent: str = ""
    """Their User-Agent."""
    user: str = ""
    """The login of their user."""
    version: VersionPattern = ""
    """The protocol version they use."""
    group: str = ""
    """A group of their user: of [groups], or of the directories."""


class DevicesSection(Section):
    """Which devices are let in."""

    access: Literal["allow", "block", "quarantine"] = "allow"
    """What devices may do that no rule names, and nobody decided of."""
    rules: tuple[AccessRuleSection, ...] = ()
    """Rules, of which the first that names a device counts: tables [[devices.rules]]."""
    barred: Annotated[tuple[Name, ...], BeforeValidator(words)] = ()
    """Users (logins, * stands for any text) who may not synchronise at all."""
    barred_groups: Annotated[tuple[Name, ...], BeforeValidator(words)] = ()
    """Groups, of [groups] or of the directories, whose users may not."""
    limit: Annotated[int, Field(ge=0, le=10_000)] = 100
    """Devices a user may have at most; 0: any number."""
    notice: Annotated[str, Field(max_length=2000)] = ""
    """Text for users whose device is in quarantine: whom to ask."""
    expire_days: Annotated[int, Field(ge=0, le=36500)] = 0
    """Days after which a device is forgotten that does not come any more; 0: never."""
    audit_days: Annotated[int, Field(ge=0, le=36500)] = 730
    """Days for which it is known who decided what; 0: for ever."""


class AccountSection(Section):
    """The page on which users see their own devices and folders, and the sessions of all pages."""

    enabled: bool = True
    """Whether there is such a page, at /account."""
    idle_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    """Minutes after which who does nothing is signed out, on this page and that of administrators."""
    session_hours: Annotated[int, Field(ge=1, le=720)] = 12
    """Hours after which everybody has to sign in again."""


class AdminSection(Section):
    """The page of administrators, at /admin; without users there is none."""

    users: Annotated[tuple[Name, ...], BeforeValidator(words)] = ()
    """The logins of those who may use it, with the passwords of their mail accounts."""
    networks: Annotated[tuple[Network, ...], BeforeValidator(words)] = ()
    """Addresses and networks it is served to; without any, to all."""
