"""Wiping a device from afar: it is told, and says how that went (MS-ASPROV 3.1.5.1.2.2)."""

from __future__ import annotations

from datetime import datetime

from gateway.eas.admission import wipe_pending
from gateway.eas.commands.base import Context
from gateway.errors import GatewayError
from gateway.mail.addresses import Address
from gateway.mail.headers import clean
from gateway.mail.imip import SchedulingMail, message_id, write
from gateway.types import Device, Wipe, WipeStage
from wbxml import Element, Tag, element
from wbxml.pages import Provision

__all__ = ["notice", "report", "reports", "told"]

_TAGS: dict[Wipe, Tag] = {
    Wipe.DEVICE: Provision.RemoteWipe,
    Wipe.ACCOUNT: Provision.AccountOnlyRemoteWipe,
}
_DONE = "1"
_SUCCESS, _FAILED = 1, 2
_INBOX = "INBOX"


async def told(context: Context) -> Element | None:
    """The answer that tells a device to wipe itself; None when it is not to."""
    device = context.device
    wipe = wipe_pending(device.control, context.request.version)
    if wipe is None:
        return None
    now = context.services.clock.now()
    # Taken back meanwhile, it is not told.
    if not await context.services.state.note_wipe(device.user, device.id, wipe, WipeStage.TOLD, now):
        return None
    context.log.warning("device is told to wipe", wipe=wipe.value)
    return _answer(_SUCCESS, _TAGS[wipe])


def reports(root: Element) -> bool:
    """Whether a device says how its wipe went."""
    return any(child.tag in _TAGS.values() for child in root)


async def report(context: Context, root: Element) -> Element | None:
    """The answer to a device that says how its wipe went; None when it says nothing of one.

    Of a wipe that nobody asked for nothing is noted. Once it is done the device is barred.
    """
    asked = context.device.control.wipe
    found = next((child for child in root if child.tag in _TAGS.values()), None)
    if found is None:
        return None
    done = (found.child_text(Provision.Status) or "").strip() == _DONE
    if asked is not None and _TAGS[asked] is found.tag:
        stage = WipeStage.DONE if done else WipeStage.FAILED
        if done:
            await _confirm(context)
        device, now = context.device, context.services.clock.now()
        if await context.services.state.note_wipe(device.user, device.id, asked, stage, now):
            context.log.warning("device says how its wipe went", wipe=asked.value, stage=stage.value)
        if not done:
            return _answer(_FAILED, found.tag)
    return _answer(_SUCCESS)


def _answer(status: int, tag: Tag | None = None) -> Element:
    reply = element(Provision.Provision, element(Provision.Status, status))
    if tag is not None:
        reply.append(element(tag))
    return reply


async def _confirm(context: Context) -> None:
    """Put a message into the user's INBOX that says so; once, also when the device says it again."""
    mail = notice(context.device, context.principal.email, context.services.clock.now())
    try:
        if not await context.mailboxes.find_message_id(_INBOX, message_id(mail.sender.address, mail.name)):
            await context.mailboxes.append(_INBOX, write(mail))
    except GatewayError as error:
        context.log.warning("cannot tell the user that a device was wiped", reason=error.detail)


def notice(device: Device, email: str, now: datetime) -> SchedulingMail:
    """The message, from the user to himself; the name makes it the same for the same wipe."""
    asked = device.control.asked or now
    owner = Address("", email)
    shown = " ".join(filter(None, (device.information.get("FriendlyName"), device.type))) or device.id
    what = "All data" if device.control.wipe is Wipe.DEVICE else "The account"
    text = (
        f"{what} on the device below was deleted, as was asked for on {asked:%Y-%m-%d %H:%M} UTC.\n\n"
        f"Device: {clean(shown)}\nId: {device.id}\n\n"
        "It cannot synchronise any more until an administrator clears it.\n"
    )
    name = f"wipe\n{device.id}\n{asked.isoformat()}"
    return SchedulingMail(owner, (owner,), f"{what} on your device was deleted", text, now, name)
