"""The command line: `main` with its commands, a file for each group of them."""

from __future__ import annotations

import click

from gateway.app import RELEASE
from gateway.cli.calendars import calendars
from gateway.cli.devices import devices
from gateway.cli.exchange import export_ics, import_ics
from gateway.cli.looking import check_config, poison
from gateway.cli.serving import demo, serve

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(RELEASE, prog_name="activesync-gateway")
def main() -> None:
    """Exchange ActiveSync for phones, on top of any IMAP and SMTP server."""


for _command in (import_ics, export_ics):
    calendars.add_command(_command)
for _command in (serve, demo, check_config, devices, poison, calendars):
    main.add_command(_command)
