"""The sweep: one session, played again and again, the gateway killed at the k-th I/O boundary for every k.

    python -m tests.convergence.sweep [--every N] [--profile full|bare] [--phone iPhone|Android|Outlook|SP]

Boundaries are the moments just before and just after each store commit, IMAP command, submission and HTTP
answer. The phone repeats what was not answered; at the end all must agree. The exit status is 1 if not.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import click

from tests.convergence import quiet
from tests.convergence.ending import end_in_order
from tests.convergence.foldering import ChangeFolder, DropFolder, MakeFolder
from tests.convergence.habits import ALL, ANDROID, Habits
from tests.convergence.items import ChangeItem, DeleteItem, MakeItem
from tests.convergence.ledger import Verdict
from tests.convergence.mailbox import message
from tests.convergence.moveitems import MoveItems
from tests.convergence.network import NoReply
from tests.convergence.operations import delete, mark
from tests.convergence.phone import Phone
from tests.convergence.play import Play
from tests.convergence.properties import EMPTY, FLAG, READ
from tests.convergence.sending import Letter
from tests.convergence.stage import Profile
from tests.convergence.steps.items import KeepsItems
from tests.convergence.store import Answered, Errand, Folder
from tests.convergence.world import World

ATTEMPTS = 20


@dataclass(slots=True)
class Outcome:
    """What a sweep found. `points` counts the kills by boundary, `wrong` names those that did harm."""

    points: Counter[str] = field(default_factory=Counter)
    resent_in_the_gap: int = 0
    lost: int = 0
    doubled: int = 0
    forced_resyncs: int = 0
    wrong: list[str] = field(default_factory=list)


class Session:
    """One phone's scripted session, beside a second phone that is up to date before it begins."""

    def __init__(self, world: World, habits: Habits) -> None:
        self.world = world
        self.play = Play(world, (habits, ANDROID))
        calendars = KeepsItems(self.play)
        self.agenda = calendars.agenda
        self.play.steps[KeepsItems] = calendars  # for what it checks in the end
        self.phone: Phone = self.play.phones[0]
        for _ in range(8):
            self.arrives()
        # The other phone is in step; the one to watch has done nothing yet.
        self.play.phones = self.play.phones[1:]
        quiet.settle(self.play)
        self.play.phones.append(self.phone)

    def arrives(self) -> None:
        """Mail comes in."""
        token = self.world.new_token("m")
        self.play.mail.deliver("INBOX", token)
        self.play.ledger.delivered(token, "INBOX", EMPTY)

    def run(self) -> None:
        """Folders, a first sync in windows, marks, deletions, sending, moves, events, an answer."""
        phone = self.phone
        self.until_answered(phone.folder_sync)
        inbox, sent, trash = (self.folder(kind) for kind in ("2", "5", "4"))
        self.sync(inbox)
        one, two, three, four, *_ = sorted(phone.collections[inbox].items)
        mark(phone, inbox, one, READ, READ.values[1])
        mark(phone, inbox, two, FLAG, FLAG.values[1])
        self.sync(inbox)
        delete(phone, inbox, three)
        delete(phone, inbox, four)
        mark(phone, inbox, two, READ, READ.values[1])
        self.sync(inbox)
        token = self.world.new_token("s")
        self.ask(Letter(token, message(token), f"client-{token}"))
        self.sync(sent)
        self.sync(trash)
        for item in sorted(phone.collections[trash].items)[:1]:
            delete(phone, trash, item)
        self.done(MoveItems.begin(phone, inbox, trash, [one]))
        self.change_folders(trash)
        self.keep_calendar(self.folder("8"))
        token = self.world.new_token("s")
        self.ask(Letter(token, message(token), f"client-{token}", original=(inbox, two)))
        self.arrives()
        self.sync(inbox, trash)

    def change_folders(self, source: str) -> None:
        """A folder is made, gets a message and another name; a second one is made and deleted."""
        phone = self.phone
        self.ask(MakeFolder(Folder("", "0", "Made", "")))
        self.ask(MakeFolder(Folder("", "0", "Doomed", "")))
        made, doomed = (
            next(f for f in phone.folders.values() if f.name == name) for name in ("Made", "Doomed")
        )
        self.sync(source, made.id)
        self.done(MoveItems.begin(phone, source, made.id, sorted(phone.collections[source].items)[:1]))
        self.ask(ChangeFolder(phone, replace(made, name="Renamed")))
        self.ask(DropFolder(phone, doomed, self.play.mail))
        self.sync(made.id)

    def keep_calendar(self, calendar: str) -> None:
        """Events are made, one is changed, one deleted, and another made in the same request."""
        phone, agenda = self.phone, self.agenda
        self.sync(calendar)
        tokens = [self.world.new_token("e") for _ in range(3)]
        for token in tokens[:2]:
            phone.do(calendar, MakeItem(token, agenda, phone.habits.version))
        self.sync(calendar)
        one, two = sorted(phone.collections[calendar].items)
        phone.do(calendar, ChangeItem(one, f"{tokens[0]}+changed", agenda))
        phone.do(calendar, DeleteItem(two, tokens[1], agenda))
        phone.do(calendar, MakeItem(tokens[2], agenda, phone.habits.version))
        self.sync(calendar)

    def ask(self, errand: Errand) -> None:
        """Get something done that nobody has begun yet."""
        self.phone.errands.append(errand)
        self.done(errand)

    def done(self, errand: Errand) -> None:
        """Get something done that the phone has to do by a request of its own."""
        self.until_answered(lambda: self.phone.attempt(errand))

    def folder(self, kind: str) -> str:
        """The id of the folder of a type."""
        return next(folder.id for folder in self.phone.folders.values() if folder.type == kind)

    def sync(self, *collections: str) -> None:
        """Sync until there is no more, as many folders at once as the phone does."""
        phone = self.phone
        for name in collections:
            phone.collection(name).more = True
        while due := [name for name in collections if phone.collection(name).more]:
            group = due[: phone.habits.collections]
            self.until_answered(lambda group=group: phone.sync(group))  # type: ignore[misc]

    def until_answered(self, ask: Callable[[], Answered]) -> None:
        """Repeat a request as phones do; the gateway is started again when it died."""
        for _ in range(ATTEMPTS):
            self.world.ensure_alive(self.play.ledger)
            try:
                if ask() == "done":
                    return
            except NoReply:
                continue
        raise AssertionError(f"no answer: {self.phone.answers}")

    def end(self) -> tuple[Verdict, int]:
        """Let all become quiet, and compare."""
        self.world.gateway.fuse.disarm()
        self.world.ensure_alive(self.play.ledger)
        quiet.settle(self.play)
        verdict = quiet.verdict(self.play)
        self.play.close()
        return verdict


def count_boundaries(world: World, habits: Habits) -> int:
    """How many boundaries the session has when nothing goes wrong."""
    session = Session(world, habits)
    world.gateway.fuse.arm(0)
    session.run()
    passed = world.gateway.fuse.passed
    verdict, _ = session.end()
    assert not verdict, verdict
    return passed


def kill_at(world: World, habits: Habits, number: int, outcome: Outcome) -> None:
    """Play the session with the gateway killed at one boundary, and judge what became of it."""
    session = Session(world, habits)
    before = world.burnt.copy()
    world.gateway.fuse.arm(number)
    session.run()
    verdict, extra = session.end()
    where = world.burnt - before
    outcome.points += where
    outcome.resent_in_the_gap += extra
    outcome.lost += len(verdict.lost)
    outcome.doubled += len(verdict.doubled)
    outcome.forced_resyncs += len(session.phone.forced_resyncs)
    if verdict or session.phone.forced_resyncs:
        outcome.wrong.append(
            f"{world.profile} {habits.name} {number} {dict(where)}: {verdict} {session.phone.forced_resyncs}"
        )


def sweep(world: World, habits: Habits, every: int, outcome: Outcome, offset: int = 1) -> None:
    """Kill the gateway at every boundary (or at each `every`th) of the session."""
    for number in range(offset, count_boundaries(world, habits) + 1, every):
        kill_at(world, habits, number, outcome)


def run(profiles: Iterable[Profile], kinds: Iterable[Habits], every: int) -> Outcome:
    """Sweep all combinations."""
    outcome = Outcome()
    kinds = tuple(kinds)
    for profile, habits in itertools.product(profiles, kinds):
        with World(profile) as world:
            before = outcome.points.total()
            sweep(world, habits, every, outcome)
            click.echo(f"{profile}, {habits.name}: killed at {outcome.points.total() - before} points")
    return outcome


def main() -> int:
    """Read the command line and sweep; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="try each Nth boundary only")
    parser.add_argument("--profile", choices=["full", "bare"], action="append")
    parser.add_argument("--phone", choices=[habits.name for habits in ALL], action="append")
    asked = parser.parse_args()
    end_in_order()
    profiles: list[Profile] = asked.profile or ["full", "bare"]
    kinds = [habits for habits in ALL if not asked.phone or habits.name in asked.phone]
    outcome = run(profiles, kinds, asked.every)
    for line in outcome.wrong:
        click.echo(line)
    for name, count in sorted(outcome.points.items()):
        click.echo(f"{count:6}  {name}")
    click.echo(
        json.dumps(
            {
                "kill_points": outcome.points.total(),
                "resent_in_the_gap": outcome.resent_in_the_gap,
                "lost": outcome.lost,
                "doubled": outcome.doubled,
                "forced_resyncs": outcome.forced_resyncs,
            }
        )
    )
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
