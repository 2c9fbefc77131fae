"""What stands where: the elements of a class, and the properties of the stored text that hold them.

A class is one table of these: by it items are read and shown, and its documentation is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from wbxml import Element, Tag

__all__ = ["Mapped"]

_Item = TypeVar("_Item")
_Reading = TypeVar("_Reading")
_Showing = TypeVar("_Showing")


@dataclass(frozen=True, slots=True)
class Mapped(Generic[_Item, _Reading, _Showing]):
    """One value of an item.

    `name` is what it and its patch call it. `elements` say it on the wire, in the versions that have them
    (`Tag.min_version`); `properties` hold it in the stored text. `read` gives what a device said: the value,
    None when it removes it, UNSET when it says nothing; it raises `BadItem`. `show` gives the elements that a
    device is told. `remark` is for the reader of the documentation.
    """

    name: str
    elements: tuple[Tag, ...]
    properties: tuple[str, ...]
    read: Callable[[Element, _Reading], Any]
    show: Callable[[_Item, _Showing], Iterable[Element]]
    remark: str = ""
