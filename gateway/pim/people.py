"""Finding people in a list by words of their names and addresses, and putting several lists together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace

from gateway.ports.directory import Entry, Found, Members, domain_of

__all__ = [
    "ENTRY_TEXTS",
    "PeopleList",
    "expanded",
    "is_called",
    "matches",
    "merged",
    "sorting",
    "visible",
    "wanted_words",
    "within",
    "words_of",
]

_WORD = re.compile(r"[^\W_]+")
_PIECE = re.compile(r"\S+")
_AROUND = ",;\"'()<>"
_MOST_WORDS = 10
_OF_AN_ENTRY, _OF_A_LETTER = 1000, 6
"""Octets of somebody in memory, and of each letter he is found by: its place, its copies, its index."""
ENTRY_TEXTS = tuple(one.name for one in fields(Entry) if one.type == "str" and one.name != "address")
"""The fields of an entry that are texts, but for its address."""


def wanted_words(text: str) -> list[str]:
    """What is looked for by a text that somebody typed, in lower case; at most ten words."""
    pieces = (piece.strip(_AROUND) for piece in _PIECE.findall(text.casefold()))
    return [piece for piece in pieces if piece][:_MOST_WORDS]


def words_of(names: Iterable[str], addresses: Iterable[str]) -> str:
    """What somebody is found by, in lower case: words and what is between separators, each behind a space."""
    found: list[str] = []
    for name in names:
        found += (*_PIECE.findall(name.casefold()), *_WORD.findall(name.casefold()))
    for address in addresses:
        found += (address.lower(), *_WORD.findall(address.lower()))
    return "".join(f" {word}" for word in dict.fromkeys(found))


def sorting(entry: Entry) -> tuple[str, str]:
    """The key of the order in which people are listed."""
    return entry.name.casefold() or entry.address.lower(), entry.address.lower()


def within(entry: Entry, domain: str | None) -> Entry | None:
    """What of an entry is told to who is limited to a domain: the addresses in it; None without any."""
    if domain is None:
        return entry
    addresses = [one for one in (entry.address, *entry.others) if domain_of(one) == domain and domain]
    if not addresses:
        return None
    if len(addresses) == 1 + len(entry.others):  # most people are as they are, and copies take their time
        return entry
    return replace(entry, address=addresses[0], others=tuple(addresses[1:]))


def visible(found: Iterable[Entry], domain: str | None, still: Callable[[Entry], bool]) -> list[Entry]:
    """What is told of people found to who is limited to a domain.

    Whoever is found by an address that is not told, so that `still` does not hold, is left out: nobody is to
    learn whose it is. Nor does the order say anything of it.
    """
    shown = [(entry, told) for entry in found if (told := within(entry, domain)) is not None]
    people = [told for entry, told in shown if told is entry or still(told)]
    return people if all(told is entry for entry, told in shown) else sorted(people, key=sorting)


def matches(entry: Entry, text: str) -> bool:
    """Whether a search for a text finds somebody."""
    words = _words(entry)
    wanted = wanted_words(text)
    return bool(wanted) and all(f" {word}" in words for word in wanted)


def is_called(entry: Entry, text: str) -> bool:
    """Whether this is somebody's address, whole name or alias."""
    return text.strip().casefold() in _names(entry)


class PeopleList:
    """People in memory, to be searched as `Directory` says. `cost` is about how many octets they take."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries: Sequence[Entry] = sorted(entries, key=sorting)
        self._words = [_words(entry) for entry in self.entries]
        self.cost = sum(_OF_AN_ENTRY + _OF_A_LETTER * len(words) for words in self._words)
        self._named: dict[str, list[Entry]] = {}
        for entry in self.entries:
            for key in _names(entry):
                self._named.setdefault(key, []).append(entry)

    def search(self, text: str, domain: str | None, first: int, count: int) -> Found:
        wanted = [f" {word}" for word in wanted_words(text)]
        found = (
            entry
            for entry, words in zip(self.entries, self._words, strict=True)
            if wanted and all(word in words for word in wanted)
        )
        hits = visible(found, domain, lambda shown: matches(shown, text))
        return Found(tuple(hits[first : first + count]), len(hits))

    def at(self, addresses: Iterable[str], domain: str | None) -> list[Entry]:
        """Whoever has one of these addresses (in lower case), which is told."""
        wanted = dict.fromkeys(addresses)
        found = dict.fromkeys(
            entry
            for address in wanted
            for entry in self._named.get(address, ())
            if address in entry.addresses
        )
        return visible(found, domain, lambda shown: not wanted.keys().isdisjoint(shown.addresses))

    def named(self, text: str, domain: str | None, count: int) -> Found:
        found = self._named.get(text.strip().casefold(), ())
        hits = visible(found, domain, lambda shown: is_called(shown, text))
        return Found(tuple(hits[:count]), len(hits))


def _names(entry: Entry) -> set[str]:
    return {*entry.addresses, entry.name.casefold(), entry.alias.casefold()} - {""}


def _words(entry: Entry) -> str:
    names = (entry.name, entry.first_name, entry.last_name, entry.alias)
    return words_of(names, (entry.address, *entry.others))


def merged(lists: Iterable[Iterable[Entry]]) -> list[Entry]:
    """The entries of several lists in order, those who share an address made one.

    What an earlier list says of somebody counts; what it does not say comes from later ones.
    """
    slots: dict[int, Entry] = {}
    place: dict[str, int] = {}
    for number, entry in enumerate(entry for entries in lists for entry in entries):
        same = sorted({place[address] for address in entry.addresses if address in place})
        slot = same[0] if same else number
        whole = entry if not same else _both(slots[slot], entry)
        for other in same[1:]:
            whole = _both(whole, slots.pop(other))
        slots[slot] = whole
        place |= dict.fromkeys(whole.addresses, slot)
    return sorted(slots.values(), key=sorting)


def _both(first: Entry, second: Entry) -> Entry:
    texts = {name: getattr(first, name) or getattr(second, name) for name in ENTRY_TEXTS}
    known = set(first.addresses)
    more = tuple(one for one in (second.address, *second.others) if one.lower() not in known)
    return replace(
        first,
        **texts,
        others=(*first.others, *more),
        group=first.group or second.group,
        contact=first.contact and second.contact,
    )


def expanded(within: Callable[[str], Iterable[Entry] | None], address: str, most: int) -> Members | None:
    """Up to `most` members of a group, with those of the groups in it, however these contain each other.

    `within` tells who is directly in the group with an address (in lower case), None where there is none.
    """
    if within(address) is None:
        return None
    people: dict[str, Entry] = {}
    seen, waiting = {address}, [address]
    while waiting:
        for entry in within(waiting.pop()) or ():
            name = entry.address.lower()
            if within(name) is None:
                people.setdefault(name, entry)
            elif name not in seen:
                seen.add(name)
                waiting.append(name)
        if len(people) > most:
            return Members(tuple(people.values())[:most], complete=False)
    return Members(tuple(people.values()))
