"""Somebody in the answer to a search of the address list (MS-ASCMD 2.2.3.139.2): the elements of page GAL."""

from __future__ import annotations

from gateway.ports.directory import Entry
from wbxml import Element, element
from wbxml.pages import GAL

__all__ = ["NO_PICTURE", "entry_properties"]

NO_PICTURE = 173


def entry_properties(entry: Entry, *, picture: bool) -> list[Element]:
    """What is known of somebody, none of it empty; with `picture` also that there is none of him."""
    shown = [
        element(GAL.DisplayName, entry.name or entry.address),
        element(GAL.Alias, entry.address.rpartition("@")[0] or entry.address),
        element(GAL.EmailAddress, entry.address),
    ]
    if picture:
        shown.append(element(GAL.Picture, element(GAL.Status, NO_PICTURE)))
    return shown
