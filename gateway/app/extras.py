"""What tells of packages that only some settings need, and that are not here."""

from __future__ import annotations

import sys

from gateway.errors import ConfigError


def missing(extra: str, setting: str) -> ConfigError:
    """What to raise when a setting needs an extra whose packages are not here: it says what brings them.

    The name is that of what is installed already, so that pip fetches the packages of the extra alone.
    """
    return ConfigError(
        f"{setting} needs the extra {extra}: {sys.executable} -m pip install 'activesync-gateway[{extra}]'"
    )
