"""What phones do with calendars, address books, lists of tasks and notes."""

from __future__ import annotations

from tests.convergence.choices import Choices
from tests.convergence.foldering import MakeFolder
from tests.convergence.items import Agenda, ChangeItem, DeleteItem, MakeItem
from tests.convergence.kinds import CALENDAR, KINDS, Kind
from tests.convergence.ledger import Verdict
from tests.convergence.moveitems import MoveItems
from tests.convergence.network import Fate
from tests.convergence.phone import Phone
from tests.convergence.play import Play, Step
from tests.convergence.store import Answered, Collection, Errand, Folder

MOST = 3
"""Folders of a user of one kind, more or less."""


def _some_kind(choices: Choices, phone: Phone) -> Kind:
    """What a phone shows, mostly events."""
    return CALENDAR if choices.number(0, 1) else choices.pick(phone.habits.kinds)


class KeepsItems(Step):
    """A phone syncs a folder of items, perhaps with one of mail, after its user did something there."""

    weight = 14

    def __init__(self, play: Play) -> None:
        super().__init__(play)
        self.agenda = Agenda()

    def happens(self, choices: Choices) -> None:
        play = self.play
        phone = choices.pick(play.phones)
        kind = _some_kind(choices, phone)
        known = sorted(phone.folders_of(kind))
        if not known:
            play.request(choices, phone, phone.folder_sync, "FolderSync")
            return
        folder = choices.pick(known)
        phone.collection(folder)
        for _ in range(choices.number(0, 3)):
            self._act(choices, phone, folder, kind)
        chosen = [folder]
        if phone.habits.collections > 1 and choices.number(0, 2) == 0:
            chosen.append(choices.pick(phone.synced))
        if choices.number(0, 19) == 0:
            phone.start_collection_anew(folder)
            play.tell(f"{phone} begins {folder} anew")

        def ask(fate: Fate, position: float) -> Answered:
            return phone.sync(chosen, fate, position)

        play.request(choices, phone, ask, f"Sync {chosen}")

    def _act(self, choices: Choices, phone: Phone, folder: str, kind: Kind) -> None:
        """Let the user of a phone do something to an item, or make one."""
        held = phone.collection(folder)
        if held.key == "0":
            return
        waiting = [one for one in held.unanswered if isinstance(one, MakeItem)]
        if waiting and choices.number(0, 2) == 0:
            self._think_again(choices, phone, held, choices.pick(waiting))
            return
        what = choices.number(0, 3)
        free = sorted(held.items.keys() - phone.moving)
        item = choices.pick(free) if free else ""
        if what == 0 or not item:
            token = self.play.world.new_token(kind.name[0].lower())
            phone.do(folder, MakeItem(token, self.agenda, phone.habits.version, kind))
        else:
            if choices.number(0, 1):  # phones send an item as it is, and not how it came to be so
                held.unanswered[:] = [
                    one for one in held.unanswered if not isinstance(one, ChangeItem) or one.item != item
                ]
            if what == 1:
                phone.do(folder, DeleteItem(item, held.items[item].values[0], self.agenda, kind))
            else:
                phone.do(folder, ChangeItem(item, self._another(held.items[item].token), self.agenda, kind))
        self.play.tell(f"{phone}: {held.unanswered[-1]}")

    def _another(self, token: str) -> str:
        return f"{token}+{self.play.world.new_token('w')}"

    def _think_again(self, choices: Choices, phone: Phone, held: Collection, made: MakeItem) -> None:
        """Let the user write on what nobody has answered yet, or delete it."""
        place = held.unanswered.index(made)
        if choices.number(0, 1):
            held.unanswered[place] = other = made.written_on(self._another(made.token))
            other.do(held)
            self.play.tell(f"{phone}: {made} is {other} by now")
        else:
            del held.unanswered[place]
            made.taken_back()
            self.play.tell(f"{phone}: {made} is taken back")

    def check(self) -> Verdict:
        """Compare what all phones have with each other and with what was acknowledged."""
        found = Verdict()
        everything: dict[str, str] = {}
        for kind in KINDS:
            known: dict[str, str] | None = None
            for phone in self.play.phones:
                if kind not in phone.habits.kinds:
                    continue
                has = _titles(phone, kind)
                known = has if known is None else known
                if has != known:
                    found.lost.append(f"{phone} has of {kind.name} {has}, another phone {known}")
            everything |= known or {}
        self._check_titles([*everything.values()], found)
        return found

    def _check_titles(self, titles: list[str], found: Verdict) -> None:
        agenda = self.agenda
        tokens = [title.partition("+")[0] for title in titles]
        found.doubled += [f"{token} is there twice" for token in set(tokens) if tokens.count(token) > 1]
        deleted = agenda.gone - agenda.moved
        found.doubled += [f"{token}, which was deleted" for token in deleted & set(tokens)]
        found.lost += [f"{token}" for token in agenda.made - agenda.doomed - set(tokens)]
        found.lost += [
            f"{token} says {title}, which nobody wrote"
            for token, title in zip(tokens, titles, strict=True)
            if title not in agenda.written.get(token, ())
        ]


def _titles(phone: Phone, kind: Kind) -> dict[str, str]:
    """The titles of all items of a kind by their ids."""
    return {
        name: item.values[0]
        for folder in phone.folders_of(kind)
        for name, item in phone.collection(folder).items.items()
    }


class MovesItemsOfKinds(Step):
    """A phone makes another folder of items or moves items to one, or tries again."""

    weight = 6

    def happens(self, choices: Choices) -> None:
        phone = choices.pick(self.play.phones)
        errand = next((one for one in phone.errands if _is_of_items(one, phone)), None)
        errand = errand or self._new(choices, phone, _some_kind(choices, phone))
        if errand is None:
            return
        wanted = errand

        def ask(fate: Fate, position: float) -> Answered:
            return phone.attempt(wanted, fate, position)

        self.play.request(choices, phone, ask, f"{wanted}")

    def _new(self, choices: Choices, phone: Phone, kind: Kind) -> Errand | None:
        known = sorted(phone.folders_of(kind))
        if len(known) == 1 or (known and len(known) < MOST and choices.number(0, 3) == 0):
            made = MakeFolder(Folder("", "0", self.play.world.new_token("c"), kind.others))
            phone.errands.append(made)
            return made
        source = choices.pick(known) if known else ""
        held = phone.collections.get(source)
        if held is None or held.key == "0":
            return None
        busy = {operation.item for operation in held.unanswered} | phone.moving
        free = sorted(held.items.keys() - busy)
        if not free:
            return None
        target = choices.pick([one for one in known if one != source])
        chosen = sorted({choices.pick(free) for _ in range(choices.number(1, 3))})
        agenda = self._agenda
        agenda.moved |= {held.items[item].token for item in chosen}
        return MoveItems.of_items(phone, source, target, chosen)

    @property
    def _agenda(self) -> Agenda:
        keeper = self.play.steps[KeepsItems]
        assert isinstance(keeper, KeepsItems)
        return keeper.agenda


def _is_of_items(errand: Errand, phone: Phone) -> bool:
    if isinstance(errand, MakeFolder):
        return any(errand.folder.type == kind.others for kind in KINDS)
    return isinstance(errand, MoveItems) and errand.source in phone.folders_of()
