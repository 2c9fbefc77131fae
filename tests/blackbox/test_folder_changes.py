"""FolderCreate, FolderUpdate, FolderDelete (MS-ASCMD 2.2.1.3, 2.2.1.6, 2.2.1.4), on three kinds of server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.blackbox.conftest import VERSIONS
from tests.blackbox.test_foldersync import changes, deleted, key, rows, tags
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.gateway import Gateway
from tests.support.phone import Phone, change, commands
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import Email
from wbxml.pages import FolderHierarchy as Page

MAIL, GENERIC = "12", "1"
ALL_KINDS = [*(("full", version) for version in VERSIONS), ("bare", "16.1"), ("prefix", "14.1")]
SOME_KINDS = [("full", "16.1"), ("bare", "12.1"), ("prefix", "16.1")]
PREFIX = Options(separator=".", prefix="INBOX.", storage="maildir")


@dataclass(frozen=True, slots=True)
class Place:
    """A mail server, the gateway before it, and how the server names mailboxes."""

    dovecot: Dovecot
    gateway: Gateway

    def name(self, *levels: str) -> str:
        options = self.dovecot.options
        return options.prefix + options.separator.join(levels)

    def phone(self, user: str, version: str, device: str = "PHONE1") -> Phone:
        made = Phone(
            self.gateway.host, self.gateway.port, user, self.dovecot.password, version=version, device=device
        )
        made.provision()
        return made

    def mailboxes(self, user: str) -> set[str]:
        with self.dovecot.imap(user) as imap:
            lines = [line.decode() for line in imap.list()[1] if isinstance(line, bytes)]
        found = [re.fullmatch(r'\(.*?\) "." "?(.*?)"?', line) for line in lines]
        return {match[1] for match in found if match}


@pytest.fixture(scope="module")
def places(dovecot: Dovecot, dovecot_bare: Dovecot) -> Iterator[dict[str, Place]]:
    with ExitStack() as stack:
        prefix = stack.enter_context(Dovecot(PREFIX))
        sink = stack.enter_context(SmtpSink(auth=True))
        yield {
            kind: Place(server, stack.enter_context(Gateway(server, sink)))
            for kind, server in (("full", dovecot), ("bare", dovecot_bare), ("prefix", prefix))
        }


@pytest.fixture
def place(request: pytest.FixtureRequest, places: dict[str, Place]) -> Place:
    return places[request.param]


def over(kinds: list[tuple[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("place", "version"), kinds, indirect=["place"])


def create(key: str, parent: str, name: str, kind: str = MAIL) -> Element:
    return element(
        Page.FolderCreate,
        element(Page.SyncKey, key),
        element(Page.ParentId, parent),
        element(Page.DisplayName, name),
        element(Page.Type, kind),
    )


def update(key: str, folder: str, parent: str, name: str) -> Element:
    return element(
        Page.FolderUpdate,
        element(Page.SyncKey, key),
        element(Page.ServerId, folder),
        element(Page.ParentId, parent),
        element(Page.DisplayName, name),
    )


def delete(key: str, folder: str) -> Element:
    return element(Page.FolderDelete, element(Page.SyncKey, key), element(Page.ServerId, folder))


def ask(phone: Phone, request: Element) -> Element:
    return phone.post(request.tag.name, request).root


def status(phone: Phone, request: Element) -> str:
    """The Status of a refusal, which has nothing else."""
    root = ask(phone, request)
    assert tags(root) == ["Status"], root
    return root.children[0].text()


def created(phone: Phone, key_: str, parent: str, name: str, kind: str = MAIL) -> tuple[str, str]:
    """The id of a new folder, and the new key."""
    root = ask(phone, create(key_, parent, name, kind))
    assert tags(root) == ["Status", "SyncKey", "ServerId"], root
    assert key(root) != key_
    return root.child_text(Page.ServerId) or "", key(root)


def changed(phone: Phone, request: Element) -> str:
    """The new key after an update or a deletion."""
    root = ask(phone, request)
    assert tags(root) == ["Status", "SyncKey"], root
    return key(root)


def nothing_new(phone: Phone, key_: str) -> None:
    root = phone.folder_sync(key_)
    assert tags(changes(root)) == ["Count"], root
    assert key(root) == key_


@over(ALL_KINDS)
def test_a_folder_from_its_creation_to_its_end(place: Place, version: str, user: str) -> None:
    phone, other = place.phone(user, version), place.phone(user, "16.1", "PHONE2")
    first, others = key(phone.folder_sync()), key(other.folder_sync())
    work, now = created(phone, first, "0", "Work & Büro")
    below, now = created(phone, now, work, "2026")
    nothing_new(phone, now)
    assert {place.name("Work &- B&APw-ro"), place.name("Work &- B&APw-ro", "2026")} <= place.mailboxes(user)
    told = other.folder_sync(others)
    assert rows(told, "Add") == {"Work & Büro": (work, "0", MAIL), "2026": (below, work, MAIL)}

    now = changed(phone, update(now, work, "0", "Job"))
    nothing_new(phone, now)
    told = other.folder_sync(key(told))
    assert rows(told, "Update") == {"Job": (work, "0", MAIL)}
    now = changed(phone, update(now, below, "0", "Loose"))
    nothing_new(phone, now)
    told = other.folder_sync(key(told))
    assert rows(told, "Update") == {"Loose": (below, "0", MAIL)}
    now = changed(phone, update(now, below, work, "Loose"))

    now = changed(phone, delete(now, work))
    told = other.folder_sync(key(told))
    assert set(deleted(told)) == {work, below}
    # What was below goes with it, which this phone hears when it asks.
    told = phone.folder_sync(now)
    assert deleted(told) == [below]
    nothing_new(phone, key(told))
    assert not {place.name("Job"), place.name("Job", "Loose"), place.name("Loose")} & place.mailboxes(user)


@over(SOME_KINDS)
def test_what_was_synced_survives_a_rename_of_the_folder_and_of_its_parent(
    place: Place, version: str, user: str
) -> None:
    phone = place.phone(user, version)
    work, now = created(phone, key(phone.folder_sync()), "0", "Work")
    below, now = created(phone, now, work, "Plans")
    for name, folder in (((place.name("Work")), work), ((place.name("Work", "Plans")), below)):
        place.dovecot.deliver(user, messages.plain(f"in {folder}"), mailbox=name)
        phone.begin(folder)
        assert len(phone.sync(folder).added) == 1
    now = changed(phone, update(now, work, "0", "Job"))
    now = changed(phone, update(now, below, work, "Ideas"))
    for folder, name in ((work, place.name("Job")), (below, place.name("Job", "Ideas"))):
        place.dovecot.deliver(user, messages.plain("later"), mailbox=name)
        served = phone.sync(folder)
        assert served.status == "1"
        assert [data.child_text(Email.Subject) for data in served.added.values()] == ["later"]
        assert not served.deleted
    nothing_new(phone, now)


@over(SOME_KINDS)
def test_a_repeated_request_is_answered_alike_and_done_once(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    before = key(phone.folder_sync())
    first = ask(phone, create(before, "0", "Once"))
    assert ask(phone, create(before, "0", "Once")) == first
    folder, now = first.child_text(Page.ServerId) or "", key(first)
    assert status(phone, create(now, "0", "Once")) == "2"
    renamed = ask(phone, update(now, folder, "0", "Twice"))
    assert ask(phone, update(now, folder, "0", "Twice")) == renamed
    gone = ask(phone, delete(key(renamed), folder))
    assert ask(phone, delete(key(renamed), folder)) == gone
    nothing_new(phone, key(gone))
    assert status(phone, delete(key(gone), folder)) == "4"
    assert not {place.name("Once"), place.name("Twice")} & place.mailboxes(user)


@over(SOME_KINDS)
def test_a_repeat_after_a_foldersync_of_its_own(place: Place, version: str, user: str) -> None:
    """The answer to FolderCreate was lost, and the phone asks for the folders first."""
    phone = place.phone(user, version)
    before = key(phone.folder_sync())
    folder, now = created(phone, before, "0", "Lost")
    told = phone.folder_sync(before)
    assert rows(told, "Add") == {"Lost": (folder, "0", MAIL)}
    assert key(told) == now
    assert status(phone, create(now, "0", "Lost")) == "2"


@over(SOME_KINDS)
def test_another_request_with_the_old_key(place: Place, version: str, user: str) -> None:
    """The phone lost an answer with changes, and acts on what it knew before."""
    phone = place.phone(user, version)
    before = key(phone.folder_sync())
    with place.dovecot.imap(user) as imap:
        imap.create(place.name("Elsewhere"))
    lost = phone.folder_sync(before)
    assert set(rows(lost, "Add")) == {"Elsewhere"}
    mine, now = created(phone, before, "0", "Mine")
    assert created(phone, before, "0", "Mine") == (mine, now)
    # Neither is lost: the other folder is told from here as well as from the answer that was lost.
    assert rows(phone.folder_sync(now), "Add") == rows(lost, "Add")
    told = phone.folder_sync(key(phone.folder_sync(now)))
    assert tags(changes(told)) == ["Count"]


@over(SOME_KINDS)
def test_names_with_the_delimiter_come_back_as_they_were(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    now = key(phone.folder_sync())
    before = place.mailboxes(user)
    folder, now = created(phone, now, "0", "A/B. C\\D")
    nothing_new(phone, now)
    assert len(place.mailboxes(user) - before) == 1  # one folder, and not one below another
    other = place.phone(user, "16.1", "PHONE2")
    assert rows(other.folder_sync(), "Add")["A/B. C\\D"][0] == folder
    now = changed(phone, update(now, folder, "0", "x/y.z"))
    nothing_new(phone, now)
    assert changed(phone, delete(now, folder))
    assert place.mailboxes(user) == before


@over(SOME_KINDS)
def test_a_name_is_cleaned_and_the_phone_told_so(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    folder, now = created(phone, key(phone.folder_sync()), "0", "  two \t words ", GENERIC)
    assert rows(phone.folder_sync(now), "Update") == {"two words": (folder, "0", MAIL)}


@over(ALL_KINDS)
def test_keys_that_are_not_known_are_9(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    first = key(phone.folder_sync())
    folder, _ = created(phone, first, "0", "Kept")
    for bad in ("0", "7", "nonsense", f"{first}0"):
        assert status(phone, create(bad, "0", "New")) == "9"
        assert status(phone, update(bad, folder, "0", "New")) == "9"
        assert status(phone, delete(bad, folder)) == "9"
    assert place.name("Kept") in place.mailboxes(user)
    assert place.name("New") not in place.mailboxes(user)


@over([("full", "12.0"), ("bare", "14.1"), ("prefix", "16.1")])
def test_what_cannot_be_done_says_why(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    root = phone.folder_sync()
    found = {name: identity for name, (identity, _, _) in rows(root, "Add").items()}
    one, now = created(phone, key(root), "0", "One")
    two, now = created(phone, now, one, "Two")
    defaults = [found[name] for name in ("Inbox", "Drafts", "Trash", "Sent", "Outbox")]
    refused = [
        (create(now, "0", "one"), "2"),
        (create(now, one, "TWO"), "2"),
        (create(now, "0", "Inbox"), "2"),
        (create(now, "RI", "New"), "3"),
        (create(now, found["Outbox"], "New"), "3"),
        (create(now, "999", "New"), "5"),
        (update(now, two, "0", "One"), "2"),
        (update(now, "RI", "0", "New"), "3"),
        (update(now, two, "RI", "New"), "3"),
        (update(now, "999", "0", "New"), "4"),
        (update(now, two, "999", "New"), "5"),
        (update(now, one, one, "New"), "10"),
        (update(now, one, two, "New"), "10"),
        (delete(now, "RI"), "3"),
        (delete(now, "999"), "4"),
        *((update(now, folder, "0", "New"), "2") for folder in defaults),
        *((delete(now, folder), "3") for folder in defaults),
    ]
    before = place.mailboxes(user)
    for request, expected in refused:
        assert status(phone, request) == expected, request
    assert place.mailboxes(user) == before
    nothing_new(phone, now)


@over([("full", "12.0"), ("full", "16.1")])
def test_malformed_requests_are_10(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    now = key(phone.folder_sync())
    folder, now = created(phone, now, "0", "One")
    kinds = ["0", *map(str, range(2, 12)), "16", "18", "19", "x", ""]
    malformed = [
        *(create(now, "0", "New", kind) for kind in kinds),
        create(now, "0", ""),
        create(now, "0", " \t "),
        create(now, "0", "x" * 257),
        update(now, folder, "0", ""),
        update(now, folder, "", "New"),
        element(Page.FolderUpdate, element(Page.Status, 1), *update(now, folder, "0", "New")),
        *(
            element(whole.tag, *(child for child in whole if child is not without))
            for whole in (create(now, "0", "New"), update(now, folder, "0", "New"), delete(now, folder))
            for without in whole
        ),
    ]
    for request in malformed:
        assert status(phone, request) == "10", request
    assert place.name("New") not in place.mailboxes(user)
    nothing_new(phone, now)


@over([("full", "16.1")])
def test_a_name_the_server_does_not_take(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    now = key(phone.folder_sync())
    assert status(phone, create(now, "0", "..")) in ("6", "10")
    assert created(phone, now, "0", "x" * 200)


@over(SOME_KINDS)
def test_a_folder_with_a_default_folder_below_stays(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    now = key(phone.folder_sync())
    folder, now = created(phone, now, "0", "Parent")
    listed = rows(phone.folder_sync(), "Add")
    assert status(phone, update(now, listed["Trash"][0], folder, "Trash")) == "2"


@over(SOME_KINDS)
def test_a_repeat_after_a_restart(place: Place, version: str, user: str) -> None:
    phone = place.phone(user, version)
    before = key(phone.folder_sync())
    folder, now = created(phone, before, "0", "Crash")
    place.dovecot.deliver(user, messages.plain("kept"), mailbox=place.name("Crash"))
    phone.begin(folder)
    ((item, _),) = phone.sync(folder).added.items()
    place.gateway.kill()
    place.gateway.start()
    assert created(phone, before, "0", "Crash") == (folder, now)
    renamed = changed(phone, update(now, folder, "0", "Renamed"))
    place.gateway.kill()
    place.gateway.start()
    assert changed(phone, update(now, folder, "0", "Renamed")) == renamed
    served = phone.sync(folder, commands(change(item, element(Email.Read, 1))))
    assert served.status == "1"
    assert not served.responses
