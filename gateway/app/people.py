"""Where people are looked up: LDAP, files, address books, the users of the gateway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.app.extras import missing
from gateway.app.release import SystemClock
from gateway.config import LdapSection, Settings
from gateway.eas.addressbooks import AddressBooks, OwnBooks, SharedBook
from gateway.eas.addresslist import AddressList, Reach
from gateway.eas.admission import Admission
from gateway.eas.memberships import LearnedGroups
from gateway.errors import ConfigError
from gateway.ports import Directory, Items, State
from gateway.ports.directory import Belonging
from gateway.store.people import StoredPeople
from gateway.sync.background import Background
from gateway.types import UserId
from gateway.upstream.directoryfile import FileDirectory

if TYPE_CHECKING:
    from gateway.upstream.ldap import LdapSettings


def address_list_of(
    settings: Settings, directories: Sequence[Directory], people: StoredPeople, items: Items
) -> AddressList:
    """The directories and the users of the gateway as one address list."""
    return AddressList(
        directories=(*directories, people),
        own=(OwnBooks(AddressBooks(items)),),
        people=people,
        listed=Reach(settings.directory.users),
        free_busy=Reach(settings.calendar.free_busy),
        min_query=settings.directory.min_query,
    )


def groups_of(
    settings: Settings,
    admission: Admission,
    directories: Sequence[Directory],
    state: State,
    background: Background,
) -> LearnedGroups | None:
    """Who knows the groups of users that are of these directories; None where none of them is named."""
    if not admission.directory_groups:
        return None
    for one in directories:
        if isinstance(one, FileDirectory):
            check_groups(settings, admission, one)
    return LearnedGroups(
        admission.policies.groups,
        admission.directory_groups,
        state,
        SystemClock(),
        background,
        sources=[one for one in directories if isinstance(one, Belonging)],
        age=timedelta(seconds=settings.directory.groups_seconds),
    )


def check_groups(settings: Settings, admission: Admission, file: FileDirectory) -> None:
    """Raises `ConfigError` for a group that the directory file does not have, where no other may have it."""
    missing = sorted(admission.directory_groups - file.group_names)
    if missing and settings.ldap is None:
        known = ", ".join(sorted({*settings.groups, *file.group_names})) or "none"
        raise ConfigError(
            f"{settings.directory.file}: has no group {missing[0]}, which policies or rules name;"
            f" allowed are {known}"
        )


def directories_of(settings: Settings, items: Items, parts: AsyncExitStack) -> Iterator[Directory]:
    """Where people are looked up besides the users of the gateway. Raises `ConfigError`."""
    if settings.ldap is not None:
        yield _ldap(settings.ldap, parts)
    if settings.directory.file is not None:
        yield FileDirectory(settings.directory.file)
    books = AddressBooks(items, private=False)
    for book in settings.directory.address_books:
        owner, _, name = book.partition("/")
        yield SharedBook(books, UserId(owner.strip().lower()), name.strip())


def _ldap(section: LdapSection, parts: AsyncExitStack) -> Directory:
    settings = ldap_settings(section)
    from gateway.upstream.ldap import LdapDirectory  # noqa: PLC0415 (an extra)

    directory = LdapDirectory(settings)
    parts.push_async_callback(directory.aclose)
    return directory


def ldap_settings(section: LdapSection) -> LdapSettings:
    """How the LDAP server is reached and read. Raises `ConfigError`."""
    try:
        from gateway.upstream import ldap  # noqa: PLC0415 (an extra)
    except ImportError:
        raise missing("ldap", "[ldap]") from None
    values = section.model_dump(exclude={"url", "server", "people", "groups", "attributes"})
    schema = ldap.adapted(ldap.SCHEMAS[section.server], section.people, section.groups, section.attributes)
    return ldap.LdapSettings(
        urls=tuple(map(ldap.Url.parse, section.url)),
        schema=schema,
        **values | {"password": section.password.get_secret_value()},
    )
