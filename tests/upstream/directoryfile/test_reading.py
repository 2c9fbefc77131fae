"""What a directory file may hold, and what is said of everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.ports.directory import Entry
from gateway.upstream.directoryfile.reading import Record, read_records

ANN = Entry(
    "Ann@example.com",
    name="Ann Archer",
    alias="aa",
    first_name="Ann",
    last_name="Archer",
    title="Head",
    office="B 12",
    company="Example; Sons",
    phone="+1 555 1",
    home_phone="+1 555 2",
    mobile_phone="+1 555 3",
    others=("archer@example.com", "a@example.org"),
)
BOARD = Entry("board@example.com", name="The board", group=True)
TOML = """
[[people]]
name = "Ann Archer"
address = "Ann@example.com"
addresses = ["archer@example.com", "a@example.org"]
alias = "aa"
first_name = "Ann"
last_name = "Archer"
title = "Head"
office = "B 12"
company = "Example; Sons"
phone = "+1 555 1"
home_phone = "+1 555 2"
mobile_phone = "+1 555 3"
photo = "ann.jpg"
certificate = "ann.pem"

[[groups]]
name = "The board"
address = "board@example.com"
members = ["ANN@example.com", "ben@elsewhere.example"]
"""
HEAD = (
    "name,address,addresses,alias,first_name,last_name,title,office,company,phone,home_phone,"
    "mobile_phone,photo,certificate,members"
)
CSV = f"""{HEAD}
Ann Archer,Ann@example.com,archer@example.com a@example.org,aa,Ann,Archer,Head,B 12,"Example; Sons",\
+1 555 1,+1 555 2,+1 555 3,ann.jpg,ann.pem,

The board,board@example.com,,,,,,,,,,,,,ANN@example.com;ben@elsewhere.example
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("people.toml", TOML),
        ("people.CSV", CSV),
        ("people.csv", "\ufeff" + CSV.replace("\n", "\r\n")),
    ],
)
def test_all_there_is(tmp_path: Path, name: str, text: str) -> None:
    for named in ("ann.jpg", "ann.pem"):
        (tmp_path / named).write_bytes(b"x")
    file = tmp_path / name
    file.write_text(text, encoding="utf-8", newline="")
    assert read_records(file) == [
        Record(ANN, tmp_path / "ann.jpg", (tmp_path / "ann.pem",)),
        Record(BOARD, members=("ann@example.com", "ben@elsewhere.example")),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_in_any_order(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"Address{delimiter} NAME\nben@example.com\nann@example.com{delimiter} Ann \n")
    assert read_records(file) == [Record(Entry("ben@example.com")), Record(Entry("ann@example.com", "Ann"))]


@pytest.mark.parametrize("name", ["people.toml", "people.csv"])
def test_nobody(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("")
    assert read_records(file) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.txt", "", "allowed are files whose names end with .toml or .csv"),
        ("a.toml", "people = 1", "people: allowed are tables: [[people]] and their keys below it"),
        ("a.toml", "people = [1]", "people: allowed are tables: [[people]] and their keys below it"),
        ("a.toml", "[[persons]]", "unknown key persons; allowed are [[people]] and [[groups]]"),
        ("a.toml", "[[people]]\nname = ", "is not TOML: Invalid value (at end of document)"),
        ("a.toml", "[[people]]", "[[people]] number 1: address: allowed are mail addresses, as"),
        ("a.toml", '[[people]]\naddress = "ann"', "ann@example.com, not 'ann'"),
        (
            "a.toml",
            "[[people]]\naddress = 1",
            "allowed is a text of one line, up to 1000 characters",
        ),
        ("a.toml", '[[people]]\naddress = "a@b.c"\nname = "a\\nb"', "name: allowed is a text of one line"),
        ("a.toml", '[[people]]\naddress = "a@b.c"\nname = "a\\u0000"', "name: allowed is a text of one line"),
        ("a.toml", '[[people]]\naddress = "a@b.c"\naddresses = [1]', "allowed is a text or a list of texts"),
        ("a.toml", '[[people]]\naddress = "a@b.c"\nfax = "1"', "unknown key fax; allowed are address, name,"),
        ("a.toml", '[[groups]]\naddress = "a@b.c"\nphone = "1"', "[[groups]] number 1: unknown key phone"),
        ("a.toml", '[[people]]\naddress = "a@b.c"\nphoto = "b.jpg"', "photo: there is no file"),
        ("a.toml", '[[people]]\naddress = "a@b.c"\ncertificate = ["c"]', "certificate: there is no file"),
        (
            "a.toml",
            '[[people]]\naddress = "a@b.c"\n[[groups]]\naddress = "x@b.c"\naddresses = ["A@B.c"]',
            "[[groups]] number 1: a@b.c is in [[people]] number 1 already",
        ),
        ("a.csv", "address,fax\n", "line 1: unknown column 'fax'; allowed once each: address, name,"),
        ("a.csv", "address,address\n", "line 1: unknown column 'address'"),
        ("a.csv", "address,name\na@b.c,A,B\n", "line 2: more columns than the 2 of line 1"),
        ("a.csv", 'address,name\n\na@b.c,"A\nB"\n', "line 4: name: allowed is a text of one line"),
        ("a.csv", 'address,name\na@b.c,"A"B\n', "line 2: is not CSV"),
        ("a.csv", "name\nAnn\n", "line 2: address: allowed are mail addresses"),
        ("a.csv", "address\na@b.c\n\nA@b.c\n", "line 4: a@b.c is in line 2 already"),
        ("a.csv", "address,members\ng@b.c,ann\n", "line 2: members: allowed are mail addresses"),
        (
            "a.csv",
            "address,title,members\ng@b.c,x,a@b.c\n",
            "line 2: unknown key title; allowed are address,",
        ),
    ],
)
def test_what_is_wrong_and_where(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_records(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_records(tmp_path / "people.toml")
    file = tmp_path / "latin.csv"
    file.write_bytes(b"name\xe4")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        read_records(file)
