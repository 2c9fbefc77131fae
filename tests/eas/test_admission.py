"""Who is let in, and what those are told who are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.eas.admission import AccessRule, Admission, wipe_pending
from gateway.eas.request import EasRequest
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from gateway.policies import Policies, Policy, read_policy
from gateway.types import Access, Control, Device, DeviceId, UserId, Wipe, WipeStage

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PHONE = Device(
    UserId("jo@example.com"),
    DeviceId("D1"),
    "iPhone",
    7,
    "16.1",
    "Apple-iPhone/1",
    {"Model": "iPhone 9"},
    NOW,
)
REQUEST = EasRequest("Sync", Version.V16_1, "jo@example.com", DeviceId("D1"), "iPhone", policy_key=7)
PIN = read_policy("default", {"DevicePasswordEnabled": True})


def outcome(
    admission: Admission, device: Device = PHONE, request: EasRequest = REQUEST, *, needs_key: bool = True
) -> Kind | None:
    try:
        admission.check(request, device, NOW, needs_key=needs_key)
    except Refused as error:
        return error.kind
    return None


def with_policy(policy: Policy) -> Admission:
    return Admission(policies=Policies((policy,)))


# --- access ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "access"),
    [
        (AccessRule(Access.BLOCK, type="iphone"), Access.BLOCK),
        (AccessRule(Access.BLOCK, model="iPhone *"), Access.BLOCK),
        (AccessRule(Access.BLOCK, agent="*/1", version="16.*"), Access.BLOCK),
        (AccessRule(Access.BLOCK, agent="*/1", version="14.*"), Access.ALLOW),
        (AccessRule(Access.BLOCK, user="*@example.com"), Access.BLOCK),
        (AccessRule(Access.BLOCK, user="*@example.org"), Access.ALLOW),
        (AccessRule(Access.BLOCK), Access.BLOCK),
    ],
)
def test_rules(rule: AccessRule, access: Access) -> None:
    assert Admission(rules=(rule,)).access_of(PHONE) is access


def test_the_first_rule_counts_and_decisions_before_it() -> None:
    rules = (AccessRule(Access.ALLOW, type="iPhone"), AccessRule(Access.BLOCK))
    admission = Admission(access=Access.BLOCK, rules=rules)
    assert admission.access_of(PHONE) is Access.ALLOW
    assert Admission(access=Access.BLOCK).access_of(PHONE) is Access.BLOCK
    blocked = PHONE.replace(control=Control(Access.BLOCK))
    assert admission.access_of(blocked) is Access.BLOCK
    assert outcome(admission, blocked) is Kind.DEVICE_BLOCKED
    assert outcome(admission, blocked, replace(REQUEST, command="Provision")) is Kind.DEVICE_BLOCKED


def test_a_device_in_quarantine_needs_its_policy_all_the_same() -> None:
    device = PHONE.replace(control=Control(Access.QUARANTINE))
    assert Admission().access_of(device) is Access.QUARANTINE
    assert outcome(Admission(), device) is None
    assert outcome(Admission(), device, replace(REQUEST, policy_key=0)) is Kind.DEVICE_NOT_PROVISIONED


def test_barred_users() -> None:
    admission = Admission(barred=("jo@*", "eve"))
    for user, barred in (("jo@example.com", True), ("EVE", True), ("ann@example.com", False)):
        if barred:
            with pytest.raises(Refused) as refused:
                admission.check_user(UserId(user))
            assert refused.value.kind is Kind.USER_DISABLED
        else:
            admission.check_user(UserId(user))


def test_the_number_of_devices() -> None:
    others = [PHONE.replace(id=DeviceId(f"D{number}"), policy_key=number) for number in range(3)]
    new = PHONE.replace(id=DeviceId("NEW"), policy_key=0)
    Admission(limit=3).check_number(others, new)  # one was never provisioned
    Admission(limit=0).check_number(others, new)
    Admission(limit=2).check_number(others, others[1])
    with pytest.raises(Refused) as refused:
        Admission(limit=2).check_number(others, new)
    assert refused.value.kind is Kind.TOO_MANY_DEVICES


# --- the policy --------------------------------------------------------------------------------------------


def test_the_key() -> None:
    admission, key = Admission(), Kind.DEVICE_NOT_PROVISIONED
    assert outcome(admission) is None
    assert outcome(admission, request=replace(REQUEST, policy_key=8)) is Kind.INVALID_POLICY_KEY
    for sent in (0, None):
        request = replace(REQUEST, policy_key=sent)
        assert outcome(admission, request=request) is key
        assert outcome(admission, PHONE.replace(policy_key=0), request) is key
        assert outcome(admission, request=request, needs_key=False) is None


def test_a_device_that_never_speaks_of_a_key_is_told_so() -> None:
    old = PHONE.replace(policy_key=0, first_seen=NOW - timedelta(hours=1))
    assert outcome(Admission(), old, replace(REQUEST, policy_key=None)) is Kind.LEGACY_DEVICE
    assert outcome(Admission(), old, replace(REQUEST, policy_key=0)) is Kind.DEVICE_NOT_PROVISIONED


def test_devices_without_policies_are_served_where_that_is_allowed() -> None:
    lax = Policy("default", allow_nonprovisionable=True)
    never = PHONE.replace(policy_key=0)
    for sent in (0, None):
        assert outcome(with_policy(lax), never, replace(REQUEST, policy_key=sent)) is None
    # One that has a key knows of them, and proves it.
    assert outcome(with_policy(lax), request=replace(REQUEST, policy_key=None)) is Kind.DEVICE_NOT_PROVISIONED
    assert outcome(with_policy(lax), request=replace(REQUEST, policy_key=8)) is Kind.INVALID_POLICY_KEY


def test_a_policy_that_changed_or_is_due() -> None:
    assert outcome(with_policy(PIN)) is Kind.POLICY_REFRESH
    has_it = PHONE.replace(policy=PIN.digest, provisioned=NOW - timedelta(hours=5))
    assert outcome(with_policy(PIN), has_it) is None
    assert outcome(Admission(), has_it) is Kind.POLICY_REFRESH  # it is demanded no more
    for hours, kind in ((5, Kind.POLICY_REFRESH), (6, None), (0, None)):
        assert outcome(with_policy(replace(PIN, refresh_hours=hours)), has_it) is kind


# --- wiping ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [WipeStage.ASKED, WipeStage.TOLD, WipeStage.FAILED])
@pytest.mark.parametrize("access", [None, Access.BLOCK, Access.ALLOW])
def test_a_device_to_be_wiped_may_ask_for_that_alone(stage: WipeStage, access: Access | None) -> None:
    device = PHONE.replace(control=Control(access, Wipe.DEVICE, stage, NOW))
    for needs_key in (True, False):
        assert outcome(Admission(), device, needs_key=needs_key) is Kind.REMOTE_WIPE_REQUESTED
    provision = replace(REQUEST, command="Provision", policy_key=0)
    assert outcome(Admission(), device, provision, needs_key=False) is None


def test_a_wiped_device_is_barred_but_may_say_so_again() -> None:
    device = PHONE.replace(control=Control(Access.ALLOW, Wipe.DEVICE, WipeStage.DONE, NOW, NOW))
    assert outcome(Admission(), device) is Kind.DEVICE_BLOCKED
    assert outcome(Admission(), device, replace(REQUEST, command="Provision"), needs_key=False) is None


def test_the_account_alone_is_wiped_since_16_1() -> None:
    control = Control(None, Wipe.ACCOUNT, WipeStage.ASKED, NOW)
    assert wipe_pending(control, Version.V16_1) is Wipe.ACCOUNT
    assert wipe_pending(control, Version.V16_0) is None
    assert wipe_pending(Control(None, Wipe.DEVICE, WipeStage.ASKED, NOW), Version.V2_5) is Wipe.DEVICE
    assert wipe_pending(Control(), Version.V16_1) is None
