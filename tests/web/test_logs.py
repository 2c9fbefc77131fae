"""Log lines: one a request, with what an administrator needs and without what nobody may see."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.eas.commands.base import Context, Reply
from gateway.types import Password
from gateway.web import logs
from tests.web.support import LOGIN, PASSWORD, Site, http_request
from wbxml import Element, element
from wbxml.pages import AirSyncBase, FolderHierarchy, Ping

FOLDER_SYNC = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))
WORDS = "words nobody else may read"


@pytest.fixture
def stream() -> io.StringIO:
    """What the process logs, as JSON."""
    stream = io.StringIO()
    logs.configure("debug", "json", stream)
    return stream


def lines(stream: io.StringIO, event: str) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [entry for entry in entries if entry["event"] == event]


async def test_a_request_is_one_line(stream: io.StringIO, site: Site) -> None:
    await site.post("FolderSync", FOLDER_SYNC, headers={"X-Forwarded-For": "203.0.113.1"})
    (line,) = lines(stream, "request")
    assert isinstance(line.pop("ms"), int)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request", "level": "info", "user": "jo", "device": "d1", "command": "FolderSync",
        "version": "16.1", "http": 200, "status": "1", "bytes_in": 13, "bytes_out": 13,
        "address": "203.0.113.1",
    }  # fmt: skip


async def test_refusals_say_why(stream: io.StringIO, site: Site) -> None:
    await site.post("FolderSync", FOLDER_SYNC, key=1)
    await site.post("FolderSync", FOLDER_SYNC, headers={"Authorization": LOGIN[:-8]})
    await site.post("FolderSync", b"\x00" * 30, headers={"Content-Encoding": "gzip"})
    await site.raw(http_request("GET", "/Microsoft-Server-ActiveSync", {}))
    key, login, body, method = lines(stream, "request")
    assert (key["http"], key["status"]) == (200, "144")
    assert key["reason"] == "InvalidPolicyKey: the policy key is not the one given out"
    assert (login["http"], login["reason"]) == (401, "wrong credentials for 'Jo'")
    assert body["reason"].startswith("InvalidContent: compressed body is broken")
    assert method["reason"] == "method not supported"


async def test_a_bug_is_logged_once_with_an_id(stream: io.StringIO, site: Site) -> None:
    def fail(context: Context, _root: Element | None, _body: bytes) -> Reply:
        credentials = context.principal.credentials
        assert isinstance(credentials, Password)
        raise ValueError(f"a bug beside a password of {len(credentials.password)} characters")

    site.folder_sync.reply = fail
    await site.post("FolderSync", FOLDER_SYNC)
    (error,) = lines(stream, "unexpected error")
    assert "a bug beside" in error["exception"]
    assert (error["level"], error["user"], error["command"]) == ("error", "jo", "FolderSync")
    (request,) = lines(stream, "request")
    assert request["reason"] == f"ServerError: unexpected error {error['error_id']}"
    assert stream.getvalue().count("Traceback") == 1


async def test_what_a_traced_device_says_is_logged_without_its_words(stream: io.StringIO, site: Site) -> None:
    def reply(_context: Context, _root: Element | None, _body: bytes) -> Reply:
        return element(FolderHierarchy.FolderSync, element(FolderHierarchy.Status, 1),
                       element(AirSyncBase.Data, WORDS))  # fmt: skip

    site.folder_sync.reply = reply
    document = element(
        FolderHierarchy.FolderSync,
        element(FolderHierarchy.SyncKey, "key-1"),
        element(FolderHierarchy.DisplayName, WORDS),
    )
    await site.post("FolderSync", document, device="traced")
    (asked,), (answered,) = lines(stream, "trace request"), lines(stream, "trace reply")
    assert (asked["user"], asked["device"], asked["command"]) == ("jo", "traced", "FolderSync")
    assert "key-1" in asked["document"]
    assert f"[{len(WORDS)} characters]" in asked["document"]
    assert "<Status>1</Status>" in answered["document"]
    await site.post("FolderSync", document)
    assert len(lines(stream, "trace request")) == 1  # the other device is not traced
    assert WORDS not in stream.getvalue()


async def test_no_password_is_ever_logged(stream: io.StringIO, site: Site) -> None:
    site.stopping.set()
    await site.post("FolderSync", FOLDER_SYNC)
    await site.post("Ping", element(Ping.Ping), device="traced")
    site.users.passwords.clear()
    await site.post("FolderSync", FOLDER_SYNC)
    site.users.error = RuntimeError("a bug while checking")
    answer = await site.post("FolderSync", FOLDER_SYNC)
    assert answer.code == 500
    assert len(lines(stream, "request")) == 4
    assert PASSWORD not in stream.getvalue()
    assert LOGIN.split()[1] not in stream.getvalue()


def test_text_lines_and_levels() -> None:
    stream = io.StringIO()
    logs.configure("warning", "text", stream)
    structlog.get_logger("x").info("hidden")
    structlog.get_logger("x").warning("shown", user="jo")
    logging.getLogger("library").error("of a library")
    secret = PASSWORD
    try:
        raise ValueError(len(secret))
    except ValueError:
        structlog.get_logger("x").exception("failed")
    text = stream.getvalue()
    assert "hidden" not in text
    assert "shown" in text
    assert "user=jo" in text
    assert "of a library" in text
    assert "Traceback" in text
    assert PASSWORD not in text
    assert "\x1b" not in text


FACTS = st.dictionaries(
    st.text("abc_", max_size=8).map("x_".__add__),
    st.one_of(st.text(max_size=20), st.integers(), st.none(), st.booleans(), st.floats(allow_nan=False)),
    max_size=6,
)


@given(
    st.sampled_from(["debug", "info", "warning", "error", "critical"]), st.text("abc d", max_size=40), FACTS
)
def test_lines_are_those_of_structlog(level: str, event: str, facts: dict[str, object]) -> None:
    said = {"timestamp": "2026-11-22T22:16:14.586803Z", "level": level, "event": event, **facts}
    console = structlog.dev.ConsoleRenderer(colors=False)
    console_line = console(None, level, dict(said))
    line = logs._Text()(None, level, dict(said))
    assert line.isprintable()
    if all(value.isprintable() for value in facts.values() if isinstance(value, str)):
        assert line == console_line


def test_what_a_device_says_cannot_move_the_terminals_cursor() -> None:
    stream = io.StringIO()
    logs.configure("info", "text", stream)
    structlog.get_logger().info("request", agent="a\x1b[2J\r\nb")
    assert stream.getvalue().splitlines()[0].endswith("agent='a\\x1b[2J\\r\\nb'")
