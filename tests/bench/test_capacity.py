"""The model of capacity: sums of what was measured, held against arithmetic done by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import capacity_page, report
from tests.bench.capacity import OPERATIONS, Cost, Day, Factors, Hardware, limits, need, rates

FREE = Cost(0, 0, 0, 0, 0, 0, 0, 0)
SEND = Cost(statements=20, writes=5, durable=3, notices=0, log=1000, wire=4000, postgres=2, gateway=6)
EVENT = replace(FREE, durable=2, notices=1)
FACTORS = Factors(
    costs=dict.fromkeys([*OPERATIONS, "connect", "message", "minute"], FREE) | {"send": SEND, "event": EVENT},
    waiting_kib=64,
    process_mib=64,
    files=3,
    idle=0,
    commits=10_000,
    notices=3_000,
    octets={"user": 1000, "device": 500, "folder": 100, "message": 1, "event": 200, "sent": 10},
)
NOTHING = Day(
    received=0, sent=0, marked=0, opened=0, events=0, waiting=0, busiest=0.1, devices=1, first=0,
    folders=0, messages=0, stored=0,
)  # fmt: skip
SENDING = replace(NOTHING, sent=36)  # 3.6 in the busiest hour: a thousandth a second


def test_what_a_device_does_in_the_busiest_hour() -> None:
    day = Day(
        received=100,
        sent=10,
        marked=40,
        opened=20,
        events=4,
        heartbeat=600,
        waiting=0.5,
        busiest=0.1,
        devices=1.5,
    )
    assert rates(day) == pytest.approx(
        {
            "nothing": 2,
            "mail": 10,
            "mark": 4,
            "ping": 3,
            "told": 5.1,  # by mail, and by what other devices change
            "send": 1,
            "event": 0.4,
            "event-told": 0.2,
        }
    )


def test_costs_are_added_up() -> None:
    found = need(100_000, FACTORS, SENDING, Hardware(pages=2))
    assert found.requests == pytest.approx(100)
    assert (found.statements, found.writes, found.durable) == pytest.approx((2000, 500, 300))
    assert (found.log, found.wire) == pytest.approx((100_000 + 300 * 16384, 400_000))
    assert found.processors == pytest.approx(0.6)
    assert found.database_processors == pytest.approx(0.2)


def test_nodes_follow_what_is_scarce() -> None:
    hardware = Hardware(cores=8, memory=16, load=0.5, users=5000, pool=11)
    busy = need(1_000_000, FACTORS, SENDING, hardware)
    assert (busy.processes, busy.nodes, busy.pool) == (12, 2, 132)
    waiting = replace(NOTHING, waiting=1.0)
    watched = need(30_000, FACTORS, waiting, hardware)
    assert (watched.processes, watched.nodes, watched.files) == (6, 1, 15_000)
    large = replace(FACTORS, waiting_kib=1024)
    assert need(30_000, large, waiting, hardware).nodes == 3  # 30,000 MiB and 384 in 12 GiB each


def test_connections_to_the_mail_server_are_those_of_users_or_of_devices() -> None:
    day = replace(NOTHING, waiting=0.9, devices=1.25)
    assert need(1000, FACTORS, day, Hardware()).connections == (800, 900)


def test_the_database_holds_what_users_and_devices_have() -> None:
    day = replace(NOTHING, devices=2.0, folders=3, messages=50, stored=4, sent=5)
    each_user, each_device = 1000 + 4 * 200, 3 * 100 + 50 * 1 + 5 * 10
    expected = 3 * (50 * each_user + 50 * 500 + 100 * each_device)
    assert need(100, FACTORS, day, Hardware(bloat=3)).disk == pytest.approx(expected)


def test_the_first_morning() -> None:
    costs = dict(FACTORS.costs) | {"connect": replace(FREE, gateway=100), "message": replace(FREE, gateway=1)}
    day = replace(NOTHING, first=260)
    found = need(36_000, replace(FACTORS, costs=costs), day, Hardware(cores=2, load=0.5))
    assert found.nodes == 1
    assert found.morning == pytest.approx(36_000 * 0.36 / 0.5 / 3600)
    costs["message"] = replace(FREE, durable=1)
    found = need(36_000, replace(FACTORS, costs=costs), day, Hardware(database_share=0.1))
    assert found.morning == pytest.approx(36_000 * 260 / 1000 / 3600)


def test_processes_have_work_of_their_own_in_the_database() -> None:
    costs = dict(FACTORS.costs) | {"minute": replace(FREE, statements=120, durable=6)}
    found = need(30_000, replace(FACTORS, costs=costs), replace(NOTHING, waiting=1.0), Hardware())
    assert (found.processes, found.statements, found.durable) == pytest.approx((6, 12, 0.6))
    assert found.requests == pytest.approx(30_000 / 900)


def test_what_is_used_up_first() -> None:
    day = replace(SENDING, events=18)  # half a thousandth a second
    found = limits(FACTORS, day, Hardware(database_share=0.5, database_cores=16, load=0.5, log=50))
    devices = {limit.name: limit.devices for limit in found}
    assert devices["durable commits"] == pytest.approx(5000 / 0.004)
    assert devices["commits with a notice, one after the other"] == pytest.approx(1500 / 0.0005)
    assert devices["processors"] == pytest.approx(8 / 0.000002)
    assert [limit.devices for limit in found] == sorted(devices.values())
    assert [limit.name for limit in found if not limit.divides] == ["connections"]


def test_the_pages_are_those_of_the_results() -> None:
    values = json.loads(report.VALUES.read_text())
    assert report.capacity_block(values) in report.RESULTS.read_text()
    assert report.sizing_block(values) in report.SIZING.read_text()


def test_assumptions_can_be_changed(capsys: pytest.CaptureFixture[str]) -> None:
    assert capacity_page.main(["--received", "1234"]) == 0
    assert "| `--received` | 1,234 |" in capsys.readouterr().out


def test_figures_that_were_not_measured_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.json").write_text('{"figures": {}}')
    monkeypatch.setattr(capacity_page, "_VALUES", tmp_path / "results.json")
    assert capacity_page.main([]) == 1
    assert "not measured" in capsys.readouterr().err
