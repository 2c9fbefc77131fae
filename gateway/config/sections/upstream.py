"""The servers behind, and who users are there."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from gateway.config.sections.section import Section
from gateway.config.values import (
    File,
    Host,
    Port,
    Seconds,
    Template,
    words,
)


class ImapSection(Section):
    """The upstream that has the mail."""

    host: Host
    """Name or address of the IMAP server."""
    port: Port | None = None
    """Its port; 993 with TLS from the start and 143 otherwise, when left out."""
    security: Literal["tls", "starttls", "none"] = "tls"
    """How the connection is protected."""
    login: Template = "{user}"
    """The login there, made of what the phone sends: {user}, {local} before the @, {domain} after it."""
    ca_file: File | None = None
    """Certificates of the authorities to trust (PEM) instead of the system's."""
    verify: bool = True
    """Whether the server's certificate is checked."""
    timeout: Seconds = 30
    """Seconds to wait for an answer."""
    max_connections_per_user: Annotated[int, Field(ge=1, le=100)] = 4
    """Connections kept for one user, however many devices he has; of several workers each has its share, and
    two at least."""
    max_connections: Annotated[int, Field(ge=1)] = 5000
    """Connections kept for all users together, by all workers of a machine."""
    idle_seconds: Seconds = 120
    """Seconds for which a connection nobody uses is kept."""
    max_mailboxes: Annotated[int, Field(ge=10)] = 10_000
    """Mailboxes shown of one user at most; beyond that his INBOX, those with a purpose and the first are."""
    shared_mailboxes: bool = False
    """Whether mailboxes of other users and public ones, as far as a user may read them, are shown too."""
    poll_interval: Seconds = 30
    """Seconds between looks at mailboxes whose changes the server does not tell."""

    @property
    def port_number(self) -> int:
        """The port to connect to."""
        return self.port or (993 if self.security == "tls" else 143)


class SmtpSection(Section):
    """The upstream that takes mail to be sent."""

    host: Host
    """Name or address of the SMTP server."""
    port: Port | None = None
    """Its port; 465 for tls, 587 for starttls, 25 for none, when left out."""
    security: Literal["tls", "starttls", "none"] = "starttls"
    """How the connection is protected."""
    auth: Literal["user", "service", "none"] = "user"
    """Whether to log in as the phone's user, as `login` for everybody, or not at all."""
    login: str = ""
    """The login that may send as every user, for auth = "service"."""
    password: SecretStr = SecretStr("")
    """Its password."""
    ca_file: File | None = None
    """Certificates of the authorities to trust (PEM) instead of the system's."""
    verify: bool = True
    """Whether the server's certificate is checked."""
    timeout: Seconds = 60
    """Seconds to wait for an answer."""

    @property
    def port_number(self) -> int:
        """The port to connect to."""
        return self.port or {"tls": 465, "starttls": 587, "none": 25}[self.security]

    @model_validator(mode="after")
    def _check_login(self) -> Self:
        if self.auth == "service" and not (self.login and self.password.get_secret_value()):
            raise ValueError('auth = "service" needs login and password')
        return self


class IdentitySection(Section):
    """Who the users are; all values are templates as `imap.login`."""

    email: Template = "{user}"
    """The user's address, when the login is not one: "{local}@example.com"."""
    name: Template = ""
    """The user's name in the From of mail he sends."""
    allow_from: Annotated[tuple[Template, ...], BeforeValidator(words)] = ()
    """Addresses a user may send from besides his own; * stands for any text: "{local}+*@{domain}"."""


class SieveSection(Section):
    """The ManageSieve server, for out-of-office replies; without this section there are none."""

    host: Host
    """Name or address of the ManageSieve server."""
    port: Port = 4190
    """Its port."""
    security: Literal["tls", "starttls", "none"] = "starttls"
    """How the connection is protected."""
    ca_file: File | None = None
    """Certificates of the authorities to trust (PEM) instead of the system's."""
    verify: bool = True
    """Whether the server's certificate is checked."""
    timeout: Annotated[float, Field(gt=0, le=300)] = 15
    """Seconds that reading or changing the replies may take as a whole."""
