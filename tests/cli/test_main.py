"""The command line: what it prints, and what it ends with."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.app import RELEASE
from gateway.cli import main
from gateway.store.sqlite import SqliteState
from gateway.types import CollectionId, UserId
from tests.cli.conftest import CONFIG
from tests.support.ports import LOOPBACK


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(CONFIG)
    return path


def test_version() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.output) == (0, f"activesync-gateway, version {RELEASE}\n")


def test_check_config(file: Path) -> None:
    result = CliRunner().invoke(main, ["check-config", "--config", str(file)])
    assert (result.exit_code, result.output) == (0, f"{file}: good\n")


def test_a_mistake_in_a_file_it_names(file: Path) -> None:
    file.write_text(f"{CONFIG}\n[directory]\nfile = 'people.csv'\n")
    people = file.with_name("people.csv")
    people.write_text("address,fax\n")
    result = CliRunner().invoke(main, ["check-config", "--config", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"activesync-gateway: {people}: line 1: unknown column 'fax'; allowed")
    people.write_text("address,name,members\nall@a.example,Everybody,ann@a.example\n")
    for group, status in (("everybody", 0), ("All@a.example", 0), ("al", 2)):
        file.write_text(
            f"{CONFIG}\n[directory]\nfile = 'people.csv'\n[devices]\nbarred_groups = ['{group}']\n"
        )
        result = CliRunner().invoke(main, ["check-config", "--config", str(file)])
        assert result.exit_code == status
    assert f"{people}: has no group al, which policies or rules name; allowed are all@a" in result.stderr


def test_extras_that_are_not_installed(file: Path) -> None:
    missing = {
        "postgres": "[store]\nurl = 'postgresql://gateway@db.example/gateway'\n",
        "ldap": "[ldap]\nurl = ['ldaps://ldap.example']\nbase = 'dc=example'\nbind = 'anonymous'\n",
        "oauth": "[oauth]\nissuer = 'https://login.example'\naudience = ['mail']\n",
        "otel": "[telemetry]\nendpoint = 'http://localhost:4318/v1/traces'\n",
    }
    for extra, section in missing.items():
        text = CONFIG.partition("[store]")[0] if extra == "postgres" else CONFIG
        file.with_name(extra).write_text(f"{text}\n{section}")
        loads = CliRunner().invoke(main, ["check-config", "--config", str(file.with_name(extra))])
        assert loads.exit_code == 0, loads.output
    # A process of its own, which has not imported any of them.
    code = f"""
import sys
sys.modules |= dict.fromkeys(("asyncpg", "ldap3", "joserfc", "opentelemetry"))
from click.testing import CliRunner
from gateway.cli import main
for file in {[str(file.with_name(extra)) for extra in missing]}:
    print(CliRunner().invoke(main, ["check-config", "--config", file]).stderr, end="")
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert [line.partition(" needs ")[2] for line in told.splitlines()] == [
        f"the extra {extra}: {sys.executable} -m pip install 'activesync-gateway[{extra}]'"
        for extra in missing
    ]


def test_an_address_that_is_taken(file: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        host, port = other.getsockname()
        file.write_text(f"{CONFIG}\n[server]\nlisten = '{host}:{port}'\n")
        serve = ["-m", "gateway", "serve", "--config", str(file)]
        ended = subprocess.run([sys.executable, *serve], capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert f"cannot listen on {host}:{port}: another program does" in ended.stderr


@pytest.mark.parametrize("command", ["serve", "check-config", "devices list", "poison"])
def test_a_bad_configuration_is_one_line_and_status_2(file: Path, command: str) -> None:
    file.write_text(CONFIG.replace("host", "hots"))
    result = CliRunner().invoke(main, [*command.split(), "--config", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"activesync-gateway: {file}: unknown key imap.hots; allowed are host, ")
    assert result.stderr.count("\n") == 1


def test_the_environment_counts(file: Path) -> None:
    result = CliRunner(env={"GATEWAY_IMAP__PORT": "no"}).invoke(main, ["check-config", "--config", str(file)])
    assert result.exit_code == 2
    assert "environment variable GATEWAY_IMAP__PORT: imap.port" in result.stderr


def test_poison(file: Path, tmp_path: Path) -> None:
    async def fill() -> None:
        async with await SqliteState.open(tmp_path / "gateway.db") as state:
            await state.note_poison(UserId("jo"), CollectionId("1"), "1:7", "0.1", "no structure")

    asyncio.run(fill())
    result = CliRunner().invoke(main, ["poison", "--config", str(file)])
    assert result.exit_code == 0
    assert result.output.splitlines()[1:] == ["jo\t1\t1:7\t0.1\tno structure"]


def test_a_store_that_cannot_be_opened_is_one_line(file: Path, tmp_path: Path) -> None:
    (tmp_path / "gateway.db").mkdir()
    result = CliRunner().invoke(main, ["devices", "list", "--config", str(file)])
    assert result.exit_code == 2
    assert result.stderr.startswith("activesync-gateway: ")
    assert result.stderr.count("\n") == 1


def serving_with_files(config: Path, soft: int, hard: int) -> str:
    """What is logged by a gateway that may open so many files, until it ends for want of a free port."""
    limits = f"ulimit -Sn {soft} && ulimit -Hn {hard} && exec"
    command = f"{limits} {sys.executable} -m gateway serve --config {config}"
    ended = subprocess.run(["sh", "-c", command], check=False, capture_output=True, text=True, timeout=120)
    return ended.stderr


@pytest.mark.parametrize(("hard", "phones"), [(400, 150), (600, None)])
def test_a_low_limit_of_open_files_is_told_with_the_phones_it_allows(
    file: Path, hard: int, phones: int | None
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        file.write_text(
            CONFIG.replace("[smtp]", "max_connections = 250\n[smtp]")
            + f'[server]\nlisten = "127.0.0.1:{taken.getsockname()[1]}"\n'
        )
        log = serving_with_files(file, 200, hard)
    assert ("few files may be open" in log) == (phones is not None)
    assert f"phones={phones}" in log or phones is None


def test_serving_with_a_store_that_cannot_be_opened_fails_without_a_traceback(
    file: Path, tmp_path: Path
) -> None:
    (tmp_path / "gateway.db").mkdir()
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(file)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert ended.returncode != 0
    assert "gateway.db" in ended.stderr
    assert "Traceback" not in ended.stderr
