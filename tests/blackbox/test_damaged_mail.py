"""Messages that the server lists and cannot show: stubs, listed for the administrator, that hide no other."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.blackbox.conftest import VERSIONS
from tests.blackbox.test_itemoperations import fetched, item, properties
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.gateway import Gateway
from tests.support.phone import Phone, Served, body_preference
from tests.support.scripted_imap import Connection, scripted
from tests.support.smtp_sink import SmtpSink
from wbxml import decode, element
from wbxml.pages import AirSync, AirSyncBase, Email, ItemOperations

STUB = "(message could not be shown)"
SECTIONS = {"eas": {"heartbeat_min": 1}, "imap": {"poll_interval": 1}}


def poison(gateway: Gateway) -> list[list[str]]:
    """What `poison` prints below the names of the columns."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "poison", "--config", gateway.config],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return [line.split("\t") for line in done.stdout.splitlines()[1:]]


def all_mail(phone: Phone, inbox: str) -> dict[str, str]:
    """The bodies of the whole inbox by subject, from a first Sync."""
    phone.begin(inbox)
    found: dict[str, str] = {}
    more = True
    while more:
        served = phone.sync(inbox)
        assert served.status == "1"
        found |= bodies(served)
        more = served.more
    return found


def bodies(served: Served) -> dict[str, str]:
    shown = [*served.added.values(), *served.changed.values()]
    return {one.child_text(Email.Subject) or "": body_of(one) for one in shown}


def body_of(data: object) -> str:
    found = data.find(AirSyncBase.Body)  # type: ignore[attr-defined]
    return "" if found is None else found.child_text(AirSyncBase.Data) or ""


def files(dovecot: Dovecot) -> list[Path]:
    """The message files in the order of their delivery."""
    names = ("u.*", "cur/*", "new/*")
    found = {path for name in names for path in dovecot.place.mail.rglob(name) if path.is_file()}
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def test_a_damaged_file_hides_no_other_message_and_is_listed_once() -> None:
    with Dovecot(Options(storage="sdbox")) as dovecot, SmtpSink() as sink:
        for number in range(6):
            dovecot.deliver("ann", messages.plain(f"m{number}"))
        files(dovecot)[2].write_bytes(bytes(range(256)))
        with Gateway(dovecot, sink, sections=SECTIONS) as gateway:
            for device in ("ONE", "TWO"):
                phone = Phone(gateway.host, gateway.port, "ann", dovecot.password, device=device)
                phone.provision()
                inbox = phone.folders()["Inbox"]
                told = all_mail(phone, inbox)
                assert {"m0", "m1", "m3", "m4", "m5"} < told.keys()
                assert len(told) == 6
                (damaged,) = told.keys() - {"m0", "m1", "m3", "m4", "m5"}
                assert damaged in (STUB, "m2")
                assert "could not read" in told[damaged]
                assert phone.sync(inbox).element.find(AirSync.Commands) is None
            assert len(poison(gateway)) == 1
            assert gateway.log().count("message shown as a stub") == 1


@dataclass
class Show:
    """A server with three messages, of which it does not show the second: `how` it says so."""

    how: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    security: str = "none"
    auth: bool = False

    async def fetch(self, connection: Connection, tag: str, command: str) -> None:
        first, _, last = command.split(" ")[2].partition(":")
        structure, body = "BODYSTRUCTURE" in command, "BODY.PEEK[1]" in command
        uids = [1, 2, 3] if last == "*" or "," in first else [*range(int(first), int(last or first) + 1)]
        hides = 2 in uids and {"omitted": structure, "refused": structure or body, "body": body}.get(self.how)
        if hides and self.how != "omitted":
            await connection.send(f"{tag} NO [SERVERBUG] Internal error\r\n".encode())
            return
        for uid in uids:
            if hides and uid == 2:
                continue
            shown = f"FLAGS () MODSEQ (9) UID {uid}"
            if structure:
                header = f"Subject: m{uid}\r\nMessage-ID: <{uid}@x>\r\n\r\n"
                shown += f' INTERNALDATE "01-Nov-2026 00:00:0{uid} +0000" RFC822.SIZE {len(header) + 6}'
                shown += ' BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 6 1)'
                name = command[command.index("BODY.PEEK[HEADER") :].replace(".PEEK", "").rpartition("]")[0]
                shown += f" {name}] {{{len(header)}}}\r\n{header}"
            if body:
                partial = "<0>" if "BODY.PEEK[1]<" in command else ""
                shown += f" BODY[1]{partial} {{6}}\r\ntext {uid}"
            await connection.send(f"* {uid} FETCH ({shown})\r\n".encode())
        await connection.send(f"{tag} OK done\r\n".encode())


async def search(connection: Connection, tag: str, command: str) -> None:
    found = " ALL 1:3" if command.endswith(" ALL") else ""
    counted = 3 if found else 0
    await connection.send(f'* ESEARCH (TAG "{tag}") UID{found} COUNT {counted}\r\n{tag} OK\r\n'.encode())


@contextmanager
def running(show: Show) -> Iterator[None]:
    """Serve it in a thread."""
    loop = asyncio.new_event_loop()
    started, ended = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with scripted({"UID FETCH": show.fetch, "UID SEARCH": search}) as server:
            show.port = server.settings.port
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(60)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


@pytest.mark.parametrize("how", ["omitted", "refused", "body"])
@pytest.mark.parametrize("version", [VERSIONS[0], "16.1"])
def test_what_is_listed_and_not_shown_is_a_stub(how: str, version: str) -> None:
    show = Show(how)
    with SmtpSink() as sink, running(show), Gateway(show, sink, sections=SECTIONS) as gateway:
        phone = Phone(gateway.host, gateway.port, "ann", "pw", version=version)
        phone.provision()
        inbox = phone.folders()["Inbox"]
        phone.begin(inbox)
        served = phone.sync(inbox)
        subjects = {data.child_text(Email.Subject) for data in served.added.values()}
        assert subjects == {"m1", "m3", "m2" if how == "body" else STUB}
        name = served.named(Email.Subject, "m2" if how == "body" else STUB)
        hidden = served.added[name]
        texts = [body_of(hidden), hidden.child_text(Email.Body) or ""]
        assert any("could not read" in text for text in texts)
        assert len(poison(gateway)) == 1
        assert gateway.log().count("message shown as a stub") == 1
        whole = item(inbox, name, element(AirSync.MIMESupport, 2), body_preference(4))
        request = element(ItemOperations.ItemOperations, whole)
        answer = phone.post("ItemOperations", request, headers={"MS-ASAcceptMultiPart": "T"})
        (document,) = answer.parts
        (one,) = fetched(decode(document))
        assert "could not read" in body_of(properties(one))


def test_what_is_shown_by_now_is_told_anew_to_every_device_once() -> None:
    show = Show("body")
    with SmtpSink() as sink, running(show), Gateway(show, sink, sections=SECTIONS) as gateway:
        phones = [Phone(gateway.host, gateway.port, "ann", "pw", device=name) for name in ("ONE", "TWO")]
        inbox = name = ""
        for phone in phones:
            phone.provision()
            inbox = phone.folders()["Inbox"]
            phone.begin(inbox)
            served = phone.sync(inbox)
            name = served.named(Email.Subject, "m2")
        show.how = ""
        gateway.terminate()
        gateway.start()  # and so looks at it with the first request
        deadline = time.monotonic() + 60
        for phone in phones:
            while not (changed := phone.sync(inbox).changed) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert list(changed) == [name]
            assert changed[name].child_text(Email.Subject) == "m2"
            assert body_of(changed[name]) == "text 2"
            assert not phone.sync(inbox).changed
        assert poison(gateway) == []


def test_a_damaged_file_does_not_block_a_folder_with_a_filter() -> None:
    """The date of the message cannot be read either, and so no SEARCH by date succeeds."""
    with Dovecot(Options(storage="sdbox")) as dovecot, SmtpSink() as sink:
        for number in range(6):
            dovecot.deliver("ann", messages.plain(f"m{number}"))
        files(dovecot)[2].write_bytes(bytes(range(256)))
        with Gateway(dovecot, sink, sections=SECTIONS) as gateway:
            phone = Phone(gateway.host, gateway.port, "ann", dovecot.password)
            phone.provision()
            inbox = phone.folders()["Inbox"]
            phone.begin(inbox)
            served = phone.sync(inbox, element(AirSync.Options, element(AirSync.FilterType, "3")))
            assert {"m0", "m1", "m3", "m4", "m5"} <= bodies(served).keys()
            assert phone.sync(inbox).status == "1"
