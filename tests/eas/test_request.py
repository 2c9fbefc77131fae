"""The head of a request: both forms of the query, the headers, and what is refused."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.eas.request import COMMAND_CODES, MAX_DEVICE_ID, BadRequest, EasRequest, parse
from gateway.eas.versions import Version
from gateway.errors import Kind

HEADERS = {"ms-asprotocolversion": "16.1"}
PLAIN = b"Cmd=Sync&User=jo&DeviceId=d1&DeviceType=iPhone"
GUID = bytes.fromhex("00112233445566778899AABBCCDDEEFF")


def packed(
    *,
    version: int = 161,
    code: int = 0,
    device: bytes = b"d1",
    key: bytes = b"",
    kind: bytes = b"iPhone",
    parameters: bytes = b"",
) -> bytes:
    """Write a base64 query."""
    head = bytes([version, code, 0x09, 0x04, len(device)]) + device + bytes([len(key)]) + key
    return base64.b64encode(head + bytes([len(kind)]) + kind + parameters)


def parameter(number: int, value: bytes) -> bytes:
    return bytes([number, len(value)]) + value


# --- the plain query ---------------------------------------------------------------------------------------


def test_plain() -> None:
    request = parse(PLAIN, HEADERS)
    assert request == EasRequest("Sync", Version.V16_1, "jo", request.device_id, "iPhone")
    assert request.device_id == "d1"


def test_plain_in_any_order_and_case() -> None:
    query = b"DEVICETYPE=SP&deviceid=ABC&user=a%40b&saveinsent=t&cmd=smartforward&itemid=7%3A1&collectionid=5"
    request = parse(query, HEADERS)
    assert (request.command, request.user, request.device_id) == ("SmartForward", "a@b", "ABC")
    assert (request.item_id, request.collection_id, request.save_in_sent) == ("7:1", "5", True)


def test_plain_parameters_and_headers() -> None:
    headers = HEADERS | {
        "x-ms-policykey": "4294967295",
        "ms-asacceptmultipart": "T",
        "accept-encoding": "deflate, gzip;q=0.5",
        "user-agent": "Apple-iPhone",
        "content-type": "Application/VND.ms-sync.wbxml; charset=utf-8",
    }
    query = PLAIN + b"&AttachmentName=a%20b&LongId=l+1&Occurrence=o"
    request = parse(query, headers)
    assert (request.attachment_name, request.long_id, request.occurrence) == ("a b", "l 1", "o")
    assert request.policy_key == 0xFFFFFFFF
    assert request.accept_multipart
    assert request.accept_gzip
    assert request.content_type == "application/vnd.ms-sync.wbxml"
    assert request.user_agent == "Apple-iPhone"
    assert not request.save_in_sent


@pytest.mark.parametrize(
    ("text", "key"),
    [("0", 0), (" 7 ", 7), ("", 0), ("abc", 0), ("-1", 0), ("4294967296", 0), ("1" * 5000, 0), ("١", 0)],
)
def test_policy_keys(text: str, key: int) -> None:
    assert parse(PLAIN, HEADERS | {"x-ms-policykey": text}).policy_key == key


def test_no_policy_key_is_none() -> None:
    assert parse(PLAIN, HEADERS).policy_key is None


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("identity", False),
        ("br, gzip", True),
        ("gzipped", False),
    ],
)
def test_accept_encoding(header: str, accepted: bool) -> None:
    assert parse(PLAIN, HEADERS | {"accept-encoding": header}).accept_gzip is accepted


# --- the base64 query --------------------------------------------------------------------------------------


def test_worked_example() -> None:
    # 8C 00 09 04 0A "v140Device" 00 0A "SmartPhone"
    request = parse(b"jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l", {})
    assert (request.command, request.version, request.locale) == ("Sync", Version.V14_0, 0x0409)
    assert (request.device_id, request.device_type) == ("v140Device", "SmartPhone")
    assert request.policy_key is None


def test_packed_parameters() -> None:
    parameters = (
        parameter(0, b"5:1:2") + parameter(1, b"5") + parameter(3, b"5:1") + parameter(4, b"L")
        + parameter(6, b"O") + parameter(7, b"\x03") + parameter(8, "jö".encode()) + parameter(99, b"later")
    )  # fmt: skip
    request = parse(packed(code=2, key=b"\x01\x00\x00\x80", parameters=parameters), {})
    assert request.command == "SmartForward"
    assert (request.attachment_name, request.collection_id, request.item_id) == ("5:1:2", "5", "5:1")
    assert (request.long_id, request.occurrence, request.user) == ("L", "O", "jö")
    assert request.save_in_sent
    assert request.accept_multipart
    assert request.policy_key == 0x80000001


@pytest.mark.parametrize(
    ("options", "save", "multipart"), [(b"", 0, 0), (b"\0", 0, 0), (b"\1", 1, 0), (b"\2", 0, 1)]
)
def test_packed_options(options: bytes, save: bool, multipart: bool) -> None:
    request = parse(packed(parameters=parameter(7, options)), {})
    assert (request.save_in_sent, request.accept_multipart) == (save, multipart)


def test_packed_values_win_over_headers() -> None:
    headers = {"ms-asprotocolversion": "14.0", "x-ms-policykey": "9", "ms-asacceptmultipart": "T"}
    request = parse(packed(), headers)
    assert (request.version, request.policy_key, request.accept_multipart) == (Version.V16_1, None, False)


def test_packed_spellings() -> None:
    data = base64.b64decode(packed(kind=b"\xfb\xff\xfe~~~".replace(b"\xfb\xff\xfe", b"???>>>")))
    plain = base64.b64encode(data)
    expected = parse(plain, {})
    for spelling in (
        base64.urlsafe_b64encode(data),
        plain.rstrip(b"="),
        plain.replace(b"+", b" "),
        plain.replace(b"+", b"%20"),
        plain.replace(b"=", b"%3D").replace(b"+", b"%2B").replace(b"/", b"%2f"),
    ):
        assert parse(spelling, {}) == expected


@pytest.mark.parametrize("code", COMMAND_CODES)
def test_command_codes(code: int) -> None:
    assert parse(packed(code=code), {}).command == COMMAND_CODES[code]


def test_a_guid_names_the_same_device_in_both_forms() -> None:
    by_code = parse(packed(device=GUID), {}).device_id
    by_name = parse(PLAIN.replace(b"d1", GUID.hex().upper().encode()), HEADERS).device_id
    assert by_code == by_name == GUID.hex()


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "headers", "kind", "command", "version"),
    [
        (b"", HEADERS, Kind.INVALID_CONTENT, None, None),
        (b"!!!", HEADERS, Kind.INVALID_CONTENT, None, None),
        (b"AAAA", {}, Kind.INVALID_CONTENT, None, None),
        (packed(key=b"\1\2\3"), {}, Kind.INVALID_CONTENT, None, None),
        (packed(parameters=b"\1\5abc"), {}, Kind.INVALID_CONTENT, None, None),
        (b"a=1&" * 100, HEADERS, Kind.INVALID_CONTENT, None, None),
        (PLAIN.replace(b"d1", b""), HEADERS, Kind.DEVICE_ID_INVALID, "Sync", Version.V16_1),
        (PLAIN.replace(b"d1", b"a%20b"), HEADERS, Kind.DEVICE_ID_INVALID, "Sync", Version.V16_1),
        (PLAIN.replace(b"d1", b"%C3%A4"), HEADERS, Kind.DEVICE_ID_INVALID, "Sync", Version.V16_1),
        (PLAIN.replace(b"d1", b"x" * 65), HEADERS, Kind.DEVICE_ID_INVALID, "Sync", Version.V16_1),
        (packed(device=b""), {}, Kind.DEVICE_ID_INVALID, "Sync", Version.V16_1),
        (packed(device=bytes(33)), {}, Kind.DEVICE_ID_INVALID, "Sync", Version.V16_1),
        (PLAIN.replace(b"iPhone", b""), HEADERS, Kind.DEVICE_TYPE_INVALID, "Sync", Version.V16_1),
        (PLAIN.replace(b"iPhone", b"%00"), HEADERS, Kind.DEVICE_TYPE_INVALID, "Sync", Version.V16_1),
        (packed(kind=b""), {}, Kind.DEVICE_TYPE_INVALID, "Sync", Version.V16_1),
        (PLAIN, {}, Kind.VERSION_NOT_SUPPORTED, "Sync", None),
        (PLAIN, {"ms-asprotocolversion": "1.0"}, Kind.VERSION_TOO_OLD, "Sync", None),
        (PLAIN, {"ms-asprotocolversion": "2.0"}, Kind.VERSION_NOT_SUPPORTED, "Sync", None),
        (packed(version=26), {}, Kind.VERSION_NOT_SUPPORTED, "Sync", None),
        (PLAIN.replace(b"Sync", b"Autodiscover"), HEADERS, Kind.COMMAND_NOT_SUPPORTED, None, Version.V16_1),
        (packed(code=200), {}, Kind.COMMAND_NOT_SUPPORTED, None, Version.V16_1),
    ],
)  # fmt: skip
def test_refusals(
    query: bytes, headers: Mapping[str, str], kind: Kind, command: str | None, version: Version | None
) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(query, headers)
    assert (refused.value.kind, refused.value.command, refused.value.version) == (kind, command, version)


@given(
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(["ms-asprotocolversion", "x-ms-policykey", "content-type", "accept-encoding"]),
        st.text(max_size=20),
    ),
)
@example(b"Cmd=%", {})
@example(b"%3D", {})
@example(b"\xff" * 40, {})
def test_any_bytes_give_a_request_or_a_refusal(query: bytes, headers: dict[str, str]) -> None:
    try:
        request = parse(query, headers)
    except BadRequest:
        return
    assert 0 < len(request.device_id) <= MAX_DEVICE_ID


@given(
    version=st.sampled_from(list(Version)),
    code=st.sampled_from(sorted(COMMAND_CODES)),
    device=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64),
    key=st.one_of(st.none(), st.integers(0, 0xFFFFFFFF)),
    save=st.booleans(),
)
def test_both_forms_say_the_same(
    version: Version, code: int, device: str, key: int | None, save: bool
) -> None:
    packed_key = b"" if key is None else key.to_bytes(4, "little")
    from_packed = parse(
        packed(
            version=version,
            code=code,
            device=device.encode(),
            key=packed_key,
            parameters=parameter(7, bytes([save])),
        ),
        {},
    )
    quoted = "".join(f"%{ord(character):02X}" for character in device)
    headers = {"ms-asprotocolversion": str(version)} | ({} if key is None else {"x-ms-policykey": str(key)})
    query = f"Cmd={COMMAND_CODES[code]}&DeviceId={quoted}&DeviceType=iPhone&SaveInSent={'T' if save else 'F'}"
    from_plain = parse(query.encode(), headers)
    assert from_plain.command == from_packed.command
    assert from_plain.version is from_packed.version
    assert from_plain.device_id == from_packed.device_id
    assert (from_plain.policy_key, from_plain.save_in_sent) == (
        from_packed.policy_key,
        from_packed.save_in_sent,
    )
