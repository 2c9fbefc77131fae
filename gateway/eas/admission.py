"""Who is let in: users, devices, and devices that have a policy (MS-ASPROV 3.1.5.1, MS-ASHTTP 2.2.2.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.eas.request import EasRequest
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from gateway.groups import Groups, group_name, matches
from gateway.policies import Policies, Policy
from gateway.types import Access, Control, Device, UserId, Wipe, WipeStage

__all__ = ["AccessRule", "Admission", "wipe_pending"]

_NEVER_ASKS = timedelta(minutes=10)
"""After so long without a policy key, and without a word of one, a device does not know of policies."""


@dataclass(frozen=True, slots=True)
class AccessRule:
    """What devices may do that are alike; `*` stands for any text, "" for whatever there is."""

    access: Access
    type: str = ""
    model: str = ""
    agent: str = ""
    user: str = ""
    version: str = ""
    group: str = ""

    def names(self, device: Device, groups: Groups) -> bool:
        """Whether it is for this device."""
        if self.group and not groups.has(self.group, device.user):
            return False
        told = (
            (self.type, device.type),
            (self.model, device.information.get("Model", "")),
            (self.agent, device.agent),
            (self.user, device.user),
            (self.version, device.version),
        )
        return all(not pattern or matches(text, pattern) for pattern, text in told)


@dataclass(frozen=True, slots=True)
class Admission:
    """What is decided of users and devices.

    `access` is for devices that no rule names; the first rule that names one counts. `barred` are users
    (logins, with `*`) who may not synchronise at all, and so may none in `barred_groups`. `limit`: devices of
    a user at most, 0: any number.
    """

    policies: Policies = field(default_factory=Policies)
    access: Access = Access.ALLOW
    rules: Sequence[AccessRule] = ()
    barred: Sequence[str] = ()
    barred_groups: Sequence[str] = ()
    limit: int = 0
    notice: str = ""
    """What an administrator has to say to those whose device is in quarantine."""

    @property
    def directory_groups(self) -> frozenset[str]:
        """The groups that are asked for, and not the configuration's own."""
        policies = self.policies
        asked = {group for policy in policies.policies for group in policy.groups}
        asked |= {*self.barred_groups, *(rule.group for rule in self.rules if rule.group)}
        return frozenset(group_name(one) for one in asked if one not in policies.groups.named)

    def check_user(self, user: UserId) -> None:
        """Raises `Refused` (126) for users who are barred."""
        if self._bars(user):
            raise Refused(Kind.USER_DISABLED, "the user is barred")

    def _bars(self, user: UserId) -> bool:
        groups = self.policies.groups
        if self.barred and matches(user, *self.barred):
            return True
        return any(groups.has(one, user) for one in self.barred_groups)

    def check_number(self, devices: Sequence[Device], new: Device) -> None:
        """Raises `Refused` (177) when a user has as many devices as he may, and this is another one.

        Those that were never provisioned do not count, unless they are served without.
        """
        others = sum(1 for one in devices if one.id != new.id and self._counts(one))
        if self.limit and others >= self.limit:
            raise Refused(Kind.TOO_MANY_DEVICES, f"the user has {others} devices")

    def _counts(self, device: Device) -> bool:
        return bool(device.policy_key) or self.policy_of(device).allow_nonprovisionable

    def access_of(self, device: Device) -> Access:
        """What a device may do: as decided for it, else by the first rule that names it, else as all may.

        Nothing, once it is wiped, and where its user is barred.
        """
        if device.control.stage is WipeStage.DONE or self._bars(device.user):
            return Access.BLOCK
        if device.control.access is not None:
            return device.control.access
        groups = self.policies.groups
        return next((rule.access for rule in self.rules if rule.names(device, groups)), self.access)

    def policy_of(self, device: Device) -> Policy:
        """The policy a device is to have."""
        return self.policies.of(device.user, device.id)

    def check(self, request: EasRequest, device: Device, now: datetime, *, needs_key: bool) -> None:
        """Raise `Refused` unless the device may do what it asks for.

        `needs_key`: the command is for devices that have their policy. One in quarantine passes as well.
        """
        if wipe_pending(device.control, request.version) is not None:
            if request.command == "Provision":
                return
            if request.policy_key is None and request.command != "Ping" and not request.version.body_status:
                # Such a one knows of no Provision (MS-ASHTTP 2.2.2.1.1); Android pings without its key.
                raise Refused(Kind.DEVICE_BLOCKED, "the device is to be wiped, and shows no policy key")
            raise Refused(Kind.REMOTE_WIPE_REQUESTED, "the device is to be wiped")
        if device.control.wipe is Wipe.ACCOUNT and device.control.stage is not WipeStage.DONE:
            raise Refused(Kind.DEVICE_BLOCKED, "the account is to be wiped, which this version cannot")
        if self.access_of(device) is Access.BLOCK and not _reports_wipe(request, device.control):
            raise Refused(Kind.DEVICE_BLOCKED, "the device is blocked")
        if needs_key:
            _check_key(request, device, self.policy_of(device), now)


def wipe_pending(control: Control, version: Version) -> Wipe | None:
    """The wipe a device of this version is to be told of; the account alone exists since 16.1."""
    if control.wipe is None or control.stage is WipeStage.DONE:
        return None
    return None if control.wipe is Wipe.ACCOUNT and version < Version.V16_1 else control.wipe


def _reports_wipe(request: EasRequest, control: Control) -> bool:
    """Whether a device that is wiped may be saying so once more, because the answer was lost."""
    return request.command == "Provision" and control.stage is WipeStage.DONE


def _check_key(request: EasRequest, device: Device, policy: Policy, now: datetime) -> None:
    """Raise `Refused` unless the device has its policy, or does without."""
    if not device.policy_key or not request.policy_key:
        if policy.allow_nonprovisionable and not device.policy_key:
            return
        known_for = now - device.first_seen if device.first_seen else timedelta()
        if request.policy_key is None and not device.policy_key and known_for >= _NEVER_ASKS:
            raise Refused(Kind.LEGACY_DEVICE, "the device knows of no policies")
        raise Refused(Kind.DEVICE_NOT_PROVISIONED, "the device has no policy key yet")
    if request.policy_key != device.policy_key:
        raise Refused(Kind.INVALID_POLICY_KEY, "the policy key is not the one given out")
    if device.policy != policy.digest:
        raise Refused(Kind.POLICY_REFRESH, "the policy has changed")
    due = timedelta(hours=policy.refresh_hours)
    if due and device.provisioned is not None and now - device.provisioned >= due:
        raise Refused(Kind.POLICY_REFRESH, "the policy is due again")
