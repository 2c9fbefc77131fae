"""WBXML as ActiveSync uses it: bytes to an element tree and back (MS-ASWBXML, WBXML 1.3).

>>> from wbxml import decode, element, encode
>>> from wbxml.pages import FolderHierarchy
>>> data = encode(element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0)))
>>> data.hex(" ")
'03 01 6a 00 00 07 56 52 03 30 00 01 01'
>>> decode(data).child_text(FolderHierarchy.SyncKey)
'0'

`decode` reads at most 64 MiB, 32 elements inside each other and 200,000 elements, unless told otherwise,
and raises DecodeError, nothing else, for any bytes it does not accept. `encode` raises EncodeError for a
tree that cannot be written; `encode_pieces` does the same without copying what is large. `wbxml.xmlview`,
which needs lxml, shows trees as XML; all other modules need the standard library only.
"""

from wbxml.decoder import decode
from wbxml.encoder import encode, encode_pieces
from wbxml.errors import DecodeError, EncodeError, WbxmlError
from wbxml.pages import Tag
from wbxml.tree import Element, Utf8, element

__all__ = [
    "DecodeError",
    "Element",
    "EncodeError",
    "Tag",
    "Utf8",
    "WbxmlError",
    "decode",
    "element",
    "encode",
    "encode_pieces",
]
