"""Large files on their way to the phone: what they cost, slow phones, phones that leave (Linux)."""

from __future__ import annotations

import http.client
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blackbox.test_itemoperations import fetched, file, item, properties, reference_of, synced
from tests.blackbox.test_large_mail import MEGABYTE, Peak
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import PATH, WBXML, Phone, body_preference
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import PATIENCE
from wbxml import Element, decode, element, encode
from wbxml.pages import AirSync, AirSyncBase, ItemOperations

BLOCK = os.urandom(MEGABYTE)
SIZE = 50 * MEGABYTE


@pytest.fixture(scope="module")
def gateway(dovecot: Dovecot) -> Iterator[Gateway]:
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink) as running:
        yield running


@pytest.fixture(scope="module")
def phone(gateway: Gateway, dovecot: Dovecot) -> Phone:
    made = Phone(gateway.host, gateway.port, "streaming", dovecot.password, version="12.1")
    made.provision()
    return made


@pytest.fixture(scope="module")
def message() -> bytes:
    """With a large file."""
    large = messages.Attachment("large.bin", "application/octet-stream", BLOCK * 50)
    return messages.with_attachments("large", large)


@pytest.fixture(scope="module")
def mail(phone: Phone, dovecot: Dovecot, message: bytes) -> tuple[str, str, str]:
    """The folder and the name of the message, and the reference of its file.

    Some of it was fetched already, so that all that stays in memory is there.
    """
    folder, name, data = synced(phone, dovecot, message)
    reference = reference_of(data)
    phone.post("ItemOperations", asked(reference, "0-1999999"), headers={"MS-ASAcceptMultiPart": "T"})
    return folder, name, reference


@pytest.fixture(scope="module")
def reference(mail: tuple[str, str, str]) -> str:
    return mail[2]


def asked(*names: str) -> Element:
    """A request for a file, or with a second text a range of it."""
    name, *ranges = names
    options = [element(ItemOperations.Range, one) for one in ranges]
    return element(ItemOperations.ItemOperations, file(name, *options))


def spools(pid: int) -> int:
    """How many files without a name a process has open."""
    count = 0
    for one in Path(f"/proc/{pid}/fd").iterdir():
        try:
            link = one.readlink()
        except FileNotFoundError:
            continue
        count += link.name.endswith(" (deleted)") and link.is_relative_to(tempfile.gettempdir())
    return count


@pytest.mark.parametrize("command", ["ItemOperations", "GetAttachment"])
def test_fifty_megabytes(gateway: Gateway, phone: Phone, reference: str, command: str) -> None:
    peak = Peak(gateway.pid)
    if command == "GetAttachment":
        body = phone.post("GetAttachment", AttachmentName=reference).body
    else:
        answer = phone.post("ItemOperations", asked(reference), headers={"MS-ASAcceptMultiPart": "T"})
        _, body = answer.parts
    assert peak.risen < 4
    assert body == BLOCK * 50


def test_a_message_of_seventy_megabytes(
    gateway: Gateway, phone: Phone, mail: tuple[str, str, str], message: bytes
) -> None:
    folder, name, _ = mail
    wanted = item(folder, name, element(AirSync.MIMESupport, 2), body_preference(4))
    peak = Peak(gateway.pid)
    request = element(ItemOperations.ItemOperations, wanted)
    answer = phone.post("ItemOperations", request, headers={"MS-ASAcceptMultiPart": "T"})
    document, body = answer.parts
    assert peak.risen < 4
    assert body == message
    (told,) = fetched(decode(document))
    shown = properties(told).find(AirSyncBase.Body)
    assert shown is not None
    assert [one.tag.name for one in shown] == ["Type", "EstimatedDataSize", "Part"]
    assert shown.child_text(AirSyncBase.EstimatedDataSize) == str(len(message))


def test_a_range_of_thirty_megabytes(gateway: Gateway, phone: Phone, reference: str) -> None:
    first, last = 7 * MEGABYTE + 11, 37 * MEGABYTE + 4
    peak = Peak(gateway.pid)
    answer = phone.post(
        "ItemOperations", asked(reference, f"{first}-{last}"), headers={"MS-ASAcceptMultiPart": "T"}
    )
    _, body = answer.parts
    assert peak.risen < 4
    assert body == (BLOCK * 50)[first : last + 1]


@pytest.mark.parametrize("command", ["ItemOperations", "GetAttachment"])
def test_a_slow_phone_that_leaves(gateway: Gateway, phone: Phone, reference: str, command: str) -> None:
    peak = Peak(gateway.pid)
    connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=30)
    headers = {**phone.headers(), "MS-ASAcceptMultiPart": "T"}
    if command == "GetAttachment":
        query, body = phone.query(command, AttachmentName=reference), b""
    else:
        query, body = phone.query(command), encode(asked(reference))
        headers["Content-Type"] = WBXML
    connection.request("POST", f"{PATH}?{query}", body, headers)
    response = connection.getresponse()
    assert response.status == 200
    assert int(response.headers["Content-Length"]) >= SIZE
    assert len(response.read(MEGABYTE)) == MEGABYTE
    time.sleep(0.5)
    assert spools(gateway.pid) == 1
    assert peak.risen < 4
    response.close()
    connection.close()
    deadline = time.monotonic() + PATIENCE
    gone = "client gone before the end of the answer"
    while (spools(gateway.pid) or gone not in gateway.log()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert spools(gateway.pid) == 0
    assert gone in gateway.log()


def test_what_an_inline_answer_cannot_hold_is_11(gateway: Gateway, phone: Phone, reference: str) -> None:
    request = element(
        ItemOperations.ItemOperations,
        file(reference, element(ItemOperations.Range, "0-40000000")),
        file(reference, element(ItemOperations.Range, "0-40000000")),
        file(reference, element(ItemOperations.Range, "0-999")),
    )
    (_, response) = phone.post("ItemOperations", request).root
    assert [one.child_text(ItemOperations.Status) for one in response] == ["1", "11", "1"]


def test_a_phone_that_leaves_while_the_file_is_fetched(
    gateway: Gateway, phone: Phone, reference: str
) -> None:
    connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=30)
    query = phone.query("GetAttachment", AttachmentName=reference)
    connection.request("POST", f"{PATH}?{query}", b"", phone.headers())
    deadline = time.monotonic() + PATIENCE
    while not spools(gateway.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert spools(gateway.pid) == 1
    connection.close()
    while spools(gateway.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert spools(gateway.pid) == 0
