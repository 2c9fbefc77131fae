"""Bearer tokens of an OpenID provider: the port `Tokens`."""

from gateway.upstream.oidc.settings import OidcSettings
from gateway.upstream.oidc.tokens import OidcTokens

__all__ = ["OidcSettings", "OidcTokens"]
