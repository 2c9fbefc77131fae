"""What phones do with the folder hierarchy."""

from __future__ import annotations

from dataclasses import replace

from tests.convergence.choices import Choices
from tests.convergence.foldering import ChangeFolder, DropFolder, FolderErrand, MakeFolder
from tests.convergence.network import Fate
from tests.convergence.phone import Phone
from tests.convergence.play import Step
from tests.convergence.store import Answered, Folder

MOST = 3
"""Folders of a phone's own."""


class ChangesFolders(Step):
    """A phone makes, renames, moves or deletes a folder of its own, or tries again."""

    weight = 5

    def happens(self, choices: Choices) -> None:
        play = self.play
        phone = choices.pick(play.phones)
        errand = next((one for one in phone.errands if isinstance(one, FolderErrand)), None)
        if errand is None:
            if not phone.folders:
                return
            errand = self._new(choices, phone)
            phone.errands.append(errand)

        # So that the second mail program is in no mailbox that goes: Dovecot would end its connection.
        play.mail.content("INBOX")

        def ask(fate: Fate, position: float) -> Answered:
            return phone.attempt(errand, fate, position)

        play.request(choices, phone, ask, f"{errand}")

    def _new(self, choices: Choices, phone: Phone) -> FolderErrand:
        own = [one for one in phone.folders.values() if one.name.startswith(f"{phone.account.device}-")]
        archive = next((one.id for one in phone.folders.values() if one.name == "Archive"), "0")
        parent, kind = choices.pick(("0", archive)), choices.number(0, 4)
        name = f"{phone.account.device}-{self.play.world.new_token('f')}"
        if not own or (kind < 2 and len(own) < MOST):
            return MakeFolder(Folder("", parent, name, ""))
        folder = choices.pick(sorted(own, key=lambda one: one.id))
        if kind < 4:
            kept = folder.name if choices.number(0, 2) == 0 else name
            return ChangeFolder(phone, replace(folder, parent=parent, name=kept))
        return DropFolder(phone, folder, self.play.mail)
