"""The sections of the configuration: their keys, what each defaults to, and what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from gateway.config.values import (
    Attribute,
    Domain,
    File,
    Filter,
    HeaderName,
    Host,
    LdapUrl,
    Listen,
    Moved,
    Network,
    Owned,
    PolicyTable,
    Port,
    ProviderUrl,
    PublicUrl,
    Reachable,
    Seconds,
    StoreUrl,
    Template,
    TimeZone,
    TokenAlgorithm,
    Traced,
    TracesUrl,
    words,
)


class Section(BaseModel):
    """What all sections have in common: no key is unknown, and none changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ServerSection(Section):
    """Where phones reach the gateway."""

    listen: Listen = "127.0.0.1:8080"
    """Address and port to listen on."""
    public_url: PublicUrl | None = None
    """What phones call the server, as https://sync.example.com."""
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(words)] = (
        "127.0.0.1",
        "::1",
    )
    """Addresses and networks whose X-Forwarded-For is believed."""
    shutdown_grace: Seconds = 20
    """Seconds that requests under way may take to end once the server is told to stop."""

    @property
    def host(self) -> str:
        """The address of `listen`, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port of `listen`; 0: any."""
        return int(self.listen.rpartition(":")[2])


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
    """Connections kept for one user, however many devices he has."""
    max_connections: Annotated[int, Field(ge=1)] = 5000
    """Connections kept for all users together."""
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


class StoreSection(Section):
    """Where the gateway keeps what it must remember."""

    url: StoreUrl
    """sqlite:///path/to/gateway.db, or sqlite:name.db beside the configuration file, or
    postgresql://user:password@host/database, which several processes may share."""
    connections: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many connections to PostgreSQL a process takes at most, besides the one on which it listens."""


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


class LogSection(Section):
    """What is logged, to standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(lambda value: str(value).lower())
    ] = "info"
    """The least severity that is logged."""
    format: Literal["text", "json"] = "text"
    """Lines to read, or JSON objects to collect."""
    trace: Annotated[tuple[Traced, ...], BeforeValidator(words)] = ()
    """Users, or "user/deviceid", whose requests and replies are logged with their texts blotted out."""


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


class EasSection(Section):
    """Bounds that requests are held to."""

    heartbeat_min: Annotated[int, Field(ge=1, le=3540)] = 60
    """Fewest seconds a phone may ask the server to hold a request."""
    heartbeat_max: Annotated[int, Field(ge=1, le=3540)] = 3540
    """Most seconds a phone may ask the server to hold a request."""
    max_ping_folders: Annotated[int, Field(ge=1, le=5000)] = 1000
    """Most folders one Ping may watch."""
    max_collections: Annotated[int, Field(ge=1, le=5000)] = 1000
    """Most collections one Sync may hold."""
    max_body: Annotated[int, Field(ge=65536, le=1 << 30)] = 50 * 1024 * 1024
    """Most bytes of a request, both as sent and with its compression undone."""
    max_elements: Annotated[int, Field(ge=1000)] = 200_000
    """Most elements of a request."""
    max_depth: Annotated[int, Field(ge=16, le=1000)] = 32
    """Most elements of a request inside each other."""
    notify_all: bool = False
    """Whether changed and deleted messages end the wait of a phone too, and not new ones alone."""
    duplicate_window: Annotated[int, Field(ge=60)] = 86400
    """Seconds for which a message sent is remembered, so that it is not sent again."""
    search_seconds: Annotated[float, Field(ge=1, le=300)] = 20
    """Seconds one search may take; what was found by then is answered."""
    search_results: Annotated[int, Field(ge=100, le=10000)] = 1000
    """Most messages one search finds, the newest ones."""
    sms_mailbox: Annotated[str, Field(max_length=100)] = ""
    """Mailbox in which text messages that phones upload are kept; without a name they are refused."""
    recipients: bool = True
    """Whether the addresses a user writes to are noted, for his phones to propose (since 14.0)."""


class CalendarSection(Section):
    """Calendars and meetings."""

    invitations: Literal["tentative", "ignore"] = "tentative"
    """Whether an invitation in the INBOX becomes a tentative event at once, or one when it is answered."""
    timezone: TimeZone = "UTC"
    """Zone of the users (a name of IANA), for whole days and times that nobody said a zone of."""
    retry_days: Annotated[float, Field(gt=0, le=100)] = 5
    """Days after which an invitation that the SMTP server goes on refusing for the moment is given up."""
    free_busy: Literal["domain", "all", "none"] = "domain"
    """Which users of the gateway see when a user is busy, and not with what: those of his mail domain."""


class AutodiscoverSection(Section):
    """How phones and mail programs find the servers of an address."""

    imap: Reachable = ""
    """Where mail programs reach the IMAP server: imap.example.com:993. Left out: as the gateway does."""
    smtp: Reachable = ""
    """Where they reach the SMTP server: smtp.example.com:465. Left out: as the gateway does."""
    moved: Annotated[tuple[Moved, ...], BeforeValidator(words)] = ()
    """Domains whose users have other addresses by now, each as old.example=new.example."""


class CertificatesSection(Section):
    """Checking the certificates of signed and encrypted mail, for phones that ask for it."""

    ca_file: File | None = None
    """Certificates of the authorities to trust (PEM) instead of the system's."""
    revocation: bool = True
    """Whether the servers that certificates name are asked about revocation."""
    hosts: Annotated[tuple[Host, ...], BeforeValidator(words)] = ()
    """Names of such servers that may be asked in private networks, and at any port."""
    timeout: Annotated[float, Field(gt=0, le=20)] = 5
    """Seconds to wait for one of them."""


class DirectorySection(Section):
    """Looking up people."""

    users: Literal["domain", "all", "none"] = "domain"
    """Whom a user finds, wherever they are listed: those of his mail domain, all, or nobody."""
    min_query: Annotated[int, Field(ge=1, le=20)] = 2
    """Fewest characters that are searched for."""
    file: File | None = None
    """People and groups, in TOML or CSV."""
    address_books: Annotated[tuple[Owned, ...], BeforeValidator(words)] = ()
    """Folders of contacts in which everybody finds people: "anna@example.com/Company"."""


class LdapSection(Section):
    """People and groups in an LDAP server; without this section none is asked."""

    url: Annotated[tuple[LdapUrl, ...], BeforeValidator(words)] = Field(min_length=1, max_length=5)
    """The servers, asked in this order when one fails: "ldaps://ldap.example.com"."""
    base: Annotated[str, Field(min_length=1)]
    """The DN below which people and groups are."""
    server: Literal["openldap", "ad", "freeipa"] = "openldap"
    """What kind of server it is: which attributes it has, and how people and groups are told from others."""
    starttls: bool = True
    """Whether connections to ldap:// are secured before anything is said."""
    ca_file: File | None = None
    """Certificates of the authorities to trust (PEM) instead of the system's."""
    verify: bool = True
    """Whether the server's certificate is checked."""
    timeout: Annotated[float, Field(gt=0, le=60)] = 5
    """Seconds each server may take for one question."""
    bind: Literal["service", "user", "anonymous"] = "service"
    """Whether to log in with `bind_dn` and `password`, as the phone's user, or not at all."""
    bind_dn: str = ""
    """The DN to log in with; for users a template as "uid={local},ou=people,dc=example,dc=com"."""
    password: SecretStr = SecretStr("")
    """The password of the service account."""
    people: Filter = ""
    """Filter for people, instead of the one for the kind of server."""
    groups: Filter = ""
    """Filter for groups, likewise."""
    attributes: Annotated[tuple[Attribute, ...], BeforeValidator(words)] = ()
    """Other attributes: "phone=ipPhone", "office=roomNumber|l"."""
    size_limit: Annotated[int, Field(ge=10, le=10_000)] = 500
    """Most entries one search takes in."""
    max_connections: Annotated[int, Field(ge=1, le=100)] = 4
    """Most connections at a time; further questions wait."""

    @model_validator(mode="after")
    def _check_login(self) -> Self:
        if self.bind == "service" and not (self.bind_dn and self.password.get_secret_value()):
            raise ValueError('bind = "service" needs bind_dn and password')
        if self.bind == "user" and not re.search(r"\{(user|local)\}", self.bind_dn):
            raise ValueError('bind = "user" needs a bind_dn with {user} or {local}')
        return self


class AccessRuleSection(Section):
    """What devices may do that are alike; * stands for any text."""

    access: Literal["allow", "block", "quarantine"]
    """What they may do."""
    type: str = ""
    """Their type, as iPhone."""
    model: str = ""
    """Their model, as they tell it."""
    agent: str = ""
    """Their User-Agent."""
    user: str = ""
    """The login of their user."""
    version: str = ""
    """The protocol version they use."""


class DevicesSection(Section):
    """Which devices are let in."""

    access: Literal["allow", "block", "quarantine"] = "allow"
    """What devices may do that no rule names, and nobody decided of."""
    rules: tuple[AccessRuleSection, ...] = ()
    """Rules, of which the first that names a device counts: tables [[devices.rules]]."""
    barred: Annotated[tuple[str, ...], BeforeValidator(words)] = ()
    """Users (logins, * stands for any text) who may not synchronise at all."""
    limit: Annotated[int, Field(ge=0, le=10_000)] = 100
    """Devices a user may have at most; 0: any number."""
    notice: Annotated[str, Field(max_length=2000)] = ""
    """Text for users whose device is in quarantine: whom to ask."""
    expire_days: Annotated[int, Field(ge=0, le=36500)] = 0
    """Days after which a device is forgotten that does not come any more; 0: never."""
    audit_days: Annotated[int, Field(ge=0, le=36500)] = 730
    """Days for which it is known who decided what; 0: for ever."""


class AccountSection(Section):
    """The page on which users see their own devices and folders, and the sessions of all pages."""

    enabled: bool = True
    """Whether there is such a page, at /account."""
    idle_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    """Minutes after which who does nothing is signed out, on this page and that of administrators."""
    session_hours: Annotated[int, Field(ge=1, le=720)] = 12
    """Hours after which everybody has to sign in again."""


class AdminSection(Section):
    """The page of administrators, at /admin; without users there is none."""

    users: Annotated[tuple[str, ...], BeforeValidator(words)] = ()
    """The logins of those who may use it, with the passwords of their mail accounts."""
    networks: Annotated[tuple[Network, ...], BeforeValidator(words)] = ()
    """Addresses and networks it is served to; without any, to all."""


class BrakesSection(Section):
    """How much a device may ask before it is slowed; 0: without bound."""

    device_burst: Annotated[int, Field(ge=0)] = 30_000
    """Requests of a device at once; those refused count as ten."""
    device_per_hour: Annotated[int, Field(ge=0)] = 3_600
    """Requests it may make again in each hour, once these are used up."""
    user_burst: Annotated[int, Field(ge=0)] = 150_000
    """Requests of all devices of a user at once."""
    user_per_hour: Annotated[int, Field(ge=0)] = 18_000
    """Requests they may make again in each hour."""
    loop_turns: Annotated[int, Field(ge=0)] = 60
    """Repetitions of the same Ping or Sync, at once and to no effect, after which a device is put off."""


class TelemetrySection(Section):
    """Traces of OpenTelemetry."""

    endpoint: TracesUrl | None = None
    """Where a collector takes spans by OTLP over HTTP, as http://localhost:4318/v1/traces; without, none."""


class Settings(BaseModel):
    """The whole configuration; relative paths in it are already made absolute."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    imap: ImapSection
    smtp: SmtpSection
    store: StoreSection
    server: ServerSection = ServerSection()
    identity: IdentitySection = IdentitySection()
    sieve: SieveSection | None = None
    certificates: CertificatesSection = CertificatesSection()
    log: LogSection = LogSection()
    auth: AuthSection = AuthSection()
    master: MasterSection | None = None
    passwords: PasswordsSection = PasswordsSection()
    oauth: OauthSection | None = None
    client_certificates: ClientCertificatesSection | None = None
    eas: EasSection = EasSection()
    calendar: CalendarSection = CalendarSection()
    directory: DirectorySection = DirectorySection()
    ldap: LdapSection | None = None
    autodiscover: AutodiscoverSection = AutodiscoverSection()
    devices: DevicesSection = DevicesSection()
    brakes: BrakesSection = BrakesSection()
    account: AccountSection = AccountSection()
    admin: AdminSection = AdminSection()
    telemetry: TelemetrySection = TelemetrySection()
    groups: Mapping[str, Annotated[tuple[str, ...], BeforeValidator(words)]] = {}
    policies: Mapping[str, PolicyTable] = {}
