"""Settings (MS-ASCMD 2.2.1.18): what the device is, and whose account it has.

Each property of the request gets an answer of its own, in the order asked.
"""

from __future__ import annotations

from collections import Counter

from gateway.eas import deviceinfo, devices, fields
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from wbxml import Element, Tag, element
from wbxml.pages import Settings as Page

_SUCCESS = 1
_PROTOCOL_ERROR = 2
_ACCESS_DENIED = 3
_DENIED_BY_POLICY = 7
_IRM_FEATURE_DISABLED = 168


class Settings:
    """Stores DeviceInformation and tells UserInformation.

    What this server does not offer is refused as such.
    """

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
        if root is None:
            raise Refused(Kind.INVALID_CONTENT, "Settings without a body")
        if not root.children or max(Counter(child.tag for child in root).values()) > 1:
            raise fields.malformed("Settings without properties, or with one twice")
        reply = element(Page.Settings, element(Page.Status, _SUCCESS))
        for asked in root:
            reply.append(await self._answer(context, asked))
        return reply

    async def _answer(self, context: Context, asked: Element) -> Element:
        if asked.tag is Page.DeviceInformation:
            return await self._device_information(context, asked)
        if asked.tag is Page.UserInformation:
            return self._user_information(context, asked)
        if asked.tag is Page.Oof:
            return _status(Page.Oof, _ACCESS_DENIED)
        if asked.tag is Page.DevicePassword:
            return _status(Page.DevicePassword, _DENIED_BY_POLICY)
        if asked.tag is Page.RightsManagementInformation and context.request.version >= Version.V14_1:
            return _status(Page.RightsManagementInformation, _IRM_FEATURE_DISABLED)
        raise fields.malformed(f"Settings does not have {asked.tag!r}")

    async def _device_information(self, context: Context, asked: Element) -> Element:
        try:
            information = deviceinfo.parse(asked)
        except Refused:
            return _status(Page.DeviceInformation, _PROTOCOL_ERROR)
        await devices.update(context, information=information)
        return _status(Page.DeviceInformation, _SUCCESS)

    def _user_information(self, context: Context, asked: Element) -> Element:
        if asked.find(Page.Get) is None:
            return _status(Page.UserInformation, _PROTOCOL_ERROR)
        addresses = element(Page.EmailAddresses, element(Page.SMTPAddress, context.principal.email))
        told = addresses
        if context.request.version >= Version.V14_1:
            addresses.add(Page.PrimarySmtpAddress, context.principal.email)
            told = element(Page.Accounts, element(Page.Account, addresses))
        return element(Page.UserInformation, element(Page.Status, _SUCCESS), element(Page.Get, told))


def _status(tag: Tag, value: int) -> Element:
    return element(tag, element(Page.Status, value))
