"""The HTTP side: discovery, credentials, both query forms, and bad input of every kind (MS-ASHTTP 2.2)."""

from __future__ import annotations

import base64
import gzip
import http.client
import socket
import time
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.blackbox.conftest import VERSIONS, MakePhone
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import PATH, WBXML, Answer, Phone, collections_of
from wbxml import Element, decode, element, encode
from wbxml.pages import AirSync, Email, FolderHierarchy, Ping, Provision

FOLDER_SYNC = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))


@pytest.fixture
def logged(shared_gateway: Gateway) -> Callable[[str], bool]:
    """Whether the gateway wrote something since the test began; the line follows the answer, so it waits."""
    start = len(shared_gateway.log())

    def found(text: str) -> bool:
        deadline = time.monotonic() + 20
        while text not in shared_gateway.log()[start:]:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    return found


def refusal(phone: Phone, answer: Answer) -> str:
    """The Status below the root, or the HTTP code of an answer without body."""
    if answer.code != 200:
        assert not answer.body
        return f"HTTP {answer.code}"
    (status,) = answer.root
    assert status.tag.name == "Status"
    return status.text()


def as_version(phone: Phone, status: int, code: int = 400) -> str:
    return str(status) if phone.number >= 14 else f"HTTP {code}"


# --- discovery and credentials ---------------------------------------------------------------------------


def test_options(phone: Phone) -> None:
    answer = phone.raw("", method="OPTIONS")
    assert answer.empty
    assert answer.headers["MS-ASProtocolVersions"] == ",".join(("2.5", *VERSIONS))
    named = answer.headers["MS-ASProtocolCommands"].split(",")
    served = {
        "Sync",
        "SendMail",
        "FolderSync",
        "GetItemEstimate",
        "Settings",
        "Ping",
        "ItemOperations",
        "Provision",
    }
    assert served <= set(named)
    assert len(named) == len(set(named))


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"nobody").decode(),
        "Basic " + base64.b64encode(b"nobody:wrong").decode(),
        "Bearer abc",
    ],
    ids=["none", "empty", "no base64", "no colon", "wrong", "bearer"],
)
def test_without_good_credentials_it_is_401(phone: Phone, method: str, authorization: str | None) -> None:
    headers = phone.headers()
    del headers["Authorization"]
    if authorization is not None:
        headers["Authorization"] = authorization
    answer = phone.raw(phone.query("FolderSync"), encode(FOLDER_SYNC), headers, method=method)
    assert answer.code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_other_methods_are_501(phone: Phone) -> None:
    assert {phone.raw("", method=method).code for method in ("GET", "PUT", "DELETE", "PROPFIND")} == {501}


def test_other_paths_are_404(phone: Phone) -> None:
    connection = http.client.HTTPConnection(phone.host, phone.port, timeout=10)
    connection.request("POST", "/elsewhere", b"", phone.headers())
    assert connection.getresponse().status == 404
    connection.close()


def test_an_answer_has_what_the_specification_wants(each_phone: Phone) -> None:
    answer = each_phone.post("FolderSync", FOLDER_SYNC)
    assert answer.headers["Content-Type"] == WBXML
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.body.startswith(b"\x03\x01\x6a\x00")
    assert answer.headers["MS-Server-ActiveSync"]
    assert answer.headers["Cache-Control"] == "private"


@pytest.mark.parametrize("version", VERSIONS)
def test_both_forms_of_the_query_name_one_device(new_phone: MakePhone, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    key = phone.folder_sync().child_text(FolderHierarchy.SyncKey) or ""
    packed = new_phone(version, packed=True)
    packed.policy_key = phone.policy_key
    assert packed.folder_sync(key).child_text(FolderHierarchy.Status) == "1"
    unknown = {
        **packed.headers(),
        "MS-ASProtocolVersion": "2.5",
        "X-MS-PolicyKey": "1",
        "Content-Type": WBXML,
    }
    answer = packed.raw(packed.query("FolderSync"), encode(FOLDER_SYNC), unknown)
    assert answer.root.child_text(FolderHierarchy.Status) == "1"  # the query counts, not the headers


# --- the head of a request -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replaced", "status", "code"),
    [
        (("&DeviceId=PHONE1", ""), 108, 400),
        (("&DeviceId=PHONE1", "&DeviceId="), 108, 400),
        (("&DeviceId=PHONE1", "&DeviceId=" + "x" * 200), 108, 400),
        (("&DeviceType=TestPhone", ""), 109, 400),
    ],
    ids=["no id", "empty id", "long id", "no type"],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_device_without_a_name(
    new_phone: MakePhone,
    version: str,
    replaced: tuple[str, str],
    status: int,
    code: int,
    logged: Callable[[str], bool],
) -> None:
    phone = new_phone(version)
    query = phone.query("FolderSync").replace(*replaced)
    answer = phone.raw(query, encode(FOLDER_SYNC), {**phone.headers(), "Content-Type": WBXML})
    assert refusal(phone, answer) == as_version(phone, status, code)
    assert logged("the device ")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_unknown_command_is_501(new_phone: MakePhone, version: str, logged: Callable[[str], bool]) -> None:
    phone = new_phone(version)
    answer = phone.raw(phone.query("MakeCoffee"), b"", phone.headers())
    assert (answer.code, answer.body) == (501, b"")
    assert logged("MakeCoffee")


@pytest.mark.parametrize("version", ["", "1.0", "2.0", "17.0", "sixteen"])
def test_an_unknown_version_is_400(new_phone: MakePhone, version: str, logged: Callable[[str], bool]) -> None:
    phone = new_phone()
    headers = {**phone.headers(), "MS-ASProtocolVersion": version, "Content-Type": WBXML}
    answer = phone.raw(phone.query("FolderSync"), encode(FOLDER_SYNC), headers)
    assert answer.code == (505 if version == "1.0" else 400)  # MS-ASHTTP 2.2.2.1.1
    assert logged("protocol version")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "%%%",
        "AAAA",
        "jAAJBAp2MTQwRGV2aWNl",
        "jAAJBP92MTQw",
        "jAAJBAp2MTQwRGV2aWNlAwECAwpTbWFydFBob25l",
        "x" * 3000,
    ],
)
def test_a_query_that_cannot_be_read_is_400(phone: Phone, query: str, logged: Callable[[str], bool]) -> None:
    answer = phone.raw(query, encode(FOLDER_SYNC), {**phone.headers(), "Content-Type": WBXML})
    assert (answer.code, answer.body) == (400, b"")
    assert logged("reason=")


def test_the_query_of_the_specification(phone: Phone) -> None:
    answer = phone.raw("jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l", b"", phone.headers())
    assert answer.root.child_text(AirSync.Status) == "142"


# --- the body of a request -------------------------------------------------------------------------------

GOOD = encode(FOLDER_SYNC)


@pytest.mark.parametrize(
    "body",
    [
        b"\x00",
        b"<xml/>",
        GOOD[:-1],
        GOOD[:8],
        GOOD + b"\x01",
        b"\x03\x01\x6a\x00\x00\x07\x56\xc3\xff\xff\xff\x7f",
        b"\x03\x01\x6a\x00" + b"\x45" * 5000,
        b"\x03\x01\x6a\x7f" + b"x",
    ],
    ids=["zero", "xml", "cut", "cut early", "too long", "huge opaque", "deep", "string table"],
)
def test_what_is_no_wbxml_is_102(some_phone: Phone, body: bytes, logged: Callable[[str], bool]) -> None:
    assert refusal(some_phone, some_phone.post("FolderSync", body)) == as_version(some_phone, 102)
    assert logged("InvalidWBXML: ")


def test_a_document_of_another_command_is_103(each_phone: Phone, logged: Callable[[str], bool]) -> None:
    ping = element(Ping.Ping, element(Ping.HeartbeatInterval, 60))
    # FolderSync and Sync have Status values of their own for a document that is not theirs.
    assert refusal(each_phone, each_phone.post("FolderSync", ping)) == "10"
    assert refusal(each_phone, each_phone.post("Sync", ping)) == "4"
    assert refusal(each_phone, each_phone.post("GetItemEstimate", ping)) == as_version(each_phone, 103)
    assert logged("InvalidXML: ")


def test_no_body_where_one_is_needed_is_101(each_phone: Phone, logged: Callable[[str], bool]) -> None:
    for command in ("FolderSync", "GetItemEstimate", "ItemOperations", "Settings", "SendMail", "Provision"):
        assert refusal(each_phone, each_phone.post(command)) == as_version(each_phone, 101)
    assert logged("InvalidContent: ")


def test_another_content_type_is_101(some_phone: Phone) -> None:
    for kind in ("text/xml", "application/json"):
        answer = some_phone.post("FolderSync", FOLDER_SYNC, content_type=kind)
        assert refusal(some_phone, answer) == as_version(some_phone, 101)
    assert some_phone.post("FolderSync", FOLDER_SYNC, content_type="application/vnd.ms-sync").code == 200


def test_compression_both_ways(some_phone: Phone, dovecot: Dovecot) -> None:
    for number in range(10):
        dovecot.deliver(some_phone.user, messages.plain(f"mail {number}"))
    folder = some_phone.folders()["Inbox"]
    some_phone.begin(folder)
    asked = element(AirSync.Sync, element(AirSync.Collections, some_phone.collection(folder)))
    packed = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip, deflate"}
    answer = some_phone.post("Sync", gzip.compress(encode(asked)), headers=packed)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Length"] == str(len(answer.body))
    (served,) = collections_of(decode(gzip.decompress(answer.body)))
    assert len(served.added) == 10


def bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    return b"".join(packer.compress(zeros) for _ in range(200)) + packer.flush()


@pytest.mark.parametrize(
    "body", [bomb(), gzip.compress(GOOD)[:-9], b"not gzip"], ids=["bomb", "cut", "no gzip"]
)
def test_compression_that_is_none(some_phone: Phone, body: bytes, logged: Callable[[str], bool]) -> None:
    answer = some_phone.post("FolderSync", body, headers={"Content-Encoding": "gzip"})
    if len(body) > 1000:
        assert answer.code == 413
    else:
        assert refusal(some_phone, answer) == as_version(some_phone, 101)
    assert logged("reason=")


def test_a_body_beyond_the_limit_is_413(phone: Phone, logged: Callable[[str], bool]) -> None:
    headers = {**phone.headers(), "Content-Type": WBXML}
    announced = {**headers, "Content-Length": str(10 << 20), "Expect": "100-continue"}
    assert phone.raw(phone.query("Sync"), b"", announced).code == 413
    pieces = (bytes(1 << 16) for _ in range(40))
    with suppress(BrokenPipeError, ConnectionResetError):  # it may hang up while we are still sending
        assert (
            phone.raw(phone.query("Ping"), pieces, headers).code == 413
        )  # chunked, for its size is not known
    assert logged("command=Ping")
    assert logged("body larger than")


def test_a_body_cut_short_changes_nothing(
    phone: Phone, dovecot: Dovecot, logged: Callable[[str], bool]
) -> None:
    key = phone.folder_sync().child_text(FolderHierarchy.SyncKey) or ""
    lines = [
        f"POST {PATH}?{phone.query('FolderSync')} HTTP/1.1",
        f"Host: {phone.host}",
        "Content-Length: 100",
    ]
    lines += [f"{name}: {value}" for name, value in phone.headers().items()]
    with socket.create_connection((phone.host, phone.port), timeout=10) as raw:
        raw.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + GOOD)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(4096):
            pass
    assert phone.folder_sync(key).child_text(FolderHierarchy.Status) == "1"
    assert logged("client gone")


@pytest.mark.parametrize("version", VERSIONS)
def test_no_bad_input_of_this_file_was_unexpected(
    new_phone: MakePhone, version: str, shared_gateway: Gateway
) -> None:
    phone = new_phone(version)
    phone.provision()
    deep: Element = element(Email.Subject, "x" * 100_000)
    for command in (
        "Sync",
        "Ping",
        "FolderSync",
        "GetItemEstimate",
        "ItemOperations",
        "Settings",
        "Provision",
    ):
        root = {
            "Sync": AirSync.Sync,
            "Ping": Ping.Ping,
            "FolderSync": FolderHierarchy.FolderSync,
            "Provision": Provision.Provision,
        }.get(command)
        phone.post(command, deep)
        if root is not None:
            phone.post(command, element(root, deep, element(root, deep)))
    assert "unexpected error" not in shared_gateway.log()


@pytest.mark.parametrize("version", ["12.1", "16.1"])
def test_an_id_that_no_reply_could_repeat_is_refused(new_phone: MakePhone, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    gone = element(AirSync.Delete, element(AirSync.ServerId, b"a\0b"))
    answer = phone.post_sync(phone.collection(inbox, element(AirSync.Commands, gone)))
    assert answer.root.child_text(AirSync.Status) == "4"
    assert phone.sync(inbox).status == "1"
