"""A phone: asks, believes the answers, and repeats what was not answered with the same key and commands."""

from __future__ import annotations

import base64
import time
import urllib.parse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.convergence.habits import Habits
from tests.convergence.items import ItemFolder
from tests.convergence.kinds import KINDS, Kind
from tests.convergence.ledger import Ledger
from tests.convergence.network import Answer, Fate, Network
from tests.convergence.store import (
    DRAFTS_FOLDER,
    NEVER_SYNCED,
    Answered,
    Collection,
    Errand,
    Folder,
    Item,
    Operation,
    Refusal,
)
from wbxml import Element, decode, element, encode
from wbxml.pages import AirSync, AirSyncBase, FolderHierarchy, Ping

WBXML = "application/vnd.ms-sync.wbxml"
_TRY_AGAIN = frozenset({"5", "16", "110", "111"})
_SYNC_FOLDERS = frozenset({"8", "12"})


@dataclass(frozen=True, slots=True)
class Account:
    """Who uses the phone, and what the phone calls itself."""

    user: str
    password: str = field(repr=False)
    device: str
    policy_key: str


class Phone:
    """One device with all it knows. Every method is one request; `NoReply` comes out of each."""

    def __init__(self, account: Account, habits: Habits, network: Network, ledger: Ledger) -> None:
        self.account = account
        self.habits = habits
        self.network = network
        self.ledger = ledger
        self.hierarchy_key = "0"
        self.folders: dict[str, Folder] = {}
        self.collections: dict[str, Collection] = {}
        self.errands: list[Errand] = []
        """What is still to be asked for: mail to send, messages to move."""
        self.stale = True
        """Whether a FolderSync is due."""
        self.forced_resyncs: list[str] = []
        self.added_twice: list[str] = []
        self.answers: Counter[str] = Counter()
        self.asked_to_wait = 0.0
        """Seconds after which the last answer asked it to come again."""
        self.longest = 0.0
        """How long it waited for an answer at most, in seconds."""
        self._last: tuple[str, ...] = ()
        """The collections of the last full request, while an empty one may repeat it."""

    def __repr__(self) -> str:
        return f"{self.habits.name} {self.account.device}"

    # --- folders -------------------------------------------------------------------------------------------

    def folder_sync(self, fate: Fate = Fate.ARRIVES, position: float = 0.5) -> Answered:
        """Bring the hierarchy up to date (MS-ASCMD 2.2.1.5)."""
        request = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, self.hierarchy_key))
        answer = self.command("FolderSync", request, fate, position)
        if answer is None:
            return "later"
        status = answer.child_text(FolderHierarchy.Status)
        if status == "9":
            self.forced_resyncs.append(f"FolderSync {self.hierarchy_key}")
            self.start_anew()
        elif status != "1":
            return self.later(f"FolderSync {status}", status in {"6", *_TRY_AGAIN})
        else:
            if self.hierarchy_key == "0":
                self.folders.clear()
            self.hierarchy_key = answer.child_text(FolderHierarchy.SyncKey) or ""
            for change in answer.find(FolderHierarchy.Changes) or ():
                self._folder(change)
            for gone in self.collections.keys() - self.folders.keys():
                self._drop(gone)
            self.stale = False
        return "done"

    def _folder(self, change: Element) -> None:
        tags = FolderHierarchy.ServerId, FolderHierarchy.ParentId, FolderHierarchy.DisplayName
        identity, parent, name = (change.child_text(tag) or "" for tag in tags)
        if change.tag is FolderHierarchy.Delete:
            self.folders.pop(identity, None)
        elif change.tag in (FolderHierarchy.Add, FolderHierarchy.Update):
            if change.tag is FolderHierarchy.Add and identity in self.folders:
                self.added_twice.append(f"folder {name}")
            kind = change.child_text(FolderHierarchy.Type) or ""
            self.folders[identity] = Folder(identity, parent, name, kind)

    def drop_folder(self, identity: str) -> None:
        """Forget a folder that the gateway deleted; those below it go with the next FolderSync."""
        self.folders.pop(identity, None)
        if identity in self.collections:
            self._drop(identity)

    def _drop(self, collection: str) -> None:
        for operation in self.collections.pop(collection).unanswered:
            self._settled(operation, done=False)

    def _settled(self, operation: Operation, *, done: bool) -> None:
        for claim in operation.claims:
            self.ledger.settled(claim, done=done)

    def start_anew(self) -> None:
        """Forget everything but the errands, as after FolderSync Status 9."""
        for collection in list(self.collections):
            self._drop(collection)
        self.hierarchy_key = "0"
        self.stale = True
        self._last = ()

    def path(self, collection: str) -> str:
        """The name of a folder's mailbox."""
        folder = self.folders[collection]
        name = "INBOX" if folder.type == "2" else folder.name
        return name if folder.parent == "0" else f"{self.path(folder.parent)}/{name}"

    @property
    def synced(self) -> list[str]:
        """The ids of the folders of mail whose content the phone keeps."""
        never = NEVER_SYNCED.union(*(kind.folders for kind in KINDS))
        if self.habits.version < "16":
            never |= {DRAFTS_FOLDER}
        return [folder.id for folder in self.folders.values() if folder.type not in never]

    def folders_of(self, *kinds: Kind) -> list[str]:
        """The ids of the folders of items whose content the phone keeps; of all its kinds by default."""
        wanted = {one for kind in kinds or self.habits.kinds for one in kind.folders}
        return [folder.id for folder in self.folders.values() if folder.type in wanted]

    def collection(self, identity: str) -> Collection:
        """A folder's content; also of one that is gone, which the last request may have named."""
        folder = self.folders.get(identity)
        kind = next((kind for kind in KINDS if folder is not None and folder.type in kind.folders), None)
        if kind is not None:
            return self.collections.setdefault(identity, ItemFolder(kind=kind))
        made = Collection(filter_type=self.habits.filter_type)
        return self.collections.setdefault(identity, made)

    # --- mail ----------------------------------------------------------------------------------------------

    def do(self, collection: str, operation: Operation) -> None:
        """Let the user do something in a folder; the next Sync of the folder tells the gateway."""
        held = self.collections[collection]
        operation.do(held)
        held.unanswered.append(operation)
        for claim in operation.claims:
            self.ledger.issued(claim)

    def start_collection_anew(self, collection: str) -> None:
        """Forget a folder's content, as after Sync Status 3; no partial request may leave it out then."""
        self._last = ()
        kept = self.collections[collection]
        self._drop(collection)
        self.collections[collection] = kept.anew()

    def sync(
        self,
        collections: Sequence[str],
        fate: Fate = Fate.ARRIVES,
        position: float = 0.5,
        *,
        partial: bool = False,
        heartbeat: int | None = None,
    ) -> Answered:
        """Sync some folders (MS-ASCMD 2.2.1.21); those with key 0 get their first one.

        `partial` leaves out what the gateway may remember of the last request.
        """
        request, asked = self.sync_request(collections, partial=partial, heartbeat=heartbeat)
        sent = {name: list(self.collection(name).unanswered) for name in asked}
        self._last = ()
        answer = self.post("Sync", request, fate, position)
        if answer is None:
            return "later"
        if not answer.body:
            self._quiet(asked, sent)
            return "done"
        root = decode(answer.body)
        container = root.find(AirSync.Collections)
        if container is None:
            return self._sync_failed(root.child_text(AirSync.Status) or "")
        self._last = tuple(asked)
        for told in container.findall(AirSync.Collection):
            name = told.child_text(AirSync.CollectionId) or ""
            # An empty request gets what the gateway remembers, which a late copy may have changed.
            self._collection_told(told, name, sent.pop(name, []))
        if any(sent.values()):
            raise Refusal(f"no answer to operations in {[name for name in sent if sent[name]]}")
        for name in sent:
            self.collections[name].more = False
        return "done"

    def sync_request(
        self, collections: Sequence[str], *, partial: bool = False, heartbeat: int | None = None
    ) -> tuple[bytes, list[str]]:
        """The body of a Sync, and the collections it is about."""
        idle = not any(self.collection(name).unanswered for name in {*collections, *self._last})
        if partial and self._last and idle and heartbeat is None and set(collections) <= set(self._last):
            return b"", list(self._last)
        root = element(AirSync.Sync, element(AirSync.Collections, *map(self._asked, collections)))
        if heartbeat is not None:
            root.append(element(AirSync.HeartbeatInterval, heartbeat))
        asked = list(collections)
        if partial and self._last and self.habits.version >= "14":
            root.append(element(AirSync.Partial))
            asked += [name for name in self._last if name not in asked]
        return encode(root), asked

    def _asked(self, name: str) -> Element:
        held = self.collection(name)
        asked = element(
            AirSync.Collection, element(AirSync.SyncKey, held.key), element(AirSync.CollectionId, name)
        )
        if self.habits.version < "14":
            asked.children.insert(0, element(AirSync.Class, self._class(name)))
        if held.key == "0":
            return asked
        preference = element(
            AirSyncBase.BodyPreference,
            element(AirSyncBase.Type, 1),
            element(AirSyncBase.TruncationSize, 200),
        )
        asked.extend(
            [
                element(AirSync.DeletesAsMoves, int(self.habits.deletes_as_moves)),
                element(AirSync.GetChanges, 1),
                element(AirSync.WindowSize, self.habits.window),
                element(AirSync.Options, element(AirSync.FilterType, held.filter_type), preference),
            ]
        )
        if held.unanswered:
            commands = (operation.element() for operation in held.unanswered)
            asked.append(element(AirSync.Commands, *commands))
        return asked

    def _class(self, name: str) -> str:
        held = self.collection(name)
        return held.kind.name if isinstance(held, ItemFolder) else "Email"

    def _quiet(self, asked: list[str], sent: dict[str, list[Operation]]) -> None:
        if any(sent.values()):
            raise Refusal("an empty answer to operations")
        self._last = tuple(asked)
        for name in asked:
            self.collections[name].more = False

    def _sync_failed(self, status: str) -> Answered:
        if status in _SYNC_FOLDERS:
            self.stale = True
            return "later"
        return self.later(f"Sync {status}", status == "13" or status in _TRY_AGAIN)

    def _collection_told(self, told: Element, name: str, sent: list[Operation]) -> None:
        held = self.collections[name]
        status = told.child_text(AirSync.Status) or ""
        if status == "3":
            self.forced_resyncs.append(f"Sync {name} {held.key}")
            self.start_collection_anew(name)
            return
        if status != "1":
            self._last = ()
            self.stale |= status in _SYNC_FOLDERS
            held.more = True
            self.later(f"Sync, collection {status}", status in _SYNC_FOLDERS | _TRY_AGAIN)
            return
        key = told.child_text(AirSync.SyncKey) or ""
        more = told.find(AirSync.MoreAvailable) is not None
        if more and key == held.key:
            raise Refusal("MoreAvailable without a new key: a loop")
        held.more = more or held.key == "0"
        held.key = key
        responses = {
            response.child_text(AirSync.ClientId) or response.child_text(AirSync.ServerId): response
            for response in told.find(AirSync.Responses) or ()
        }
        held.unanswered = [operation for operation in held.unanswered if operation not in sent]
        for operation in sent:
            self._settled(operation, done=operation.answered(held, responses.get(operation.item)))
        commands = told.find(AirSync.Commands)
        if commands is not None:
            self.added_twice += held.apply(commands)

    # --- waiting, and requests of their own ----------------------------------------------------------------

    def ping(self, collections: Sequence[str], seconds: int) -> list[str]:
        """Wait for news (MS-ASCMD 2.2.1.13); returns the folders that have some."""
        folders = (
            element(Ping.Folder, element(Ping.Id, name), element(Ping.Class, self._class(name)))
            for name in collections
        )
        request = element(
            Ping.Ping, element(Ping.HeartbeatInterval, seconds), element(Ping.Folders, *folders)
        )
        answer = self.command("Ping", request, Fate.ARRIVES, 0.5)
        if answer is None:
            return []
        status = answer.child_text(Ping.Status)
        if status == "7":
            self.stale = True
        elif status not in {"1", "2", "8"}:
            raise Refusal(f"Ping was answered with Status {status}")
        return [folder.text() for folder in answer.find(Ping.Folders) or ()]

    @property
    def moving(self) -> set[str]:
        """The items being moved."""
        return {item for errand in self.errands for item in errand.left}

    def brought(self, source: str, item: str, target: str, name: str, held: Item) -> None:
        """Have an item under another name in another folder, if the phone keeps the content of that one."""
        if source in self.collections:
            held = self.collections[source].items.pop(item, held)
        there = self.collections.get(target)
        if there is None or there.key == "0" or not name:
            return
        there.items.setdefault(name, held)

    def attempt(self, errand: Errand, fate: Fate = Fate.ARRIVES, position: float = 0.5) -> Answered:
        """Try to get an errand done; it is off the list when that is answered."""
        answered = errand.attempt(self, fate, position)
        if answered == "done":
            self.errands.remove(errand)
        return answered

    # --- the wire ------------------------------------------------------------------------------------------

    def command(self, name: str, request: Element, fate: Fate, position: float) -> Element | None:
        """Post a document and return the one that answers it; None when it has to be repeated."""
        answer = self.post(name, encode(request), fate, position)
        return None if answer is None else decode(answer.body)

    def post(
        self,
        name: str,
        body: bytes,
        fate: Fate,
        position: float,
        content_type: str = WBXML,
        more: dict[str, str] | None = None,
    ) -> Answer | None:
        """Post a command; None when it has to be repeated after a while."""
        request = self.request(name, body, content_type, more)
        self.asked_to_wait = 0.0
        began = time.monotonic()
        answer = self.network.exchange(request, fate, position)
        if name != "Ping":
            self.longest = max(self.longest, time.monotonic() - began)
        self.asked_to_wait = answer.retry_after
        if answer.code == 200:
            return answer
        # Up to 12.1 there is no Status to say that a message or a recipient was refused.
        sending = name in ("SendMail", "SmartReply", "SmartForward")
        known = answer.code == 503 or (sending and answer.code in (400, 500))
        self.later(f"{name} HTTP {answer.code}", known)
        return None

    def request(
        self, name: str, body: bytes, content_type: str = WBXML, more: dict[str, str] | None = None
    ) -> bytes:
        """The octets of a request; `more` are further parameters of its query."""
        account = self.account
        query = {
            "Cmd": name,
            "User": account.user,
            "DeviceId": account.device,
            "DeviceType": self.habits.name,
            **(more or {}),
        }
        basic = base64.b64encode(f"{account.user}:{account.password}".encode()).decode()
        head = [
            f"POST /Microsoft-Server-ActiveSync?{urllib.parse.urlencode(query)} HTTP/1.1",
            f"Host: {self.network.host}:{self.network.port}",
            f"Authorization: Basic {basic}",
            f"MS-ASProtocolVersion: {self.habits.version}",
            f"X-MS-PolicyKey: {account.policy_key}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        if body:
            head.append(f"Content-Type: {content_type}")
        return "\r\n".join([*head, "", ""]).encode() + body

    def later(self, what: str, known: bool) -> Answered:
        """Note an answer that means to try again. Raises `Refusal` for any other."""
        self.answers[what] += 1
        if not known:
            raise Refusal(what)
        return "later"
