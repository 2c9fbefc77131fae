"""What `top` makes of /metrics, and of a gateway that runs."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from gateway.cli import main
from gateway.cli.top import Look, difference
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.ports import free_ports
from tests.support.smtp_sink import SmtpSink

BEFORE = """\
eas_requests_total{command="Sync",http="200",status="1",version="16.1"} 10.0
eas_request_seconds_sum{command="Sync"} 1.0
event_loop_lag_seconds_bucket{le="0.01"} 100.0
event_loop_lag_seconds_bucket{le="0.1"} 100.0
event_loop_lag_seconds_bucket{le="+Inf"} 100.0
smtp_messages_sent_total 3.0
"""
AFTER = """\
eas_requests_total{command="Sync",http="200",status="1",version="16.1"} 14.0
eas_requests_total{command="Sync",http="200",status="1",version="14.1"} 4.0
eas_request_seconds_sum{command="Sync"} 3.0
eas_requests_open{command="Ping"} 5.0
event_loop_lag_seconds_bucket{le="0.01"} 190.0
event_loop_lag_seconds_bucket{le="0.1"} 200.0
event_loop_lag_seconds_bucket{le="+Inf"} 200.0
imap_connections 6.0
smtp_messages_sent_total 4.0
"""


def test_the_difference_of_two_looks() -> None:
    found = difference(Look.read(BEFORE, 100), Look.read(AFTER, 104))
    assert (found["per_second"], found["open"], found["imap_connections"]) == (2.0, 5, 6)
    assert found["lag_ms"] == 100.0  # of a hundred samples ten came later than 10 ms
    assert found["commands"] == {
        "Ping": {"per_second": 0.0, "open": 5, "mean_ms": None},
        "Sync": {"per_second": 2.0, "open": 0, "mean_ms": 250},
    }
    happened = found["happened"]
    assert isinstance(happened, dict)
    assert {text for text, count in happened.items() if count} == {"mail sent"}


def test_a_gateway_that_runs(dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    with Gateway(dovecot, smtp_sink) as gateway:
        args = ["top", "--config", str(gateway.config), "--interval", "0.2", "--times", "2"]
        seen = CliRunner().invoke(main, [*args, "--json"])
        assert seen.exit_code == 0, seen.output
        looks = [json.loads(line) for line in seen.output.splitlines()]
        assert len(looks) == 2
        assert all(look["imap_connections"] == 0 for look in looks)  # nobody came
        assert "connections to IMAP" in CliRunner().invoke(main, args).output


def test_no_gateway(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(
        f'[server]\nlisten = "127.0.0.1:{free_ports(1)[0]}"\n[imap]\nhost = "x"\n[smtp]\nhost = "x"\n'
        '[store]\nurl = "sqlite:x.db"\n'
    )
    refused = CliRunner().invoke(main, ["top", "--config", str(file)])
    assert refused.exit_code == 2
    assert refused.stderr.startswith("activesync-gateway: no gateway answers at 127.0.0.1:")
