"""Members of groups: in ranges as Active Directory tells them, in groups in each other, by their names."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.ports.directory import Members
from gateway.upstream.ldap import SCHEMAS
from gateway.upstream.ldap.groups import members
from gateway.upstream.ldap.session import Found

OPENLDAP, AD = SCHEMAS["openldap"], SCHEMAS["ad"]
GROUP = "all@a.example"


class Known:
    """Entries by DN, told in ranges of `step`; counts how often it is asked."""

    def __init__(self, entries: dict[str, dict[str, list[str]]], step: int = 0) -> None:
        self._entries = entries
        self._step = step
        self.asked = 0

    def search(
        self, condition: str, attributes: Sequence[str], most: int, *, whole: bool = False
    ) -> list[Found]:
        self.asked += 1
        return [
            self._told(dn, attributes)
            for dn, entry in self._entries.items()
            if any(f"(mail={mail})" in condition for mail in entry.get("mail", ()))
            or any(f"(uid={uid})" in condition for uid in entry.get("uid", ()))
        ][:most]

    def read(self, dn: str, attributes: Sequence[str]) -> Found | None:
        self.asked += 1
        dn = dn.lower().replace(" ", "")
        return self._told(dn, attributes) if dn in self._entries else None

    def _told(self, dn: str, attributes: Sequence[str]) -> Found:
        entry = self._entries[dn]
        told: dict[str, list[bytes]] = {}
        for wanted in attributes:
            name, _, option = wanted.partition(";range=")
            first = int(option.partition("-")[0]) if option else 0
            values = [one.encode() for one in entry.get(name, ())]
            if not self._step or len(values) <= self._step:
                told[name] = values
                continue
            part = values[first : first + self._step]
            last = "*" if first + self._step >= len(values) else str(first + len(part) - 1)
            told |= {name: [], f"{name};range={first}-{last}": part}
        return Found(dn, told)


def person(name: str) -> dict[str, list[str]]:
    return {"objectClass": ["person"], "cn": [name], "mail": [f"{name}@a.example"], "uid": [name]}


def group(mail: str, *dns: str, kind: str = "group") -> dict[str, list[str]]:
    return {"objectClass": [kind], "mail": [mail] if mail else [], "member": list(dns)}


def told(found: Members | None) -> tuple[list[str], bool]:
    assert found is not None
    return sorted(one.address.partition("@")[0] for one in found.entries), found.complete


@pytest.mark.parametrize("step", [0, 1, 2, 3, 7, 8])
def test_ranges(step: int) -> None:
    names = [f"p{number}" for number in range(7)]
    known = Known({"cn=all": group(GROUP, *names), **{name: person(name) for name in names}}, step)
    assert told(members(known, AD, GROUP, 7)) == (names, True)
    assert len((members(known, AD, GROUP, 6) or Members()).entries) == 6
    assert not (members(known, AD, GROUP, 6) or Members()).complete


def test_groups_that_contain_each_other() -> None:
    known = Known({
        "cn=all,dc=a": group(GROUP, "CN=Inner, DC=A", "cn=all,dc=a", "ann", "cn=gone", "cn=mute"),
        "cn=inner,dc=a": group("", "cn=all,dc=a", "ben", "ANN", "cn=inner, dc=a"),
        "ann": person("ann"),
        "ben": person("ben"),
        "cn=mute": {"objectClass": ["person"], "cn": ["mute"]},
    })  # fmt: skip
    assert told(members(known, AD, GROUP, 9)) == (["ann", "ben"], True)


def test_members_by_their_names() -> None:
    names = [f"p{number}" for number in range(120)]
    all_of_them = {"objectClass": ["posixGroup"], "mail": [GROUP], "memberUid": [*names, "nobody", "*"]}
    known = Known({"cn=all": all_of_them, **{name: person(name) for name in names}})
    assert told(members(known, OPENLDAP, GROUP, 120)) == (sorted(names), True)
    assert known.asked == 4, "one for the group, and one for fifty names"
    assert told(members(known, OPENLDAP, GROUP, 20))[1] is False


def test_a_group_without_end_is_cut() -> None:
    names = [f"p{number}" for number in range(3000)]
    known = Known({"cn=all": group(GROUP, *names)}, 500)
    found = members(known, AD, GROUP, 20)
    assert found == Members((), complete=False)
    assert known.asked < 1100


def test_whatever_is_no_group() -> None:
    known = Known({"ann": person("ann")})
    assert members(known, AD, "ann@a.example", 9) is None
    assert members(known, AD, "nobody@a.example", 9) is None
