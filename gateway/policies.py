"""What administrators may demand of devices: the elements of a policy (MS-ASPROV 2.2.2.28), and of whom.

The table is the one source: of what the configuration takes, and of what devices are sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol, TypeAlias

from gateway.groups import Groups, matches

__all__ = [
    "COMPLIANCE",
    "ELEMENTS",
    "NO_POLICY",
    "Policies",
    "Policy",
    "PolicyElement",
    "Value",
    "keys",
    "read_policy",
]

Value: TypeAlias = str | tuple[str, ...]
"""As it is sent; a list of texts for the two lists of programs."""
COMPLIANCE: Mapping[int, str] = {
    1: "applied",
    2: "applied in part",
    3: "not applied",
    4: "managed by somebody else",
}
"""What devices say of a policy, by the Status they acknowledge it with (MS-ASPROV 2.2.2.54.1)."""
_MOST_NAMES = 1000
_LONGEST_NAME = 256


class _Kind(Protocol):
    """What an element may hold."""

    @property
    def allowed(self) -> str:
        """What may be written, in words."""
        ...

    def read(self, written: object) -> Value | None:
        """The value as it is sent; None when it is not allowed."""
        ...

    def shown(self, value: Value) -> str:
        """A value that is sent, as people read it."""
        ...


@dataclass(frozen=True, slots=True)
class _Flag:
    @property
    def allowed(self) -> str:
        return "true or false"

    def read(self, written: object) -> Value | None:
        return str(int(written)) if isinstance(written, bool) else None

    def shown(self, value: Value) -> str:
        return "yes" if value == "1" else "no"


@dataclass(frozen=True, slots=True)
class _Never:
    why: str

    @property
    def allowed(self) -> str:
        return f"false: {self.why}"

    def read(self, written: object) -> Value | None:
        return "0" if written is False else None

    def shown(self, value: Value) -> str:
        return "yes" if value == "1" else "no"


@dataclass(frozen=True, slots=True)
class _Number:
    lowest: int
    highest: int
    also: tuple[int, ...] = ()
    """Values beside the range."""

    @property
    def allowed(self) -> str:
        others = "".join(f"{one}, or " for one in self.also)
        return f"{others}a number from {self.lowest} to {self.highest}"

    def read(self, written: object) -> Value | None:
        if not isinstance(written, int) or isinstance(written, bool):
            return None
        return str(written) if self.lowest <= written <= self.highest or written in self.also else None

    def shown(self, value: Value) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class _Choice:
    meanings: Mapping[int, str]

    @property
    def allowed(self) -> str:
        return ", ".join(f"{number} ({meaning})" for number, meaning in self.meanings.items())

    def read(self, written: object) -> Value | None:
        if not isinstance(written, int) or isinstance(written, bool) or written not in self.meanings:
            return None
        return str(written)

    def shown(self, value: Value) -> str:
        return self.meanings[int(str(value))]


@dataclass(frozen=True, slots=True)
class _Names:
    like: str = ""
    """How each is written that has a slash in it; "" for any text."""

    @property
    def allowed(self) -> str:
        form = f", each as {self.like}; * stands for any text" if self.like else ""
        return f"a list of at most {_MOST_NAMES} texts{form}"

    def read(self, written: object) -> Value | None:
        if not isinstance(written, list) or len(written) > _MOST_NAMES:
            return None
        texts = [one for one in written if isinstance(one, str) and 0 < len(one) <= _LONGEST_NAME]
        if self.like:
            texts = [one for one in texts if "/" in one or "*" in one]
        return tuple(texts) if len(texts) == len(written) else None

    def shown(self, value: Value) -> str:
        return ", ".join(value)


@dataclass(frozen=True, slots=True)
class PolicyElement:
    """An element of a policy: what may be demanded, and what is sent when nothing is.

    `unset` None: then it is left out. `about` says in short what it does.
    """

    name: str
    kind: _Kind
    unset: str | None
    about: str

    def shown(self, value: Value) -> str:
        """A value as people read it."""
        return self.kind.shown(value)


_FLAG, _NAMES = _Flag(), _Names()
_KEEPS_NONE = _Never("the gateway keeps no passwords")
_UNSIGNED = (1 << 32) - 1
_AGES = {0: "all", 1: "1 day", 2: "3 days", 3: "1 week", 4: "2 weeks", 5: "1 month"}
_CALENDAR_AGES = {0: "all", 4: "2 weeks", 5: "1 month", 6: "3 months", 7: "6 months"}
_CIPHERS = {0: "TripleDES", 1: "DES", 2: "RC2 128 bit", 3: "RC2 64 bit", 4: "RC2 40 bit"}

ELEMENTS: tuple[PolicyElement, ...] = (
    PolicyElement("DevicePasswordEnabled", _FLAG, "0", "the device has a password"),
    PolicyElement("AlphanumericDevicePasswordRequired", _FLAG, "0", "of letters too"),
    PolicyElement("PasswordRecoveryEnabled", _KEEPS_NONE, "0", "a recovery password is kept by the server"),
    PolicyElement("RequireStorageCardEncryption", _FLAG, "0", "the storage card is encrypted"),
    PolicyElement("AttachmentsEnabled", _FLAG, "1", "files are downloaded"),
    PolicyElement("MinDevicePasswordLength", _Number(1, 16), "", "characters of the password at least"),
    PolicyElement("MaxInactivityTimeDeviceLock", _Number(1, 9999), "", "seconds until it locks itself"),
    PolicyElement("MaxDevicePasswordFailedAttempts", _Number(4, 16), "", "wrong passwords until it is wiped"),
    PolicyElement("MaxAttachmentSize", _Number(0, _UNSIGNED), "", "bytes of a file at most"),
    PolicyElement("AllowSimpleDevicePassword", _FLAG, "1", "passwords like 1234"),
    PolicyElement("DevicePasswordExpiration", _Number(0, _UNSIGNED), "", "days after which it changes"),
    PolicyElement(
        "DevicePasswordHistory", _Number(0, _UNSIGNED), "0", "old passwords that are not used again"
    ),
    PolicyElement("AllowStorageCard", _FLAG, "1", "storage cards"),
    PolicyElement("AllowCamera", _FLAG, "1", "the camera"),
    PolicyElement("RequireDeviceEncryption", _FLAG, "0", "the device is encrypted"),
    PolicyElement("AllowUnsignedApplications", _FLAG, "1", "programs without a signature"),
    PolicyElement("AllowUnsignedInstallationPackages", _FLAG, "1", "packages without a signature"),
    PolicyElement("MinDevicePasswordComplexCharacters", _Number(1, 4), None, "kinds of characters in it"),
    PolicyElement("AllowWiFi", _FLAG, "1", "Wi-Fi"),
    PolicyElement("AllowTextMessaging", _FLAG, "1", "text messages"),
    PolicyElement("AllowPOPIMAPEmail", _FLAG, "1", "other accounts by POP and IMAP"),
    PolicyElement("AllowBluetooth", _Choice({0: "no", 1: "hands-free", 2: "yes"}), "2", "Bluetooth"),
    PolicyElement("AllowIrDA", _FLAG, "1", "infrared"),
    PolicyElement("RequireManualSyncWhenRoaming", _FLAG, "0", "synchronises by hand abroad"),
    PolicyElement("AllowDesktopSync", _FLAG, "1", "synchronising with a computer"),
    PolicyElement("MaxCalendarAgeFilter", _Choice(_CALENDAR_AGES), "0", "how far back calendars go"),
    PolicyElement("AllowHTMLEmail", _FLAG, "1", "mail in HTML"),
    PolicyElement("MaxEmailAgeFilter", _Choice(_AGES), "0", "how far back mail goes"),
    PolicyElement(
        "MaxEmailBodyTruncationSize", _Number(0, (1 << 31) - 1, (-1,)), "-1", "bytes of plain text, -1: all"
    ),
    PolicyElement(
        "MaxEmailHTMLBodyTruncationSize", _Number(0, (1 << 31) - 1, (-1,)), "-1", "bytes of HTML, -1: all"
    ),
    PolicyElement("RequireSignedSMIMEMessages", _FLAG, "0", "mail is signed"),
    PolicyElement("RequireEncryptedSMIMEMessages", _FLAG, "0", "mail is encrypted"),
    PolicyElement("RequireSignedSMIMEAlgorithm", _Choice({0: "SHA1", 1: "MD5"}), None, "signed by"),
    PolicyElement("RequireEncryptionSMIMEAlgorithm", _Choice(_CIPHERS), None, "encrypted by"),
    PolicyElement(
        "AllowSMIMEEncryptionAlgorithmNegotiation",
        _Choice({0: "none", 1: "strong", 2: "any"}),
        None,
        "other algorithms, if a recipient needs them",
    ),
    PolicyElement("AllowSMIMESoftCerts", _FLAG, "1", "certificates in software"),
    PolicyElement("AllowBrowser", _FLAG, "1", "the browser"),
    PolicyElement("AllowConsumerEmail", _FLAG, "1", "private mail accounts"),
    PolicyElement("AllowRemoteDesktop", _FLAG, "1", "remote desktops"),
    PolicyElement("AllowInternetSharing", _FLAG, "1", "sharing its connection"),
    PolicyElement("UnapprovedInROMApplicationList", _NAMES, None, "built-in programs that do not run"),
    PolicyElement("ApprovedApplicationList", _NAMES, None, "SHA-1 of the only programs that run"),
)
"""All there are, in the order of the schema."""
_BY_NAME = {one.name: one for one in ELEMENTS}


@dataclass(frozen=True, slots=True)
class Policy:
    """What is demanded of some devices.

    It is for the devices in `devices` ("user/deviceid"), those of `users` (logins) and of the users of
    `groups`; `*` stands for any text in the first two. `refresh_hours`: after so long it is handed out anew,
    0: never. `allow_nonprovisionable`: devices that never ask for it are served. `allow_partial`,
    `allow_external`: so are those that apply it in part, and those that somebody else manages. `values` are
    by element name, as they are sent.
    """

    name: str
    users: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    refresh_hours: int = 0
    allow_nonprovisionable: bool = False
    allow_partial: bool = True
    allow_external: bool = True
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_for_the_rest(self) -> bool:
        """Whether it is for the devices that no other one is for."""
        return self.name == "default"

    @property
    def is_for_nobody(self) -> bool:
        """Whether no device can come to have it."""
        return not (self.is_for_the_rest or self.users or self.devices or self.groups)

    @property
    def digest(self) -> str:
        """What tells one policy from another, "" when it demands nothing."""
        if not self.values:
            return ""
        return blake2b(json.dumps(sorted(self.values.items())).encode(), digest_size=12).hexdigest()


NO_POLICY = Policy("none")
"""It demands nothing; devices that ask for a policy get this one, and forget what others demanded."""


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies, in the order they are looked through; the one called "default" is for the rest.

    `groups` says who is in which group.
    """

    policies: Sequence[Policy] = ()
    groups: Groups = field(default_factory=Groups)

    def of(self, user: str, device: str) -> Policy:
        """The policy of a device of a user."""
        return self.chosen(user, device)[0]

    def chosen(self, user: str, device: str) -> tuple[Policy, str]:
        """The policy of a device of a user, and what it has it for: `device x/*`, `group sales`."""
        for policy in self.policies:
            if found := _like(f"{user}/{device}", policy.devices):
                return policy, f"device {found}"
        for policy in self.policies:
            if found := _like(user, policy.users):
                return policy, f"user {found}"
        for policy in self.policies:
            for group in policy.groups:
                if self.groups.has(group, user):
                    return policy, f"group {group}"
        default = next((policy for policy in self.policies if policy.is_for_the_rest), None)
        return (NO_POLICY, "no policy is for it") if default is None else (default, "default")


def _like(text: str, patterns: Sequence[str]) -> str:
    """The first of these that a text is like, "" when there is none."""
    return next((pattern for pattern in patterns if matches(text, pattern)), "")


# --- reading it --------------------------------------------------------------------------------------------

_HOW: Mapping[str, _Kind] = {
    "users": _NAMES,
    "devices": _Names("login/deviceid"),
    "groups": _NAMES,
    "refresh_hours": _Number(0, 24 * 366),
    "allow_nonprovisionable": _FLAG,
    "allow_partial": _FLAG,
    "allow_external": _FLAG,
}


def keys() -> tuple[str, ...]:
    """All keys a policy may have in the configuration."""
    return (*_HOW, *_BY_NAME)


def read_policy(name: str, written: Mapping[str, object]) -> Policy:
    """A policy as the configuration has it. Raises ValueError, which names the key and what is allowed."""
    how: dict[str, Value] = {}
    values: dict[str, Value] = {}
    for key, value in written.items():
        element = _BY_NAME.get(key)
        kind = element.kind if element else _HOW.get(key)
        if kind is None:
            raise ValueError(f"unknown key {key}; allowed are {', '.join(keys())}")
        read = kind.read(value)
        if read is None:
            raise ValueError(f"{key}: allowed is {kind.allowed}")
        if element is None:
            how[key] = read
        elif read != element.unset:
            values[key] = read
    return Policy(
        name,
        users=tuple(how.get("users", ())),
        devices=tuple(how.get("devices", ())),
        groups=tuple(how.get("groups", ())),
        refresh_hours=int(str(how.get("refresh_hours", "0"))),
        allow_nonprovisionable=how.get("allow_nonprovisionable", "0") == "1",
        allow_partial=how.get("allow_partial", "1") == "1",
        allow_external=how.get("allow_external", "1") == "1",
        values=values,
    )
