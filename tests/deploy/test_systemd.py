"""The unit, its user and its folders, as systemd's own programs see them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parent.parent.parent / "deploy" / "systemd"
UNIT = UNITS / "activesync-gateway.service"
EXPOSURE = 12
"""Tenths of what `systemd-analyze security` gives at most; 1.1 was reached."""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=120, check=False
    )


def test_the_unit_is_understood(tmp_path: Path) -> None:
    text = UNIT.read_text()
    program = "/opt/activesync-gateway/bin/activesync-gateway"
    assert program in text
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace(program, sys.executable))
    done = run("systemd-analyze", "verify", copy)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_may_do_little() -> None:
    done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", UNIT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Overall exposure level" in done.stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system on which there is nothing yet but a configuration."""
    (tmp_path / "etc/activesync-gateway").mkdir(parents=True)
    (tmp_path / "etc/activesync-gateway/gateway.toml").touch(mode=0o644)
    return tmp_path


def test_the_user_and_who_may_read_the_configuration(root: Path) -> None:
    made = run("systemd-sysusers", f"--root={root}", UNITS / "activesync-gateway.sysusers.conf")
    assert made.returncode == 0, made.stderr
    (user,) = (root / "etc/passwd").read_text().splitlines()
    name, _, number, group, *_, home, shell = user.split(":")
    assert (name, home, shell) == ("activesync-gateway", "/var/lib/activesync-gateway", "/usr/sbin/nologin")
    assert 0 < int(number) < 1000
    done = run("systemd-tmpfiles", f"--root={root}", "--create", UNITS / "activesync-gateway.tmpfiles.conf")
    if os.geteuid() != 0:  # nobody else may give files away
        assert "Operation not permitted" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    for path, mode in (("etc/activesync-gateway", 0o750), ("etc/activesync-gateway/gateway.toml", 0o640)):
        found = (root / path).stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, int(group), mode)
