"""What processes cost, from /proc (Linux): processor time of a tree of processes, and memory by its share."""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["cpu_seconds", "file_descriptors", "own_cpu_seconds", "pss_kib", "running_seconds", "tree"]

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def _stat(pid: int) -> Sequence[str]:
    """Return the fields of /proc/PID/stat from the state on. Raises OSError when the process is gone."""
    text = (_PROC / str(pid) / "stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def tree(root: int) -> Sequence[int]:
    """Return a process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                parents.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
            except OSError:
                continue
    found, pending = [], [root]
    while pending:
        found.append(pending.pop())
        pending += parents.get(found[-1], [])
    return found


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return processor seconds used so far, user and system, with those of children that have ended."""
    total = 0
    for pid in pids:
        try:
            total += sum(map(int, _stat(pid)[11:15]))
        except OSError:
            continue
    return total / _TICKS


def running_seconds(pids: Sequence[int]) -> float:
    """The same for processes with few threads that are still there: by the nanosecond, not by the tick.

    The kernel has to count it (CONFIG_SCHED_INFO), as those of distributions do.
    """
    total = 0
    for pid in pids:
        for thread in (_PROC / str(pid) / "task").glob("*/schedstat"):
            with suppress(OSError):
                total += int(thread.read_text().split()[0])
    return total / 1e9


def own_cpu_seconds() -> float:
    """Return processor seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def pss_kib(pids: Sequence[int]) -> int:
    """Return memory in KiB, pages shared by several processes counted by share (PSS)."""
    total = 0
    for pid in pids:
        try:
            found = re.search(r"^Pss:\s+(\d+)", (_PROC / str(pid) / "smaps_rollup").read_text(), re.MULTILINE)
        except OSError:
            continue
        total += int(found[1]) if found else 0
    return total


def file_descriptors(pid: int) -> int:
    """Return how many files and connections a process has open."""
    return len(os.listdir(_PROC / str(pid) / "fd"))  # noqa: PTH208
