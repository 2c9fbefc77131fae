"""What a Search of the mailbox asks for (MS-ASCMD 2.2.3.142.2, 2.2.3.125.6): elements to a typed request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.eas import fields
from gateway.eas.content.conversation import parse_conversation
from gateway.eas.content.kinds import CONTENTS, knows
from gateway.eas.content.preferences import PLAIN, BodyOptions, BodyPreference, parse_body_options
from gateway.eas.content.values import parse_date_time
from gateway.eas.mailsearch import Scope, parse_range
from gateway.eas.versions import Version
from gateway.items import ItemKind
from gateway.mail import kql
from gateway.query import EVERYTHING, NOTHING, And, InConversation, Or, Query, Received
from gateway.sync.itemfolders import SERVED
from gateway.types import CollectionId
from wbxml import Element, element
from wbxml.pages import AirSync, Email
from wbxml.pages import Search as Page

__all__ = ["MailboxSearch", "parse_mailbox_search"]

_LONGEST_VALUE = 1024
_DEEPEST = 3
_UNASKED_TEXT = 512
"""Octets of text of each result when a device names no BodyPreference: a search is no download."""
_MAIL = "Email"
_CLASSES = frozenset({_MAIL, "Calendar", "Contacts", "Tasks"})
_CLASSES_SINCE_14 = frozenset({"SMS", "Notes"})
_CONDITIONS = frozenset(
    {
        AirSync.Class,
        AirSync.CollectionId,
        Page.FreeText,
        Page.ConversationId,
        Page.GreaterThan,
        Page.LessThan,
    }
)
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class MailboxSearch:
    """A mailbox search. Both ends of a range count."""

    query: Query
    scope: Scope
    first: int
    last: int
    rebuild: bool
    body: BodyOptions

    @property
    def key(self) -> str:
        """What makes it another search: all but how the results are shown."""
        return f"Search {self.query!r} {self.scope!r}"


def parse_mailbox_search(store: Element, version: Version, now: datetime) -> MailboxSearch:
    """Read the Store of a request. Raises `KqlError`, also for what is too complex, and `Refused`."""
    options = fields.only(store, Page.Options) or element(Page.Options)
    reader = _QueryReader(version, now)
    query = reader.read(fields.required(store, Page.Query))
    body = parse_body_options(options, version)
    if body.part and not reader.conversation:
        raise fields.malformed("BodyPartPreference without a conversation")
    if not body.preferences and not body.part:
        body = BodyOptions((BodyPreference(PLAIN, _UNASKED_TEXT),), body.mime_support)
    first, last = parse_range(options.child_text(Page.Range))
    deep = options.find(Page.DeepTraversal) is not None
    return MailboxSearch(
        query=query,
        scope=Scope(tuple(sorted(reader.collections)), deep, reader.mail, reader.kinds),
        first=first,
        last=last,
        rebuild=options.find(Page.RebuildResults) is not None,
        body=body,
    )


@dataclass(slots=True)
class _QueryReader:
    """Reads And and Or; Class and CollectionId limit the whole search, wherever they stand."""

    version: Version
    now: datetime
    classes: set[str] = field(default_factory=set)
    collections: set[CollectionId] = field(default_factory=set)
    conversation: bool = False

    @property
    def mail(self) -> bool:
        """Whether mail is searched; without a Class everything is."""
        return not self.classes or _MAIL in self.classes

    @property
    def kinds(self) -> tuple[ItemKind, ...]:
        """The kinds of items that are searched; none of them is part of a conversation."""
        if self.conversation:
            return ()
        wanted = (one for one in CONTENTS if not self.classes or one.name in self.classes)
        return tuple(one.kind for one in wanted if one.kind in SERVED and knows(self.version, one.kind))

    def read(self, query: Element) -> Query:
        if any(child.tag in _CONDITIONS for child in query) or len(query.findall(Page.And)) > 1:
            raise kql.TooComplex("a condition outside And")
        if len(query) != 1 or query.children[0].tag not in {Page.And, Page.Or}:
            raise fields.malformed("Query holds neither And nor Or")
        return self._operator(query.children[0], 1)

    def _operator(self, node: Element, depth: int) -> Query:
        if depth > _DEEPEST:
            raise kql.TooComplex("And and Or too deep in each other")
        found: list[Query] = []
        for child in node:
            if child.tag in {Page.And, Page.Or}:
                found.append(self._operator(child, depth + 1))
            elif child.tag in {AirSync.Class, AirSync.CollectionId}:
                self._limit(child)
            elif child.tag in _CONDITIONS:
                if node.tag is Page.And:
                    fields.only(node, child.tag)
                found.append(self._condition(child))
            else:
                raise fields.malformed(f"{child.tag!r} is no condition")
        if node.tag is Page.And:
            return And(tuple(one for one in found if one != EVERYTHING))
        return Or(tuple(found)) if found else EVERYTHING

    def _limit(self, child: Element) -> None:
        text = child.text().strip()
        if child.tag is AirSync.CollectionId:
            if not 0 < len(text) <= 64:
                raise fields.malformed("a CollectionId that is none")
            self.collections.add(CollectionId(text))
            return
        known = _CLASSES | (_CLASSES_SINCE_14 if self.version >= Version.V14_0 else frozenset())
        if text not in known:
            raise fields.malformed("a Class that does not exist")
        self.classes.add(text)

    def _condition(self, child: Element) -> Query:
        if child.tag is Page.FreeText:
            return _free_text(child.text(), self.now)
        if child.tag is Page.ConversationId:
            if self.version < Version.V14_0 or self.conversation:
                raise fields.malformed("ConversationId twice, or in a version without")
            self.conversation = True
            return Or(tuple(map(InConversation, parse_conversation(child))))
        fields.required(child, Email.DateReceived)
        moment = parse_date_time(fields.required(child, Page.Value).text())
        if child.tag is Page.GreaterThan:
            return Received(since=moment + _MOMENT)
        return Received(before=moment)


def _free_text(text: str, now: datetime) -> Query:
    if len(text.encode("utf-8", "surrogatepass")) > _LONGEST_VALUE:
        raise kql.TooComplex("FreeText too long")
    found = kql.parse(text, now)
    if found is None:  # only punctuation occurs in no mail; no text at all is no condition
        return NOTHING if text.strip() else EVERYTHING
    return found
