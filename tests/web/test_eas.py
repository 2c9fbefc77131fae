"""The endpoint over real connections: what is refused and how, and what reaches a command."""

from __future__ import annotations

import asyncio
import base64
import gzip
import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from gateway.eas.commands.base import Context, Raw, Reply
from gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    Kind,
    NotFound,
    Refused,
    UpstreamUnavailable,
)
from gateway.store.spool import FileSpool
from gateway.types import Device, DeviceId, UserId
from gateway.web.brakes import Budget
from gateway.web.eas import is_eas_path
from tests.web.support import (
    LIMITS,
    LOGIN,
    PASSWORD,
    PATH,
    WBXML,
    Answer,
    Site,
    http_request,
    read_answer,
    serving,
)
from wbxml import Element, decode, element, encode
from wbxml.pages import AirSync, ComposeMail, FolderHierarchy, Ping, Provision

pytestmark = pytest.mark.usefixtures("steady_clock")

FOLDER_SYNC = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))
CHUNKED = {"Content-Length": "", "Transfer-Encoding": "chunked"}
QUERY = f"{PATH}?Cmd=FolderSync&User=jo&DeviceId=d1&DeviceType=iPhone"


def raising(error: Exception) -> object:
    def reply(_context: Context, _root: Element | None, _body: bytes) -> Reply:
        raise error

    return reply


# --- method, path, discovery -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        (PATH, True),
        (PATH.lower(), True),
        (PATH.upper() + "/", True),
        (PATH + "/default.eas", True),
        ("/" + PATH, True),
        (PATH + "x", False),
        ("/x" + PATH, False),
        ("/", False),
    ],
)
def test_paths(path: str, ours: bool) -> None:
    assert is_eas_path(path) is ours


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PROPFIND"])
async def test_other_methods_are_not_supported(site: Site, method: str) -> None:
    reader, writer = await site.connect()
    writer.write(http_request(method, PATH, {"Authorization": LOGIN}))
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert head.startswith("HTTP/1.1 501 ")
    assert "allow: options,post" in head.lower()
    writer.close()


async def test_options(site: Site) -> None:
    answer = await site.raw(http_request("OPTIONS", PATH, {"Authorization": LOGIN}))
    assert (answer.code, answer.body) == (200, b"")
    assert answer.headers["ms-asprotocolversions"] == "2.5,12.0,12.1,14.0,14.1,16.0,16.1"
    assert answer.headers["ms-asprotocolcommands"] == "Sync,SendMail,FolderSync,Ping,ItemOperations,Provision"
    assert answer.headers["allow"] == answer.headers["public"] == "OPTIONS,POST"
    assert answer.headers["ms-server-activesync"]


async def test_options_needs_credentials(site: Site) -> None:
    answer = await site.raw(http_request("OPTIONS", PATH, {}))
    assert answer.code == 401


# --- credentials -------------------------------------------------------------------------------------------


def basic(user: str, password: str, encoding: str = "utf-8") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode(encoding)).decode()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!",
        "Bearer abc",
        basic("", PASSWORD),
        "Basic " + base64.b64encode(b"no colon").decode(),
        basic("Jo\0", PASSWORD),
        basic("Jo", "wrong"),
        basic("nobody", PASSWORD),
    ],
)
async def test_wrong_credentials_get_401_and_never_403(site: Site, header: str) -> None:
    answer = await site.post("FolderSync", FOLDER_SYNC, headers={"Authorization": header})
    assert answer.code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="ActiveSync"'
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.body
    assert not site.folder_sync.asked


@pytest.mark.parametrize(
    "header",
    [basic("Jo", PASSWORD), basic("Jo", PASSWORD, "latin-1"), basic("CORP\\Jo", PASSWORD),
     basic(" Jo ", PASSWORD), basic("Jo", PASSWORD).replace("Basic", "bAsIc")],
)  # fmt: skip
async def test_credentials_in_the_forms_clients_use(site: Site, header: str) -> None:
    answer = await site.post("FolderSync", FOLDER_SYNC, headers={"Authorization": header})
    assert (answer.code, answer.status) == (200, "1")
    principal = site.folder_sync.asked[0][0].principal
    assert (principal.user, principal.email) == ("jo", "Jo@example.com")


async def test_wrong_passwords_do_not_lock_out_a_device_that_logged_in(tmp_path: Path) -> None:
    wrong = {"Authorization": basic("Jo", "old")}
    async with serving(tmp_path, max_delay=0.3) as site:
        await site.provisioned()
        assert (await site.post("FolderSync", FOLDER_SYNC)).code == 200
        guesses = [site.post("FolderSync", FOLDER_SYNC, device="d2", headers=wrong) for _ in range(20)]
        assert {answer.code for answer in await asyncio.gather(*guesses)} <= {401, 503}
        guesses = [site.post("FolderSync", FOLDER_SYNC, device="d2", headers=wrong) for _ in range(20)]
        right = [site.post("FolderSync", FOLDER_SYNC, device=device) for device in ("d1", "d3", "d3", "d3")]
        *guessed, known, _one, _two, three = await asyncio.gather(*guesses, *right)
        assert known.code == 200
        assert 503 in {answer.code for answer in guessed}
        # The right password alone is not answered sooner: it may be a guess.
        assert three.code == 503
        assert int(three.headers["retry-after"]) > 0


async def test_no_one_to_ask_is_503(site: Site) -> None:
    site.users.error = UpstreamUnavailable("connection refused")
    answer = await site.post("FolderSync", FOLDER_SYNC)
    assert answer.code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_a_password_refused_meanwhile_is_401(site: Site) -> None:
    site.folder_sync.reply = raising(AuthenticationFailed("revoked"))  # type: ignore[assignment]
    answer = await site.post("FolderSync", FOLDER_SYNC)
    assert answer.code == 401


# --- the head ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "version", "expected"),
    [
        ("DeviceId=d1", "DeviceId=", "16.1", "108"),
        ("DeviceId=d1", "DeviceId=", "12.1", 400),
        ("DeviceType=iPhone", "", "16.1", "109"),
        ("Cmd=FolderSync", "Cmd=Nonsense", "16.1", 501),
        ("Cmd=FolderSync", "Cmd=ValidateCert", "16.1", "137"),
        ("Cmd=FolderSync", "Cmd=ValidateCert", "12.1", 501),
        ("Cmd=FolderSync", "Cmd=FolderSync", "2.5", 400),
        ("Cmd=FolderSync", "Cmd=ItemOperations", "12.1", 400),
        (f"?{QUERY.partition('?')[2]}", "", "16.1", 400),
        (f"?{QUERY.partition('?')[2]}", "?%%%", "16.1", 400),
    ],
)
async def test_heads_that_cannot_be_used(
    site: Site, old: str, new: str, version: str, expected: int | str
) -> None:
    target = QUERY.replace(old, new)
    fields = {"Authorization": LOGIN, "MS-ASProtocolVersion": version, "Content-Length": "0"}
    answer = await site.raw(http_request("POST", target, fields))
    assert (answer.status if answer.code == 200 else answer.code) == expected


async def test_base64_query(site: Site) -> None:
    packed = bytes([161, 9, 9, 4, 2]) + b"d1" + bytes([4]) + (4711).to_bytes(4, "little") + b"\x06iPhone"
    body = encode(FOLDER_SYNC)
    target = f"{PATH}?{base64.b64encode(packed).decode()}"
    fields = {"Authorization": LOGIN, "Content-Length": str(len(body)), "Content-Type": WBXML}
    answer = await site.raw(http_request("POST", target, fields) + body)
    assert (answer.code, answer.status) == (200, "1")


# --- the policy key ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "key", "version", "expected"),
    [
        ("d1", 4711, "16.1", "1"),
        ("d1", 4712, "16.1", "144"),
        ("d1", 4712, "12.1", 449),
        ("d1", None, "14.0", "142"),
        ("d1", 0, "12.1", 449),
        ("new", 4711, "16.1", "142"),
        ("new", None, "12.0", 449),
    ],
)
async def test_policy_key(
    site: Site, device: str, key: int | None, version: str, expected: int | str
) -> None:
    answer = await site.post("FolderSync", FOLDER_SYNC, device=device, key=key, version=version)
    assert (answer.status if answer.code == 200 else answer.code) == expected


async def test_provision_needs_no_key(site: Site) -> None:
    answer = await site.post("Provision", element(Provision.Provision), device="new", key=99)
    assert answer.status == "1"


# --- the device record -------------------------------------------------------------------------------------


async def test_a_device_is_remembered_and_kept_fresh(site: Site) -> None:
    async def provision(agent: str, version: str = "16.1") -> Device:
        document = element(Provision.Provision)
        headers = {"User-Agent": agent}
        await site.post("Provision", document, device="new", key=None, version=version, headers=headers)
        stored = await site.state.load_device(UserId("jo"), DeviceId("new"))
        assert stored is not None
        return stored

    first = await provision("A/1")
    assert (first.type, first.version, first.agent) == ("iPhone", "16.1", "A/1")
    assert first.first_seen == first.last_seen == site.clock.now()
    site.clock.forward(minutes=1)
    assert await provision("A/1") == first  # not written again
    site.clock.forward(minutes=10)
    later = await provision("A/1")
    assert later == first.replace(last_seen=site.clock.now())
    changed = await provision("A/2", "14.1")
    assert changed == later.replace(agent="A/2", version="14.1")


async def test_the_device_validate_makes_no_partnership(site: Site) -> None:
    answer = await site.post("Provision", element(Provision.Provision), device="validate")
    assert answer.status == "1"
    assert await site.state.load_device(UserId("jo"), DeviceId("validate")) is None


async def test_keeping_a_record_fresh_keeps_its_policy_key(site: Site) -> None:
    await site.post("FolderSync", FOLDER_SYNC, headers={"User-Agent": "new agent"})
    device = await site.state.load_device(UserId("jo"), DeviceId("d1"))
    assert device is not None
    assert (device.agent, device.policy_key) == ("new agent", 4711)


# --- bodies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "body", "headers", "expected"),
    [
        ("FolderSync", b"", {}, "101"),
        ("FolderSync", encode(FOLDER_SYNC), {"Content-Type": "text/plain"}, "101"),
        ("FolderSync", encode(FOLDER_SYNC), {"Content-Type": "message/rfc822"}, "101"),
        ("FolderSync", encode(FOLDER_SYNC), {"Content-Encoding": "br"}, "101"),
        ("FolderSync", b"\x03\x01\x6a\x00\xff", {}, "102"),
        ("FolderSync", encode(element(AirSync.Sync)), {}, "10"),
        ("Sync", encode(FOLDER_SYNC), {}, "4"),
        ("FolderSync", encode(FOLDER_SYNC), {"Content-Encoding": "gzip"}, "101"),
        ("FolderSync", gzip.compress(encode(FOLDER_SYNC), mtime=0)[:-9], {"Content-Encoding": "gzip"}, "101"),
        # Accepted.
        ("FolderSync", encode(FOLDER_SYNC), {"Content-Type": "application/vnd.ms-sync; x=y"}, "1"),
        ("FolderSync", encode(FOLDER_SYNC), {"Content-Type": ""}, "1"),
        ("FolderSync", gzip.compress(encode(FOLDER_SYNC), mtime=0), {"Content-Encoding": "GZIP"}, "1"),
        ("FolderSync", zlib.compress(encode(FOLDER_SYNC)), {"Content-Encoding": "deflate"}, "1"),
        (
            "FolderSync",
            zlib.compress(encode(FOLDER_SYNC))[2:-4],
            {"Content-Encoding": "deflate"},
            "1",
        ),
        ("Sync", b"", {"Content-Type": ""}, "1"),
    ],
)
async def test_bodies(site: Site, command: str, body: bytes, headers: dict[str, str], expected: str) -> None:
    answer = await site.post(command, body, headers=headers)
    assert (answer.code, answer.status) == (200, expected)


@pytest.mark.parametrize("body", [b"", b"<xml/>"])
async def test_bodies_that_cannot_be_read_up_to_12_1(site: Site, body: bytes) -> None:
    answer = await site.post("FolderSync", body, version="12.1")
    assert (answer.code, answer.body) == (400, b"")


async def test_a_document_reaches_the_command(site: Site) -> None:
    await site.post("FolderSync", FOLDER_SYNC)
    _, root, body = site.folder_sync.asked[0]
    assert root == FOLDER_SYNC
    assert body == b""


async def test_mime_up_to_12_1_and_a_document_since(site: Site) -> None:
    mime = b"From: a\r\n\r\nhello\r\n"
    site.send_mail.reply = lambda _context, _root, _body: None
    answer = await site.post("SendMail", mime, version="12.1", headers={"Content-Type": "message/rfc822"})
    assert (answer.code, answer.body, answer.headers["content-length"]) == (200, b"", "0")
    assert "content-type" not in answer.headers
    assert site.send_mail.asked[0][1:] == (None, mime)
    answer = await site.post("SendMail", mime, version="14.0", headers={"Content-Type": "message/rfc822"})
    assert answer.status == "101"
    answer = await site.post("SendMail", element(ComposeMail.SendMail), version="14.0")
    assert (answer.code, answer.body) == (200, b"")


async def test_chunked_body(site: Site) -> None:
    body = encode(FOLDER_SYNC)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:3], body[3:])) + b"0\r\n\r\n"
    answer = await site.raw(site.request("FolderSync", headers=CHUNKED) + chunks)
    assert answer.status == "1"
    assert site.folder_sync.asked[0][1] == FOLDER_SYNC


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_small_body_that_unfolds_to_a_huge_one(site: Site, encoding: str) -> None:
    plain = bytes(30_000_000)
    bomb = gzip.compress(plain) if encoding == "gzip" else zlib.compress(plain)
    assert len(bomb) < LIMITS.max_body
    answer = await site.post("FolderSync", bomb, headers={"Content-Encoding": encoding})
    assert answer.code == 413
    assert not site.folder_sync.asked


async def test_a_body_announced_too_large_is_refused_before_it_is_sent(site: Site) -> None:
    answer = await site.raw(site.request("FolderSync", headers={"Content-Length": "100001"}))
    assert answer.code == 413
    assert answer.headers["connection"] == "close"


async def test_a_chunked_body_is_refused_when_it_becomes_too_large(site: Site) -> None:
    chunk = b"%x\r\n%s\r\n" % (60_000, bytes(60_000))
    answer = await site.raw(site.request("FolderSync", headers=CHUNKED) + chunk * 2)
    assert answer.code == 413


async def test_a_document_of_too_many_elements(site: Site) -> None:
    root = element(FolderHierarchy.FolderSync)
    for _ in range(LIMITS.max_elements):
        root.add(FolderHierarchy.SyncKey)
    answer = await site.post("FolderSync", root)
    assert answer.status == "102"


async def test_continue_is_sent_to_a_client_with_good_credentials(site: Site) -> None:
    body = encode(FOLDER_SYNC)
    reader, writer = await site.connect()
    headers = {"Content-Length": str(len(body)), "Expect": "100-continue"}
    writer.write(site.request("FolderSync", headers=headers))
    assert (await read_answer(reader)).code == 100
    writer.write(body)
    assert (await read_answer(reader)).status == "1"
    writer.close()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Authorization": "Basic eDp5"}, 401),
        ({"Content-Length": "200000"}, 413),
        ({"X-MS-PolicyKey": "1"}, 200),
    ],
)
async def test_a_refused_body_is_never_asked_for(site: Site, headers: dict[str, str], expected: int) -> None:
    reader, writer = await site.connect()
    fields = {"Content-Length": "5000", "Expect": "100-continue"} | headers
    writer.write(site.request("FolderSync", headers=fields))
    answer = await read_answer(reader)
    assert answer.code == expected
    assert answer.headers["connection"] == "close"
    assert await reader.read() == b""
    writer.close()


async def test_a_body_cut_short_reaches_nobody(site: Site) -> None:
    _, writer = await site.connect()
    writer.write(site.request("FolderSync", FOLDER_SYNC)[:-3])
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await site.post("FolderSync", FOLDER_SYNC)).status == "1"  # the server lives
    assert len(site.folder_sync.asked) == 1


# --- replies -----------------------------------------------------------------------------------------------


def long_reply(_context: Context, _root: Element | None, _body: bytes) -> Reply:
    return element(FolderHierarchy.FolderSync, element(FolderHierarchy.Status, 1),
                   element(FolderHierarchy.DisplayName, "x" * 5000))  # fmt: skip


async def test_headers_of_a_reply(site: Site) -> None:
    answer = await site.post("FolderSync", FOLDER_SYNC)
    assert answer.headers["content-type"] == WBXML
    assert answer.headers["cache-control"] == "private"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "content-encoding" not in answer.headers
    assert "ms-asprotocolversions" not in answer.headers


async def test_a_command_adds_headers(site: Site) -> None:
    def reply(context: Context, _root: Element | None, _body: bytes) -> Reply:
        context.reply_headers.update(context.services.discovery)
        return None

    site.folder_sync.reply = reply
    answer = await site.post("FolderSync", FOLDER_SYNC)
    assert answer.headers["ms-asprotocolcommands"].startswith("Sync,")


async def test_long_replies_are_compressed_for_who_accepts_it(site: Site) -> None:
    site.folder_sync.reply = long_reply
    answer = await site.post("FolderSync", FOLDER_SYNC, headers={"Accept-Encoding": "gzip, deflate"})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 500
    assert decode(gzip.decompress(answer.body)) == long_reply(site.folder_sync.asked[0][0], None, b"")
    plain = await site.post("FolderSync", FOLDER_SYNC)
    assert plain.body == gzip.decompress(answer.body)


async def test_raw_replies(site: Site) -> None:
    site.folder_sync.reply = lambda _context, _root, _body: Raw("image/png", b"\x89PNG")
    answer = await site.post("FolderSync", FOLDER_SYNC)
    assert (answer.headers["content-type"], answer.body) == ("image/png", b"\x89PNG")


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 3_000_000])
async def test_replies_in_pieces(site: Site, size: int) -> None:
    spool, closed = FileSpool(), []
    await spool.write(b"ab" * (size // 2) + b"c" * (size % 2))

    def close() -> None:
        spool.close()
        closed.append(True)

    site.folder_sync.reply = lambda _context, _root, _body: Raw("image/png", spool, close)
    answer = await site.post("FolderSync", FOLDER_SYNC, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-length"] == str(size)
    assert "content-encoding" not in answer.headers
    assert answer.body == b"ab" * (size // 2) + b"c" * (size % 2)
    assert closed


async def test_a_reply_that_breaks_off_closes_the_connection(site: Site) -> None:
    def broken(_context: Context, _root: object, _body: bytes) -> Raw:
        class Broken:
            def __len__(self) -> int:
                return 1_000_000

            def __iter__(self) -> Iterator[bytes]:
                yield bytes(1000)
                raise GatewayError("the disk is gone")

        return Raw("image/png", Broken())

    site.folder_sync.reply = broken
    reader, writer = await site.connect()
    writer.write(site.request("FolderSync", FOLDER_SYNC))
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"200" in head
    assert await reader.read() == bytes(1000)
    writer.close()


async def test_a_content_type_from_mail_cannot_add_headers(site: Site) -> None:
    hostile = "text/\u20acx\r\nSet-Cookie: a=b\0"
    site.folder_sync.reply = lambda _context, _root, _body: Raw(hostile, b"x")
    answer = await site.post("FolderSync", FOLDER_SYNC)
    assert answer.headers["content-type"] == "text/?xSet-Cookie: a=b"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("error", "version", "expected"),
    [
        (Refused(Kind.SYNC_STATE_NOT_FOUND), "16.1", "9"),
        (NotFound("gone"), "16.1", "6"),
        (Refused(Kind.INVALID_IDS), "16.1", "106"),
        (Refused(Kind.INVALID_IDS), "12.1", 400),
        (UpstreamUnavailable("down"), "16.1", 503),
        (GatewayError("store is full"), "12.1", "6"),
        (ZeroDivisionError("a bug"), "16.1", "6"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "a bug"), "12.1", "6"),
    ],
)
async def test_errors_of_a_command(site: Site, error: Exception, version: str, expected: int | str) -> None:
    site.folder_sync.reply = raising(error)  # type: ignore[assignment]
    answer = await site.post("FolderSync", FOLDER_SYNC, version=version)
    assert (answer.status if answer.code == 200 else answer.code) == expected
    assert ("retry-after" in answer.headers) == (answer.code == 503)


async def test_a_reply_that_cannot_be_written_is_an_error_of_ours(site: Site) -> None:
    site.folder_sync.reply = lambda _context, _root, _body: element(FolderHierarchy.FolderSync, "\0")
    assert (await site.post("FolderSync", FOLDER_SYNC)).status == "6"


async def test_a_connection_serves_many_requests(site: Site) -> None:
    reader, writer = await site.connect()
    for _ in range(3):
        writer.write(site.request("FolderSync", FOLDER_SYNC))
        assert (await read_answer(reader)).status == "1"
    writer.write(site.request("FolderSync", FOLDER_SYNC, key=1))  # refused with its body unread
    assert (await read_answer(reader)).status == "144"
    writer.write(site.request("FolderSync", FOLDER_SYNC))
    assert (await read_answer(reader)).status == "1"
    writer.close()


# --- held requests -----------------------------------------------------------------------------------------


async def test_a_client_that_leaves_cancels_its_request(site: Site) -> None:
    _, writer = await site.connect()
    writer.write(site.request("Ping", element(Ping.Ping)))
    async with asyncio.timeout(20):
        await site.ping.begun.wait()
        writer.close()
        await site.ping.cancelled.wait()


async def test_a_newer_request_supersedes_the_held_one(site: Site) -> None:
    held = asyncio.create_task(site.post("Ping", element(Ping.Ping)))
    await site.ping.begun.wait()
    site.ping.begun.clear()
    newer = asyncio.create_task(site.post("Ping", element(Ping.Ping)))
    answer: Answer = await held
    assert answer.status == "1"
    await site.ping.begun.wait()
    other_device = asyncio.create_task(site.post("Ping", element(Ping.Ping), device="d2"))
    await asyncio.sleep(0.1)
    assert not newer.done()
    site.stopping.set()
    assert (await newer).status == "1"
    assert (await other_device).status == "1"


async def test_work_that_outlasts_the_grace_of_a_shutdown_is_503(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.users.seconds = 60
    asked = asyncio.create_task(site.post("FolderSync", FOLDER_SYNC))
    await asyncio.sleep(0.2)
    site.stopping.set()
    answer = await asked
    assert answer.code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


async def test_ping_goes_without_key_and_body(site: Site) -> None:
    site.stopping.set()
    answer = await site.post("Ping", key=None, device="new", headers={"Content-Type": ""})
    assert answer.status == "1"
    assert site.ping.asked[0][1:] == (None, b"")


# --- anything at all ---------------------------------------------------------------------------------------


async def test_whatever_is_sent_is_answered_and_never_a_surprise(site: Site) -> None:
    chance = random.Random(20260101)
    site.stopping.set()
    good = encode(FOLDER_SYNC)
    with structlog.testing.capture_logs() as logged:
        for _ in range(300):
            body = bytearray(good * chance.randint(0, 3))
            for _ in range(chance.randint(0, 4)):
                body.insert(chance.randint(0, len(body)), chance.randrange(256))
            query = bytearray(QUERY.partition("?")[2].encode())
            for _ in range(chance.randint(0, 6)):
                query[chance.randrange(len(query))] = chance.choice(b"&=%+/?ACDabc0159.~!")
            fields = {
                "Authorization": LOGIN,
                "MS-ASProtocolVersion": chance.choice(["16.1", "14.0", "12.1", "2.5", "x"]),
                "X-MS-PolicyKey": chance.choice(["4711", "4712", ""]),
                "Content-Type": chance.choice([WBXML, "message/rfc822", ""]),
                "Content-Encoding": chance.choice(["", "", "gzip", "deflate", "x"]),
                "Content-Length": str(len(body)),
            }
            answer = await site.raw(http_request("POST", f"{PATH}?{query.decode()}", fields) + body)
            assert answer.code in {200, 400, 413, 449, 501}
    doubled = "device is two in turn: two phones with one id, or two programs on one"
    assert {entry["event"] for entry in logged} - {doubled} == {"request"}


# --- devices that ask without end --------------------------------------------------------------------------


async def test_a_device_in_a_loop_is_put_off(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with serving(tmp_path, budget=Budget(3, 3600)) as site:
            await site.provisioned()
            answers = [await site.post("FolderSync", FOLDER_SYNC) for _ in range(5)]
            assert [answer.code for answer in answers] == [200, 200, 200, 503, 503]
            assert int(answers[-1].headers["retry-after"]) >= 30
            assert len(site.folder_sync.asked) == 3
            other = await site.post("FolderSync", FOLDER_SYNC, device="d2")
            assert other.status == "142"  # others are served
    [named] = [each for each in logs if each["event"] == "device is slowed"]
    assert (named["user"], named["device"], named["command"]) == ("jo", "d1", "FolderSync")
