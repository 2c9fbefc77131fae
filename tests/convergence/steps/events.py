"""What phones do with calendars."""

from __future__ import annotations

from tests.convergence.choices import Choices
from tests.convergence.events import Agenda, ChangeEvent, DeleteEvent, MakeEvent
from tests.convergence.foldering import MakeFolder
from tests.convergence.ledger import Verdict
from tests.convergence.moveitems import MoveItems
from tests.convergence.network import Fate
from tests.convergence.phone import Phone
from tests.convergence.play import Play, Step
from tests.convergence.store import Answered, Errand, Folder

MOST = 3
"""Calendars of a user, more or less."""


class KeepsCalendar(Step):
    """A phone syncs its calendar, perhaps with a folder of mail, after its user did something there."""

    weight = 14

    def __init__(self, play: Play) -> None:
        super().__init__(play)
        self.agenda = Agenda()

    def happens(self, choices: Choices) -> None:
        play = self.play
        phone = choices.pick(play.phones)
        if not phone.calendars:
            play.request(choices, phone, phone.folder_sync, "FolderSync")
            return
        calendar = choices.pick(sorted(phone.calendars))
        phone.collection(calendar)
        for _ in range(choices.number(0, 3)):
            self._act(choices, phone, calendar)
        chosen = [calendar]
        if phone.habits.collections > 1 and choices.number(0, 2) == 0:
            chosen.append(choices.pick(phone.synced))
        if choices.number(0, 19) == 0:
            phone.start_collection_anew(calendar)
            play.tell(f"{phone} begins {calendar} anew")

        def ask(fate: Fate, position: float) -> Answered:
            return phone.sync(chosen, fate, position)

        play.request(choices, phone, ask, f"Sync {chosen}")

    def _act(self, choices: Choices, phone: Phone, calendar: str) -> None:
        """Let the user of a phone do something to an event, or make one."""
        held = phone.collection(calendar)
        if held.key == "0":
            return
        what = choices.number(0, 3)
        free = sorted(held.items.keys() - phone.moving)
        item = choices.pick(free) if free else ""
        if what == 0 or not item:
            token = self.play.world.new_token("e")
            phone.do(calendar, MakeEvent(token, self.agenda, phone.habits.version))
        elif what == 1:
            phone.do(calendar, DeleteEvent(item, held.items[item].values[0], self.agenda))
        else:
            subject = f"{held.items[item].token}+{self.play.world.new_token('w')}"
            phone.do(calendar, ChangeEvent(item, subject, self.agenda))
        self.play.tell(f"{phone}: {held.unanswered[-1]}")

    def check(self) -> Verdict:
        """Compare the calendars of all phones with each other and with what was acknowledged."""
        found = Verdict()
        known: dict[str, str] | None = None
        for phone in self.play.phones:
            has = {
                name: item.values[0]
                for calendar in phone.calendars
                for name, item in phone.collection(calendar).items.items()
            }
            known = has if known is None else known
            if has != known:
                found.lost.append(f"{phone} has the events {has}, another phone {known}")
        subjects = list((known or {}).values())
        tokens = [subject.partition("+")[0] for subject in subjects]
        agenda = self.agenda
        found.doubled += [f"event {token} is there twice" for token in set(tokens) if tokens.count(token) > 1]
        deleted = agenda.gone - agenda.moved
        found.doubled += [f"event {token}, which was deleted" for token in deleted & set(tokens)]
        found.lost += [f"event {token}" for token in agenda.made - agenda.doomed - set(tokens)]
        found.lost += [
            f"event {token} says {subject}, which nobody wrote"
            for token, subject in zip(tokens, subjects, strict=True)
            if subject not in agenda.written.get(token, ())
        ]
        return found


class MovesEvents(Step):
    """A phone makes another calendar or moves events to one, or tries again."""

    weight = 6

    def happens(self, choices: Choices) -> None:
        phone = choices.pick(self.play.phones)
        errand = next((one for one in phone.errands if _is_of_calendars(one, phone)), None)
        errand = errand or self._new(choices, phone)
        if errand is None:
            return
        wanted = errand

        def ask(fate: Fate, position: float) -> Answered:
            return phone.attempt(wanted, fate, position)

        self.play.request(choices, phone, ask, f"{wanted}")

    def _new(self, choices: Choices, phone: Phone) -> Errand | None:
        known = sorted(phone.calendars)
        if len(known) == 1 or (known and len(known) < MOST and choices.number(0, 3) == 0):
            made = MakeFolder(Folder("", "0", self.play.world.new_token("c"), "13"))
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
        return MoveItems.of_events(phone, source, target, chosen)

    @property
    def _agenda(self) -> Agenda:
        keeper = self.play.steps[KeepsCalendar]
        assert isinstance(keeper, KeepsCalendar)
        return keeper.agenda


def _is_of_calendars(errand: Errand, phone: Phone) -> bool:
    if isinstance(errand, MakeFolder):
        return errand.folder.type == "13"
    return isinstance(errand, MoveItems) and errand.source in phone.calendars
