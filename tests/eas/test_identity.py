"""Login, address and sender patterns from what a phone sends."""

from __future__ import annotations

import pytest

from gateway.eas.identity import Identity
from gateway.types import UserId

SIMPLE = Identity()


@pytest.mark.parametrize(
    ("identity", "typed", "login", "email"),
    [
        (SIMPLE, "Jo@Example.com", "Jo@Example.com", "Jo@Example.com"),
        (SIMPLE, "CORP\\jo", "jo", "jo"),
        (SIMPLE, "CORP\\jo@example.com", "jo@example.com", "jo@example.com"),
        (SIMPLE, "\\jo", "jo", "jo"),
        (Identity(login="{local}", email="{user}"), "jo@example.com", "jo", "jo@example.com"),
        (Identity(email="{local}@example.com"), "jo", "jo", "jo@example.com"),
        (Identity(login="{domain}/{local}"), "CORP\\jo", "CORP/jo", "jo"),
        (Identity(login="{local}+{local}"), "a+b@c@d", "a+b@c+a+b@c", "a+b@c@d"),
        # What a user types is never read as a template.
        (Identity(login="{user}", email="{local}@x"), "{domain}@secret", "{domain}@secret", "{domain}@x"),
    ],
)
def test_templates(identity: Identity, typed: str, login: str, email: str) -> None:
    principal = identity.principal(typed, "pw")
    assert principal.credentials.login == login
    assert principal.user == login.lower()
    assert principal.email == email


LOCAL = Identity(login="{local}", email="{local}@example.com")
BARE = Identity(login="{local}")


@pytest.mark.parametrize(
    ("identity", "domains", "names", "strangers"),
    [
        (SIMPLE, "", "anna anna@example.com anna@other.example a+b@c", r"CORP\anna E\anna@example.com \anna"),
        (
            LOCAL,
            "",
            "anna Anna@EXAMPLE.com",
            r"anna@other.example CORP\anna a@x@other @example.com",
        ),
        (LOCAL, "corp", r"anna CORP\anna anna@corp", "anna@example.com anna@other.example"),
        (BARE, "", "anna", "anna@example.com"),
        (Identity(login="{local}", email="{local}@{domain}"), "", "anna", "anna@example.com"),
        (BARE, "example.com", "anna anna@Example.com", "anna@other.example @example.com"),
        (Identity(login="{domain}/{local}"), "", "anna@other.example", "CORP\\anna"),
        # The sign of kelvins is a k in lower case.
        (SIMPLE, "", "\u00e4nna@example.com", "\u212aate@example.com"),
    ],
)
def test_whom_a_proven_name_leads_to(identity: Identity, domains: str, names: str, strangers: str) -> None:
    assert [name for name in names.split() if not identity.leads_to(name, domains.split())] == []
    assert [name for name in strangers.split() if identity.leads_to(name, domains.split())] == []


def test_display_name() -> None:
    assert Identity(name="{local} at home").principal("jo@x", "").display_name == "jo at home"
    assert not Identity().principal("jo@x", "").display_name


def test_the_address_of_another_user() -> None:
    assert Identity(email="{local}@example.com").address(UserId("jo")) == "jo@example.com"
    assert Identity().address(UserId("jo@example.com")) == "jo@example.com"


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(SIMPLE.principal("jo", "hunter2"))


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("jo@example.com", True),
        (" JO@Example.COM ", True),
        ("jo+lists@example.com", True),
        ("jo@example.org", True),
        ("support@example.com", True),
        ("al@example.com", False),
        ("al+jo@example.com", False),
        ("support@example.org", False),
        ("", False),
    ],
)
def test_senders(address: str, allowed: bool) -> None:
    identity = Identity(allow_from=("{local}+*@{domain}", "{local}@example.org", "Support@example.com"))
    assert identity.may_send_as(identity.principal("Jo@example.com", ""), address) is allowed


@pytest.mark.parametrize(
    ("address", "his"),
    [
        ("bob@example.com", True),
        ("Bob@Example.COM", True),
        ("bob+lists@example.com", True),
        ("robert@example.com", False),
        ("office@example.com", True),
        ("ann@team.example", False),
        ("bobby@example.com", False),
    ],
)
def test_addresses_that_are_his_own(address: str, his: bool) -> None:
    """What a star lets him send from may be anybody's."""
    patterns = ("{local}+*@{domain}", "office@{domain}", "*@team.example", "{local}*@{domain}")
    identity = Identity(allow_from=patterns)
    assert identity.owns("bob@example.com", address) is his


def test_a_star_in_the_users_name_grants_nothing() -> None:
    identity = Identity(allow_from=("{local}@example.org",))
    star = identity.principal("*@example.com", "")
    assert identity.may_send_as(star, "*@example.org")
    assert not identity.may_send_as(star, "boss@example.org")
    bracket = identity.principal("[ab]@example.com", "")
    assert not identity.may_send_as(bracket, "a@example.org")
