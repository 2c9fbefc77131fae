"""The script that looks for Debian packages says what is missing when it may not install."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("debian-packages.sh")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A PATH on which `here` is installed, everything else is not, and nobody is root."""
    for name, line in {
        "dpkg-query": 'case "$*" in *" here") echo installed;; *) exit 1;; esac',
        "id": "echo 1000",
        "sudo": "exit 1",
        "apt-get": "echo must not be called; exit 9",
    }.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
    return tmp_path


def run(machine: Path, *packages: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), *packages],
        env={"PATH": str(machine)},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )


def test_nothing_to_do_when_all_is_there(machine: Path) -> None:
    done = run(machine, "here")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_names_the_command_that_helps(machine: Path) -> None:
    done = run(machine, "here", "one", "two")
    assert done.returncode == 1
    assert done.stderr == "Debian packages are missing. Please run: sudo apt-get install one two\n"


def test_root_installs_only_what_is_missing(machine: Path) -> None:
    log = machine / "log"
    (machine / "id").write_text("#!/bin/sh\necho 0\n")
    (machine / "apt-get").write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    for name in ("env", "mktemp", "rm", "cat"):
        (machine / name).symlink_to(f"/usr/bin/{name}")
    done = run(machine, "here", "one")
    assert done.returncode == 0, done.stderr
    update, install = log.read_text().splitlines()
    assert update.endswith("update -q")
    assert install.split()[-1] == "one"
    assert "here" not in install


def test_another_system_is_told_what_to_install(tmp_path: Path) -> None:
    done = run(tmp_path, "one")
    assert done.returncode == 1
    assert "not a Debian system" in done.stderr
