"""The configurations, links and names in `deploy`, held against the gateway and against each other."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import click
import pytest

from gateway.app import check_files, is_shared
from gateway.cli import main
from gateway.config import load
from gateway.eas.commands.base import Limits
from tests.deploy.proxies import EXAMPLES

DEPLOY = EXAMPLES.parent
PAGES = sorted(DEPLOY.rglob("*.md"))
ONE_POD, SEVERAL_PODS = (
    (DEPLOY / "kubernetes" / f"activesync-gateway{kind}.yaml").read_text() for kind in ("", "-postgresql")
)


def in_manifest(manifest: str) -> str:
    """The configuration that the ConfigMap holds."""
    found = re.search(r"\n  gateway\.toml: \|\n((?:    .*\n)+)", manifest)
    assert found
    return textwrap.dedent(found[1])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param((DEPLOY / "gateway.toml").read_text(), id="debian"),
        pytest.param((DEPLOY / "container/trial/gateway.toml").read_text(), id="trial"),
        pytest.param(in_manifest(ONE_POD), id="kubernetes"),
    ],
)
def test_a_sample_configuration_is_good(text: str, tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(text)
    settings = load(file, {})
    check_files(settings)
    # Where the unit, the image and the manifest have room for it.
    assert settings.store.url == "sqlite:///var/lib/activesync-gateway/gateway.db"


def test_several_pods_share_a_database_and_are_reached_as_one_is(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(in_manifest(SEVERAL_PODS))
    secrets = dict(re.findall(r"^  (GATEWAY_\w+): (.+)$", SEVERAL_PODS, re.MULTILINE))
    settings = load(file, secrets)
    check_files(settings)
    assert is_shared(settings)
    assert in_manifest(SEVERAL_PODS).split("[store]")[0] == in_manifest(ONE_POD).split("[store]")[0]
    reached = "\napiVersion: v1\nkind: Service\n"
    assert SEVERAL_PODS.split(reached)[1] == ONE_POD.split(reached)[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DEPLOY)))
def test_the_commands_in_the_pages_exist(page: Path) -> None:
    for line in re.findall(r"(?<=activesync-gateway )[a-z][^`|#<>\n]*", page.read_text()):
        command: click.Command = main
        for word in re.findall(r"[\w-]+", line):
            if isinstance(command, click.Group) and re.fullmatch("[a-z][a-z-]*", word):
                assert word in command.commands, line
                command = command.commands[word]
            elif word.startswith("--"):
                assert word in {name for each in command.params for name in each.opts}, line


@pytest.mark.parametrize(
    ("file", "waits"),
    [
        ("nginx.conf", r"proxy_read_timeout (\d+)s;"),
        ("haproxy.cfg", r"timeout server (\d+)s"),
        ("apache.conf", r" timeout=(\d+) "),
        ("Caddyfile", r"response_header_timeout (\d+)s"),
        ("traefik-gateway.yaml", r"responseHeaderTimeout: (\d+)s"),
        ("../kubernetes/activesync-gateway.yaml", r'proxy-read-timeout: "(\d+)"'),
    ],
)
def test_proxies_wait_longer_than_phones(file: str, waits: str) -> None:
    (seconds,) = re.findall(waits, (EXAMPLES / file).read_text())
    assert int(seconds) > Limits().heartbeat_max
