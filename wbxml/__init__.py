"""WBXML as ActiveSync uses it: bytes to an element tree and back."""

from wbxml.errors import DecodeError, EncodeError, WbxmlError
from wbxml.pages import Tag
from wbxml.tree import Element, element

__all__ = ["DecodeError", "Element", "EncodeError", "Tag", "WbxmlError", "element"]
