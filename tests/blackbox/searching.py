"""What phones ask Search for (MS-ASCMD 2.2.1.16), and the Store of its answer."""

from __future__ import annotations

from tests.support.phone import Phone
from wbxml import Element, element
from wbxml.pages import AirSync, Email, Search


def words(text: str) -> Element:
    return element(Search.FreeText, text)


def folder(identity: str) -> Element:
    return element(AirSync.CollectionId, identity)


def kind(name: str) -> Element:
    return element(AirSync.Class, name)


def both(*conditions: Element) -> Element:
    return element(Search.Query, element(Search.And, *conditions))


def either(*conditions: Element) -> Element:
    return element(Search.Query, element(Search.Or, *conditions))


def received(tag: str, moment: str) -> Element:
    bound = Search.GreaterThan if tag == ">" else Search.LessThan
    return element(bound, element(Email.DateReceived), element(Search.Value, moment))


def options(*children: Element, span: str | None = None) -> Element:
    ranged = [] if span is None else [element(Search.Range, span)]
    return element(Search.Options, *ranged, *children)


def search(phone: Phone, *children: Element, name: str = "Mailbox") -> Element:
    """The Store of the answer to a search."""
    store = element(Search.Store, element(Search.Name, name), *children)
    root = phone.post("Search", element(Search.Search, store)).root
    assert root.tag is Search.Search
    assert [child.tag.name for child in root] == ["Status", "Response"]
    assert root.child_text(Search.Status) == "1"
    (answer,) = root.children[1]
    assert answer.tag is Search.Store
    return answer


def status(store: Element) -> str:
    return store.child_text(Search.Status) or ""


def is_empty(store: Element) -> bool:
    """Whether nothing was found: one Result without anything in it."""
    return (
        status(store) == "1" and [len(one) for one in store.findall(Search.Result)] == [0] and len(store) == 2
    )
