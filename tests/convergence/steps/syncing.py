"""What phones do with Sync, FolderSync and Ping."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from tests.convergence.choices import Choices
from tests.convergence.network import Fate, NoReply
from tests.convergence.play import Step
from tests.convergence.sending import Letter
from tests.convergence.store import Answered, Refusal


class Syncs(Step):
    """A phone syncs some folders, after its user did something."""

    weight = 44

    def happens(self, choices: Choices) -> None:
        play = self.play
        phone = choices.pick(play.phones)
        if not phone.synced:
            play.request(choices, phone, phone.folder_sync, "FolderSync")
            return
        chosen = play.choose(choices, phone)
        play.act(choices, phone, chosen)
        partial = phone.habits.empty and choices.number(0, 2) == 0
        heartbeat = 1 if phone.habits.version >= "14" and choices.number(0, 59) == 0 else None

        def ask(fate: Fate, position: float) -> Answered:
            return phone.sync(chosen, fate, position, partial=partial, heartbeat=heartbeat)

        play.request(choices, phone, ask, f"Sync {chosen}")


class SyncsFolders(Step):
    """A phone brings its hierarchy up to date, from the start now and then (Gmail at each refresh)."""

    weight = 6

    def happens(self, choices: Choices) -> None:
        phone = choices.pick(self.play.phones)
        if choices.number(0, 4) == 0:
            phone.hierarchy_key = "0"
        self.play.request(choices, phone, phone.folder_sync, "FolderSync")


class TwoAtOnce(Step):
    """Two phones sync at the same time, or one waits in a Ping meanwhile."""

    weight = 4

    def happens(self, choices: Choices) -> None:
        play = self.play
        one, two = play.phones[:2]
        if not one.synced or not two.synced:
            return
        chosen = play.choose(choices, one), play.choose(choices, two)
        for phone, names in zip((one, two), chosen, strict=True):
            play.act(choices, phone, names)
        waits = choices.number(0, 5) == 0
        work: list[Callable[[], object]] = [lambda: one.sync(chosen[0]), lambda: two.sync(chosen[1])]
        if waits:
            work.append(lambda: one.ping(chosen[0], 1))
        came: list[str] = []
        try:
            with play.world.trouble(choices, play.ledger) as came:
                _together(work)
        finally:
            at_once = f"{one} syncs {chosen[0]} and {two} syncs {chosen[1]} at once, ping={waits}"
            play.tell("; ".join([at_once, *came]))


class StartsAnew(Step):
    """A user changes how far back a phone keeps mail, resyncs a folder, or restarts his Outlook."""

    weight = 2

    def happens(self, choices: Choices) -> None:
        play = self.play
        phone = choices.pick(play.phones)
        phone.network.deliver_late()
        letters = [errand for errand in phone.errands if isinstance(errand, Letter)]
        if phone.habits.new_device and choices.number(0, 2) == 0 and letters == phone.errands:
            phone.start_anew()
            phone.errands = []
            play.retired.append(phone)
            play.phones[play.phones.index(phone)] = fresh = play.new_phone(phone.habits)
            fresh.errands += letters
            play.tell(f"{phone} becomes {fresh}, with {len(letters)} messages to send")
        elif phone.collections:
            name = choices.pick(sorted(phone.collections))
            if choices.number(0, 1):
                phone.collections[name].filter_type = new = choices.pick(phone.collections[name].filters)
                play.tell(f"{phone} keeps FilterType {new} of {name}")
            else:
                phone.start_collection_anew(name)
                play.tell(f"{phone} begins {name} anew")


def _together(work: Sequence[Callable[[], object]]) -> None:
    """Do things at the same time; what was refused is raised here."""
    refused: list[Refusal] = []

    def do(one: Callable[[], object]) -> None:
        try:
            one()
        except NoReply:
            return
        except Refusal as error:
            refused.append(error)

    threads = [threading.Thread(target=do, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if refused:
        raise refused[0]
