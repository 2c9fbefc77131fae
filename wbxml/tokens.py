"""The bytes that WBXML itself defines (WBXML 1.3, 5.8 and 7.1; MS-ASWBXML 2.1.2)."""

from __future__ import annotations

from typing import Final

SWITCH_PAGE: Final = 0x00
END: Final = 0x01
ENTITY: Final = 0x02
STR_I: Final = 0x03
STR_T: Final = 0x83
OPAQUE: Final = 0xC3

REFUSED: Final = {
    0x04: "LITERAL",
    0x40: "EXT_I_0",
    0x41: "EXT_I_1",
    0x42: "EXT_I_2",
    0x43: "PI",
    0x44: "LITERAL_C",
    0x80: "EXT_T_0",
    0x81: "EXT_T_1",
    0x82: "EXT_T_2",
    0x84: "LITERAL_A",
    0xC0: "EXT_0",
    0xC1: "EXT_1",
    0xC2: "EXT_2",
    0xC4: "LITERAL_AC",
}
"""Tokens that ActiveSync never uses; every other byte above 0x7F would be a tag with attributes."""

FIRST_TAG: Final = 0x05
"""Lowest tag identity."""

LAST_TAG: Final = 0x3F
"""Highest tag identity: six bits."""

CONTENT: Final = 0x40
"""The bit of a tag byte that announces content."""

HEADER: Final = b"\x03\x01\x6a\x00"
"""What every document sent starts with: version 1.3, unknown public identifier, UTF-8, no string table."""
