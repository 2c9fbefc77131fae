"""Provision (MS-ASPROV 3.1.5.2): hands out the policy and, once it is acknowledged, the policy key.

Both keys of a handshake are drawn when it begins, so a repeated acknowledgement gets the same permanent key.
"""

from __future__ import annotations

import json
import secrets

from gateway.eas import deviceinfo, devices, fields, policy, wap
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from wbxml import Element, element
from wbxml.pages import Provision as Page
from wbxml.pages import Settings

POLICY_TYPE = "MS-EAS-Provisioning-WBXML"

_SUCCESS = 1
_UNKNOWN_TYPE = 3
_WRONG_KEY = 5
_HANDSHAKE = "policy-handshake"


class Provision:
    """Both phases of the policy handshake."""

    name = "Provision"
    code = 20
    root = Page.Provision
    status = Page.Status
    first = Version.V2_5
    last = None
    needs_policy_key = False
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` (Status 2) for a request without a policy type."""
        if root is None:
            raise Refused(Kind.INVALID_CONTENT, "Provision without a body")
        reply = element(Page.Provision)
        information = fields.only(root, Settings.DeviceInformation)
        if information is not None:
            await devices.update(context, information=deviceinfo.parse(information))
            reply.append(element(Settings.DeviceInformation, element(Settings.Status, _SUCCESS)))
        reply.add(Page.Status, str(_SUCCESS))
        policies = fields.only(root, Page.Policies)
        if policies is not None:
            asked = fields.required(policies, Page.Policy)
            reply.append(element(Page.Policies, await self._policy(context, asked)))
        return reply

    async def _policy(self, context: Context, asked: Element) -> Element:
        kind = fields.required(asked, Page.PolicyType).text().strip()
        told = element(Page.Policy, element(Page.PolicyType, kind))
        old = context.request.version < Version.V12_0
        if kind != (wap.POLICY_TYPE if old else POLICY_TYPE):
            told.add(Page.Status, str(_UNKNOWN_TYPE))
            return told
        if asked.find(Page.PolicyKey) is None and asked.find(Page.Status) is None:
            key = await self._begin(context)
            told.add(Page.Status, str(_SUCCESS))
            told.add(Page.PolicyKey, str(key))
            told.append(element(Page.Data, wap.DOCUMENT if old else policy.document(context.request.version)))
            return told
        permanent = await self._acknowledge(context, asked)
        told.add(Page.Status, str(_WRONG_KEY if permanent is None else _SUCCESS))
        if permanent is not None:
            told.add(Page.PolicyKey, str(permanent))
        return told

    async def _begin(self, context: Context) -> int:
        """Draw the two keys of a handshake; returns the temporary one."""
        temporary, permanent = _new_key(), _new_key()
        value = json.dumps([temporary, permanent]).encode()
        await context.services.state.save_memo(context.principal.user, context.device.id, _HANDSHAKE, value)
        return temporary

    async def _acknowledge(self, context: Context, asked: Element) -> int | None:
        """The permanent key, from now on valid; None when the temporary key is not the one handed out last.

        The policy demands nothing, so a device that applied it in part or not at all loses nothing either
        and is let in.
        """
        sent = fields.number(asked, Page.PolicyKey)
        value = await context.services.state.load_memo(context.principal.user, context.device.id, _HANDSHAKE)
        if value is None:
            return None
        temporary, permanent = json.loads(value)
        if sent != temporary:
            return None
        await devices.update(context, policy_key=permanent)
        return int(permanent)


def _new_key() -> int:
    return secrets.randbelow(0xFFFFFFFE) + 1
