"""What `Admission` decides, said as conditions: the store tells it of many devices without reading them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.eas.admission import AccessRule, Admission
from gateway.groups import Groups, group_name
from gateway.policies import NO_POLICY, Policy
from gateway.ports import State
from gateway.ports.devicelist import AccessChoice, Alike, Choice, Condition, Fact, PolicyCount

__all__ = ["access_choice", "policy_counts"]


def access_choice(admission: Admission) -> AccessChoice:
    """What `Admission.access_of` says."""
    groups, rules = admission.policies.groups, admission.rules
    barred = [(Alike(Fact.USER, tuple(admission.barred)),)] if admission.barred else []
    barred += [(_in_group(groups, one),) for one in admission.barred_groups]
    choice = Choice(tuple(_condition(rule, groups) for rule in rules))
    return AccessChoice(tuple(barred), choice, tuple(rule.access for rule in rules), admission.access)


def _policy_choice(admission: Admission) -> tuple[Choice, Sequence[Policy]]:
    """What `Policies.chosen` says, and the policy for each condition."""
    policies, groups = admission.policies.policies, admission.policies.groups
    chosen: list[tuple[Condition, Policy]] = []
    chosen += [((Alike(Fact.DEVICE, one.devices),), one) for one in policies if one.devices]
    chosen += [((Alike(Fact.USER, one.users),), one) for one in policies if one.users]
    chosen += [((_in_group(groups, group),), one) for one in policies for group in one.groups]
    chosen += [((), one) for one in policies if one.is_for_the_rest]
    return Choice(tuple(condition for condition, _ in chosen)), [policy for _, policy in chosen]


async def policy_counts(state: State, admission: Admission) -> Sequence[tuple[Policy, PolicyCount]]:
    """All policies in their order, with how many devices each is for; "none" at the end, if it has some."""
    choice, policies = _policy_choice(admission)
    counted = await state.count_policies(choice, [one.digest for one in policies])
    together = {policy.name: (policy, PolicyCount()) for policy in admission.policies.policies}
    for place, count in sorted(counted.items(), key=lambda one: one[0] < 0):
        # No policy of the configuration can have this name in the place of none.
        policy = policies[place] if place >= 0 else NO_POLICY
        key = policy.name if place >= 0 else ""
        known = together.get(key, (policy, PolicyCount()))[1]
        together[key] = (
            policy,
            PolicyCount(
                known.devices + count.devices,
                known.acknowledged + count.acknowledged,
                known.refused + count.refused,
            ),
        )
    return [*together.values()]


def _condition(rule: AccessRule, groups: Groups) -> Condition:
    told = (
        (Fact.TYPE, rule.type),
        (Fact.MODEL, rule.model),
        (Fact.AGENT, rule.agent),
        (Fact.USER, rule.user),
        (Fact.VERSION, rule.version),
    )
    condition = tuple(Alike(fact, (pattern,)) for fact, pattern in told if pattern)
    return (*condition, _in_group(groups, rule.group)) if rule.group else condition


def _in_group(groups: Groups, group: str) -> Alike:
    named = groups.named.get(group)
    return Alike(Fact.GROUP, (group_name(group),)) if named is None else Alike(Fact.USER, tuple(named))
