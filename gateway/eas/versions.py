"""The protocol versions served, in order, and what sets them apart (MS-ASHTTP 2.2.1.1.2.4)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["OFFERED", "Version"]


class Version(IntEnum):
    """A protocol version; the value is the version times ten, as the base64 query writes it.

    Versions compare: `version >= Version.V14_1` asks for 14.1 or later.
    """

    V2_5 = 25
    V12_0 = 120
    V12_1 = 121
    V14_0 = 140
    V14_1 = 141
    V16_0 = 160
    V16_1 = 161

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """Return the version a header names ("14.1"), or None when it is not one of ours."""
        return _BY_TEXT.get(text.strip())

    def __str__(self) -> str:
        return f"{self // 10}.{self % 10}"

    @property
    def body_status(self) -> bool:
        """Whether errors are a Status of 101 and above in the reply, not an HTTP code (MS-ASCMD 2.2.2)."""
        return self >= Version.V14_0

    @property
    def has_recipients(self) -> bool:
        """Whether there is a recipient information cache (MS-ASCNTC 2.2)."""
        return self >= Version.V14_0

    @property
    def compose_in_wbxml(self) -> bool:
        """Whether SendMail and its relatives are WBXML documents, and not the message itself."""
        return self >= Version.V14_0


_BY_TEXT = {str(version): version for version in Version}

OFFERED = ",".join(str(version) for version in Version)
"""The value of MS-ASProtocolVersions: ascending, without blanks; clients split it at the commas alone."""
