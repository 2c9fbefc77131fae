"""Settings (MS-ASCMD 2.2.1.18): what the device is, whose account it has, and who is answered meanwhile.

Each property of the request gets an answer of its own, in the order asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gateway.eas import fields, status
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.commands.settings import oof
from gateway.eas.commands.settings.properties import (
    Answer,
    answered,
    device_information,
    device_password,
    rights_management_information,
    user_information,
)
from gateway.eas.versions import Version
from gateway.errors import GatewayError, StoreUnavailable
from wbxml import Element, Tag, element
from wbxml.pages import Settings as Page

__all__ = ["Settings"]

_PROPERTIES: Mapping[Tag, tuple[Version, Answer]] = {
    Page.Oof: (Version.V12_0, oof.answer),
    Page.DeviceInformation: (Version.V12_0, device_information),
    Page.DevicePassword: (Version.V12_0, device_password),
    Page.UserInformation: (Version.V12_0, user_information),
    Page.RightsManagementInformation: (Version.V14_1, rights_management_information),
}
"""Each property with the first version that has it, and what answers it."""


class Settings:
    """Answers properties by what is behind each of them."""

    name = "Settings"
    code = 17
    root = Page.Settings
    status = Page.Status
    first = Version.V12_0
    last = None
    needs_policy_key = False
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` (Status 2) for a request that is not a list of distinct properties."""
        root = fields.document(root)
        if not root.children or max(Counter(child.tag for child in root).values()) > 1:
            raise fields.malformed("Settings without properties, or with one twice")
        for asked in root:
            first, _ = _PROPERTIES.get(asked.tag, (None, None))
            if first is None or context.request.version < first:
                raise fields.malformed(f"Settings does not have {asked.tag!r}")
        reply = element(Page.Settings, element(Page.Status, 1))
        for asked in root:
            reply.append(await _property(context, asked))
        return reply


async def _property(context: Context, asked: Element) -> Element:
    _, answer = _PROPERTIES[asked.tag]
    try:
        return await answer(context, asked)
    except StoreUnavailable:
        raise  # it concerns every property, other than a server that is away
    except GatewayError as error:
        code = status.value(Settings.name, status.Level.ITEM, error.kind, context.request.version)
        context.note(str(code), f"{asked.tag.name}: {error.detail}")
        return answered(asked, code=code)
