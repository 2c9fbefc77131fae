"""The measurements run, and what is written down is what was measured."""

from __future__ import annotations

import json

import pytest

from tests.bench import report, run
from tests.bench.figures import FIGURES, Measured
from tests.bench.stage import QUICK


def test_one_measurement_of_the_quick_form() -> None:
    measured, failed = run.measure(QUICK, ["onechange-1k"])
    assert not failed
    [figure] = measured
    assert figure.name == "onechange-1k"
    assert 0 < figure.value < 10_000
    assert figure.raw is not None
    assert report.table(measured).splitlines()[1].startswith("one new message")


def test_maildir_is_measured_with_the_mail_of_the_row_before() -> None:
    measured, failed = run.measure(QUICK, ["maildir-1k", "maildir-dirty-1k"])
    assert not failed
    assert [figure.name for figure in measured] == ["maildir-1k", "maildir-dirty-1k"]
    assert all(figure.raw for figure in measured)


def test_every_figure_has_a_measurement() -> None:
    assert {figure.row or figure.name for figure in FIGURES} == set(run.ROWS)


def test_the_results_are_those_of_the_last_run() -> None:
    values = json.loads(report.VALUES.read_text())
    assert report.block(values) in report.RESULTS.read_text()


def test_some_figures_may_be_measured_again(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("results")
    monkeypatch.setattr(report, "RESULTS", folder / "RESULTS.md")
    monkeypatch.setattr(report, "VALUES", folder / "results.json")
    monkeypatch.setattr(report, "SIZING", folder / "sizing.md")
    report.RESULTS.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write(
        report.document([Measured("sendmail", 500, 1000), Measured("connect", 25, details={"n": 3})])
    )
    report.write(report.document([Measured("connect", 15.5)]))
    text = report.RESULTS.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\n")
    assert text.endswith(f"{report.END}\nafter\n")
    assert "\nold\n" not in text
    assert "| 400 1/s | **500 1/s** | met | 1,000 1/s | 0.50 | sendmail |" in text
    assert "| 20 ms | **15.5 ms** | met |  |  | connect |" in text
    assert text.index("first connect") < text.index("SendMail")


def test_unknown_names_and_quick_results_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--only", "nothing"]) == 2
    assert run.main(["--quick", "--write"]) == 2
    assert run.main(["--list"]) == 0
    assert capsys.readouterr().out.split() == list(run.ROWS)
