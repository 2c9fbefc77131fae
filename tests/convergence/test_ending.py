"""A long run that is ended leaves no server behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.convergence.process import ROOT

RESTARTS = """
from tests.convergence.ending import end_in_order
from tests.convergence.world import World
end_in_order()
with World("full") as world:
    while True:
        print(world.dovecot.place.folder, flush=True)
        world.restart_dovecot()
"""


def alive(folder: str) -> list[str]:
    """The processes whose command line names the folder."""
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if folder.encode() in text:
            found.append(text.decode(errors="replace"))
    return found


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.3])
def test_no_server_outlives_a_run_ended_while_it_restarts_one(seconds: float) -> None:
    run = subprocess.Popen([sys.executable, "-c", RESTARTS], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert run.stdout is not None
    folder = run.stdout.readline().strip()
    assert folder
    while not alive(folder):  # it is being restarted
        time.sleep(0.01)
    time.sleep(seconds)
    os.kill(run.pid, signal.SIGTERM)
    run.communicate(timeout=60)
    assert run.returncode == 128 + signal.SIGTERM
    assert alive(folder) == []
    assert not Path(folder).exists()
