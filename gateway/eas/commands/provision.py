"""Provision (MS-ASPROV 3.1.5.2): hands out the policy and, once that is acknowledged, its key; and wipes.

Both keys of a handshake are drawn when it begins, so a repeated acknowledgement gets the same permanent key.
"""

from __future__ import annotations

import json
import secrets

from gateway.eas import deviceinfo, devices, fields, wap, wiping
from gateway.eas.commands.base import ALL_DEVICES, DEVICE_LEASE, BodyRule, Context, Reply
from gateway.eas.policy import document
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from gateway.policies import Policy
from gateway.types import WipeStage
from wbxml import Element, element
from wbxml.pages import Provision as Page
from wbxml.pages import Settings

POLICY_TYPE = "MS-EAS-Provisioning-WBXML"

_SUCCESS = 1
_UNKNOWN_TYPE = 3
_WRONG_KEY = 5
_APPLIED, _NOT, _BY_OTHERS = 1, 3, 4
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
        """Raises `Refused` (Status 2) for a request without a policy type.

        Also for a device that says it does not comply, as far as its policy does not let that pass; one that
        is wiped, and does more than to say so again; and one more than its user may have.
        """
        root = fields.document(root)
        if root.find(Page.Policy) is not None:
            raise fields.malformed("a Policy outside Policies")
        if context.device.control.stage is WipeStage.DONE and not wiping.reports(root):
            raise Refused(Kind.DEVICE_BLOCKED, "the device was wiped, and is not cleared")
        reply = element(Page.Provision)
        information = fields.only(root, Settings.DeviceInformation)
        if information is not None:
            await devices.update(context, information=deviceinfo.parse(information))
            reply.append(element(Settings.DeviceInformation, element(Settings.Status, _SUCCESS)))
        about_wipe = await wiping.report(context, root) or await wiping.told(context)
        if about_wipe is not None:
            return element(Page.Provision, *reply, *about_wipe)
        reply.add(Page.Status, str(_SUCCESS))
        policies = fields.only(root, Page.Policies)
        if policies is not None:
            asked = fields.required(policies, Page.Policy)
            reply.append(element(Page.Policies, await self._policy(context, asked)))
        return reply

    async def _policy(self, context: Context, asked: Element) -> Element:
        kind = fields.required(asked, Page.PolicyType).text().strip()
        told = element(Page.Policy, element(Page.PolicyType, kind))
        version = context.request.version
        old = version < Version.V12_0
        if kind != (wap.POLICY_TYPE if old else POLICY_TYPE):
            told.add(Page.Status, str(_UNKNOWN_TYPE))
            return told
        policy = context.services.admission.policy_of(context.device)
        if asked.find(Page.PolicyKey) is None and asked.find(Page.Status) is None:
            key = await self._begin(context, policy.digest)
            told.add(Page.Status, str(_SUCCESS))
            told.add(Page.PolicyKey, str(key))
            told.append(element(Page.Data, wap.document(policy) if old else document(policy, version)))
            return told
        permanent = await self._acknowledge(context, asked, policy)
        told.add(Page.Status, str(_WRONG_KEY if permanent is None else _SUCCESS))
        if permanent is not None:
            told.add(Page.PolicyKey, str(permanent))
        return told

    async def _begin(self, context: Context, digest: str) -> int:
        """Draw the two keys of a handshake for a policy; returns the temporary one."""
        temporary, permanent = _new_key(), _new_key()
        value = json.dumps([temporary, permanent, digest]).encode()
        await context.services.state.save_memo(context.principal.user, context.device.id, _HANDSHAKE, value)
        return temporary

    async def _acknowledge(self, context: Context, asked: Element, policy: Policy) -> int | None:
        """The permanent key, from now on valid; None when the temporary key is not the one handed out last.

        Raises `Refused` when the device complies less than its policy wants. Whoever demands nothing minds
        nothing: a device that applied that in part or not at all is let in.
        """
        sent = fields.number(asked, Page.PolicyKey)
        value = await context.services.state.load_memo(context.principal.user, context.device.id, _HANDSHAKE)
        if value is None:
            return None
        temporary, permanent, *digest = json.loads(value)
        if sent != temporary:
            return None
        compliance = _compliance(asked)
        try:
            _check(compliance, policy)
        except Refused:
            await devices.update(context, refused=compliance)
            raise
        state, user = context.services.state, context.principal.user
        async with state.lease(user, ALL_DEVICES, DEVICE_LEASE):
            if not context.device.policy_key:
                # When it came first there may have been room, as there was for others that came then.
                context.services.admission.check_number(await state.list_devices(user), context.device)
            await devices.update(
                context,
                policy_key=permanent,
                policy=digest[0] if digest else "",
                compliance=compliance,
                refused=0,
                provisioned=context.services.clock.now(),
            )
        return int(permanent)


def _compliance(asked: Element) -> int:
    """How far a device says it complies; nothing said is all (MS-ASPROV 2.2.2.54.1).

    Raises `Refused(INVALID_XML)` for what is none of the answers there are.
    """
    said = (asked.child_text(Page.Status) or "").strip()
    if said not in {"", "1", "2", "3", "4"}:
        raise fields.malformed("an acknowledgement that says neither yes nor no")
    return int(said) if said else _APPLIED


def _check(compliance: int, policy: Policy) -> None:
    """Raise `Refused` when a device complies less than is wanted (MS-ASPROV 3.1.5.2)."""
    if not policy.values or compliance == _APPLIED:
        return
    if compliance == _BY_OTHERS:
        if not policy.allow_external:
            raise Refused(Kind.EXTERNALLY_MANAGED, "the device is managed by somebody else")
    elif compliance == _NOT or not policy.allow_partial:
        raise Refused(Kind.NOT_FULLY_PROVISIONABLE, "the device does not apply the policy, or a part of it")


def _new_key() -> int:
    return secrets.randbelow(0xFFFFFFFE) + 1
