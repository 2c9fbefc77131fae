"""The command line: `main` with its commands, a file for each group of them."""

from __future__ import annotations

import click

from gateway.app import RELEASE
from gateway.cli import exchange
from gateway.cli.audit import audit
from gateway.cli.check import check
from gateway.cli.copies import backup, migrate, restore
from gateway.cli.devices import devices
from gateway.cli.explain import explain
from gateway.cli.folders import GROUPS
from gateway.cli.looking import check_config, poison, policies
from gateway.cli.passwords import passwords
from gateway.cli.serving import demo, serve
from gateway.cli.top import top
from gateway.cli.trace import trace
from gateway.cli.users import users

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(RELEASE, prog_name="activesync-gateway")
def main() -> None:
    """Exchange ActiveSync for phones, on top of any IMAP and SMTP server."""


for _command in (exchange.import_file, exchange.export_file):
    for _group in GROUPS.values():
        _group.add_command(_command)
    main.add_command(exchange.at_top(_command))
for _command in (
    *(serve, demo, check, check_config, top, backup, restore, migrate),
    *(users, devices, passwords, explain, policies, poison, audit, trace),
    *GROUPS.values(),
):
    main.add_command(_command)
