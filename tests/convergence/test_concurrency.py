"""Requests at the same time, and changes behind a phone's back: each as the smallest story that shows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.convergence import quiet
from tests.convergence.habits import ANDROID, IOS, OUTLOOK
from tests.convergence.mailbox import message
from tests.convergence.network import Fate, NoReply
from tests.convergence.operations import delete, mark
from tests.convergence.phone import Phone
from tests.convergence.play import Play
from tests.convergence.properties import EMPTY, FLAG, READ
from tests.convergence.sending import Letter
from tests.convergence.world import World
from wbxml import decode
from wbxml.pages import AirSync


@pytest.fixture
def play(world: World) -> Iterator[Play]:
    """Two phones in step with an inbox of four messages; at the end both must be again."""
    made = Play(world, (ANDROID, OUTLOOK))
    for _ in range(4):
        deliver(made)
    quiet.settle(made)
    yield made
    quiet.settle(made)
    verdict, _ = quiet.verdict(made)
    made.close()
    assert not verdict, verdict
    assert [phone.forced_resyncs for phone in made.phones] == [[], []]


def deliver(play: Play, mailbox: str = "INBOX") -> str:
    token = play.world.new_token("m")
    play.mail.deliver(mailbox, token)
    play.ledger.delivered(token, mailbox, EMPTY)
    return token


def folder(phone: Phone, path: str) -> str:
    return next(name for name in phone.folders if phone.path(name) == path)


def tokens(phone: Phone, path: str) -> set[str]:
    return {item.token for item in phone.collection(folder(phone, path)).items.values()}


def answer_to_sync(phone: Phone, inbox: str) -> list[str]:
    """The commands of the answer to one Sync, by name; the phone takes nothing of it."""
    body, _ = phone.sync_request([inbox])
    answer = phone.network.exchange(phone.request("Sync", body))
    root = decode(answer.body) if answer.body else None
    return (
        []
        if root is None
        else [
            command.tag.name
            for commands in root.iter()
            if commands.tag is AirSync.Commands
            for command in commands
        ]
    )


def test_a_sync_is_served_while_a_ping_of_the_same_device_waits(play: Play) -> None:
    phone = play.phones[0]
    inbox = folder(phone, "INBOX")
    heard: list[list[str]] = []
    ping = threading.Thread(target=lambda: heard.append(phone.ping([inbox], 50)))
    ping.start()
    mark(phone, inbox, min(phone.collections[inbox].items), READ, READ.values[1])
    assert phone.sync([inbox]) == "done"
    assert not heard, "its own change ends no Ping"
    deliver(play)
    ping.join()
    assert heard == [[inbox]]
    assert answer_to_sync(phone, inbox) == ["Add"]


def test_the_same_sync_twice_at_once_has_one_effect_and_one_answer(play: Play) -> None:
    phone = play.phones[0]
    inbox = folder(phone, "INBOX")
    gone, read, *_ = sorted(phone.collections[inbox].items)
    delete(phone, inbox, gone)
    mark(phone, inbox, read, READ, READ.values[1])
    deliver(play)
    body, _ = phone.sync_request([inbox])
    one, two = phone.network.both(phone.request("Sync", body))
    assert one == two
    assert len(play.mail.content("Trash")) == 1
    assert phone.sync([inbox]) == "done"


def test_the_same_message_sent_twice_at_once_is_sent_and_kept_once(play: Play) -> None:
    for phone in play.phones:
        token = play.world.new_token("s")
        letter = Letter(token, message(token), f"client-{token}")
        phone.errands.append(letter)
        assert phone.attempt(letter, Fate.AT_ONCE) == "done"
        assert play.world.received()[token] == 1
    assert len(play.mail.content("Sent")) == 2


def test_a_device_hears_nothing_of_its_own_change_and_the_other_hears_it_once(play: Play) -> None:
    one, two = play.phones
    inbox = folder(one, "INBOX")
    mark(one, inbox, min(one.collections[inbox].items), FLAG, FLAG.values[1])
    one.sync([inbox])
    assert answer_to_sync(one, inbox) == []
    assert answer_to_sync(two, inbox) == ["Change"]
    two.sync([inbox])
    assert answer_to_sync(two, inbox) == []


def test_two_devices_change_one_message_at_once(play: Play) -> None:
    one, two = play.phones
    inbox = folder(one, "INBOX")
    item = min(one.collections[inbox].items)
    delete(one, inbox, item)
    mark(two, inbox, item, READ, READ.values[1])
    threads = [threading.Thread(target=phone.sync, args=([inbox],)) for phone in play.phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quiet.settle(play)
    assert item not in one.collections[inbox].items
    assert item not in two.collections[inbox].items


def test_a_second_key_0_takes_no_key_away(play: Play) -> None:
    phone = play.phones[0]
    phone.hierarchy_key = "0"
    play.mail.create("Alpha")
    assert phone.folder_sync(Fate.LATE) == "done"
    play.mail.create("Beta")
    assert phone.network.deliver_late() == 1
    assert phone.folder_sync() == "done"
    assert {"Alpha", "Beta"} <= {phone.path(name) for name in phone.folders}


def test_another_uidvalidity_replaces_the_content_without_a_resync(play: Play) -> None:
    phone = play.phones[0]
    play.mail.create("Alpha")
    old = {deliver(play, "Alpha") for _ in range(3)}
    quiet.settle(play)
    alpha = folder(phone, "Alpha")
    assert tokens(phone, "Alpha") == old
    for token in old:
        play.ledger.expunged(token)
    play.mail.delete("Alpha")
    play.mail.create("Alpha")
    new = {deliver(play, "Alpha") for _ in range(2)}
    phone.collections[alpha].more = True
    while phone.collections[alpha].more:
        assert phone.sync([alpha]) == "done"
    assert tokens(phone, "Alpha") == new


def test_a_folder_deleted_and_made_again_is_the_same_folder_with_its_new_content(play: Play) -> None:
    phone = play.phones[0]
    play.mail.create("Alpha")
    lost = deliver(play, "Alpha")
    quiet.settle(play)
    alpha = folder(phone, "Alpha")
    play.ledger.expunged(lost)
    play.mail.delete("Alpha")
    assert phone.sync([alpha]) == "done"
    assert phone.stale, "Status 12: the hierarchy has changed"
    phone.folder_sync()
    assert alpha not in phone.folders
    play.mail.create("Alpha")
    new = deliver(play, "Alpha")
    quiet.settle(play)
    assert folder(phone, "Alpha") == alpha
    assert tokens(phone, "Alpha") == {new}


def test_a_renamed_folder_keeps_its_id_and_its_content(world: World) -> None:
    play = Play(world, (ANDROID,))
    phone = play.phones[0]
    play.mail.create("Alpha")
    token = deliver(play, "Alpha")
    quiet.settle(play)
    alpha = folder(phone, "Alpha")
    key = phone.collections[alpha].key
    play.mail.rename("Alpha", "Gamma")
    assert phone.folder_sync() == "done"
    assert folder(phone, "Gamma") == alpha
    assert phone.sync([alpha]) == "done"
    assert phone.collections[alpha].key == key
    assert tokens(phone, "Gamma") == {token}
    play.close()


def test_moves_and_expunges_of_another_program_reach_every_phone(play: Play) -> None:
    content = play.mail.content("INBOX")
    (moved, first), (removed, second), *_ = content.items()
    play.mail.move(moved, "Archive")
    play.ledger.moved(first.token, "Archive")
    play.mail.expunge(removed)
    play.ledger.expunged(second.token)
    quiet.settle(play)
    for phone in play.phones:
        assert first.token in tokens(phone, "Archive")
        assert not {first.token, second.token} & tokens(phone, "INBOX")


def test_marks_set_between_a_lost_answer_and_its_repetition_are_told_later(play: Play) -> None:
    phone = play.phones[0]
    inbox = folder(phone, "INBOX")
    token = deliver(play)
    with pytest.raises(NoReply):
        phone.sync([inbox], Fate.REPLY_LOST)
    (uid,) = (uid for uid, held in play.mail.content("INBOX").items() if held.token == token)
    for value in reversed(READ.values):
        play.mail.mark(uid, READ, value)
        play.ledger.marked(token, READ, value)
        assert phone.sync([inbox]) == "done"
    (item,) = (item for item in phone.collections[inbox].items.values() if item.token == token)
    assert item[READ] == READ.values[0]


def test_a_late_copy_of_an_answered_request_does_nothing(play: Play) -> None:
    phone = play.phones[0]
    inbox = folder(phone, "INBOX")
    item = min(phone.collections[inbox].items)
    mark(phone, inbox, item, READ, READ.values[1])
    assert phone.sync([inbox], Fate.LATE) == "done"
    mark(phone, inbox, item, READ, READ.values[0])
    assert phone.sync([inbox]) == "done"
    phone.network.deliver_late()
    assert phone.collections[inbox].items[item][READ] == READ.values[0]


def test_an_overtaken_request_is_done_once(play: Play) -> None:
    phone = play.phones[0]
    inbox = folder(phone, "INBOX")
    delete(phone, inbox, min(phone.collections[inbox].items))
    with pytest.raises(NoReply):
        phone.sync([inbox], Fate.OVERTAKEN)
    assert phone.sync([inbox]) == "done"
    phone.network.deliver_late()
    assert len(play.mail.content("Trash")) == 1


def test_an_empty_request_after_a_lost_answer_is_refused_and_the_full_one_served(world: World) -> None:
    play = Play(world, (IOS,))
    deliver(play)
    quiet.settle(play)
    phone = play.phones[0]
    inbox = folder(phone, "INBOX")
    deliver(play)
    with pytest.raises(NoReply):
        phone.sync([inbox], Fate.REPLY_LOST)
    empty = phone.network.exchange(phone.request("Sync", b""))
    assert decode(empty.body).child_text(AirSync.Status) == "13"
    quiet.settle(play)
    verdict, _ = quiet.verdict(play)
    play.close()
    assert not verdict


def test_a_deletion_killed_between_copy_and_expunge_leaves_one_copy(bare: World) -> None:
    # Without MOVE; and without a Message-ID the copy is known only by where the trash ended.
    play = Play(bare, (ANDROID,))
    phone, fuse = play.phones[0], bare.gateway.fuse
    expunge = "before EXPUNGE"  # twice: a message of the first time must not lose its mark the second time
    for boundary in ("after UID COPY", "before UID STORE", expunge, expunge, "after EXPUNGE"):
        token = bare.new_token("m")
        while token[-1] in "02468":
            token = bare.new_token("m")
        play.mail.deliver("INBOX", token)
        play.ledger.delivered(token, "INBOX", EMPTY)
        quiet.settle(play)
        inbox = folder(phone, "INBOX")
        (item,) = phone.collections[inbox].items
        delete(phone, inbox, item)
        fuse.arm(1, boundary)
        with pytest.raises(NoReply):
            phone.sync([inbox])
        assert fuse.burnt_at == boundary
        bare.revive(play.ledger)
        quiet.settle(play)
        assert token in {one.token for one in play.mail.content("Trash").values()}
    verdict, _ = quiet.verdict(play)
    play.close()
    assert not verdict, verdict
