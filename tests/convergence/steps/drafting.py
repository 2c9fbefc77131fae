"""What phones do with drafts."""

from __future__ import annotations

from collections import defaultdict

from tests.blackbox.drafting import stored
from tests.convergence.choices import Choices
from tests.convergence.drafting import AddressDraft, SaveDraft, SendDraft
from tests.convergence.ledger import Verdict
from tests.convergence.network import Fate
from tests.convergence.phone import Phone
from tests.convergence.play import Play, Step
from tests.convergence.steps.sending import unwilling_smtp
from tests.convergence.store import DRAFTS_FOLDER, Answered


class Drafts(Step):
    """A user begins a message on a phone, goes on with one, or sends one."""

    weight = 8

    def __init__(self, play: Play) -> None:
        super().__init__(play)
        self._addressed: defaultdict[str, list[tuple[Phone, AddressDraft]]] = defaultdict(list)

    def happens(self, choices: Choices) -> None:
        play = self.play
        phone = choices.pick(play.phones)
        found = [one.id for one in phone.folders.values() if one.type == DRAFTS_FOLDER]
        if not found or found[0] not in phone.synced or phone.collection(found[0]).key == "0":
            return
        (folder,) = found
        self._act(choices, phone, folder)

        def ask(fate: Fate, position: float) -> Answered:
            return phone.sync([folder], fate, position)

        with unwilling_smtp(play, choices) as trouble:
            play.request(choices, phone, ask, f"Sync of drafts {trouble}")

    def _act(self, choices: Choices, phone: Phone, folder: str) -> None:
        play, held = self.play, phone.collections[folder]
        busy = {operation.item for operation in held.unanswered} | phone.moving
        # What came into the folder from elsewhere may have no name by which it can be counted.
        items = [name for name, item in sorted(held.items.items()) if item.token.startswith("d")]
        free = [name for name in items if name not in busy]
        kind = choices.number(0, 4)
        if kind < 2 or not free:
            phone.do(folder, SaveDraft(play.world.new_token("d"), play.ledger))
        else:
            name = choices.pick(free)
            token = held.items[name].token
            if kind == 4:
                phone.do(folder, SendDraft(name, token, play.ledger))
            else:
                address = AddressDraft(name, token, f"{play.world.new_token('to')}@example.test")
                self._addressed[token].append((phone, address))
                phone.do(folder, address)
        play.tell(f"{phone}: {held.unanswered[-1]}")

    def check(self) -> Verdict:
        """Whether what one phone alone said of a draft is so, as far as it was answered."""
        verdict = Verdict()
        play = self.play
        drafts = {str(one["Subject"]): str(one["To"]) for _, one in stored(play.world.dovecot, play.user)}
        for token, history in self._addressed.items():
            done = [one.address for _, one in history if one.done]
            if token not in drafts or not done or len({phone for phone, _ in history}) > 1:
                continue
            if history[-1][1].done and drafts[token] != done[-1]:
                verdict.lost.append(f"the address {done[-1]} of the draft {token}, which has {drafts[token]}")
        return verdict
