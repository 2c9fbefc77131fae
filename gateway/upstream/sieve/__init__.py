"""Out-of-office replies on a ManageSieve server (RFC 5804).

A client of our own: sievelib waits without an end for a server that dribbles, takes answers of any size,
knows neither our authorities nor `verify`, believes what came before STARTTLS, misreads names sent as
literals and changes the line ends of scripts.
"""

from __future__ import annotations

from gateway.upstream.sieve.filters import SieveFilters
from gateway.upstream.sieve.settings import SieveSettings

__all__ = ["SieveFilters", "SieveSettings"]
