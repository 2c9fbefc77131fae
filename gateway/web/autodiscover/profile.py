"""A configuration profile that sets the account up on an iPhone or iPad (payload com.apple.eas.account)."""

from __future__ import annotations

import plistlib
import uuid
from urllib.parse import urlsplit

from gateway.ports.logins import SignIn

__all__ = ["profile"]


def profile(url: str, address: str, login: str, sign_in: SignIn | None = None) -> bytes:
    """The profile for an address, at the gateway with this URL; the phone asks for the password itself.

    With the pages of a provider (`sign_in`) it gets tokens there instead.

    Made again it is the same, so that it replaces the account and does not double it.
    """
    place = urlsplit(url)
    host = place.netloc
    identity = f"{'.'.join(reversed(host.partition(':')[0].split('.')))}.activesync"
    account: dict[str, object] = {
        "PayloadType": "com.apple.eas.account",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identity}.account",
        "PayloadUUID": _name(host, address, "account"),
        "PayloadDisplayName": address,
        "EmailAddress": address,
        "UserName": login,
        "Host": host,
        "SSL": place.scheme == "https",
        "MailNumberOfPastDaysToSync": 0,
    }
    if sign_in is not None and sign_in.authorization and sign_in.token:
        account |= {
            "OAuth": True,
            "OAuthSignInURL": sign_in.authorization,
            "OAuthTokenRequestURL": sign_in.token,
        }
    whole: dict[str, object] = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identity,
        "PayloadUUID": _name(host, address, "profile"),
        "PayloadDisplayName": f"Mail, calendar and contacts of {address}",
        "PayloadDescription": f"Adds an Exchange account at {host}.",
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [account],
    }
    return plistlib.dumps(whole)


def _name(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts))).upper()
