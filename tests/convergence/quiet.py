"""The end of a story: all phones finish what they have to do, and then everything must agree."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.convergence.ledger import Message, Verdict
from tests.convergence.network import NoReply
from tests.convergence.phone import Phone
from tests.convergence.play import Play
from tests.convergence.process import RELIST_SECONDS
from tests.convergence.properties import PROPERTIES, Property, upstream, visible

QUIET_SECONDS = 120.0
COPY_SECONDS = 90.0
"""In which the gateway tries three more times to store a copy in Sent."""


def settle(play: Play) -> None:
    """Let every phone finish; nothing goes wrong any more. Raises AssertionError when there is no end."""
    if play.world.profile == "bare":
        time.sleep(RELIST_SECONDS)
    deadline = time.monotonic() + QUIET_SECONDS
    for phone in (*play.phones, *play.retired):
        if count := phone.network.deliver_late():
            play.tell(f"{count} late copies from {phone}, before all is quiet")
    calm = 0
    while calm < 2:
        if time.monotonic() > deadline:
            raise AssertionError("no quiet: " + "; ".join(map(_restless, play.phones)))
        play.world.ensure_alive(play.ledger)
        busy = [phone for phone in play.phones if finish(phone)]
        calm = 0 if busy else calm + 1
        if busy:
            time.sleep(0.02)
        else:
            _await_copies(play)


def finish(phone: Phone) -> bool:
    """One round of a phone; True when another is due."""
    try:
        answers = [phone.attempt(errand) for errand in list(phone.errands)]
        phone.stale |= not phone.folders
        first = phone.stale
        answers.append(phone.folder_sync())
        names = phone.synced + phone.folders_of()
        together = phone.habits.collections
        answers += [phone.sync(names[start : start + together]) for start in range(0, len(names), together)]
    except NoReply:
        return True
    more = any(phone.collection(name).more for name in names)
    return "later" in answers or first or phone.stale or more


def _await_copies(play: Play) -> None:
    """Wait for copies in Sent that the gateway still owes for messages it acknowledged."""
    deadline = time.monotonic() + COPY_SECONDS
    while time.monotonic() < deadline:
        stages = play.world.unfinished()
        if not any(stages[token] == "submitted" for token in stages.keys() & play.ledger.acknowledged):
            return
        time.sleep(0.1)


def _restless(phone: Phone) -> str:
    more = [name for name, held in phone.collections.items() if held.more or held.unanswered]
    return f"{phone}: errands {phone.errands}, stale {phone.stale}, more {more}, {phone.answers}"


def verdict(play: Play) -> tuple[Verdict, int]:
    """What is wrong after quiet, and how many messages were sent once more through the known gap."""
    found = Verdict()
    mail = {name: list(play.mail.content(name).values()) for name in play.mail.mailboxes()}
    play.ledger.check_mail(mail, found)
    extra = play.ledger.check_sent(play.world.received(), found)
    names: dict[tuple[str, str], str] = {}
    details: dict[tuple[str, str, Property], str] = {}
    for phone in play.phones:
        _compare(phone, mail, found)
        found.doubled += _other_names(phone, names)
        found.lost += _other_details(phone, details)
    for step in play.steps.values():
        wrong = step.check()
        found.lost += wrong.lost
        found.doubled += wrong.doubled
    return found, extra


def _compare(phone: Phone, mail: Mapping[str, Sequence[Message]], found: Verdict) -> None:
    """Compare a phone's store with the mailboxes."""
    found.doubled += [f"{phone} was sent {token} though it had it" for token in phone.added_twice]
    paths = {phone.path(name): name for name in phone.synced}
    never = {phone.path(one.id) for one in phone.folders.values()} - paths.keys()
    found.lost += [f"{phone} lacks the folder {path}" for path in mail.keys() - paths.keys() - never]
    for path, identity in paths.items():
        held = phone.collection(identity)
        version = phone.habits.version
        wanted = Counter(
            (one.token, visible(one.values, version))
            for one in mail.get(path, ())
            if one.recent or not held.filter_type
        )
        has = Counter((one.token, visible(upstream(one.values), version)) for one in held.items.values())
        found.lost += [f"{phone} lacks {one} in {path}" for one in wanted - has]
        found.doubled += [f"{phone} has {one} in {path}" for one in has - wanted]


def _other_details(phone: Phone, details: dict[tuple[str, str, Property], str]) -> list[str]:
    """What another phone knows otherwise of a message; `details` collects what all phones know."""
    return [
        f"{phone} has {kind}={one[kind]!r} of {one.token}, another phone has {known!r}"
        for identity in phone.synced
        for one in phone.collection(identity).items.values()
        for kind in PROPERTIES
        if phone.habits.version >= kind.since
        and (known := details.setdefault((phone.path(identity), one.token, kind), one[kind])) != one[kind]
    ]


def _other_names(phone: Phone, names: dict[tuple[str, str], str]) -> list[str]:
    """Messages that another phone knows by another ServerId; `names` collects those of all phones."""
    return [
        f"{phone} calls {one.token} {name}, another phone does not"
        for identity in phone.synced
        for name, one in phone.collection(identity).items.items()
        if names.setdefault((phone.path(identity), one.token), name) != name
    ]
