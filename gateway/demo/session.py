"""The session the phone plays: one step after the other, each with what must come of it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from gateway.demo import screen
from gateway.demo.client import VERSION, PhoneError
from gateway.demo.compose import Draft, compose
from gateway.demo.items import Folder, Mail
from gateway.demo.phone import DELETED, DRAFTS, INBOX, OUTBOX, SENT, WINDOW, Phone
from gateway.demo.samples import OFFER, samples

USED = {"Provision", "FolderSync", "Sync", "ItemOperations", "SendMail", "Ping"}
PUSHED = "Written on the phone ✉"
HEAD_START = 0.3
"""Seconds the Ping is held before the mail is sent that ends it."""


class Session:
    """Plays `phone` and, at the end, a second device of the same user.

    The INBOX must hold the samples for the INBOX and nothing else, and the mail sent to `address` must arrive
    there; `submitted` counts the messages the SMTP server took so far.
    """

    def __init__(self, phone: Phone, second: Phone, address: str, submitted: Callable[[], int]) -> None:
        self.phone = phone
        self.second = second
        self.message = _message(address)
        self.submitted = submitted
        self.steps: list[screen.Step] = []

    def play(self) -> bool:
        """Plays all steps, stopping at the first that fails; tells whether all passed."""
        script: list[tuple[str, Callable[[], str]]] = [
            ("OPTIONS", self._options),
            ("Provision", self._provision),
            ("FolderSync", self._folders),
            ("Sync the Inbox", self._inbox),
            ("Fetch a body", self._body),
            ("Fetch an attachment", self._attachment),
            ("Mark as read", self._mark_read),
            ("Delete", self._delete),
            ("Ping and SendMail", self._push),
            ("Sync the new mail", self._new_mail),
            ("Send it once more", self._send_again),
            ("Sync Sent Items", self._sent),
            ("A second device", self._second_device),
        ]
        for name, step in script:
            if not self._step(name, step):
                break
        return len(self.steps) == len(script) and all(step.passed for step in self.steps)

    def _step(self, name: str, run: Callable[[], str]) -> bool:
        begin = time.perf_counter()
        try:
            passed, detail = True, run()
        except PhoneError as error:
            passed, detail = False, str(error)
        step = screen.Step(name, passed, detail, (time.perf_counter() - begin) * 1000)
        self.steps.append(step)
        screen.show_step(step)
        if name == "FolderSync" and passed:
            screen.show_folders(self.phone.folders.values())
        elif name in {"Sync the Inbox", "Sync the new mail"} and passed:
            shown = self._inbox_mails() if name == "Sync the Inbox" else [self._mail(PUSHED)]
            screen.show_mails(shown)
        return passed

    # --- the steps: each returns what to print beside its name, or raises PhoneError ----------------------

    def _options(self) -> str:
        versions, commands = self.phone.client.options()
        _check(VERSION in versions.split(","), f"the server speaks {versions or 'no version'}")
        missing = USED - set(commands.split(","))
        _check(not missing, f"the server does not offer {', '.join(sorted(missing))}")
        return f"versions {versions}"

    def _provision(self) -> str:
        return f"policy accepted, key {self.phone.provision()}"

    def _folders(self) -> str:
        self.phone.folder_sync()
        for kind in (INBOX, DRAFTS, SENT, DELETED, OUTBOX):
            self.phone.folder(kind)
        _check(self.phone.folder_sync() == 0, "a second FolderSync brings changes again")
        return f"{len(self.phone.folders)} folders"

    def _inbox(self) -> str:
        changes = self.phone.sync(self._folder(INBOX))
        found = sorted(mail.subject for mail in self._inbox_mails())
        expected = sorted(one.subject for one in samples(datetime.now(UTC)) if one.mailbox == "INBOX")
        _check(found == expected, f"the Inbox shows other mail: {found}")
        windows = -(-len(found) // WINDOW)
        _check(changes.rounds >= windows, f"more than {WINDOW} mails came in one answer")
        return f"{len(found)} mails in {changes.rounds} answers of at most {WINDOW}"

    def _body(self) -> str:
        mail = self._mail("Harbour news: what is on this week")
        html = self.phone.fetch_body(self._folder(INBOX), mail)
        _check("<b>Saturday</b>" in html, "the body is not the HTML that was sent")
        _check(html.count("<p>") == 40, "the body is not complete")
        return f"{len(html)} characters of HTML: {mail.subject}"

    def _attachment(self) -> str:
        mail = self._mail("Offer and price list")
        file = next((one for one in mail.files if one.name == "offer.pdf"), None)
        _check(file is not None, "the mail shows no offer.pdf")
        assert file is not None
        content_type, data = self.phone.fetch_file(file)
        _check(content_type == "application/pdf", f"the type of offer.pdf is {content_type}")
        _check(data == OFFER, "offer.pdf arrived damaged")
        return f"{file.name}, {content_type}, {len(data)} bytes"

    def _mark_read(self) -> str:
        mail = self._mail("Lunch on Friday?")
        _check(not mail.read, "the mail was read before")
        self.phone.mark_read(self._folder(INBOX), mail)
        again = self.phone.sync(self._folder(INBOX))
        _check(not (again.added or again.changed or again.deleted), "the change came back to the phone")
        return mail.subject

    def _delete(self) -> str:
        mail = self._mail("Sunset from the pier")
        self.phone.delete(self._folder(INBOX), mail)
        deleted = self._folder(DELETED)
        self.phone.sync(deleted)
        found = [one.subject for one in self.phone.mails(deleted)]
        _check(found.count(mail.subject) == 1, f"Deleted Items show {found}")
        return f"{mail.subject}, now in {deleted.name}"

    def _push(self) -> str:
        inbox = self._folder(INBOX)
        answers: queue.Queue[list[str] | PhoneError] = queue.Queue()

        def hold() -> None:
            try:
                answers.put(self.phone.ping(inbox))
            except PhoneError as error:
                answers.put(error)

        # A daemon: when sending fails, nobody waits for the Ping to end.
        threading.Thread(target=hold, name="ping", daemon=True).start()
        time.sleep(HEAD_START)
        _check(answers.empty(), "Ping was answered before there was any news")
        self.phone.send_mail("demo-1", self.message)
        sent = time.perf_counter()
        changed = answers.get()
        if isinstance(changed, PhoneError):
            raise changed
        _check(changed == [inbox.id], f"Ping names the folders {changed}")
        return f"Ping answered {(time.perf_counter() - sent) * 1000:.0f} ms after the mail was sent"

    def _new_mail(self) -> str:
        changes = self.phone.sync(self._folder(INBOX))
        mail = self._mail(PUSHED)
        _check(changes.added == (mail.id,), f"{len(changes.added)} mails came instead of one")
        return f"{mail.subject} from {mail.sender}"

    def _send_again(self) -> str:
        # As a phone does that never got the answer.
        self.phone.send_mail("demo-1", self.message)
        count = self.submitted()
        _check(count == 1, f"the mail was submitted {count} times")
        return "the repeated SendMail was not submitted again"

    def _sent(self) -> str:
        folder = self._folder(SENT)
        self.phone.sync(folder)
        found = [one.subject for one in self.phone.mails(folder)]
        _check(found.count(PUSHED) == 1, f"Sent Items show {found}")
        return f"one copy in {folder.name}"

    def _second_device(self) -> str:
        self.second.provision()
        self.second.folder_sync()
        inbox = self.second.folder(INBOX)
        self.second.sync(inbox)
        seen = {mail.id: mail.read for mail in self.second.mails(inbox)}
        known = {mail.id: mail.read for mail in self._inbox_mails()}
        known[self._mail("Lunch on Friday?").id] = True
        _check(seen == known, "it sees other mail, other ids or another read state")
        return f"sees the same {len(seen)} mails under the same ids"

    # --- looking things up ---------------------------------------------------------------------------------

    def _folder(self, kind: str) -> Folder:
        return self.phone.folder(kind)

    def _inbox_mails(self) -> list[Mail]:
        return self.phone.mails(self._folder(INBOX))

    def _mail(self, subject: str) -> Mail:
        for mail in self._inbox_mails():
            if mail.subject == subject:
                return mail
        raise PhoneError(f"the Inbox shows no mail {subject!r}")


def _message(address: str) -> bytes:
    return compose(
        Draft(
            subject=PUSHED,
            sender=f"Demo User <{address}>",
            to=address,
            date=datetime.now(UTC),
            text="Sent by SendMail, announced by Ping.\n",
            message_id=f"<demo-1-{address}>",
        )
    )


def _check(holds: bool, complaint: str) -> None:
    if not holds:
        raise PhoneError(complaint)
