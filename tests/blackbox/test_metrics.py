"""What /metrics counts, and that the dashboard asks for nothing else."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.blackbox.test_notes import note, notes
from tests.blackbox.test_sendmail import mime, send
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.itemfolders import named
from tests.support.phone import Phone, add, change, commands, options, statuses
from tests.support.smtp_sink import SmtpSink
from wbxml import element
from wbxml.pages import AirSync, Ping

DASHBOARD = Path(__file__).parents[2] / "deploy/grafana/activesync-gateway.json"


def test_mail_that_is_sent_and_mail_that_is_not(
    shared_gateway: Gateway, phone: Phone, sink: SmtpSink
) -> None:
    def counted() -> tuple[float, float]:
        names = ("smtp_messages_sent_total", "smtp_messages_failed_total")
        taken, failed = (shared_gateway.metric(name) for name in names)
        return taken, failed

    taken, failed = counted()
    send(phone, mime(phone), "one")
    send(phone, mime(phone), "one")  # not sent twice
    assert counted() == (taken + 1, failed)
    sink.switches.reply_data = "554 5.7.1 no"
    send(phone, mime(phone, "To: cleo@example.test"), "two")
    assert counted() == (taken + 1, failed + 1)


def test_replays_and_conflicts(shared_gateway: Gateway, phone: Phone, other: Phone, dovecot: Dovecot) -> None:
    replays, conflicts = (shared_gateway.metric(f"eas_{name}_total") for name in ("replays", "conflicts"))
    inbox = phone.folders()["Inbox"]
    dovecot.deliver(phone.user, messages.plain())
    phone.begin(inbox)
    key = phone.keys[inbox]
    told = phone.sync(inbox)
    assert phone.sync(inbox, key=key).added.keys() == told.added.keys()
    assert shared_gateway.metric("eas_replays_total") == replays + 1
    folder = notes(phone)
    name = named(phone.sync(folder, commands(add("c1", *note("First")))))
    assert notes(other) == folder
    other.sync(folder, commands(change(name, *note("Second"))))
    wins = options(element(AirSync.Conflict, 1))  # the server
    assert statuses(phone.sync(folder, wins, commands(change(name, *note("Third"))))) == [
        ("Change", name, "7")
    ]
    assert shared_gateway.metric("eas_conflicts_total") == conflicts + 1


def test_writes_of_the_store(shared_gateway: Gateway, phone: Phone) -> None:
    written, committed = (
        shared_gateway.metric(f"store_{name}_total") for name in ("transactions", "commits")
    )
    phone.folders()
    assert shared_gateway.metric("store_transactions_total") > written
    assert shared_gateway.metric("store_commits_total") > committed


def test_all_that_is_to_be_watched_is_there(shared_gateway: Gateway, phone: Phone) -> None:
    phone.folders()
    text = shared_gateway.metrics()
    for name, labels in {
        "eas_requests_total": {"command", "version", "http", "status"},
        "eas_request_seconds_bucket": {"command", "le"},
        "eas_requests_open": {"command"},
        "eas_requests_held": set(),
        "eas_requests_slowed_total": set(),
        "eas_replays_total": set(),
        "eas_conflicts_total": set(),
        "eas_stubs_total": set(),
        "eas_poison_items": set(),
        "event_loop_lag_seconds_bucket": {"le"},
        "computing_queue": set(),
        "imap_connections": set(),
        "smtp_messages_sent_total": set(),
        "smtp_messages_failed_total": set(),
        "store_transactions_total": set(),
        "store_commits_total": set(),
    }.items():
        families = text_string_to_metric_families(text)
        found = [sample for family in families for sample in family.samples if sample.name == name]
        assert found, name
        assert set(found[0].labels) == labels, name


def test_who_waits_for_news_is_counted(shared_gateway: Gateway, phone: Phone, dovecot: Dovecot) -> None:
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    phone.sync(inbox)
    watched = element(Ping.Folder, element(Ping.Id, inbox), element(Ping.Class, "Email"))
    request = element(Ping.Ping, element(Ping.HeartbeatInterval, 50), element(Ping.Folders, watched))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(phone.post, "Ping", request, seconds=60)
        while not shared_gateway.metric("eas_requests_held"):
            assert not waiting.done()
        dovecot.deliver(phone.user, messages.plain())
        assert waiting.result().root.child_text(Ping.Status) == "2"
    assert shared_gateway.metric("eas_requests_held") == 0


def test_the_dashboard_asks_for_what_there_is(shared_gateway: Gateway, phone: Phone) -> None:
    phone.folders()
    families = [*text_string_to_metric_families(shared_gateway.metrics())]
    told: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            told.setdefault(sample.name, set()).update(sample.labels)
        if family.type == "histogram":  # of a command that nobody used yet there is no sample
            told.setdefault(f"{family.name}_bucket", set())
    board = json.loads(DASHBOARD.read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(expressions) > 10
    for expression in expressions:
        (name,) = set(re.findall(r"\b(?:eas|imap|smtp|store|event)_\w+", expression))
        assert name in told, expression
        used = {*re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", expression)}
        for grouped in re.findall(r"by \(([^)]*)\)", expression):
            used |= {one.strip() for one in grouped.split(",")}
        assert used - {"job"} <= told[name], expression
