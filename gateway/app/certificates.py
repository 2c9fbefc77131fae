"""How certificates of mail are checked: by parts that are imported when the first one comes.

Few users ever have one, and reading them takes a library of several megabytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from gateway.app.release import SystemClock
from gateway.config import CertificatesSection
from gateway.ports.certificates import Certificates, Verdict

__all__ = ["LaterCertificates"]


class LaterCertificates:
    """See `ports.Certificates`."""

    def __init__(self, section: CertificatesSection) -> None:
        self._section = section
        self._checks: Certificates | None = None
        self._making = asyncio.Lock()

    async def verdicts(
        self, asked: Sequence[bytes], chain: Sequence[bytes], *, strict: bool
    ) -> Sequence[Verdict]:
        async with self._making:
            if self._checks is None:
                self._checks = await asyncio.to_thread(_checks, self._section)
        return await self._checks.verdicts(asked, chain, strict=strict)


def _checks(section: CertificatesSection) -> Certificates:
    from gateway.eas.certificates import CertificateChecks  # noqa: PLC0415 (see above)
    from gateway.upstream.authorities import read_authorities  # noqa: PLC0415
    from gateway.upstream.fetching import WebFetcher  # noqa: PLC0415

    fetcher = WebFetcher(private=section.hosts, timeout=section.timeout) if section.revocation else None
    return CertificateChecks(partial(read_authorities, section.ca_file), fetcher, SystemClock())
