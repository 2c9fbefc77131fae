"""Voice mail, told from other mail by what telephone systems put into its header.

Exchange writes a Content-Class and X- fields, VPIM systems multipart/voice-message (RFC 3801) or
Message-Context (RFC 3458), Asterisk fields of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.mail.headers import Headers

__all__ = ["VOICE_FIELDS", "VoiceMail", "voice_mail"]

VOICE_FIELDS = (
    "Content-Type",
    "Content-Class",
    "Message-Context",
    "Content-Duration",
    "X-VoiceMessageDuration",
    "X-AttachmentOrder",
    "X-CallingTelephoneNumber",
    "X-Asterisk-VM-Duration",
    "X-Asterisk-VM-Caller-ID-Num",
)
"""The header fields it is made of."""

_VOICE_MAIL = "IPM.Note.Microsoft.Voicemail.UM"
_CLASSES: Mapping[str, str] = {
    "voice": _VOICE_MAIL,
    "voice-ca": "IPM.Note.Microsoft.Voicemail.UM.CA",
    "missedcall": "IPM.Note.Microsoft.Missed.Voice",
}
_DURATIONS = ("x-voicemessageduration", "x-asterisk-vm-duration", "content-duration")
_CALLERS = ("x-callingtelephonenumber", "x-asterisk-vm-caller-id-num")
_SECONDS = re.compile("[0-9]{1,6}", re.ASCII)
_LONGEST_NUMBER = 256


@dataclass(frozen=True, slots=True)
class VoiceMail:
    """What is known of a voice mail: its MessageClass, who called, and the files that speak.

    `caller` is "" and `seconds` None when not told. `files` are the names of the recordings, the latest
    first; `seconds` is how long that one is.
    """

    message_class: str
    caller: str = ""
    seconds: int | None = None
    files: tuple[str, ...] = ()

    def order(self, name: str) -> int | None:
        """The place of a recording, 1 for the latest; None when the header does not name it."""
        return self.files.index(name) + 1 if name in self.files else None


def voice_mail(headers: Headers) -> VoiceMail | None:
    """What the header of a message says of the call it comes from; None for other mail."""
    kind = _CLASSES.get(headers.text("content-class").strip().lower())
    if kind is None and _is_voice(headers):
        kind = _VOICE_MAIL
    if kind is None:
        return None
    seconds = next((text for name in _DURATIONS if _SECONDS.fullmatch(text := headers.text(name))), None)
    caller = next((text for name in _CALLERS if (text := headers.text(name))), "")
    # The list is in the order of recording.
    names = [name.strip() for name in headers.text("x-attachmentorder").split(";")]
    files = tuple(dict.fromkeys(name for name in reversed(names) if name))
    return VoiceMail(kind, caller[:_LONGEST_NUMBER], int(seconds) if seconds else None, files)


def _is_voice(headers: Headers) -> bool:
    return (
        (headers.get("content-type") or b"").lower().startswith(b"multipart/voice-message")
        or headers.text("message-context").lower() == "voice-message"
        or "x-asterisk-vm-duration" in headers
    )
