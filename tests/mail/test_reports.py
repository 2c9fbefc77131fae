"""Outcomes of reports. The corpus has whole reports."""

from __future__ import annotations

import pytest

from gateway.mail.reports import Outcome, delivery_outcome, reading_outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (b"", Outcome.FAILED),
        (b"Reporting-MTA: dns; x\r\n\r\nAction: failed\r\n", Outcome.FAILED),
        (b"Action: delivered\r\n\r\nAction: FAILED\r\n", Outcome.FAILED),
        (b"action:delayed\r\n", Outcome.DELAYED),
        (b"Action: relayed\r\n", Outcome.DELIVERED),
        (b"Action: expanded\r\n", Outcome.DELIVERED),
    ],
)
def test_delivery(status: bytes, outcome: Outcome) -> None:
    assert delivery_outcome(status) is outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (b"", Outcome.READ),
        (b"Disposition: automatic-action/MDN-sent-automatically; displayed\r\n", Outcome.READ),
        (b"Disposition: manual-action/MDN-sent-manually;deleted\r\n", Outcome.NOT_READ),
        (b"Disposition: manual-action/MDN-sent-manually; deleted/error\r\n", Outcome.NOT_READ),
    ],
)
def test_reading(status: bytes, outcome: Outcome) -> None:
    assert reading_outcome(status) is outcome
