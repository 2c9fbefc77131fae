"""The command line over a store of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main

Run = Callable[..., Result]
CONFIG = """
[imap]
host = "imap.example.com"
[smtp]
host = "smtp.example.com"
[store]
url = "sqlite:gateway.db"
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Calls a command, and looks at its exit status."""
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)

    def call(*args: str, status: int = 0) -> Result:
        result = CliRunner(env={"GATEWAY_CONFIG": str(config)}).invoke(main, args)
        assert result.exit_code == status, result.output
        return result

    return call
