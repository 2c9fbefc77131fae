"""A repeated request for items: what it still asks for, and what a device knows by the answer to it.

A phone repeats a request as it was, or with what its user did meanwhile. A late copy of an earlier attempt
may have fewer operations. What a request does not name, its device may never have asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from gateway.items import Numbers
from gateway.sync.itemcursor import ItemCursor
from gateway.sync.itemexchange import Record
from gateway.sync.itemoperations import AddItem, Answer, ChangeItem, ItemOperation
from gateway.sync.operations import fingerprint

__all__ = ["asking", "believing", "completed", "unanswered"]


def asking(called: Mapping[str, ItemOperation]) -> str:
    """The fingerprint of the operations of a request, as it is kept in the record of it."""
    return fingerprint({name: one.digest if isinstance(one, AddItem) else "" for name, one in called.items()})


def unanswered(called: Mapping[str, ItemOperation], record: Record) -> dict[str, ItemOperation]:
    """What is still to be done of the operations of a repeated request, by their names."""
    todo = {name: _unanswered(operation, name, record) for name, operation in called.items()}
    return {name: operation for name, operation in todo.items() if operation is not None}


def _unanswered(operation: ItemOperation, name: str, record: Record) -> ItemOperation | None:
    """An Add that is repeated with other content was written on since: it changes the item made of it."""
    answer = record.answers.get(name)
    if answer is None:
        return operation
    if not isinstance(operation, AddItem) or answer.digest == operation.digest:
        return None
    if answer.refusal is not None:
        return operation
    return ChangeItem(answer.number, operation.digest, operation.merge, files=operation.files)


def completed(record: Record, called: Mapping[str, ItemOperation], answers: Mapping[str, Answer]) -> Record:
    """The record with the answers to those operations that were done later."""
    new = {name: _amended(called[name], answer, record) for name, answer in answers.items()}
    return replace(record, answers={**record.answers, **new})


def _amended(operation: ItemOperation, answer: Answer, record: Record) -> Answer:
    """The answer to an operation that was not part of the first attempt, as it is kept.

    One that was written on since is there whatever became of that: the device has to learn its name.
    """
    if not isinstance(operation, AddItem):
        return answer
    first = record.answers.get(operation.identity)
    if answer.refusal is not None and first is not None and first.refusal is None:
        answer = first
    return replace(answer, digest=operation.digest)


def believing(cursor: ItemCursor, called: Collection[str], record: Record) -> ItemCursor:
    """The cursor of a device that asked for no more than this, of what was asked for under its key."""
    others = [answer.number for name, answer in record.answers.items() if name not in called]
    return cursor.doubting(Numbers(number for number in others if number))
