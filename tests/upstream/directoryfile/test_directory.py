"""The directory file while the gateway runs: changes, mistakes, files it names, groups in groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.ports.directory import LARGEST_PICTURE, Entry, Found, Members
from gateway.upstream.directoryfile import FileDirectory, directory
from tests.ports.directory.conftest import ANYBODY

ANN, BEN = Entry("ann@example.com", "Ann"), Entry("ben@example.com", "Ben")


@pytest.fixture(autouse=True)
def _always_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "_LOOK", 0.0)


def write(file: Path, *lines: str) -> FileDirectory:
    file.write_text("\n".join(["address,name,photo,certificate,members", *lines]) + "\n")
    return FileDirectory(file)


async def test_it_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    made = write(file, "ann@example.com,Ann")
    assert await made.search(ANYBODY, "an", 0, 9) == Found((ANN,), 1)
    write(file, "ben@example.com,Ben")
    assert await made.search(ANYBODY, "an", 0, 9) == Found()
    assert await made.named(ANYBODY, "ben", 9) == Found((BEN,), 1)


async def test_a_mistake_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    made = write(file, "ann@example.com,Ann")
    file.write_text("address,nam\nben@example.com,Ben\n")
    assert await made.search(ANYBODY, "an", 0, 9) == Found((ANN,), 1)
    file.unlink()
    assert await made.search(ANYBODY, "an", 0, 9) == Found((ANN,), 1)
    write(file, "ben@example.com,Ben")
    assert await made.search(ANYBODY, "ben", 0, 9) == Found((BEN,), 1)


async def test_photos_and_certificates(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"x" * 10)
    (tmp_path / "large").write_bytes(b"x" * (LARGEST_PICTURE + 100))
    (tmp_path / "gone").write_bytes(b"x")
    made = write(
        tmp_path / "people.csv",
        "ann@example.com,Ann,small,small large",
        "ben@example.com,Ben,large",
        "carl@example.com,Carl,gone",
        "dora@example.com,Dora",
    )
    (tmp_path / "gone").unlink()
    asked = [f"{name}@example.com" for name in ("ann", "ben", "carl", "dora", "nobody")]
    pictures = await made.pictures(ANYBODY, asked)
    assert {address: len(picture) for address, picture in pictures.items()} == {
        "ann@example.com": 10,
        "ben@example.com": LARGEST_PICTURE + 1,
    }
    certificates = await made.certificates(ANYBODY, asked)
    assert [*certificates] == ["ann@example.com"]
    assert certificates["ann@example.com"][0] == b"x" * 10


async def test_groups_in_groups(tmp_path: Path) -> None:
    made = write(
        tmp_path / "people.csv",
        "ann@example.com,Ann",
        "all@example.com,Everybody,,,board@example.com all@example.com far@elsewhere.example",
        "board@example.com,Board,,,all@example.com ANN@example.com",
    )
    far = Entry("far@elsewhere.example")
    assert await made.members(ANYBODY, "all@example.com", 2) == Members((far, ANN))
    assert await made.members(ANYBODY, "board@example.com", 1) == Members((ANN,), complete=False)
    assert await made.members(ANYBODY, "ann@example.com", 9) is None
    assert await made.members(ANYBODY, "nobody@example.com", 9) is None


async def test_groups_that_somebody_is_in(tmp_path: Path) -> None:
    file = tmp_path / "people.toml"
    file.write_text("""
[[people]]
address = "ann@example.com"
addresses = ["archer@example.com"]
alias = "aa"
[[groups]]
name = "The board"
address = "board@example.com"
members = ["archer@example.com"]
[[groups]]
address = "all@example.com"
members = ["board@example.com", "all@example.com", "carl@elsewhere.example"]
[[groups]]
address = "others@example.com"
members = ["ben@example.com"]
""")
    made = FileDirectory(file)
    found = {"the board", "board@example.com", "all@example.com"}
    assert await made.groups_of(ANYBODY, {"ann@example.com"}, "") == found
    assert await made.groups_of(ANYBODY, {"x@example.com"}, "AA") == found
    assert await made.groups_of(ANYBODY, {"carl@elsewhere.example"}, "") == {"all@example.com"}
    assert await made.groups_of(ANYBODY, {"x@example.com"}, "") == frozenset()
