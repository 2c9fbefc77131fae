"""ItemSync: whatever is lost, repeated or done at once, devices end with what the folder holds."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from gateway.items import ItemKind
from gateway.store.sqlite import Database
from gateway.sync.itemoperations import ItemOperation
from tests.sync.itemmodel import (
    ANN,
    CLIENT_WINS,
    Phone,
    Store,
    adds,
    changes,
    deletes,
    refused,
)


class Convergence(RuleBasedStateMachine):
    """Two phones, a folder others work on too, and a network that loses and repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = TemporaryDirectory()
        path = Path(self.directory.name) / "g.db"
        self.database = self.loop.run_until_complete(Database.open(path))
        self.store = Store.over(self.database)
        folder = self.store.items.provide_item_folder(ANN, ItemKind.CALENDAR, "Calendar")
        self.store.folder = self.loop.run_until_complete(folder).id
        self.phones = [Phone(self.store, "one"), Phone(self.store, "two", **CLIENT_WINS)]
        self.waiting: list[list[ItemOperation]] = [[], []]
        """What each phone did and was not answered for."""
        self.label = 0

    def teardown(self) -> None:
        for which, phone in enumerate(self.phones):
            self._exchange(which, "arrives", 100)
            self.loop.run_until_complete(phone.settle())
        content = self.loop.run_until_complete(self.store.content())
        for phone in self.phones:
            self.loop.run_until_complete(phone.settle())
            assert phone.items == content
            assert phone.resets == 0
        labels = [text.partition("+")[0] for text in content.values()]
        assert len(labels) == len(set(labels)), "an item twice"
        self.loop.run_until_complete(self.database.aclose())
        self.loop.close()
        self.directory.cleanup()

    def _new(self) -> str:
        self.label += 1
        return f"item{self.label}"

    def _some(self, data: st.DataObject) -> int | None:
        content = self.loop.run_until_complete(self.store.content())
        return data.draw(st.sampled_from(sorted(content))) if content else None

    @rule()
    def arrives(self) -> None:
        self.loop.run_until_complete(self.store.put(self._new()))

    @rule(data=st.data())
    def written_elsewhere(self, data: st.DataObject) -> None:
        number = self._some(data)
        if number is not None:
            text = self.loop.run_until_complete(self.store.content())[number]
            self.loop.run_until_complete(self.store.write(number, f"{text.partition('+')[0]}+{self._new()}"))

    @rule(data=st.data())
    def removed_elsewhere(self, data: st.DataObject) -> None:
        number = self._some(data)
        if number is not None:
            self.loop.run_until_complete(self.store.remove(number))

    @rule(data=st.data(), which=st.integers(0, 1), kind=st.sampled_from(["add", "change", "delete", "bad"]))
    def acts(self, data: st.DataObject, which: int, kind: str) -> None:
        phone = self.phones[which]
        if phone.key == "0":
            return
        label = self._new()
        if kind == "add":
            operation: ItemOperation = adds(label, label)
        elif not phone.items:
            return
        else:
            number = data.draw(st.sampled_from(sorted(phone.items)))
            text = f"{phone.items[number].partition('+')[0]}+{label}"
            choices: dict[str, ItemOperation] = {
                "change": changes(number, text),
                "delete": deletes(number),
                "bad": refused(number),
            }
            operation = choices[kind]
        phone.act(operation)
        self.waiting[which].append(operation)

    @rule(
        which=st.integers(0, 1),
        limit=st.integers(1, 4),
        fate=st.sampled_from(["arrives", "arrives", "reply lost", "repeated"]),
    )
    def syncs(self, which: int, limit: int, fate: str) -> None:
        self._exchange(which, fate, limit)

    def _exchange(self, which: int, fate: str, limit: int) -> None:
        phone, operations = self.phones[which], list(self.waiting[which])
        note(f"{which} {fate} {operations}")
        reply = self.loop.run_until_complete(phone.ask(*operations, limit=limit))
        if fate == "reply lost":
            return
        if fate == "repeated":
            again = self.loop.run_until_complete(phone.ask(*operations, limit=limit))
            assert again.answers == reply.answers
        phone.apply(reply, operations)
        self.waiting[which].clear()


Convergence.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestConvergence = Convergence.TestCase
