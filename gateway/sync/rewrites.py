"""The names of edited messages: by which UID and section devices know them, and what those are upstream.

An edited message has another UID and maybe other sections after each edit; devices go on calling it, and each
of its attachments, as they did first.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.types import BodyPart, MailboxView, Rewrite, Uids

__all__ = ["Names", "relabelled"]

_SECTION = re.compile(r"([1-9][0-9.]*[0-9]|[1-9])?(.*)", re.DOTALL)
_ASIDE = 900_000
"""Added to the first number of a section that is also the name of an attachment with another section."""
_FIRST_LABEL = 100_001
_NO_SECTION = "0"


class Names:
    """The names of the messages of one mailbox, with one UIDVALIDITY."""

    def __init__(self, uidvalidity: int, rewrites: Iterable[Rewrite]) -> None:
        self.uidvalidity = uidvalidity
        self.rewrites = {each.item: each for each in rewrites if each.uidvalidity == uidvalidity}
        self._items = {each.uid: each.item for each in self.rewrites.values()}
        self._hidden = Uids(uid for each in self.rewrites.values() for uid in (each.uid, *each.stale))

    def __bool__(self) -> bool:
        return bool(self.rewrites)

    def upstream(self, uids: Iterable[int]) -> Uids:
        """The UIDs upstream of messages by the UIDs devices know."""
        if not self.rewrites:
            return Uids(uids)
        return Uids(self.uid(item) for item in uids if item not in self._hidden or item in self.rewrites)

    def known(self, uids: Iterable[int]) -> Uids:
        """The UIDs devices know of messages by those upstream; earlier versions of messages are left out."""
        found = Uids(uids)
        seen = found & self._hidden
        if not seen:
            return found
        return (found - seen) | Uids(self._items[uid] for uid in seen if uid in self._items)

    def uid(self, item: int) -> int:
        """The UID upstream of one message."""
        rewrite = self.rewrites.get(item)
        return rewrite.uid if rewrite else item

    def item(self, uid: int) -> int:
        """The UID by which devices know one message."""
        return self._items.get(uid, uid)

    def stale(self, view: MailboxView) -> Uids:
        """Earlier versions of messages that are still there."""
        return Uids(uid for each in self.rewrites.values() for uid in each.stale) & view.uids

    def gone(self, view: MailboxView) -> list[Rewrite]:
        """The edited messages that are not there."""
        return [each for each in self.rewrites.values() if each.uid not in view.uids]

    def shown(self, view: MailboxView) -> MailboxView:
        """What the mailbox holds by the names that devices know."""
        if not self.rewrites:
            return view
        state = repr(sorted((each.item, each.uid) for each in self.rewrites.values())).encode()
        return replace(
            view,
            version=f"{view.version}+{zlib.crc32(state):x}",
            uids=self.known(view.uids),
            flags={name: self.known(uids) for name, uids in view.flags.items()},
            editions={each.item: each.uid for each in self.rewrites.values() if each.uid in view.uids},
        )

    def section(self, item: int, label: str) -> str | None:
        """The section upstream of what devices call `label`; None: it was removed."""
        rewrite = self.rewrites.get(item)
        number, kind = _split(label)
        if rewrite is None or not number:
            return label
        if number in rewrite.labels:
            section = rewrite.labels[number]
            return section + kind if section else None
        return _moved(number, -_ASIDE, _ASIDE) + kind

    def labelled(self, item: int, structure: BodyPart) -> BodyPart:
        """The structure with sections as devices know them."""
        rewrite = self.rewrites.get(item)
        if rewrite is None or not rewrite.labels:
            return structure
        labels = {section: label for label, section in rewrite.labels.items() if section}
        return _labelled(structure, labels, rewrite.labels)


def relabelled(
    before: Mapping[str, str], attachments: Iterable[str], moved: Mapping[str, str], added: Iterable[str]
) -> dict[str, str]:
    """The labels of attachments after an edit.

    `before` are those of the message so far, `attachments` the sections of its attachments, `moved` the
    sections that what is left of it has now, and `added` the sections of new attachments.
    """
    named = {section: label for label, section in before.items() if section}
    labels = dict.fromkeys(before, "")
    for section in attachments:
        labels[named.get(section, section)] = moved.get(section, "")
    free = _FIRST_LABEL
    for section in added:
        label = section
        while label in labels:
            label, free = str(free), free + 1
        labels[label] = section
    return labels


def _split(section: str) -> tuple[str, str]:
    """The numbers of a section and what follows them (".MIME", "HEADER")."""
    match = _SECTION.fullmatch(section)
    assert match is not None
    return match[1] or "", match[2]


def _moved(number: str, by: int, least: int = 0) -> str:
    first, dot, rest = number.partition(".")
    return f"{int(first) + by}{dot}{rest}" if int(first) > least else number


def _labelled(part: BodyPart, labels: Mapping[str, str], taken: Mapping[str, str]) -> BodyPart:
    section = labels.get(part.section)
    if section is None:
        if part.type == "multipart":  # nobody asks for one by its number
            section = _NO_SECTION if part.section in taken else part.section
        else:
            section = _moved(part.section, _ASIDE) if part.section in taken else part.section
    children = tuple(_labelled(child, labels, taken) for child in part.children)
    return replace(part, section=section, children=children)
