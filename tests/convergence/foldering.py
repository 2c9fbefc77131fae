"""FolderCreate, FolderUpdate and FolderDelete as phones do them (MS-ASCMD 2.2.1.3, 2.2.1.6, 2.2.1.4)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from tests.convergence.mailbox import MailProgram
from tests.convergence.network import Fate
from tests.convergence.phone import Phone
from tests.convergence.store import Answered, Errand, Folder
from wbxml import Element, Tag, element
from wbxml.pages import FolderHierarchy as Page

_MAIL = "12"
_KNOWN_BY_NOW = frozenset({"2", "4", "5"})
"""There is one of that name, there is none, there is no such parent: the next FolderSync tells why."""
_LATER = frozenset({"6", "110", "111"})
_HELD_BACK = frozenset({Fate.LATE, Fate.OVERTAKEN})


class FolderErrand(Errand):
    """A change of the hierarchy, asked for until it is answered."""

    token = ""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        """As it is to be, with the id "" for a new one."""

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.folder}"

    @abstractmethod
    def request(self, key: str) -> Element:
        """The document to send."""

    @abstractmethod
    def take(self, phone: Phone, answer: Element) -> None:
        """Let the phone do what the gateway did."""

    def attempt(self, phone: Phone, fate: Fate = Fate.ARRIVES, position: float = 0.5) -> Answered:
        if phone.hierarchy_key == "0":
            phone.folder_sync(fate, position)
            return "later"
        request = self.request(phone.hierarchy_key)
        answer = phone.command(request.tag.name, request, fate, position)
        if answer is None:
            return "later"
        status = answer.child_text(Page.Status) or ""
        phone.answers[f"{request.tag.name} {status}"] += 1
        if status == "9":
            phone.forced_resyncs.append(f"{self} {phone.hierarchy_key}")
            phone.start_anew()
            return "later"
        if status == "1":
            phone.hierarchy_key = answer.child_text(Page.SyncKey) or ""
            self.take(phone, answer)
            return "done"
        phone.stale = True
        return (
            "done" if status in _KNOWN_BY_NOW else phone.later(f"{self}: Status {status}", status in _LATER)
        )


class MakeFolder(FolderErrand):
    """A folder is made: one of mail, unless it has another type."""

    def request(self, key: str) -> Element:
        made = _document(Page.FolderCreate, key, (Page.ParentId, self.folder.parent))
        kind = self.folder.type or _MAIL
        made.extend([element(Page.DisplayName, self.folder.name), element(Page.Type, kind)])
        return made

    def take(self, phone: Phone, answer: Element) -> None:
        name = answer.child_text(Page.ServerId) or ""
        phone.folders[name] = replace(self.folder, id=name, type=self.folder.type or _MAIL)


class ChangeFolder(FolderErrand):
    """A folder gets another name or another parent."""

    def __init__(self, phone: Phone, folder: Folder) -> None:
        super().__init__(folder)
        self._before = phone.path(folder.id)

    def request(self, key: str) -> Element:
        named = (Page.ServerId, self.folder.id), (Page.ParentId, self.folder.parent)
        return _document(Page.FolderUpdate, key, *named, (Page.DisplayName, self.folder.name))

    def take(self, phone: Phone, answer: Element) -> None:
        phone.folders[self.folder.id] = self.folder
        phone.ledger.renamed(self._before, phone.path(self.folder.id))


class DropFolder(FolderErrand):
    """A folder goes, with what is in it. No copy of the request is held back: nobody knows what it meets."""

    def __init__(self, phone: Phone, folder: Folder, mail: MailProgram) -> None:
        super().__init__(folder)
        self._path = phone.path(folder.id)
        self._mail = mail

    def request(self, key: str) -> Element:
        return _document(Page.FolderDelete, key, (Page.ServerId, self.folder.id))

    def attempt(self, phone: Phone, fate: Fate = Fate.ARRIVES, position: float = 0.5) -> Answered:
        if self._path in self._mail.mailboxes():
            for held in self._mail.content(self._path).values():
                phone.ledger.expunged(held.token)
            self._mail.content("INBOX")  # leaves the mailbox: a connection that is in it would be ended
        return super().attempt(phone, Fate.REPLY_LOST if fate in _HELD_BACK else fate, position)

    def take(self, phone: Phone, answer: Element) -> None:
        phone.drop_folder(self.folder.id)


def _document(root: Tag, key: str, *values: tuple[Tag, str]) -> Element:
    return element(root, element(Page.SyncKey, key), *(element(tag, value) for tag, value in values))
