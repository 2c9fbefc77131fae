"""People out of a file that an administrator writes, in TOML or CSV."""

from gateway.upstream.directoryfile.directory import FileDirectory

__all__ = ["FileDirectory"]
