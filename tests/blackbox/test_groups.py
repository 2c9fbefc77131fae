"""Policies and bars by groups of an LDAP server, while that is there and while it is away."""

from __future__ import annotations

import json

from click.testing import CliRunner

from gateway.cli import main
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, Section
from tests.support.phone import Answer, Phone, policy_of, policy_request
from tests.support.slapd import MANAGER, PASSWORD, Slapd
from tests.support.smtp_sink import SmtpSink
from wbxml import element
from wbxml.pages import FolderHierarchy, Provision

_DISABLED = 126


def folder_sync(phone: Phone) -> Answer:
    request = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))
    return phone.post("FolderSync", request)


def demanded(phone: Phone) -> str:
    """Whether the policy that a device is handed demands a password."""
    phone.policy_key = 0
    data = policy_of(phone.post("Provision", policy_request())).find(Provision.Data)
    assert data is not None
    return data.children[0].child_text(Provision.DevicePasswordEnabled) or ""


def test_a_directory_that_is_away_makes_nothing_laxer(dovecot: Dovecot, user: str) -> None:
    with Slapd() as slapd, SmtpSink(auth=True) as sink:
        base = slapd.branch()
        person = {"objectClass": "inetOrgPerson", "sn": "x", "cn": "x"}
        for name in (user, f"{user}-left"):
            slapd.add(f"uid={name},{base}", **person, mail=f"{name}@example.test")
        slapd.add(f"cn=Board,{base}", objectClass="groupOfNames", member=f"uid={user},{base}")
        slapd.add(f"cn=all,{base}", objectClass="groupOfNames", member=f"cn=board,{base}")
        slapd.add(f"cn=gone,{base}", objectClass="posixGroup", gidNumber="1", memberUid=f"{user}-left")
        sections: dict[str, Section] = {
            "ldap": {
                "url": [slapd.url],
                "base": base,
                "bind_dn": MANAGER,
                "password": PASSWORD,
                "ca_file": str(slapd.tls.certificate),
                "timeout": 20,
            },
            "directory": {"groups_seconds": 10},
            "devices": {"barred_groups": [f"cn=gone, {base}"]},
            "policies": {"strict": {"groups": ["ALL"], "DevicePasswordEnabled": True}},
        }
        with Gateway(dovecot, sink, sections=sections) as gateway:

            def phone(name: str) -> Phone:
                return Phone(gateway.host, gateway.port, name, dovecot.password)

            assert demanded(phone(user)) == "1"
            assert demanded(phone(f"{user}-other")) == "0"
            refused = folder_sync(phone(f"{user}-left"))
            assert refused.root.child_text(FolderHierarchy.Status) == str(_DISABLED)
            slapd.kill()
            gateway.restart()
            assert demanded(phone(user)) == "1"
            assert demanded(phone(f"{user}-other")) == "0"
            stranger = phone(f"{user}-new").raw(phone(f"{user}-new").query("FolderSync"))
            assert stranger.code == 503
            assert stranger.headers["Retry-After"]
            told = CliRunner().invoke(main, ["policies", user, "--json", "--config", str(gateway.config)])
            assert [one["by"] for one in json.loads(told.stdout)] == ["group ALL"]
            slapd.start()
            assert demanded(phone(f"{user}-new")) == "0"
