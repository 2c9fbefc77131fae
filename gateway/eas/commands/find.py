"""Find (MS-ASCMD 2.2.1.2): mail by what people type, as a list of previews; people in the address list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.eas import fields, mailitems, mailsearch, people, status
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.content import findresult
from gateway.eas.content.email import Rendered
from gateway.eas.mailsearch import PAGE, Scope
from gateway.eas.pictures import parse_wish
from gateway.eas.versions import Version
from gateway.errors import Refused
from gateway.mail import kql
from gateway.sync.searches import Entry, Listing
from gateway.types import CollectionId, Folder
from wbxml import Element, element
from wbxml.pages import AirSync, ItemOperations
from wbxml.pages import Find as Page

_SUCCESS = 1
_INVALID = 2
_RANGE_NOT_FROM_START = 4
_LAST_OF_RANGE = 999


@dataclass(frozen=True, slots=True)
class _Criterion:
    """What to find. `search` is the SearchId, the same for all pages of one search."""

    search: str
    text: str
    scope: Scope
    first: int
    last: int

    @property
    def key(self) -> str:
        return f"Find {self.search} {self.text!r} {self.scope!r}"


class Find:
    """Serves the mailbox; the address list where there is a directory."""

    name = "Find"
    code = 23
    root = Page.Find
    status = Page.Status
    first = Version.V16_1
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` for a request that is no Find, or for folders that are gone; `UpstreamError`."""
        root = fields.document(root)
        search = fields.identifier(root, Page.SearchId)
        execute = fields.required(root, Page.ExecuteSearch)
        if len(execute) != 1:
            raise fields.malformed("ExecuteSearch holds one criterion")
        (criterion,) = execute
        if criterion.tag is Page.MailBoxSearchCriterion:
            response = await _mailbox(context, _parse(search, criterion))
        elif criterion.tag is Page.GalSearchCriterion:
            response = await _address_list(context, criterion)
        else:
            raise fields.malformed(f"{criterion.tag!r} is no criterion")
        return element(Page.Find, element(Page.Status, _SUCCESS), response)


def _parse(search: str, criterion: Element) -> _Criterion:
    asked = fields.required(criterion, Page.Query)
    if fields.required(asked, AirSync.Class).text().strip() != "Email":
        raise fields.malformed("Find in a class that is no mail")
    folder = fields.only(asked, AirSync.CollectionId)
    options = fields.only(criterion, Page.Options) or element(Page.Options)
    first, last = _range(options)
    return _Criterion(
        search,
        fields.required(asked, Page.FreeText).text(),
        Scope(
            (CollectionId(fields.identifier(asked, AirSync.CollectionId)),) if folder else (),
            options.find(Page.DeepTraversal) is not None,
        ),
        first,
        last,
    )


def _range(options: Element | None) -> tuple[int, int]:
    first, last = mailsearch.parse_range(options.child_text(Page.Range) if options else None)
    if last > _LAST_OF_RANGE:
        raise fields.malformed("a Range beyond 999")
    return first, last


async def _mailbox(context: Context, wanted: _Criterion) -> Element:
    known = mailsearch.recall(context, wanted.key)
    if known is None and wanted.first:
        return _refusal(context, "Mailbox", _RANGE_NOT_FROM_START, "an unknown SearchId and no first page")
    if known is None or not (known.complete or wanted.first):
        try:
            query = kql.parse(wanted.text, context.services.clock.now())
        except kql.KqlError as error:
            return _refusal(context, "Mailbox", _INVALID, str(error))
        if query is None:
            return _refusal(context, "Mailbox", _INVALID, "nothing to search for")
        known = await mailsearch.listing(context, wanted.key, query, wanted.scope)
    return await _page(context, known, wanted)


async def _page(context: Context, listing: Listing, wanted: _Criterion) -> Element:
    async def show(folder: Folder, uidvalidity: int, uids: Sequence[int]) -> Mapping[int, Rendered]:
        rendered = await mailitems.render(context, folder, uidvalidity, uids, findresult.BODY)
        return {
            uid: replace(one, elements=findresult.find_properties(one.elements))
            for uid, one in rendered.items()
        }

    if not listing.complete:
        context.note("", "the search took too long")
    last = min(wanted.last, wanted.first + PAGE - 1)  # fewer than asked are allowed
    results = await mailsearch.page(context, listing, wanted.first, last, show)
    response = _response("Mailbox", _SUCCESS)
    response.extend(_result(entry, properties) for entry, properties in results)
    if results:
        response.add(Page.Range, f"{wanted.first}-{wanted.first + len(results) - 1}")
    response.add(Page.Total, str(max(listing.total, len(results))))
    return response


def _result(entry: Entry, properties: Sequence[Element]) -> Element:
    return element(
        Page.Result,
        element(AirSync.Class, "Email"),
        element(AirSync.ServerId, mailsearch.name_of(entry)),
        element(AirSync.CollectionId, entry.collection),
        element(Page.Properties, *properties),
    )


async def _address_list(context: Context, criterion: Element) -> Element:
    words = people.wanted_text(fields.required(criterion, Page.Query), Page.FreeText)
    options = fields.only(criterion, Page.Options)
    first, last = _range(options)
    tags = (Page.Picture, Page.MaxSize, Page.MaxPictures)
    wish = parse_wish(options, tags, context.request.version)
    last = min(last, first + PAGE - 1)  # fewer than asked are allowed
    try:
        found = await context.services.directory.search(context.principal, words, first, last)
    except Refused as error:
        value = status.value("Find", status.Level.COLLECTION, error.kind, context.request.version)
        return _refusal(context, "GAL", value, error.detail)
    response = _response("GAL", _SUCCESS)
    for properties in await people.properties(context, found.entries, wish):
        response.append(element(Page.Result, element(Page.Properties, *properties)))
    if found.entries:
        response.add(Page.Range, f"{first}-{first + len(found.entries) - 1}")
    response.add(Page.Total, str(found.total))
    return response


def _response(store: str, value: int) -> Element:
    return element(Page.Response, element(ItemOperations.Store, store), element(Page.Status, value))


def _refusal(context: Context, store: str, value: int, reason: str) -> Element:
    context.note(str(value), reason)
    return _response(store, value)
