"""Where a folder is to be: which mailbox name a parent and a DisplayName stand for, and what forbids it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import AlreadyExists, Kind, NotFound, Refused
from gateway.mail.headers import clean
from gateway.sync import hierarchy
from gateway.sync.hierarchy import RECIPIENT_CACHE, ROOT
from gateway.types import Folder, FolderList, Mailbox

__all__ = ["Places", "plain_name"]


class Places:
    """The hierarchy as it was last listed."""

    def __init__(self, folders: FolderList, mailboxes: Sequence[Mailbox]) -> None:
        self._folders = folders
        self._mailboxes = mailboxes
        self._prefix = hierarchy.personal_prefix(mailboxes)

    def exists(self, name: str) -> bool:
        """Whether there is a mailbox of that name."""
        return any(mailbox.name == name for mailbox in self._mailboxes)

    def target(self, parent: str, name: str, own: Folder | None = None) -> str:
        """The name of the mailbox of a folder called `name` below `parent`.

        `own` is the folder when there is one: what it is called by now it goes on being called. Raises
        `Refused` for a name that is none, and when no folder can be below `parent`.
        """
        plain = plain_name(name)
        delimiter = next((mailbox.delimiter for mailbox in self._mailboxes if mailbox.delimiter), None)
        last = hierarchy.level(plain, delimiter) if delimiter else plain
        if own is not None and own.mailbox is not None and name == self._shown(own):
            last = self._last_levels(own.mailbox)
        return self._above(parent) + last

    def own(self, identity: str) -> tuple[Folder, Mailbox]:
        """A folder that its user may change, and its mailbox. Raises `Refused`."""
        folder = hierarchy.find(self._folders, identity)
        if folder is None:
            raise NotFound("no such folder")
        if hierarchy.is_default(folder):
            raise Refused(Kind.DEFAULT_FOLDER, "a default folder stays as it is")
        return folder, self._mailbox(folder)

    def below(self, mailbox: Mailbox) -> list[Mailbox]:
        """A mailbox and all below it. Raises `Refused` when a default folder is among them."""
        found = [other for other in self._mailboxes if hierarchy.within(other.name, mailbox)]
        names = {other.name for other in found}
        for folder in self._folders.folders:
            if folder.mailbox in names and not folder.gone and hierarchy.is_default(folder):
                raise Refused(Kind.DEFAULT_FOLDER, "a default folder is among them")
        return found

    def forbid_twin(self, parent: str, name: str, but: str = "") -> None:
        """Refuse a name that a sibling has, in whatever case, `but` one folder."""
        wanted = plain_name(name).lower()
        for row in hierarchy.listing(self._folders, self._mailboxes):
            if row.parent == parent and row.id != but and row.name.lower() == wanted:
                raise AlreadyExists("a sibling has that name")

    def _above(self, parent: str) -> str:
        """What the names of mailboxes below a folder begin with."""
        if parent == ROOT:
            return self._prefix
        if parent == RECIPIENT_CACHE:
            raise Refused(Kind.RECIPIENT_CACHE, "no folder is below the recipient cache")
        folder = hierarchy.find(self._folders, parent)
        if folder is None:
            raise Refused(Kind.PARENT_NOT_FOUND, "no such parent")
        if folder.mailbox is None:
            raise Refused(Kind.DEFAULT_FOLDER, "no folder can be below this one")
        mailbox = self._mailbox(folder)
        if not mailbox.delimiter:
            raise Refused(Kind.DEFAULT_FOLDER, "mailboxes of this server have none below them")
        return f"{mailbox.name}{mailbox.delimiter}"

    def _mailbox(self, folder: Folder) -> Mailbox:
        for mailbox in self._mailboxes:
            if mailbox.name == folder.mailbox:
                return mailbox
        raise NotFound("the mailbox is gone")

    def _shown(self, folder: Folder) -> str:
        rows = hierarchy.listing(self._folders, self._mailboxes)
        return next((row.name for row in rows if row.id == folder.id), "")

    def _last_levels(self, name: str) -> str:
        """What a mailbox is called below the folder it is shown in: several levels where some are missing."""
        starts = [f"{box.name}{box.delimiter}" for box in self._mailboxes if box.delimiter]
        above = [start for start in (self._prefix, *starts) if name.startswith(start)]
        return name.removeprefix(max(above, key=len, default=""))


def plain_name(name: str) -> str:
    """A DisplayName as servers take it. Raises `Refused` when nothing is left of it."""
    plain = clean(name)
    if not plain:
        raise Refused(Kind.INVALID_XML, "a folder without a name")
    return plain
