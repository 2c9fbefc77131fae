"""What phones do with calendars."""

from __future__ import annotations

from tests.convergence.choices import Choices
from tests.convergence.events import Agenda, ChangeEvent, DeleteEvent, MakeEvent
from tests.convergence.ledger import Verdict
from tests.convergence.network import Fate
from tests.convergence.phone import Phone
from tests.convergence.play import Play, Step
from tests.convergence.store import Answered


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
        (calendar,) = phone.calendars
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
        item = choices.pick(sorted(held.items)) if held.items else ""
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
        found.doubled += [f"event {token}, which was deleted" for token in agenda.gone & set(tokens)]
        found.lost += [f"event {token}" for token in agenda.made - agenda.doomed - set(tokens)]
        found.lost += [
            f"event {token} says {subject}, which nobody wrote"
            for token, subject in zip(tokens, subjects, strict=True)
            if subject not in agenda.written.get(token, ())
        ]
        return found
