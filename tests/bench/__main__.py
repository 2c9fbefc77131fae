"""Measures the gateway on this machine: `python -m tests.bench [--quick] [--only NAME ...] [--json FILE]`.

It starts a Dovecot with sample mail, an SMTP server and the gateway, and plays the phones; the table sets
each figure beside its target. `--list` shows the names, `--mail FOLDER` keeps the mail from run to run.
"""

from __future__ import annotations

import sys

from tests.bench.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
