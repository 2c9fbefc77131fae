"""Search (MS-ASCMD 2.2.1.16): mail and items, page by page; the address list; no documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.eas import fields, mailitems, mailsearch, people, status
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.commands.search.request import MailboxSearch, parse_mailbox_search
from gateway.eas.content.email import Rendered
from gateway.eas.content.ids import long_id
from gateway.eas.content.kinds import content_of
from gateway.eas.mailsearch import PAGE
from gateway.eas.pictures import parse_wish
from gateway.eas.versions import Version
from gateway.errors import ENDS_REQUEST, GatewayError
from gateway.mail.kql import KqlError, TooComplex
from gateway.sync.searches import Entry, ListedItem, Listing
from gateway.types import Folder
from wbxml import Element, element
from wbxml.pages import AirSync, DocumentLibrary
from wbxml.pages import Search as Page

_SUCCESS = 1
_INVALID = 2
_TOO_COMPLEX = 8
_TIMED_OUT = 10
_END_OF_RANGE = 12
_BLOCKED = 13


class Search:
    """Serves the stores Mailbox and GAL; DocumentLibrary is refused."""

    name = "Search"
    code = 16
    root = Page.Search
    status = Page.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises what concerns the whole request: `Refused` and `ENDS_REQUEST`."""
        root = fields.document(root)
        asked = fields.required(root, Page.Store)
        name = fields.required(asked, Page.Name).text().strip().lower()
        try:
            store = await _answer(context, name, asked)
        except ENDS_REQUEST:
            raise
        except KqlError as error:
            store = _refusal(context, _TOO_COMPLEX if isinstance(error, TooComplex) else _INVALID, str(error))
        except GatewayError as error:
            level = status.Level.COLLECTION
            value = status.value("Search", level, error.kind, context.request.version)
            store = _refusal(context, value, error.detail)
        return element(Page.Search, element(Page.Status, _SUCCESS), element(Page.Response, store))


async def _answer(context: Context, name: str, asked: Element) -> Element:
    match name:
        case "mailbox" if context.request.version >= Version.V12_0:
            now = context.services.clock.now()
            wanted = parse_mailbox_search(asked, context.request.version, now)
            return await _mailbox(context, wanted)
        case "gal":
            return await _address_list(context, asked)
        case "documentlibrary" | "document library":
            return _documents(context, asked)
        case _:
            return _refusal(context, _INVALID, "an unknown store")


def _documents(context: Context, asked: Element) -> Element:
    """Refuses to search documents; a request without LinkId is wrong besides (MS-ASDOC 3.1.5.2)."""
    link = fields.required(fields.required(asked, Page.Query), Page.EqualTo)
    fields.required(link, DocumentLibrary.LinkId)
    fields.required(link, Page.Value)
    return _refusal(context, _BLOCKED, "documents are not served")


async def _mailbox(context: Context, wanted: MailboxSearch) -> Element:
    most = 2 * context.services.limits.search_results  # of mail, and of items
    if wanted.last - wanted.first >= PAGE or wanted.first >= most:
        return _refusal(context, _END_OF_RANGE, "a range beyond what is searched")
    listing = await _listing(context, wanted)
    if wanted.first and wanted.first >= len(listing.entries):
        return _refusal(context, _END_OF_RANGE, "a range beyond the results")

    async def show(folder: Folder, uidvalidity: int, uids: Sequence[int]) -> Mapping[int, Rendered]:
        return await mailitems.render(context, folder, uidvalidity, uids, wanted.body)

    results = await mailsearch.page(context, listing, wanted.first, wanted.last, show, body=wanted.body)
    if not listing.complete:
        context.note(str(_TIMED_OUT), "the search took too long")
    store = element(Page.Store, element(Page.Status, _SUCCESS if listing.complete else _TIMED_OUT))
    if not results:
        store.add(Page.Result)
        return store
    store.extend(_result(context, entry, properties) for entry, properties in results)
    store.add(Page.Range, f"{wanted.first}-{wanted.first + len(results) - 1}")
    store.add(Page.Total, str(max(listing.total, wanted.first + len(results))))
    return store


async def _listing(context: Context, wanted: MailboxSearch) -> Listing:
    """The list the device had, unless it wants a new one, or begins again after one that was not finished."""
    known = None if wanted.rebuild else mailsearch.recall(context, wanted.key)
    if known is not None and (known.complete or wanted.first):
        return known
    return await mailsearch.listing(context, wanted.key, wanted.query, wanted.scope)


def _result(context: Context, entry: Entry, properties: Sequence[Element]) -> Element:
    return element(
        Page.Result,
        element(AirSync.Class, content_of(entry.kind).name if isinstance(entry, ListedItem) else "Email"),
        element(Page.LongId, long_id(context.principal.user, mailsearch.name_of(entry))),
        element(AirSync.CollectionId, entry.collection),
        element(Page.Properties, *properties),
    )


async def _address_list(context: Context, asked: Element) -> Element:
    words = people.wanted_text(fields.required(asked, Page.Query), Page.FreeText)
    options = fields.only(asked, Page.Options)
    tags = (Page.Picture, Page.MaxSize, Page.MaxPictures)
    wish = parse_wish(options, tags, context.request.version)
    first, last = mailsearch.parse_range(options.child_text(Page.Range) if options else None)
    if last - first >= PAGE:
        return _refusal(context, _END_OF_RANGE, "a range beyond what is searched")
    found = await context.services.directory.search(context.principal, words, first, last)
    if first and not found.entries:
        return _refusal(context, _END_OF_RANGE, "a range beyond the results")
    store = element(Page.Store, element(Page.Status, _SUCCESS))
    for properties in await people.properties(context, found.entries, wish):
        store.append(element(Page.Result, element(Page.Properties, *properties)))
    if found.entries:
        store.add(Page.Range, f"{first}-{first + len(found.entries) - 1}")
    store.add(Page.Total, str(found.total))
    return store


def _refusal(context: Context, value: int, reason: str) -> Element:
    context.note(str(value), reason)
    return element(Page.Store, element(Page.Status, value))
