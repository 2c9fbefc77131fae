"""The properties of Settings that the gateway answers by itself.

Each function returns the element of its property, and raises `Refused`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.eas import deviceinfo, devices, fields
from gateway.eas.commands.base import Context
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from wbxml import Element, element
from wbxml.pages import RightsManagement
from wbxml.pages import Settings as Page

__all__ = [
    "Answer",
    "answered",
    "device_information",
    "device_password",
    "rights_management_information",
    "user_information",
]

Answer = Callable[[Context, Element], Awaitable[Element]]

_LONGEST_PASSWORD = 255
_IRM_FEATURE_DISABLED = 168


def answered(asked: Element, *told: Element, code: int = 1) -> Element:
    """The answer to a property: its Status, which comes first, and what it tells."""
    return element(asked.tag, element(Page.Status, code), *told)


async def device_information(context: Context, asked: Element) -> Element:
    """Note what the device says of itself (MS-ASCMD 2.2.3.45)."""
    await devices.update(context, information=deviceinfo.parse(asked))
    return answered(asked)


async def device_password(_context: Context, asked: Element) -> Element:
    """Refuse to keep a recovery password (MS-ASCMD 2.2.3.46): no policy asks for one, and it is a secret."""
    password = fields.required(fields.required(asked, Page.Set), Page.Password)
    if len(password.text()) > _LONGEST_PASSWORD:
        raise Refused(Kind.INVALID_CONTENT, "the password is too long")
    raise Refused(Kind.DENIED_BY_POLICY, "recovery passwords are not kept")


async def user_information(context: Context, asked: Element) -> Element:
    """The user's addresses (MS-ASCMD 2.2.3.192); those of the one account there is, since 14.1."""
    fields.required(asked, Page.Get)
    email = context.principal.email
    addresses = element(Page.EmailAddresses)
    for address in context.services.identity.addresses(email):
        addresses.add(Page.SMTPAddress, address)
    if context.request.version < Version.V14_1:
        return answered(asked, element(Page.Get, addresses))
    addresses.add(Page.PrimarySmtpAddress, email)
    accounts = element(Page.Accounts, element(Page.Account, addresses))
    return answered(asked, element(Page.Get, accounts))


async def rights_management_information(_context: Context, asked: Element) -> Element:
    """Say that rights management is off, with the list of templates that its schema requires (MS-ASRM)."""
    fields.required(asked, Page.Get)
    none = element(Page.Get, element(RightsManagement.RightsManagementTemplates))
    return answered(asked, none, code=_IRM_FEATURE_DISABLED)
