"""What every adapter of the port `State` finds among devices, held against what is decided of each alone."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import product

import pytest

from gateway.eas.admission import AccessRule, Admission
from gateway.eas.choices import access_choice, policy_counts
from gateway.groups import Groups
from gateway.policies import NO_POLICY, Policies, Policy
from gateway.ports import State
from gateway.ports.devicelist import SeenUser, Standing, WantedDevices
from gateway.ports.memberships import Membership
from gateway.types import Access, Device, DeviceId, UserId, Wipe, WipeStage
from tests.ports.known import NOON

USERS = [UserId(name) for name in ("anna@example.com", "bert_100%", "carl[x]", "guest1")]
MODELS = ("", "Pixel 10", 'O"Neill\\s', "nul\0byte \\u0000 \\\0")
POLICIES = (
    Policy("rooms", devices=("*/d1",), values={"AllowCamera": "0"}),
    Policy("sales", groups=("sales", "own"), values={"AllowWiFi": "0"}),
    Policy("bert", users=("BERT_*",)),
    Policy("default", values={"AllowIrDA": "0"}),
)
GROUPS = Groups({"own": ("carl[x]", "nobody")}, {USERS[0]: {"sales": True, "gone": False}})
RULES = (
    AccessRule(Access.QUARANTINE, type="andro?d", version="14*"),
    AccessRule(Access.BLOCK, model="*10", user="*%"),
    AccessRule(Access.ALLOW, group="sales", agent="*_*"),
    AccessRule(Access.QUARANTINE, agent="äPF*", version="16.1"),
    AccessRule(Access.QUARANTINE, group="own"),
)
ADMISSIONS = (
    Admission(),
    Admission(Policies(POLICIES[:3], GROUPS), rules=RULES, barred=("guest*",)),
    Admission(Policies(POLICIES, GROUPS), Access.BLOCK, rules=RULES[::-1], barred_groups=("sales", "own")),
)


@pytest.fixture
async def devices(state: State) -> list[Device]:
    """Devices of many kinds, as they are stored; some of which were decided of, and one that never came."""
    await state.save_membership(Membership(USERS[0], {"sales": True, "gone": False}, NOON))
    for number, (user, model, kind) in enumerate(product(USERS, MODELS, ("Android", "iPhone"))):
        await state.save_device(
            Device(
                user,
                DeviceId(f"D{number % 3}{model[:1]}{kind[:1]}"),
                kind,
                number % 2,
                version="14.1" if number % 5 else "16.1",
                agent=f"Agent_{number}" if number % 2 else "Äpfel",
                information={"Model": model, "FriendlyName": f"Phone {number}"} if model else {},
                last_seen=None if number % 7 == 0 else NOON + timedelta(minutes=number % 9),
                policy=POLICIES[number % 2].digest,
                refused=number % 3 == 0,
            )
        )
    for one in (await state.list_devices())[::5]:
        await state.set_access(one.user, one.id, Access.ALLOW)
    for one in (await state.list_devices())[::7]:
        await state.ask_wipe(one.user, one.id, Wipe.DEVICE, NOON)
        await state.note_wipe(one.user, one.id, Wipe.DEVICE, WipeStage.DONE, NOON)
    due = next(one for one in await state.list_devices(USERS[2]) if one.control.stage is None)
    await state.ask_wipe(due.user, due.id, Wipe.DEVICE, NOON)
    await state.set_access(UserId("dora"), DeviceId("AWAITED"), Access.BLOCK)
    await state.sign_out(USERS[0])
    return [*await state.list_devices()]


def stands(device: Device, standing: Standing, admission: Admission) -> bool:
    match standing:
        case Standing.DECIDED:
            return device.control.access is not None
        case Standing.WIPE:
            return device.control.wipe is not None and device.control.stage is not WipeStage.DONE
        case Standing.WIPED:
            return device.control.stage is WipeStage.DONE
    return admission.access_of(device) is Access(standing.value)


async def test_they_are_found_as_each_is_decided_of(state: State, devices: list[Device]) -> None:
    every = [*devices, *await state.awaited_devices()]
    for admission, standing in product(ADMISSIONS, Standing):
        found = await state.find_devices(WantedDevices(standing=standing), access_choice(admission), 0, 99)
        wanted = {(one.user, one.id) for one in every if stands(one, standing, admission)}
        assert {(one.user, one.id) for one in found.devices} == wanted, (admission, standing)
        assert (found.total, found.known) == (len(wanted), len(every))


async def test_words_and_filters_mean_what_they_say(state: State, devices: list[Device]) -> None:
    choice = access_choice(Admission())

    async def found(**wanted: object) -> int:
        return (await state.find_devices(WantedDevices(**wanted), choice, 0, 99)).total  # type: ignore[arg-type]

    assert await found() == len(devices) + 1
    assert await found(words=("PIXEL", "anna")) == 2
    assert await found(words=("phone 11",)) == 1
    assert await found(words=("awaited",)) == 1
    assert await found(user="100%") == await found(user="bert") > 0
    assert await found(user="t_1") == 8
    assert await found(agent="agent!_") == await found(model="!") == await found(user="x%") == 0
    assert await found(model='o"n') == await found(model="\\S") > 0
    assert await found(words=("\0",)) == await found(user="a\0") == 0
    assert await found(agent="äPFEL") == await found(words=("äPF",)) == await found(agent="Äpfel") > 0
    assert await found(type="ANDROID") == len([one for one in devices if one.type == "Android"])


async def test_pages_have_each_device_once_the_last_seen_first(state: State, devices: list[Device]) -> None:
    choice = access_choice(Admission())
    pages = [await state.find_devices(WantedDevices(), choice, first, 7) for first in range(0, 40, 7)]
    together = [one for page in pages for one in page.devices]
    assert len(together) == len({(one.user, one.id) for one in together}) == len(devices) + 1
    seen = [one.last_seen.timestamp() if one.last_seen else 0.0 for one in together]
    assert seen == sorted(seen, reverse=True)
    listed: list[Device] = []
    while some := await state.devices_after((listed[-1].user, listed[-1].id) if listed else None, 5):
        listed += some
    assert listed == devices
    assert await state.devices_after(None, 99, USERS[1]) == await state.list_devices(USERS[1])


async def test_they_are_counted_as_each_is_decided_of(state: State, devices: list[Device]) -> None:
    for admission in ADMISSIONS:
        counts = await state.count_devices(access_choice(admission))
        waiting = [one for one in devices if admission.access_of(one) is Access.QUARANTINE]
        wiping = [one for one in devices if stands(one, Standing.WIPE, admission)]
        assert (counts.devices, counts.users) == (len(devices), len(USERS))
        assert (counts.waiting, counts.wiping) == (len(waiting), len(wiping))
        named = [*admission.policies.policies]
        expected = Counter(admission.policy_of(one).name for one in devices)
        rows = await policy_counts(state, admission)
        assert [policy for policy, _ in rows][: len(named)] == named
        for policy, count in rows:
            its = [one for one in devices if admission.policy_of(one) is policy]
            assert count.devices == expected.pop(policy.name, 0)
            current = [one for one in its if one.policy_key and one.policy == policy.digest]
            assert count.acknowledged == len(current)
            assert count.refused == sum(1 for one in its if one.refused)
        assert not expected
        assert (NO_POLICY in [policy for policy, _ in rows]) == any(
            admission.policy_of(one) is NO_POLICY for one in devices
        )


async def test_users_are_those_who_have_devices(state: State, devices: list[Device]) -> None:
    listed = await state.list_users()
    assert [one.user for one in listed] == sorted(USERS)
    for seen in listed:
        its = [one for one in devices if one.user == seen.user]
        assert seen == SeenUser(seen.user, len(its), max(one.last_seen for one in its if one.last_seen))
