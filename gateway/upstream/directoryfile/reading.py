"""The file read and checked: TOML with tables [[people]] and [[groups]], or CSV with columns named alike."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.errors import ConfigError
from gateway.pim.people import ENTRY_TEXTS
from gateway.ports.directory import Entry

__all__ = ["Record", "read_records"]

_LARGEST = 20 * 1024 * 1024
_LONGEST = 1000
_LISTS = ("addresses", "certificate")
_PERSON = ("address", *ENTRY_TEXTS, *_LISTS, "photo")
_GROUP = ("address", "name", "alias", "addresses", "members")
_CSV = (*_PERSON, "members")
_ADDRESS = re.compile(r"[^\s@<>,;\"\x00-\x1f]+@[^\s@<>,;\"\x00-\x1f]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BETWEEN = re.compile(r"[\s;,|]+")
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Record:
    """Somebody in the file, or a group (with its members' addresses), and where his files are."""

    entry: Entry
    photo: Path | None = None
    certificates: tuple[Path, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Raw:
    """What the file says of somebody. `place` is where, for an error."""

    place: str
    values: Mapping[str, object]
    group: bool
    allowed: tuple[str, ...]


def read_records(file: Path) -> list[Record]:
    """Everybody in the file. Raises `ConfigError` that names the file, the place and what is allowed."""
    try:
        if file.stat().st_size > _LARGEST:
            raise ConfigError(f"{file}: is larger than {_LARGEST // 1024 // 1024} MiB")
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: is not UTF-8") from None
    reader = {".toml": _toml, ".csv": _csv}.get(file.suffix.lower())
    if reader is None:
        raise ConfigError(f"{file}: allowed are files whose names end with .toml or .csv")
    records: list[Record] = []
    taken: dict[str, str] = {}
    try:
        for raw in reader(text):
            record = _record(raw, file.resolve().parent)
            records.append(record)
            for address in record.entry.addresses:
                if address in taken:
                    raise ValueError(f"{raw.place}: {address} is in {taken[address]} already")
                taken[address] = raw.place
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from None
    return records


def _toml(text: str) -> Iterator[_Raw]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not TOML: {error}") from None
    kinds = {"people": _PERSON, "groups": _GROUP}
    for name, values in tables.items():
        if name not in kinds:
            raise ValueError(f"unknown key {name}; allowed are [[people]] and [[groups]]")
        if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
            raise ValueError(f"{name}: allowed are tables: [[{name}]] and their keys below it")
        for number, value in enumerate(values, start=1):
            yield _Raw(f"[[{name}]] number {number}", value, name == "groups", kinds[name])


def _csv(text: str) -> Iterator[_Raw]:
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        for name in names:
            if name not in _CSV or names.count(name) > 1:
                raise ValueError(f"line 1: unknown column {name!r}; allowed once each: {', '.join(_CSV)}")
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            place = f"line {rows.line_num}"
            if len(row) > len(names):
                raise ValueError(f"{place}: more columns than the {len(names)} of line 1")
            values: dict[str, object] = {
                name: _split(cell) if name in (*_LISTS, "members") else cell.strip()
                for name, cell in zip(names, row, strict=False)
                if cell.strip()
            }
            group = "members" in values
            yield _Raw(place, values, group, _GROUP if group else _PERSON)
    except csv.Error as error:
        raise ValueError(f"line {rows.line_num}: is not CSV: {error}") from None


def _split(cell: str) -> list[str]:
    return [one for one in _BETWEEN.split(cell) if one]


def _record(raw: _Raw, folder: Path) -> Record:
    for key in raw.values:
        if key not in raw.allowed:
            raise ValueError(f"{raw.place}: unknown key {key}; allowed are {', '.join(raw.allowed)}")
    known = Entry(
        address=_address(raw, "address", _text(raw, "address")),
        others=tuple(_address(raw, "addresses", one) for one in _list(raw, "addresses")),
        group=raw.group,
    )
    texts: dict[str, Any] = {name: _text(raw, name) for name in ENTRY_TEXTS}
    entry = replace(known, **texts)
    photo = _text(raw, "photo")
    return Record(
        entry,
        photo=_file(raw, "photo", folder / photo) if photo else None,
        certificates=tuple(_file(raw, "certificate", folder / one) for one in _list(raw, "certificate")),
        members=tuple(_address(raw, "members", one).lower() for one in _list(raw, "members")),
    )


def _text(raw: _Raw, key: str) -> str:
    value = raw.values.get(key, "")
    if not isinstance(value, str) or len(value) > _LONGEST or _CONTROL.search(value):
        raise ValueError(f"{raw.place}: {key}: allowed is a text of one line, up to {_LONGEST} characters")
    return value.strip()


def _list(raw: _Raw, key: str) -> list[str]:
    value = raw.values.get(key, [])
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{raw.place}: {key}: allowed is a text or a list of texts")
    return value


def _address(raw: _Raw, key: str, value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError(f"{raw.place}: {key}: allowed are mail addresses, as ann@example.com, not {value!r}")
    return value


def _file(raw: _Raw, key: str, path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"{raw.place}: {key}: there is no file {path}")
    return path
