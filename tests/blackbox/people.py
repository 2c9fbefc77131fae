"""Looking people up as phones do: Search, Find and ResolveRecipients, and when somebody is busy."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Answer, Phone, add, commands, statuses
from wbxml import Element, element
from wbxml.pages import GAL, AirSync, Calendar, Find, ItemOperations, Search
from wbxml.pages import ResolveRecipients as Page

NINE = (datetime.now(UTC) + timedelta(days=7)).replace(hour=9, minute=0, second=0, microsecond=0)
HALF = timedelta(minutes=30)
TENTATIVE, BUSY, AWAY = 1, 2, 3


def fresh(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def come(gateway: Gateway, dovecot: Dovecot, user: str, version: str = "16.1") -> Phone:
    """A phone of somebody who has used the gateway."""
    phone = Phone(gateway.host, gateway.port, user, dovecot.password, version=version)
    phone.provision()
    return phone


def search(phone: Phone, text: str, *options: Element) -> Element:
    """The Store of the answer to a Search of the GAL."""
    store = element(
        Search.Store,
        element(Search.Name, "GAL"),
        element(Search.Query, text),
        *([element(Search.Options, *options)] if options else []),
    )
    root = phone.post("Search", element(Search.Search, store)).root
    assert root.child_text(Search.Status) == "1"
    return root.children[1].children[0]


def find(phone: Phone, text: str, *options: Element) -> Element:
    """The Response to a Find in the GAL."""
    criterion = element(
        Find.GalSearchCriterion,
        element(Find.Query, text),
        *([element(Find.Options, *options)] if options else []),
    )
    asked = element(Find.Find, element(Find.SearchId, "1"), element(Find.ExecuteSearch, criterion))
    root = phone.post("Find", asked).root
    assert root.child_text(Find.Status) == "1"
    response = root.children[1]
    assert response.child_text(ItemOperations.Store) == "GAL"
    return response


def shown(store: Element) -> list[dict[str, str]]:
    """The entries of an answer, their properties by name."""
    assert store.child_text(Search.Status) == "1" or store.child_text(Find.Status) == "1", store
    return [
        {one.tag.name: one.text() for one in properties if not one.children}
        for result in store
        if result.tag in {Search.Result, Find.Result}
        for properties in (result.find(Search.Properties) or result.find(Find.Properties),)
        if properties
    ]


def addresses(store: Element) -> list[str]:
    return [one["EmailAddress"] for one in shown(store)]


def picture(answer: Element) -> list[tuple[str, str]]:
    """What the only entry of an answer says of its picture."""
    (found,) = [one for one in answer.iter() if one.tag is GAL.Picture]
    return [(child.tag.name, child.text()) for child in found]


def address(phone: Phone) -> str:
    return f"{phone.user}@example.test"


def plan(phone: Phone, start: datetime, length: timedelta, busy: int, *more: Element) -> str:
    """Have a phone add an event to the calendar; returns its ServerId."""

    def compact(moment: datetime) -> str:
        return f"{moment:%Y%m%dT%H%M%SZ}"

    data = [
        element(Calendar.StartTime, compact(start)),
        element(Calendar.EndTime, compact(start + length)),
        element(Calendar.Subject, "A secret"),
        element(Calendar.BusyStatus, busy),
        *([element(Calendar.UID, uuid.uuid4().hex)] if phone.number < 16 else []),
        *more,
    ]
    folder = phone.folders()["Calendar"]
    if folder not in phone.keys:
        phone.begin(folder)
    served = phone.sync(folder, commands(add(uuid.uuid4().hex, *data)))
    assert [status for _, _, status in statuses(served)] == ["1"]
    return served.responses[0].child_text(AirSync.ServerId) or ""


def dated(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def span(start: datetime | str, end: datetime | str | None = None) -> Element:
    """The option Availability."""
    asked = element(Page.Availability)
    for tag, moment in ((Page.StartTime, start), (Page.EndTime, end)):
        if moment is not None:
            asked.add(tag, dated(moment) if isinstance(moment, datetime) else moment)
    return asked


def ask(phone: Phone, *names: str, options: tuple[Element, ...] = ()) -> Answer:
    request = element(Page.ResolveRecipients, *(element(Page.To, name) for name in names))
    if options:
        request.append(element(Page.Options, *options))
    return phone.post("ResolveRecipients", request)


def resolve(phone: Phone, *names: str, options: tuple[Element, ...] = ()) -> list[Element]:
    """The Response elements, which are for these names in this order."""
    root = ask(phone, *names, options=options).root
    assert root.tag is Page.ResolveRecipients
    assert root.children[0].tag is Page.Status
    assert root.children[0].text() == "1"
    responses = list(root)[1:]
    assert [one.child_text(Page.To) for one in responses] == list(names)
    return responses


def availability(response: Element) -> tuple[str | None, str | None]:
    """Status and digits of the only recipient."""
    (recipient,) = response.findall(Page.Recipient)
    told = recipient.find(Page.Availability)
    assert told is not None
    return told.child_text(Page.Status), told.child_text(Page.MergedFreeBusy)


def status(response: Element) -> tuple[str | None, str | None]:
    return response.child_text(Page.Status), response.child_text(Page.RecipientCount)
