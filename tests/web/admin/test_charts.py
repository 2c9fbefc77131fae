"""Samples of the process, and the curves drawn of them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.admin.charts import charts_of
from gateway.web.admin.samples import KEPT, Samples, quantile
from gateway.web.fleet import Fleet
from gateway.web.metrics import Metrics


def test_curves_are_of_what_happened_between_samples() -> None:
    metrics = Metrics()
    for _ in range(7):
        metrics.answered("Sync", "16.1", 200, "1", 0.01)  # before anybody looked
    held = [0]
    samples = Samples(lambda: metrics.totals(held[0]), every=10)
    for _ in range(30):
        metrics.answered("Sync", "16.1", 200, "1", 0.01)
    for _ in range(10):
        metrics.answered("FolderSync", "14.1", 503, "", 0.3)
    metrics.answered("Ping", "16.1", 200, "1", 900)
    held[0] = 2
    samples.take()
    held[0] = 1
    samples.take()
    curves = samples.curves()
    assert curves.requests == [4.1, 0.0]
    assert curves.failures == [1.0, 0.0]
    assert curves.held == [2, 1]
    median, slow = curves.median[0], curves.slow[0]
    assert median is not None
    assert slow is not None
    assert 0.005 < median < 0.02
    assert 0.25 < slow < 0.5
    assert (curves.median[1], curves.slow[1]) == (None, None)


def test_curves_are_of_all_processes_and_of_none_that_began_anew(tmp_path: Path) -> None:
    """Whichever of them shows the page."""

    def process(held: int) -> Metrics:
        made = Metrics()
        made.watch("eas_requests_held", "Those that wait.", lambda: held)
        return made

    def publish(metrics: Metrics) -> None:
        (tmp_path / "1.prom").write_bytes(metrics.page())

    own, other = process(2), process(3)
    publish(other)
    samples = Samples(lambda: own.totals(2, Fleet(tmp_path, 0, 2)), every=10)
    own.answered("Sync", "16.1", 200, "1", 0.01)
    for _ in range(19):
        other.answered("FolderSync", "16.1", 503, "", 0.3)
    publish(other)
    samples.take()
    publish(process(0))
    samples.take()
    curves = samples.curves()
    assert (curves.requests, curves.failures) == ([2.0, 0.0], [1.9, 0.0])
    assert curves.held == [5, 2]
    assert curves.median[0] is not None
    assert 0.25 < curves.median[0] < 0.5
    assert curves.median[1] is None


def test_no_more_than_an_hour_is_kept() -> None:
    samples = Samples(lambda: Metrics().totals(0), kept=5)
    for _ in range(20):
        samples.take()
    assert len(samples.curves().requests) == 5


@given(st.lists(st.tuples(st.floats(0.001, 100), st.integers(0, 50)), max_size=10), st.floats(0.01, 1))
def test_a_quantile_lies_where_something_was_counted(counts: list[tuple[float, int]], share: float) -> None:
    bounds = sorted(dict(counts).items())
    found = quantile(bounds, share)
    if not any(count for _, count in bounds):
        assert found is None
        return
    assert found is not None
    highest = max(upper for upper, count in bounds if count)
    assert 0 <= found <= highest * (1 + 1e-9)


@pytest.mark.parametrize("length", [0, 1, KEPT])
def test_charts_stay_in_their_box(length: int) -> None:
    metrics = Metrics()
    samples = Samples(lambda: metrics.totals(0))
    for number in range(length):
        if number % 7:
            metrics.answered("Sync", "16.1", 500 if number % 50 == 1 else 200, "1", number / 100)
        samples.take()
    charts = charts_of(samples.curves())
    assert len(charts) == 4
    for chart in charts:
        assert "last hour" in chart.said
        for line in chart.lines:
            places = [place.split(",") for stroke in line.strokes for place in stroke.split()]
            assert all(0 <= float(x) <= 100 and 0 <= float(y) <= 100 for x, y in places)
            assert all(math.isfinite(float(y)) for _, y in places)
            assert not places or places[-1][0] == "100.00" or line.now == "–"
