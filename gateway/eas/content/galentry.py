"""Somebody in the answer to a search of the address list (MS-ASCMD 2.2.3.139.2): the elements of page GAL."""

from __future__ import annotations

from gateway.ports.directory import Entry
from wbxml import Element, element
from wbxml.pages import GAL

__all__ = ["PICTURE", "entry_properties"]

PICTURE = (GAL.Picture, GAL.Status, GAL.Data)
"""How a photo is told there."""


def entry_properties(entry: Entry, picture: Element | None = None) -> list[Element]:
    """What is known of somebody, none of it empty, and the photo, or that there is none."""
    known = (
        (GAL.DisplayName, entry.name or entry.address),
        (GAL.Phone, entry.phone),
        (GAL.Office, entry.office),
        (GAL.Title, entry.title),
        (GAL.Company, entry.company),
        (GAL.Alias, entry.alias or entry.address.rpartition("@")[0] or entry.address),
        (GAL.FirstName, entry.first_name),
        (GAL.LastName, entry.last_name),
        (GAL.HomePhone, entry.home_phone),
        (GAL.MobilePhone, entry.mobile_phone),
        (GAL.EmailAddress, entry.address),
    )
    shown = [element(tag, text) for tag, text in known if text]
    if picture is not None:
        shown.append(picture)
    return shown
