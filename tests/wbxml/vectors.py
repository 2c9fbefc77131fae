"""Golden documents: what each says as XML, and its exact bytes on the wire."""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from wbxml import Element
from wbxml.xmlview import from_xml


class Vector(NamedTuple):
    """One document. Opaque values are base64 in the XML."""

    name: str
    xml: str
    hex: str

    @property
    def tree(self) -> Element:
        return from_xml(etree.fromstring(self.xml))

    @property
    def wire(self) -> bytes:
        return bytes.fromhex(self.hex)


VECTORS = (
    Vector(
        "FolderSync, first request",
        """<FolderSync xmlns="FolderHierarchy"><SyncKey>0</SyncKey></FolderSync>""",
        "03 01 6A 00 00 07 56 52 03 30 00 01 01",
    ),
    Vector(
        "FolderSync, two folders",
        """
        <FolderSync xmlns="FolderHierarchy">
          <Status>1</Status>
          <SyncKey>1</SyncKey>
          <Changes>
            <Count>2</Count>
            <Add>
              <ServerId>5</ServerId><ParentId>0</ParentId><DisplayName>Inbox</DisplayName><Type>2</Type>
            </Add>
            <Add>
              <ServerId>1</ServerId><ParentId>0</ParentId><DisplayName>Calendar</DisplayName><Type>8</Type>
            </Add>
          </Changes>
        </FolderSync>""",
        """
        03 01 6A 00 00 07 56 4C 03 31 00 01 52 03 31 00 01 4E 57 03 32 00 01
        4F 48 03 35 00 01 49 03 30 00 01 47 03 49 6E 62 6F 78 00 01 4A 03 32 00 01 01
        4F 48 03 31 00 01 49 03 30 00 01 47 03 43 61 6C 65 6E 64 61 72 00 01 4A 03 38 00 01 01
        01 01""",
    ),
    Vector(
        "Sync, first request",
        """
        <Sync xmlns="AirSync"><Collections><Collection>
          <SyncKey>0</SyncKey><CollectionId>5</CollectionId>
        </Collection></Collections></Sync>""",
        "03 01 6A 00 45 5C 4F 4B 03 30 00 01 52 03 35 00 01 01 01 01",
    ),
    Vector(
        "Sync, page switches and empty tags",
        """
        <Sync xmlns="AirSync" xmlns:base="AirSyncBase"><Collections><Collection>
          <SyncKey>1</SyncKey><CollectionId>5</CollectionId><DeletesAsMoves/><GetChanges/>
          <WindowSize>25</WindowSize>
          <Options>
            <FilterType>3</FilterType>
            <base:BodyPreference>
              <base:Type>2</base:Type><base:TruncationSize>51200</base:TruncationSize>
            </base:BodyPreference>
          </Options>
        </Collection></Collections></Sync>""",
        """
        03 01 6A 00 45 5C 4F 4B 03 31 00 01 52 03 35 00 01 1E 13 55 03 32 35 00 01 57 58 03 33 00 01
        00 11 45 46 03 32 00 01 47 03 35 31 32 30 30 00 01 01 01 01 01 01""",
    ),
    Vector(
        "SendMail, opaque message",
        """
        <SendMail xmlns="ComposeMail">
          <ClientId>m-1</ClientId><SaveInSentItems/>
          <Mime>VG86IGFAZXhhbXBsZS5vcmcKU3ViamVjdDogeAoKaGVsbG8=</Mime>
        </SendMail>""",
        """
        03 01 6A 00 00 15 45 51 03 6D 2D 31 00 01 08
        50 C3 23 54 6F 3A 20 61 40 65 78 61 6D 70 6C 65 2E 6F 72 67 0A 53 75 62 6A 65 63 74 3A 20 78 0A 0A
        68 65 6C 6C 6F 01 01""",
    ),
    Vector(
        "ItemOperations, an attachment in another part",
        """
        <ItemOperations xmlns="ItemOperations" xmlns:base="AirSyncBase">
          <Status>1</Status>
          <Response><Fetch>
            <Status>1</Status><base:FileReference>5:10:0</base:FileReference>
            <Properties><base:ContentType>text/plain</base:ContentType><Part>1</Part></Properties>
          </Fetch></Response>
        </ItemOperations>""",
        """
        03 01 6A 00 00 14 45 4D 03 31 00 01 4E 46 4D 03 31 00 01
        00 11 51 03 35 3A 31 30 3A 30 00 01 00 14 4B 00 11 57 03 74 65 78 74 2F 70 6C 61 69 6E 00 01
        00 14 51 03 31 00 01 01 01 01 01""",
    ),
)
