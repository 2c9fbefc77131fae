"""A message that a release cannot render: a stub, told of once, and whole again with the next release."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.convergence.fused import POISON, RELEASE
from tests.convergence.habits import ANDROID, IOS
from tests.convergence.phone import Phone
from tests.convergence.play import Play
from tests.convergence.world import World
from tests.support.waiting import eventually
from wbxml import Element, decode
from wbxml.pages import AirSync, AirSyncBase, Email


def listed(world: World) -> list[list[str]]:
    """What `poison` prints below the names of the columns."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "poison", "--config", world.gateway.config],
        check=True,
        capture_output=True,
        text=True,
    )
    return [line.split("\t") for line in done.stdout.splitlines()[1:]]


def inbox_of(phone: Phone) -> str:
    return next(name for name in phone.folders if phone.path(name) == "INBOX")


def synced(phone: Phone) -> None:
    """The phone syncs its inbox, as often as it takes."""
    eventually(lambda: phone.sync([inbox_of(phone)]) == "done")


def next_answer(phone: Phone) -> list[Element]:
    """What the next Sync of the inbox is answered, once it is not that something took too long."""
    body, _ = phone.sync_request([inbox_of(phone)])
    elements: list[Element] = []

    def is_well() -> bool:
        answer = phone.network.exchange(phone.request("Sync", body))
        elements[:] = decode(answer.body).iter() if answer.body else ()
        return answer.code == 200 and {one.text() for one in elements if one.tag is AirSync.Status} <= {"1"}

    eventually(is_well)
    return elements


def next_changes(phone: Phone) -> dict[str, str]:
    """The texts of the messages that the next Sync of the inbox tells of, by subject."""
    found: dict[str, str] = {}
    for data in next_answer(phone):
        if data.tag is AirSync.ApplicationData:
            text = data.find(AirSyncBase.Body)
            assert text is not None
            found[data.child_text(Email.Subject) or ""] = text.child_text(AirSyncBase.Data) or ""
    synced(phone)  # the same key again: the same answer, and the phone takes it
    return found


def bodies(phone: Phone) -> dict[str, str]:
    """The texts of all messages of the inbox by subject, from a first Sync."""
    eventually(lambda: phone.folder_sync() == "done")
    inbox = inbox_of(phone)
    if inbox in phone.collections:
        phone.start_collection_anew(inbox)
    synced(phone)
    found: dict[str, str] = {}
    while phone.collections[inbox].more:
        found |= next_changes(phone)
    return found


def test_a_poison_message_blocks_nothing_and_is_whole_with_the_next_release() -> None:
    with World("full", defects={RELEASE: "8.1", POISON: "Subject: m2"}) as world:
        play = Play(world, (ANDROID, IOS))
        tokens = [world.new_token("m") for _ in range(4)]
        for token in tokens:
            play.mail.deliver("INBOX", token)
        for phone in play.phones:
            texts = bodies(phone)
            assert texts.keys() == set(tokens), "the stub has the subject, and the others are there"
            assert [token for token in tokens if f"The text of {token}." not in texts[token]] == ["m2"]
            assert texts["m2"]
        ((user, _, _, release, reason),) = listed(world)
        assert (user, release) == (play.user, "8.1")
        assert "a defect" not in reason, "the reason quotes no message"
        assert world.gateway.log().count("message shown as a stub") == 1

        world.gateway.upgrade({RELEASE: "8.2"})
        told = next_changes(play.phones[1])
        assert told == {"m2": "The text of m2.\r\n"}, "a phone that has the stub is told the message again"
        assert next_changes(play.phones[1]) == {}
        assert "The text of m2." in bodies(play.phones[0])["m2"]
        assert world.gateway.log().count("message shown as a stub") == 1
        play.close()


def test_a_message_the_server_could_not_read_is_whole_with_the_next_release() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # Dovecot's user reads there
        mail = Path(folder) / "mail"
        mail.mkdir()
        with World("full", defects={RELEASE: "8.1"}, mail=mail) as world:
            play = Play(world, (ANDROID,))
            (phone,) = play.phones
            for token in ("m1", "m2", "m3"):
                assert world.new_token("m") == token
                play.mail.deliver("INBOX", token)

            def file() -> Path:
                (found,) = (path for path in mail.rglob("*,S=*") if path.name.startswith(name))
                return found

            stored = [path for path in mail.rglob("*,S=*") if b"text of m2." in path.read_bytes()]
            name = stored[0].name.partition(":")[0]
            whole = file().read_bytes()
            file().write_bytes(b"x" * 900)
            texts = bodies(phone)
            (stub,) = texts.keys() - {"m1", "m3"}
            assert "could not read" in texts[stub]
            assert len(listed(world)) == 1

            world.gateway.upgrade({RELEASE: "8.2"})
            assert next_changes(phone).keys() == {stub}, "it is tried again"
            assert next_changes(phone) == {}
            assert world.gateway.log().count("message shown as a stub") == 2, "once by each release"

            file().write_bytes(whole)
            world.gateway.upgrade({RELEASE: "8.3"})
            assert next_changes(phone) == {"m2": "The text of m2.\r\n"}
            assert next_changes(phone) == {}
            play.close()
