"""What is shown of a device, to its user and to administrators."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.eas.admission import Admission
from gateway.eas.versions import Version
from gateway.policies import COMPLIANCE
from gateway.types import Access, Device, Wipe, WipeStage
from gateway.web.pages.problems import Problem
from gateway.web.pages.shown import plain

__all__ = ["ACCESS", "ShownDevice", "shown_device", "wipe_named"]

ACCESS = {
    Access.ALLOW: "Allowed",
    Access.QUARANTINE: "Waits for a decision",
    Access.BLOCK: "Blocked",
}
"""What a device may do, in words."""
_WIPED = {Wipe.DEVICE: "the whole device", Wipe.ACCOUNT: "the account"}
_NAMES = {
    "Model": "Model",
    "OS": "System",
    "OSLanguage": "Language",
    "PhoneNumber": "Phone number",
    "MobileOperator": "Mobile operator",
    "IMEI": "IMEI",
    "FriendlyName": "Name",
}


@dataclass(frozen=True, slots=True)
class ShownDevice:
    """A device in words. `state` is what it may do, or "wipe": for the colour of the words in `access`."""

    device: Device
    state: str
    access: str
    wipe: str
    can_unwipe: bool
    can_wipe: bool
    can_wipe_account: bool
    policy: str
    facts: tuple[tuple[str, str], ...]


def shown_device(device: Device, admission: Admission) -> ShownDevice:
    """The device as a page has it."""
    control, access = device.control, admission.access_of(device)
    pending = control.wipe is not None and control.stage is not WipeStage.DONE
    return ShownDevice(
        device=device,
        state="wipe" if control.wipe is not None else access.value,
        access=_access(device, access, pending=pending),
        wipe=_wipe(device),
        can_unwipe=pending,
        can_wipe=control.wipe is None,
        can_wipe_account=control.wipe is None and (Version.parse(device.version) or 0) >= Version.V16_1,
        policy=_policy(device, admission),
        facts=tuple((label, plain(told)) for key, label in _NAMES.items() if (told := _told(device, key))),
    )


def wipe_named(written: str) -> Wipe:
    """What is to be wiped, as forms and URLs have it. Raises `Problem`."""
    try:
        return Wipe(written)
    except ValueError:
        raise Problem(400, "Say what is to be wiped: the device or the account.") from None


def _told(device: Device, key: str) -> str:
    return device.information.get(key, "")


def _access(device: Device, access: Access, *, pending: bool) -> str:
    if pending:
        return "To be wiped"
    return "Wiped" if device.control.wipe is not None else ACCESS[access]


def _policy(device: Device, admission: Admission) -> str:
    """The policy it is to have, why that one, and what it says of it."""
    policy, why = admission.policies.chosen(device.user, device.id)
    current = bool(device.policy_key) and device.policy == policy.digest
    said = COMPLIANCE.get(device.compliance, "?") if current else "not acknowledged yet"
    if device.refused:
        said += f"; refused since it was {COMPLIANCE.get(device.refused, '?')}"
    named = policy.name if why == policy.name else f"{policy.name} ({why})"
    return f"{named}: {said}"


def _wipe(device: Device) -> str:
    """How far a wipe is, in a sentence; "" without one."""
    control = device.control
    if control.wipe is None or control.stage is None:
        return ""
    what = _WIPED[control.wipe]
    return {
        WipeStage.ASKED: f"A wipe of {what} was asked for. The device is told when it next asks.",
        WipeStage.TOLD: f"The device was told to wipe {what}, and has not answered yet.",
        WipeStage.FAILED: f"The device says that it could not wipe {what}. It is told again.",
        WipeStage.DONE: f"The device says that it wiped {what}. Only an administrator can let it in again.",
    }[control.stage]
