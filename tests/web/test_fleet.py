"""The counts of several processes as one page."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.web.fleet import Fleet
from gateway.web.metrics import Metrics


def values(page: bytes) -> dict[str, float]:
    """All values by name and labels, without those that are times."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def counted(answers: int, held: int) -> Metrics:
    metrics = Metrics()
    metrics.watch("imap_connections", "Open ones.", lambda: held)
    metrics.count("smtp_messages_sent", "Sent.", lambda: answers)
    for _ in range(answers):
        metrics.answered("Sync", "16.1", 200, "1", 0.01)
    for _ in range(held):
        metrics.opened("Ping")
    return metrics


async def test_whoever_is_asked_shows_what_all_counted(tmp_path: Path) -> None:
    fleets = [Fleet(tmp_path, slot, 3) for slot in range(3)]
    parts = [counted(2, 1), counted(3, 0), counted(0, 5)]
    publishing = [
        asyncio.create_task(fleet.publish(part.page)) for fleet, part in zip(fleets, parts, strict=True)
    ]
    expected = values(counted(5, 6).page())
    while values(fleets[2].total(parts[2].page())) != expected:
        await asyncio.sleep(0)
    shown = [fleet.total(part.page()) for fleet, part in zip(fleets, parts, strict=True)]
    assert [values(page) for page in shown] == [expected] * 3
    for kind in (b"eas_requests_total counter", b"eas_request_seconds histogram", b"imap_connections gauge"):
        assert b"# TYPE " + kind in shown[0]
    for task in publishing:
        task.cancel()
    await asyncio.wait(publishing)


def test_one_alone_shows_its_own(tmp_path: Path) -> None:
    part = counted(2, 1)
    assert values(Fleet(tmp_path, 0, 1).total(part.page())) == values(part.page())


async def test_what_an_ended_process_counted_stays_and_its_gauges_go(tmp_path: Path) -> None:
    """Also while none follows it, and whoever does goes on from there."""

    async def published(fleet: Fleet, part: Metrics, sent: int) -> None:
        task = asyncio.create_task(fleet.publish(part.page))
        while values(Fleet(tmp_path, 9, 2).total(b"")).get("smtp_messages_sent_total[]") != sent:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    await published(Fleet(tmp_path, 1, 2), counted(3, 4), 3)
    long_ago = (tmp_path / "1.prom").stat().st_mtime - 60
    os.utime(tmp_path / "1.prom", (long_ago, long_ago))
    other = values(Fleet(tmp_path, 0, 2).total(counted(2, 1).page()))
    assert other["smtp_messages_sent_total[]"] == 5
    assert other["imap_connections[]"] == 1
    await published(Fleet(tmp_path, 1, 2), counted(1, 2), 4)
    other = values(Fleet(tmp_path, 0, 2).total(counted(2, 1).page()))
    assert other["smtp_messages_sent_total[]"] == 6
    assert other["imap_connections[]"] == 3


async def test_a_disk_that_is_full_for_a_while_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.fleet._EVERY", 0.0)
    in_the_way = tmp_path / "1.part"
    in_the_way.mkdir()
    asked = asyncio.Event()

    def read() -> bytes:
        asked.set()
        return counted(2, 1).page()

    task = asyncio.create_task(Fleet(tmp_path, 1, 2).publish(read))
    await asked.wait()
    in_the_way.rmdir()
    while not (tmp_path / "1.prom").exists():
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
