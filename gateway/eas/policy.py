"""A policy as devices are sent it: EASProvisionDoc (MS-ASPROV 2.2.2.28)."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.eas.versions import Version
from gateway.policies import ELEMENTS, Policy, Value
from wbxml import Element, Tag, element
from wbxml.pages import Provision

__all__ = ["document"]

_ENTRIES: dict[str, Tag] = {
    "UnapprovedInROMApplicationList": Provision.ApplicationName,
    "ApprovedApplicationList": Provision.Hash,
}


def document(policy: Policy, version: Version) -> Element:
    """The policy as a device of this version may see it: elements it does not know are left out.

    What is not demanded is sent all the same, so that a device drops what was demanded earlier.
    """
    return element(Provision.EASProvisionDoc, *_elements(policy, version))


def _elements(policy: Policy, version: Version) -> Iterator[Element]:
    for one in ELEMENTS:
        tag: Tag = getattr(Provision, one.name)
        value = policy.values.get(one.name, one.unset)
        if value is not None and tag.min_version is not None and float(tag.min_version) <= version / 10:
            yield _written(tag, value)


def _written(tag: Tag, value: Value) -> Element:
    if isinstance(value, str):
        return element(tag, value)
    return element(tag, *(element(_ENTRIES[tag.name], text) for text in value))
