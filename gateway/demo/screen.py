"""What the demo prints: the phone's folders and mails, one line for each step, and the table at the end."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.demo.items import Folder, Mail

NAME, WHAT = 22, 58


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one step of the phone's session."""

    name: str
    passed: bool
    detail: str
    milliseconds: float


def show_step(step: Step) -> None:
    """Prints the line of a step."""
    mark = "ok  " if step.passed else "FAIL"
    _say(f"  {mark}  {fit(step.name, NAME)} {fit(step.detail, WHAT)} {step.milliseconds:7.1f} ms")


def show_folders(folders: Iterable[Folder]) -> None:
    """Prints the folder tree."""
    below: dict[str, list[Folder]] = {}
    for folder in folders:
        below.setdefault(folder.parent, []).append(folder)
    _say("")
    pending = [(folder, 0) for folder in reversed(below.get("0", []))]
    while pending:
        folder, depth = pending.pop()
        _say(f"        {'  ' * depth}{folder.name}")
        pending.extend((child, depth + 1) for child in reversed(below.get(folder.id, [])))
    _say("")


def show_mails(mails: Iterable[Mail]) -> None:
    """Prints the list of mails: unread ones with a dot, then sender, subject, date, preview and files."""
    _say("")
    for mail in mails:
        received = datetime.fromisoformat(mail.received).astimezone()
        dot = " " if mail.read else "•"
        _say(f"      {dot} {fit(_name(mail.sender), 20)}  {fit(mail.subject, 40)}  {received:%d %b %H:%M}")
        _say(f"        {fit(mail.preview, 76)}".rstrip())
        if mail.files:
            files = ", ".join(f"{file.name} ({_size(file.size)})" for file in mail.files)
            _say(f"        files: {files}")
    _say("")


def show_table(steps: list[Step]) -> None:
    """Prints the summary: every step and its time."""
    total = sum(step.milliseconds for step in steps)
    _say("")
    _say(f"  {'Step'.ljust(NAME)}  Result      Time")
    _say(f"  {'-' * NAME}  ------  --------")
    for step in steps:
        result = "ok" if step.passed else "FAILED"
        _say(f"  {fit(step.name, NAME)}  {result:6}  {step.milliseconds:5.0f} ms")
    passed = sum(step.passed for step in steps)
    _say(f"  {passed} of {len(steps)} steps passed in {total / 1000:.1f} s")


def fit(text: str, columns: int) -> str:
    """Cuts or pads text to a width on the terminal, where East Asian characters take two columns."""
    if _columns(text) <= columns:
        return text + " " * (columns - _columns(text))
    kept = ""
    for char in text:
        if _columns(kept + char) > columns - 1:
            break
        kept += char
    return kept + "…" + " " * (columns - 1 - _columns(kept))


def _columns(text: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _name(address: str) -> str:
    name = address.partition("<")[0].strip().strip('"')
    return name or address


def _size(count: int) -> str:
    return f"{count} B" if count < 1024 else f"{count / 1024:.1f} KiB"


def _say(line: str) -> None:
    print(line, flush=True)
