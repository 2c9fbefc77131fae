"""The rotation of a log that a gateway goes on writing to."""

from __future__ import annotations

import subprocess
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent.parent / "deploy" / "logrotate" / "activesync-gateway"


def test_a_log_is_rotated_under_its_writer(tmp_path: Path) -> None:
    log, config, state = (tmp_path / name for name in ("gateway.log", "config", "state"))
    named = EXAMPLE.read_text()
    assert "/var/log/activesync-gateway.log {" in named
    config.write_text(named.replace("/var/log/activesync-gateway.log {", f"{log} {{"))
    config.chmod(0o644)
    tmp_path.chmod(0o700)
    with log.open("a") as writer:  # as systemd opens it for append:
        print("before", file=writer, flush=True)
        command = ["/usr/sbin/logrotate", "--force", "--state", str(state), str(config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        print("after", file=writer, flush=True)
    assert log.read_text() == "after\n"
    assert (tmp_path / "gateway.log.1").read_text() == "before\n"
