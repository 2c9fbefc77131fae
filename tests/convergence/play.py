"""One user's story: what phones, the second mail program and bad luck do, step by step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from tests.convergence.choices import Choices
from tests.convergence.habits import ALL, Habits
from tests.convergence.ledger import Ledger, Verdict
from tests.convergence.mailbox import MailProgram
from tests.convergence.network import Fate, NoReply
from tests.convergence.operations import OPERATIONS
from tests.convergence.phone import Phone
from tests.convergence.stage import Stage
from tests.convergence.store import Answered

FATES = (*[Fate.ARRIVES] * 12, *[fate for fate in Fate if fate is not Fate.ARRIVES])
_ACTS = [act for weight, act in OPERATIONS for _ in range(weight)]


class Step(ABC):
    """Something that can happen in a story; one object for each story, which may remember what it did."""

    weight: ClassVar[int]
    """How often it comes, compared with the others."""

    def __init__(self, play: Play) -> None:
        self.play = play

    @abstractmethod
    def happens(self, choices: Choices) -> None:
        """Let it happen once."""

    def check(self) -> Verdict:
        """What is wrong after quiet, where the ledger and the comparison of stores do not see it."""
        return Verdict()


class Play:
    """A story about one user."""

    def __init__(self, world: Stage, kinds: Sequence[Habits] = ALL[:3]) -> None:
        self.world = world
        self.user = world.new_user()
        self.ledger = Ledger(moves_at_once=world.profile == "full")
        self.mail = MailProgram(world.dovecot, self.user)
        self.told: list[str] = []
        """What happened, one line for each step."""
        self.steps: dict[type[Step], Step] = {}
        """Those that have happened."""
        self._devices = 0
        self.retired: list[Phone] = []
        self.phones = [self.new_phone(habits) for habits in kinds]

    def close(self) -> None:
        """Log the second mail program out."""
        self.mail.close()

    def new_phone(self, habits: Habits) -> Phone:
        """A phone nobody used before."""
        self._devices += 1
        return self.world.phone(self.user, f"DEVICE{self._devices}", habits, self.ledger)

    def tell(self, line: str) -> None:
        """Add a line to what happened."""
        self.told.append(line)

    def step(self, choices: Choices, kind: type[Step]) -> None:
        """Let something happen."""
        self.world.ensure_alive(self.ledger)
        if kind not in self.steps:
            self.steps[kind] = kind(self)
        self.steps[kind].happens(choices)

    # --- what steps have in common -------------------------------------------------------------------------

    def some_message(self, choices: Choices) -> tuple[str, int, str] | None:
        """A message of some mailbox, that mailbox now being looked at: mailbox, UID, token."""
        mailbox = choices.pick(["INBOX", "INBOX", *self.mail.mailboxes()])
        unsent = self.unsent()
        held = {uid: one for uid, one in self.mail.content(mailbox).items() if one.token not in unsent}
        if not held:
            return None
        uid = choices.pick(sorted(held))
        return mailbox, uid, held[uid].token

    def choose(self, choices: Choices, phone: Phone) -> list[str]:
        """Folders for one Sync: those with something unanswered first, mostly."""
        names = phone.synced
        urgent = [name for name in names if phone.collection(name).unanswered]
        chosen = urgent[: phone.habits.collections] if choices.number(0, 3) else []
        while len(chosen) < choices.number(1, min(phone.habits.collections, len(names))):
            name = choices.pick(names)
            if name not in chosen:
                chosen.append(name)
        return chosen

    def act(self, choices: Choices, phone: Phone, chosen: Sequence[str]) -> None:
        """Let the user of a phone do something to the messages of some folders."""
        unsent = self.unsent()
        for name in chosen:
            held = phone.collection(name)
            for _ in range(choices.number(0, 2)):
                moving = phone.moving
                items = sorted(
                    item for item, one in held.items.items() if one.token not in unsent and item not in moving
                )
                if not items or held.key == "0":
                    break
                choices.pick(_ACTS)(choices, phone, name, choices.pick(items))
                self.tell(f"{phone}: {held.unanswered[-1]}")

    def unsent(self) -> set[str]:
        """Messages still being made: sent, saved, or copied to Sent.

        Who removes a copy before the gateway knows that it is there gets a second one.
        """
        made = {errand.token for phone in self.phones for errand in phone.errands}
        return made | {*self.world.unfinished()}

    def request(
        self,
        choices: Choices,
        phone: Phone,
        ask: Callable[[Fate, float], Answered],
        what: str,
    ) -> None:
        """Make a request whose way is not safe."""
        fate = choices.pick(FATES)
        position = choices.number(0, 100) / 100
        outcome = "refused"
        came: list[str] = []
        try:
            with self.world.trouble(choices, self.ledger) as came:
                try:
                    outcome = ask(fate, position)
                except NoReply as error:
                    outcome = f"no reply: {error}"
        finally:
            self.tell(f"{phone} {what} {fate.name} {position}: {'; '.join([outcome, *came])}")
        if fate is not Fate.ARRIVES:
            self.world.faults[fate.name.lower().replace("_", " ")] += 1
