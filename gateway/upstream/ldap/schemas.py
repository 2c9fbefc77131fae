"""Which attributes say what of people and groups, in the directories that are out there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

__all__ = ["PROPERTIES", "SCHEMAS", "Attributes", "Schema", "adapted"]


@dataclass(frozen=True, slots=True)
class Attributes:
    """Names of attributes by what they tell; of several the first one that somebody has counts.

    Of `address`, `certificate` and `member` all values of all attributes do, the first address being his own.
    """

    address: tuple[str, ...] = ("mail", "mailAlternateAddress")
    name: tuple[str, ...] = ("displayName", "cn")
    alias: tuple[str, ...] = ("uid",)
    first_name: tuple[str, ...] = ("givenName",)
    last_name: tuple[str, ...] = ("sn",)
    title: tuple[str, ...] = ("title",)
    office: tuple[str, ...] = ("physicalDeliveryOfficeName", "roomNumber")
    company: tuple[str, ...] = ("o",)
    phone: tuple[str, ...] = ("telephoneNumber",)
    home_phone: tuple[str, ...] = ("homePhone",)
    mobile_phone: tuple[str, ...] = ("mobile",)
    photo: tuple[str, ...] = ("jpegPhoto",)
    certificate: tuple[str, ...] = ("userCertificate", "userSMIMECertificate")
    member: tuple[str, ...] = ("member", "uniqueMember")
    """DNs of members."""
    member_uid: tuple[str, ...] = ("memberUid",)
    """What members have as their `alias`."""


PROPERTIES = tuple(one.name for one in fields(Attributes))
"""What attributes can be named for in the configuration."""


@dataclass(frozen=True, slots=True)
class Schema:
    """How people and groups are recognised (filters of RFC 4515), and their attributes."""

    people: str
    groups: str
    attributes: Attributes = Attributes()
    login: tuple[str, ...] = ()
    """Attributes with what people log in as, where that is neither an address nor an alias of theirs."""


_GROUP_CLASSES = ("groupOfNames", "groupOfUniqueNames", "posixGroup", "groupOfMembers")

SCHEMAS: Mapping[str, Schema] = MappingProxyType({
    "openldap": Schema(
        people="(objectClass=inetOrgPerson)",
        groups=f"(|{''.join(f'(objectClass={name})' for name in _GROUP_CLASSES)})",
    ),
    "ad": Schema(
        # Neither who may not log in any more nor who is to be hidden from address lists.
        people=(
            "(&(objectCategory=person)(!(userAccountControl:1.2.840.113556.1.4.803:=2))"
            "(!(msExchHideFromAddressLists=TRUE)))"
        ),
        groups="(&(objectClass=group)(!(msExchHideFromAddressLists=TRUE)))",
        attributes=Attributes(
            address=("mail", "proxyAddresses"),
            alias=("mailNickname", "sAMAccountName"),
            office=("physicalDeliveryOfficeName",),
            company=("company",),
            photo=("thumbnailPhoto", "jpegPhoto"),
            member=("member",),
            member_uid=(),
        ),
        login=("userPrincipalName",),
    ),
    "freeipa": Schema(
        people="(&(objectClass=inetOrgPerson)(!(nsAccountLock=TRUE)))",
        groups="(objectClass=ipaUserGroup)",
        attributes=Attributes(address=("mail",), member=("member",), member_uid=()),
    ),
})  # fmt: skip


def adapted(schema: Schema, people: str, groups: str, attributes: Iterable[str]) -> Schema:
    """A schema with other filters ("": as it is) and attributes ("office=roomNumber|l") of this site."""
    changes = dict(one.split("=", 1) for one in attributes)
    named: dict[str, Any] = {name: tuple(value.split("|")) for name, value in changes.items()}
    return Schema(people or schema.people, groups or schema.groups, replace(schema.attributes, **named))
