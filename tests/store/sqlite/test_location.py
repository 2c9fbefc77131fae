"""Store URLs, and the rights of the files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.errors import ConfigError, GatewayError
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.location import create_file, parse_url


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/lib/activesync-gateway/gateway.db", "/var/lib/activesync-gateway/gateway.db"),
        ("sqlite:////var/lib/gateway.db", "/var/lib/gateway.db"),
        ("sqlite:/var/lib/gateway.db", "/var/lib/gateway.db"),
        ("sqlite://gateway.db", "gateway.db"),
        ("sqlite:gateway.db", "gateway.db"),
        ("sqlite:./data/gateway.db", "data/gateway.db"),
        ("SQLite:///srv/with%20blank.db", "/srv/with blank.db"),
    ],
)
def test_a_url_names_a_path(url: str, path: str) -> None:
    assert parse_url(url) == Path(path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/var/lib/gateway.db",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite:///var/lib/",
        "sqlite::memory:",
        "sqlite:///x.db?mode=ro",
        "sqlite:///x%00.db",
        "postgresql://host/db",
    ],
)
def test_what_names_no_file_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError, match=re.escape("sqlite:///absolute/path.db")):
        parse_url(url)


async def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deeper" / "gateway.db"
    async with await Database.open(path) as database:
        await database.write(lambda connection: connection.execute("UPDATE probe SET count = 0"))
        files = sorted(path.parent.iterdir())
        assert [file.name for file in files] == ["gateway.db", "gateway.db-shm", "gateway.db-wal"]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
        assert {folder.stat().st_mode & 0o777 for folder in (path.parent, path.parent.parent)} == {0o700}


def test_an_existing_folder_keeps_its_rights_and_a_file_open_to_all_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = tmp_path / "gateway.db"
    path.write_bytes(b"")
    path.chmod(0o644)
    create_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_place_where_nothing_can_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(
        GatewayError, match=r"cannot create the database .*gateway\.db: Not a directory; the folder"
    ):
        create_file(tmp_path / "file" / "gateway.db")
