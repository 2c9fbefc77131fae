"""A session kept whole: the store of a release, the mailboxes and phones it belongs to. Made by that release.

    python -m tests.convergence.golden FOLDER

writes `gateway.db`, `mail.tar.gz` and `phones.json`. Do that with the code of a release, once, and never
change the files again: whatever comes later must go on with the session as if nothing had happened. The
session ends in the middle of everything: answers are lost, a deletion and messages to be sent are half done,
events were made, changed and deleted and their phones do not know.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.convergence import quiet
from tests.convergence.fused import POISON, RELEASE
from tests.convergence.habits import ALL, ANDROID, IOS
from tests.convergence.items import Agenda, ChangeItem, DeleteItem, ItemFolder, MakeItem, titled
from tests.convergence.kinds import CALENDAR, KINDS
from tests.convergence.ledger import GONE, TRASH, Ledger
from tests.convergence.mailbox import message
from tests.convergence.network import Fate, NoReply
from tests.convergence.operations import Remove, SetProperty, delete, mark
from tests.convergence.phone import Account, Phone
from tests.convergence.play import Play
from tests.convergence.properties import FLAG, PROPERTIES, READ
from tests.convergence.sending import Letter
from tests.convergence.stage import Stage
from tests.convergence.steps.items import KeepsItems
from tests.convergence.store import Collection, Folder, Item, Operation
from tests.convergence.world import World
from tests.support.dovecot_config import mail_owner

ALL_MAIL = replace(ANDROID, filter_type=0)
"""The mail of the session grows old."""
POISONED = "m3"
LONG_TEXT = 20_000
"""Octets of text of the message whose copy does not reach Sent."""
LONG_LINE = "x" * 70 + "\r\n"
_KILLS = 150


def record(folder: Path) -> None:
    """Play the session and write it to a folder."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        mail = _room(Path(name))
        with World("full", defects={RELEASE: "0.0.1", POISON: f"Subject: {POISONED}"}, mail=mail) as world:
            play = Play(world, (ALL_MAIL, IOS))
            _live(world, play)
            world.gateway.kill()
            play.close()
            world.dovecot.stop()
            _keep_database(world.gateway.database, folder / "gateway.db")
            with tarfile.open(folder / "mail.tar.gz", "w:gz") as tar:
                for user in mail.iterdir():
                    tar.add(user, user.name, filter=_anonymous)
            (folder / "phones.json").write_text(json.dumps([_told(phone) for phone in play.phones], indent=1))


def open_mail(folder: Path, room: Path) -> Path:
    """Unpack the mailboxes of a session where a Dovecot can use them."""
    mail = _room(room)
    with tarfile.open(folder / "mail.tar.gz") as tar:
        tar.extractall(mail, filter="data")
    if os.geteuid() == 0:
        for path in (mail, *mail.rglob("*")):
            os.chown(path, *mail_owner())
    return mail


def open_phones(folder: Path, play: Play) -> list[Phone]:
    """The phones of a session, in a play that goes on with it."""
    calendars = play.steps[KeepsItems] = KeepsItems(play)
    recorded = json.loads((folder / "phones.json").read_text())
    return [_phone(told, play.world, play.ledger, calendars.agenda) for told in recorded]


# --- the session -------------------------------------------------------------------------------------------


def _live(world: World, play: Play) -> None:
    android, iphone = play.phones
    play.mail.create("Alpha")
    for mailbox, count in (("INBOX", 12), ("Alpha", 2), ("Archive", 1)):
        for _ in range(count):
            play.mail.deliver(mailbox, play.world.new_token("m"))
    quiet.settle(play)
    _keep_calendars(play)
    android.ping(android.synced[:1], 1)
    inbox = next(name for name in iphone.folders if iphone.path(name) == "INBOX")
    first, second, third, *_ = sorted(
        item for item, one in android.collections[inbox].items.items() if one.token != POISONED
    )
    mark(android, inbox, first, READ, READ.values[1])
    android.sync([inbox])
    _send(play, android)
    for phone in play.phones:
        while phone.sync([inbox]) != "done" or phone.collections[inbox].more:
            pass
    _delete_half(world, play, iphone, inbox)
    mark(android, inbox, second, FLAG, FLAG.values[1])
    delete(android, inbox, third)
    _lost(lambda: android.sync([inbox], Fate.REPLY_LOST))
    _send_half(world, play, iphone)
    _send_without_a_copy(world, play, iphone)


def _keep_calendars(play: Play) -> None:
    """Events that both phones have; then what each does is done, and only the phones do not know."""
    android, iphone = play.phones
    (calendar,) = android.folders_of(CALENDAR)
    agenda = Agenda()

    def make(phone: Phone) -> None:
        phone.do(calendar, MakeItem(play.world.new_token("e"), agenda, phone.habits.version))

    for _ in range(5):
        make(android)
    quiet.settle(play)
    one, two, three, *_ = sorted(iphone.collections[calendar].items)
    for phone, changed in ((iphone, one), (android, two)):
        token = phone.collections[calendar].items[changed].token
        make(phone)
        phone.do(calendar, ChangeItem(changed, f"{token}+changed", agenda))
    iphone.do(calendar, DeleteItem(three, iphone.collections[calendar].items[three].token, agenda))
    for phone in (iphone, android):
        _lost(partial(phone.sync, [calendar], Fate.REPLY_LOST))
    make(iphone)  # nobody has heard of it yet


def _send(play: Play, phone: Phone) -> None:
    """A message that is sent and copied; only the phone does not know."""
    letter = _letter(play, phone)
    _lost(lambda: phone.attempt(letter, Fate.REPLY_LOST))


def _send_half(world: World, play: Play, phone: Phone) -> None:
    """A message that is sent, after which the gateway died before it could copy it."""
    for number in range(1, _KILLS):
        letter = _letter(play, phone)
        world.gateway.fuse.arm(number)
        with suppress(NoReply):
            phone.attempt(letter)
        burnt = world.gateway.fuse.burnt_at
        world.revive(play.ledger)
        if burnt == "before APPEND":
            return
        if letter in phone.errands:
            phone.attempt(letter)
    raise AssertionError("nothing was copied")


def _send_without_a_copy(world: World, play: Play, phone: Phone) -> None:
    """A message that is sent, and acknowledged, and not in Sent yet."""
    letter = _letter(play, phone, LONG_LINE * (LONG_TEXT // len(LONG_LINE)))
    world.line.cut_after(LONG_TEXT // 2, "up")
    assert phone.attempt(letter) == "done"
    world.recover(play.ledger)
    world.line.mend()


def _letter(play: Play, phone: Phone, more: str = "") -> Letter:
    token = play.world.new_token("s")
    letter = Letter(token, message(token) + more.encode(), f"client-{token}")
    phone.errands.append(letter)
    return letter


def _delete_half(world: World, play: Play, phone: Phone, collection: str) -> None:
    """A deletion that is done, after which the gateway died before it could say so."""
    for number in range(1, _KILLS):
        if not phone.collections[collection].unanswered:
            item = next(i for i, one in phone.collections[collection].items.items() if one.token != POISONED)
            delete(phone, collection, item)
        world.gateway.fuse.arm(number)
        with suppress(NoReply):
            phone.sync([collection])
        world.revive(play.ledger)
        deleted = {one.token for one in play.mail.content(TRASH).values()}
        if any(one.claims[0].token in deleted for one in phone.collections[collection].unanswered):
            return
    raise AssertionError("nothing was moved")


def _lost(ask: Callable[[], object]) -> None:
    with suppress(NoReply):
        ask()
        raise AssertionError("it was answered")


# --- files -------------------------------------------------------------------------------------------------


def _room(folder: Path) -> Path:
    folder.chmod(0o711)
    mail = folder / "mail"
    mail.mkdir(mode=0o711)
    if os.geteuid() == 0:
        os.chown(mail, *mail_owner())
    return mail


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _keep_database(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source, isolation_level=None)) as connection:
        # Small pages: most tables hold a few rows.
        for statement in ("PRAGMA journal_mode = DELETE", "PRAGMA page_size = 512", "VACUUM"):
            connection.execute(statement)
    shutil.copy(source, target)


def _told(phone: Phone) -> dict[str, Any]:
    return {
        "habits": phone.habits.name,
        "user": phone.account.user,
        "password": phone.account.password,
        "device": phone.account.device,
        "policy_key": phone.account.policy_key,
        "key": phone.hierarchy_key,
        "folders": [[one.id, one.parent, one.name, one.type] for one in phone.folders.values()],
        "collections": {name: _collection_told(held) for name, held in phone.collections.items()},
        "letters": [
            [errand.token, errand.message.decode(), errand.client_id, errand.attempts]
            for errand in phone.errands
            if isinstance(errand, Letter)
        ],
    }


def _collection_told(held: Collection) -> dict[str, Any]:
    if isinstance(held, ItemFolder):
        return {
            "key": held.key,
            "events": {name: item.values[0] for name, item in held.items.items()},
            "unanswered": [_item_told(one) for one in held.unanswered],
        }
    return {
        "key": held.key,
        "filter": held.filter_type,
        "items": {
            name: [item.token, {kind.name: item[kind] for kind in PROPERTIES}]
            for name, item in held.items.items()
        },
        "unanswered": [_operation_told(one) for one in held.unanswered],
    }


def _operation_told(operation: Operation) -> list[str]:
    (claim,) = operation.claims
    kind = operation.kind.name if isinstance(operation, SetProperty) else ""
    return [kind, operation.item, claim.token, claim.value]


def _item_told(operation: Operation) -> list[str]:
    assert isinstance(operation, MakeItem | ChangeItem | DeleteItem)
    return [type(operation).__name__, operation.item, operation.title]


def _phone(told: Any, stage: Stage, ledger: Ledger, agenda: Agenda) -> Phone:
    account = Account(told["user"], told["password"], told["device"], told["policy_key"])
    (habits,) = (kind for kind in ALL if kind.name == told["habits"])
    phone = Phone(account, habits, stage.network(), ledger)
    phone.hierarchy_key = told["key"]
    phone.folders = {row[0]: Folder(*row) for row in told["folders"]}
    phone.collections = {
        name: _items(held, phone, name, agenda) if "events" in held else _collection(held, ledger)
        for name, held in told["collections"].items()
    }
    phone.errands = [
        Letter(token, text.encode(), client_id, attempts)
        for token, text, client_id, attempts in told["letters"]
    ]
    return phone


def _items(told: Any, phone: Phone, name: str, agenda: Agenda) -> ItemFolder:
    kind = next(one for one in KINDS if phone.folders[name].type in one.folders)
    items = {name: titled(title) for name, title in told["events"].items()}
    held = ItemFolder(told["key"], items, kind=kind)
    for item in held.items.values():
        agenda.made.add(item.token)
        agenda.written.setdefault(item.token, set()).add(item.values[0])
    for what, item, title in told["unanswered"]:
        match what.removesuffix("Event").removesuffix("Item"):  # as releases called them
            case "Make":
                operation: Operation = MakeItem(title, agenda, phone.habits.version, kind)
                operation.do(held)
            case "Change":
                operation = ChangeItem(item, title, agenda, kind)
                operation.do(held)
            case _:
                operation = DeleteItem(item, title, agenda, kind)
                agenda.doomed.add(operation.token)
        held.unanswered.append(operation)
    return held


def _collection(told: Any, ledger: Ledger) -> Collection:
    items = {
        name: Item(token, tuple(values.get(kind.name, kind.values[0]) for kind in PROPERTIES))
        for name, (token, values) in told["items"].items()
    }
    held = Collection(told["key"], items, [], told["filter"], more=False)
    for kind, item, token, value in told["unanswered"]:
        held.unanswered.append(
            SetProperty(item, token, next(one for one in PROPERTIES if one.name == kind), value)
            if kind
            else Remove(item, token, permanent=value == GONE)
        )
    for operation in held.unanswered:
        for claim in operation.claims:
            ledger.issued(claim)
    return held


if __name__ == "__main__":
    record(Path(sys.argv[1]))
