"""Requests to Search: any tree of elements is a request or one of the declared errors."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.eas.commands.search.request import parse_mailbox_search
from gateway.eas.versions import Version
from gateway.errors import Refused
from gateway.mail.kql import KqlError
from wbxml import Element
from wbxml.pages import AirSync, AirSyncBase, Email, Search

NOW = datetime(2026, 3, 4, tzinfo=UTC)
CONTAINERS = (
    Search.Query,
    Search.And,
    Search.Or,
    Search.EqualTo,
    Search.GreaterThan,
    Search.LessThan,
    Search.Options,
    AirSyncBase.BodyPreference,
)
LEAVES = (
    AirSync.Class,
    AirSync.CollectionId,
    AirSync.MIMESupport,
    AirSyncBase.Type,
    Email.DateReceived,
    Email.Subject,
    Search.FreeText,
    Search.ConversationId,
    Search.Value,
    Search.Range,
    Search.DeepTraversal,
    Search.RebuildResults,
)
VALUES = (
    "",
    "1",
    "Email",
    "0-9",
    "9-0",
    "plan",
    "isread:no",
    "2026-03-04T09:15:00.000Z",
    "9999-99-99T00:00:00Z",
)

values = st.sampled_from(VALUES) | st.text(max_size=20) | st.binary(max_size=20)
leaves = st.builds(Element, st.sampled_from(LEAVES), values)
trees = st.recursive(
    leaves,
    lambda inner: st.builds(Element, st.sampled_from(CONTAINERS), st.none(), st.lists(inner, max_size=4)),
    max_leaves=12,
)
queries = st.builds(
    lambda *conditions: Element(Search.Query, None, [Element(Search.And, None, list(conditions))]),
    trees,
    trees,
)


@given(st.lists(trees | queries, max_size=3), st.sampled_from(Version))
def test_any_store_is_a_request_or_a_declared_error(children: list[Element], version: Version) -> None:
    try:
        wanted = parse_mailbox_search(Element(Search.Store, None, children), version, NOW)
    except (KqlError, Refused):
        return
    assert 0 <= wanted.first <= wanted.last
    assert wanted.key == parse_mailbox_search(Element(Search.Store, None, children), version, NOW).key
