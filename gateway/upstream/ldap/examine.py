"""What an administrator should know of LDAP servers: each of them reachable, a login, the base to be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import replace

from gateway.errors import UpstreamError
from gateway.ports.directory import Viewer
from gateway.ports.examining import Finding, bad, doubtful, good
from gateway.types import Credentials, Password, UserId
from gateway.upstream.ldap import belonging
from gateway.upstream.ldap.directory import LdapDirectory, identity
from gateway.upstream.ldap.pool import Pool
from gateway.upstream.ldap.session import Session
from gateway.upstream.ldap.settings import LdapSettings
from gateway.upstream.remedies import remedy

__all__ = ["examine"]

_NO_ATTRIBUTES = "1.1"
"""RFC 4511 4.5.1.8."""


async def examine(
    settings: LdapSettings,
    credentials: Credentials | None,
    groups: Collection[str] = (),
    sought: tuple[Collection[str], str] | None = None,
) -> AsyncIterator[Finding]:
    """Look at every server as the gateway does, for a user where users log in there.

    `groups` are those that have to be there, by `group_name`: policies and rules name them. `sought` are the
    addresses and the alias of a user whose groups are looked up.
    """
    if credentials is None and settings.bind == "user":
        yield good("the servers were not asked: a user logs in there (ldap.bind); give --user")
        return
    viewer = Viewer(UserId(""), credentials or Password("", ""))
    for url in settings.urls:
        yield await _look(replace(settings, urls=(url,)), viewer)
    if groups:
        yield await _find(settings, viewer, groups)
    if groups and sought is not None:
        yield await _look_up(settings, viewer, groups, sought)


async def _find(settings: LdapSettings, viewer: Viewer, groups: Collection[str]) -> Finding:
    """Whether groups are there: nobody is in one whose name has a slip in it, which makes no error."""

    def missing(session: Session) -> list[str]:
        return [name for name in sorted(groups) if not belonging.is_there(session, settings.schema, name)]

    pool = Pool(settings)
    try:
        lost = await pool.run(identity(settings, viewer), missing)
    except UpstreamError as error:
        return bad(f"groups cannot be looked for: {error}", "see what was found before")
    finally:
        await pool.aclose()
    if lost:
        return bad(
            f"there is no group {', '.join(lost)}",
            "look at the groups that policies, devices.rules and devices.barred_groups name, and at [groups]",
        )
    return good(f"all groups that policies and rules name are there: {', '.join(sorted(groups))}")


async def _look_up(
    settings: LdapSettings, viewer: Viewer, groups: Collection[str], sought: tuple[Collection[str], str]
) -> Finding:
    """In which of these groups a user is: one who is in none may just not be found, which makes no error."""
    directory = LdapDirectory(settings)
    try:
        found = await directory.groups_of(viewer, *sought)
    except UpstreamError as error:
        return bad(f"the groups of the user cannot be looked up: {error}", "see what was found before")
    finally:
        await directory.aclose()
    if not found:
        who = " or ".join(filter(None, (*sorted(sought[0]), sought[1])))
        return doubtful(f"the user is in no group at all, by {who}", "if he is in one, look at ldap.user")
    return good(f"of these the user is in {', '.join(sorted(found & frozenset(groups))) or 'none'}")


async def _look(settings: LdapSettings, viewer: Viewer) -> Finding:
    (url,) = settings.urls

    def seen(session: Session) -> bool:
        return session.read(settings.base, [_NO_ATTRIBUTES]) is not None

    pool = Pool(settings)
    try:
        found = await pool.run(identity(settings, viewer), seen)
    except UpstreamError as error:
        login = "refused the login" in str(error)
        return bad(
            str(error),
            "look at ldap.bind_dn and ldap.password" if login else remedy("ldap", url.host, str(error)),
        )
    finally:
        await pool.aclose()
    if not found:
        return bad(
            f"{url} shows nothing at {settings.base}", "look at ldap.base, and at what the login may read"
        )
    return good(f"{url} answers, and shows {settings.base}")
