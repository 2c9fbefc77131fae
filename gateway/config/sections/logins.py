"""How logins are checked, and which kinds there are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

from gateway.config.sections.section import Section
from gateway.config.values import (
    Domain,
    File,
    HeaderName,
    ProviderUrl,
    TokenAlgorithm,
    words,
)


class AuthSection(Section):
    """How logins are checked."""

    cache_seconds: Annotated[float, Field(ge=0, le=86400)] = 300
    """Seconds for which a password that was right is not checked again."""
    max_delay: Annotated[float, Field(ge=0, le=60)] = 10
    """Most seconds that the answer to a wrong password is put off."""


class MasterSection(Section):
    """Who may log in as every user, for logins that are not by the mail password."""

    login: Annotated[str, Field(min_length=1)]
    """The login of the master user at IMAP, SMTP (unless smtp.auth says otherwise) and ManageSieve."""
    password: Annotated[SecretStr, Field(min_length=1)]
    """Its password."""
    separator: Annotated[str, Field(max_length=10)] = ""
    """What stands between user and master where they are one login, as anna*master; else SASL says it."""


class PasswordsSection(Section):
    """App passwords: made by users for single devices, revoked alone. They need [master]."""

    enabled: bool = False
    """Whether there are app passwords."""
    required: bool = False
    """Whether phones have to log in with one; the mail password then opens the account page alone."""


class OauthSection(Section):
    """Logins by bearer tokens (JWT) of an OpenID provider; without this section there are none."""

    issuer: ProviderUrl
    """The provider, as its tokens name it: https://login.example.com/realms/mail."""
    audience: Annotated[tuple[str, ...], BeforeValidator(words)] = Field(min_length=1)
    """For whom tokens have to be made out, any of these."""
    keys: ProviderUrl | None = None
    """Where the keys are that tokens are signed with (JWKS). Left out: where its discovery says."""
    user: Annotated[str, Field(min_length=1)] = "email"
    """The claim that says who the user is; from it login and address are made as of what phones send."""
    domains: Annotated[tuple[Domain, ...], BeforeValidator(words)] = ()
    """In which domains users are, also Windows domains. Left out: any, where the login keeps the domain, else
    that of their addresses."""
    scope: Annotated[tuple[str, ...], BeforeValidator(words)] = ()
    """Scopes a token must have, all of them."""
    algorithms: Annotated[tuple[TokenAlgorithm, ...], BeforeValidator(words)] = ("RS256", "ES256")
    """How tokens may be signed."""
    leeway: Annotated[int, Field(ge=0, le=600)] = 60
    """Seconds that the clocks of provider and gateway may be apart."""
    upstream: Literal["token", "master"] = "token"
    """Whether the token itself logs in upstream (OAUTHBEARER, XOAUTH2), or the user of [master]."""
    ca_file: File | None = None
    """Certificates of the authorities to trust (PEM) instead of the system's."""
    timeout: Annotated[float, Field(gt=0, le=30)] = 5
    """Seconds to wait for the provider."""


class ClientCertificatesSection(Section):
    """Logins by certificates that a proxy checked; without this section there are none. Needs [master]."""

    verified_header: HeaderName = "x-ssl-client-verify"
    """The header in which the proxy says SUCCESS once it has checked the certificate."""
    header: HeaderName = "x-ssl-client-cert"
    """The header with the certificate (PEM, also percent-encoded, or DER in base64), or with its subject."""
    form: Literal["certificate", "subject"] = "certificate"
    """What is in it: the certificate, or its subject alone (a DN as in RFC 4514)."""
    user: Literal["email", "upn", "cn"] = "email"
    """Who the user is: the mail address or the principal name (UPN) it names, or the common name."""
    domains: Annotated[tuple[Domain, ...], BeforeValidator(words)] = ()
    """In which domains users are, also Windows domains. Left out: any, where the login keeps the domain, else
    that of their addresses."""
