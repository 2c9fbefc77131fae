"""The configuration of a gateway that has all its pages."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.gateway import Section

ADMIN = "administrator"
"""Who may use the page of administrators."""

PAGES: Mapping[str, Section] = {
    "eas": {"heartbeat_min": 1},
    "admin": {"users": [ADMIN]},
    "master": {"login": "master", "password": "secret"},
    "passwords": {"enabled": True},
}
