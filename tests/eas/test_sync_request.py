"""Requests of Sync that hold more than is read."""

from __future__ import annotations

import pytest

from gateway.eas.commands.sync.request import MAX_OPERATIONS, MOST_COLLECTIONS, parse
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from wbxml import Element, element
from wbxml.pages import AirSync


def _collection(name: str, *operations: Element) -> Element:
    identity = element(AirSync.SyncKey, "1"), element(AirSync.CollectionId, name)
    commands = [element(AirSync.Commands, *operations)] if operations else []
    return element(AirSync.Collection, *identity, *commands)


def _delete(item: str) -> Element:
    return element(AirSync.Delete, element(AirSync.ServerId, item))


def _sync(*collections: Element) -> Element:
    return element(AirSync.Sync, element(AirSync.Collections, *collections))


def test_collections_beyond_every_limit_are_not_read() -> None:
    broken = element(AirSync.Collection)
    many = [_collection(str(number)) for number in range(MOST_COLLECTIONS + 1)]
    asked = parse(_sync(*many, broken), Version.V16_1)
    assert len(asked.collections) == MOST_COLLECTIONS + 1


def test_operations_are_counted_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Element] = []
    monkeypatch.setattr("gateway.eas.commands.sync.request._command", read.append)
    operations = [_delete(f"1:{number}") for number in range(MAX_OPERATIONS // 2)]
    root = _sync(_collection("1", *operations), _collection("2", *operations, _delete("2:x")))
    with pytest.raises(Refused) as refused:
        parse(root, Version.V16_1)
    assert refused.value.kind is Kind.INVALID_XML
    assert not read


def test_as_many_operations_as_allowed_are_read() -> None:
    operations = [_delete(f"1:{number}") for number in range(MAX_OPERATIONS)]
    asked = parse(_sync(_collection("1", *operations)), Version.V16_1)
    assert len(asked.collections[0].commands) == MAX_OPERATIONS
