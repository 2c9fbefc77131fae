"""Lists of people put together, searched, and shown to who is limited to a domain."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.pim.people import PeopleList, merged, sorting, visible, within
from gateway.ports.directory import Entry, domain_of

ADDRESSES = st.sampled_from(
    [f"{name}@{domain}.example" for name in ("ann", "BEN", "carl") for domain in "ab"]
)
ENTRIES = st.builds(
    lambda name, addresses: Entry(addresses[0], name, others=tuple(addresses[1:])),
    st.sampled_from(["", "Ann", "Ben Ann", "Carl"]),
    st.lists(ADDRESSES, min_size=1, max_size=3, unique_by=str.lower),
)


@settings(max_examples=100)
@given(st.lists(st.lists(ENTRIES, max_size=4), max_size=3))
def test_merging_loses_nobody_and_doubles_none(lists: list[list[Entry]]) -> None:
    whole = merged(lists)
    addresses = [address for entry in whole for address in entry.addresses]
    assert sorted(addresses) == sorted({one for some in lists for entry in some for one in entry.addresses})
    assert whole == sorted(whole, key=sorting)
    assert merged([whole, *lists]) == whole


@settings(max_examples=100)
@example([Entry("ben@b.example", "Ben Ann"), Entry("ben@a.example", others=("ann@b.example",))], "b.example")
@given(st.lists(ENTRIES, max_size=5), st.sampled_from(["a.example", "b.example"]))
def test_a_domain_hides_the_others(entries: list[Entry], domain: str) -> None:
    """Neither are addresses of others shown, nor is anybody found by them."""
    people = PeopleList(merged([entries]))
    for text in ("ann", "ann@a.example", "b.example", "ben", "carl@b.example"):
        for found in (people.search(text, domain, 0, 99), people.named(text, domain, 99)):
            assert all(domain_of(one) == domain for entry in found.entries for one in entry.addresses)
            shown = PeopleList(found.entries)
            assert found.entries in {
                shown.search(text, None, 0, 99).entries,
                shown.named(text, None, 99).entries,
            }


def test_within_a_domain() -> None:
    entry = Entry("ann@a.example", "Ann", others=("Ann@B.example", "x@b.example"))
    assert within(entry, None) == entry
    assert within(entry, "b.example") == Entry("Ann@B.example", "Ann", others=("x@b.example",))
    assert within(entry, "example") is None
    assert within(Entry("login"), "") is None
    assert visible([entry], "b.example", lambda _: False) == []
    inside = Entry("Ben@B.example", "Ben", others=("x@b.EXAMPLE",))
    assert within(inside, "b.example") is inside  # a list has many of those
    assert visible([entry, inside], "b.example", lambda _: False) == [inside]
