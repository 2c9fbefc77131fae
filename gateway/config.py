"""The configuration: a TOML file, each key of which may be given by an environment variable instead.

`GATEWAY_IMAP__HOST=imap.example.com` stands for `host` in section `[imap]`, and wins over the file. A list is
written with commas between its values. A variable that begins like this and names no key is an error, so that
none with a slip in its name is passed over. Raises ConfigError, whose one line names the source, the key and
what is allowed.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, get_args
from urllib.parse import quote
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from gateway.errors import ConfigError
from gateway.policies import read_policy

__all__ = [
    "AuthSection",
    "AutodiscoverSection",
    "BrakesSection",
    "CertificatesSection",
    "EasSection",
    "IdentitySection",
    "ImapSection",
    "LdapSection",
    "LogSection",
    "ServerSection",
    "Settings",
    "SieveSection",
    "SmtpSection",
    "StoreSection",
    "load",
]

ENVIRONMENT_PREFIX = "GATEWAY_"
CONFIG_VARIABLE = "GATEWAY_CONFIG"
"""Names the file itself, and is no key in it."""
LDAP_PROPERTIES = (
    "address", "name", "alias", "first_name", "last_name", "title", "office", "company", "phone",
    "home_phone", "mobile_phone", "photo", "certificate", "member", "member_uid",
)  # fmt: skip
"""What LDAP attributes can be named for."""

# --- kinds of values ---------------------------------------------------------------------------------------


def _listen(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError("allowed is host:port, as in 127.0.0.1:8080 or [::1]:8080")
    return value


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError("allowed are IP addresses and networks, as 10.0.0.0/8") from None
    return value


def _template(value: str) -> str:
    if set(re.findall(r"\{[^{}]*\}?|\}", value)) - {"{user}", "{local}", "{domain}"}:
        raise ValueError("allowed in braces are {user}, {local} and {domain}")
    return value


def _public_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^/?#\s]+/?", value):
        raise ValueError("allowed is a URL without path, as https://sync.example.com")
    return value.rstrip("/")


def _path(value: Path, info: ValidationInfo) -> Path:
    path = _folder(info) / value
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _folder(info: ValidationInfo) -> Path:
    """Return where relative paths start: the folder of the file."""
    folder: Path = (info.context or {}).get("folder", Path())
    return folder


def _store_url(value: str, info: ValidationInfo) -> str:
    scheme = value.partition(":")[0].lower()
    if scheme in {"postgresql", "postgres"}:
        raise ValueError("PostgreSQL is not supported yet; allowed is sqlite:///path/to/gateway.db")
    if scheme != "sqlite" or not value[len("sqlite:") :].strip("/"):
        raise ValueError("allowed is sqlite:///path/to/gateway.db")
    path = value[len("sqlite:") :].removeprefix("//")
    return value if path.startswith("/") else f"sqlite:{quote(str(_folder(info)))}/{path}"


def _ldap_url(value: str) -> str:
    if not re.fullmatch(r"ldaps?://(\[[0-9A-Fa-f:.]+\]|[^\s/:?#\[\]@]+)(:[0-9]{1,5})?/?", value):
        raise ValueError("allowed are URLs without path, as ldaps://ldap.example.com:636")
    return value.rstrip("/")


def _filter(value: str) -> str:
    depth = 0
    for at, letter in enumerate(value):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < (1 if at < len(value) - 1 else 0):
            depth = -1
            break
    if depth:
        raise ValueError("allowed is one filter in parentheses, as (objectClass=person)")
    return value


def _attribute(value: str) -> str:
    if not re.fullmatch(rf"({'|'.join(LDAP_PROPERTIES)})=[A-Za-z0-9.-]+(\|[A-Za-z0-9.-]+)*", value):
        raise ValueError(f'allowed is "property=attribute", with one of {", ".join(LDAP_PROPERTIES)}')
    return value


def _owned(value: str) -> str:
    if not re.fullmatch(r"[^/]+/.+", value):
        raise ValueError('allowed is "owner/folder", with the login of the owner and the name of the folder')
    return value


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("allowed is a name of the IANA time zone database: Europe/Berlin")
    return name


def _reachable(value: str) -> str:
    host, _, port = value.rpartition(":")
    if value and not (host and port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
        raise ValueError("allowed is host:port, as in imap.example.com:993")
    return value


def _moved(value: str) -> str:
    allowed = ValueError("allowed is old.example=new.example")
    if not re.fullmatch(r"[\w.-]+=[\w.-]+", value):
        raise allowed
    try:
        value.partition("=")[2].encode("idna")
    except UnicodeError:
        raise allowed from None
    return value.lower()


def _policy(values: dict[str, Any]) -> dict[str, Any]:
    read_policy("", values)
    return values


def _traced(value: str) -> str:
    if not value.partition("/")[0]:
        raise ValueError('allowed are "user" and "user/deviceid"')
    return value


def _words(value: object) -> object:
    """Split the text of an environment variable; a list of the file stays what it is."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


Host: TypeAlias = Annotated[str, Field(min_length=1)]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86400)]
Template: TypeAlias = Annotated[str, AfterValidator(_template)]
File: TypeAlias = Annotated[Path, AfterValidator(_path)]

# --- the sections ------------------------------------------------------------------------------------------


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ServerSection(_Section):
    """Where phones reach the gateway."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8080"
    """Address and port to listen on."""
    public_url: Annotated[str, AfterValidator(_public_url)] | None = None
    """What phones call the server, as https://sync.example.com."""
    trusted_proxies: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_words)
    ] = (
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


class ImapSection(_Section):
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


class SmtpSection(_Section):
    """The upstream that takes mail to be sent."""

    host: Host
    """Name or address of the SMTP server."""
    port: Port | None = None
    """Its port; 465 for tls, 587 for starttls, 25 for none, when left out."""
    security: Literal["tls", "starttls", "none"] = "starttls"
    """How the connection is protected."""
    auth: Literal["user", "none"] = "user"
    """Whether to log in there as the phone's user, or not at all."""
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


class IdentitySection(_Section):
    """Who the users are; all values are templates as `imap.login`."""

    email: Template = "{user}"
    """The user's address, when the login is not one: "{local}@example.com"."""
    name: Template = ""
    """The user's name in the From of mail he sends."""
    allow_from: Annotated[tuple[Template, ...], BeforeValidator(_words)] = ()
    """Addresses a user may send from besides his own; * stands for any text: "{local}+*@{domain}"."""


class StoreSection(_Section):
    """Where the gateway keeps what it must remember."""

    url: Annotated[str, AfterValidator(_store_url)]
    """sqlite:///path/to/gateway.db, or sqlite:name.db beside the configuration file."""


class SieveSection(_Section):
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


class LogSection(_Section):
    """What is logged, to standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(lambda value: str(value).lower())
    ] = "info"
    """The least severity that is logged."""
    format: Literal["text", "json"] = "text"
    """Lines to read, or JSON objects to collect."""
    trace: Annotated[tuple[Annotated[str, AfterValidator(_traced)], ...], BeforeValidator(_words)] = ()
    """Users, or "user/deviceid", whose requests and replies are logged with their texts blotted out."""


class AuthSection(_Section):
    """How logins are checked."""

    cache_seconds: Annotated[float, Field(ge=0, le=86400)] = 300
    """Seconds for which a password that was right is not checked again."""
    max_delay: Annotated[float, Field(ge=0, le=60)] = 10
    """Most seconds that the answer to a wrong password is put off."""


class EasSection(_Section):
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


class CalendarSection(_Section):
    """Calendars and meetings."""

    invitations: Literal["tentative", "ignore"] = "tentative"
    """Whether an invitation in the INBOX becomes a tentative event at once, or one when it is answered."""
    timezone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    """Zone of the users (a name of IANA), for whole days and times that nobody said a zone of."""
    retry_days: Annotated[float, Field(gt=0, le=100)] = 5
    """Days after which an invitation that the SMTP server goes on refusing for the moment is given up."""
    free_busy: Literal["domain", "all", "none"] = "domain"
    """Which users of the gateway see when a user is busy, and not with what: those of his mail domain."""


class AutodiscoverSection(_Section):
    """How phones and mail programs find the servers of an address."""

    imap: Annotated[str, AfterValidator(_reachable)] = ""
    """Where mail programs reach the IMAP server: imap.example.com:993. Left out: as the gateway does."""
    smtp: Annotated[str, AfterValidator(_reachable)] = ""
    """Where they reach the SMTP server: smtp.example.com:465. Left out: as the gateway does."""
    moved: Annotated[tuple[Annotated[str, AfterValidator(_moved)], ...], BeforeValidator(_words)] = ()
    """Domains whose users have other addresses by now, each as old.example=new.example."""


class CertificatesSection(_Section):
    """Checking the certificates of signed and encrypted mail, for phones that ask for it."""

    ca_file: File | None = None
    """Certificates of the authorities to trust (PEM) instead of the system's."""
    revocation: bool = True
    """Whether the servers that certificates name are asked about revocation."""
    hosts: Annotated[tuple[Host, ...], BeforeValidator(_words)] = ()
    """Names of such servers that may be asked in private networks, and at any port."""
    timeout: Annotated[float, Field(gt=0, le=20)] = 5
    """Seconds to wait for one of them."""


class DirectorySection(_Section):
    """Looking up people."""

    users: Literal["domain", "all", "none"] = "domain"
    """Whom a user finds, wherever they are listed: those of his mail domain, all, or nobody."""
    min_query: Annotated[int, Field(ge=1, le=20)] = 2
    """Fewest characters that are searched for."""
    file: File | None = None
    """People and groups, in TOML or CSV."""
    address_books: Annotated[tuple[Annotated[str, AfterValidator(_owned)], ...], BeforeValidator(_words)] = ()
    """Folders of contacts in which everybody finds people: "anna@example.com/Company"."""


class LdapSection(_Section):
    """People and groups in an LDAP server; without this section none is asked."""

    url: Annotated[tuple[Annotated[str, AfterValidator(_ldap_url)], ...], BeforeValidator(_words)] = Field(
        min_length=1, max_length=5
    )
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
    people: Annotated[str, AfterValidator(_filter)] = ""
    """Filter for people, instead of the one for the kind of server."""
    groups: Annotated[str, AfterValidator(_filter)] = ""
    """Filter for groups, likewise."""
    attributes: Annotated[
        tuple[Annotated[str, AfterValidator(_attribute)], ...], BeforeValidator(_words)
    ] = ()
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


class AccessRuleSection(_Section):
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


class DevicesSection(_Section):
    """Which devices are let in."""

    access: Literal["allow", "block", "quarantine"] = "allow"
    """What devices may do that no rule names, and nobody decided of."""
    rules: tuple[AccessRuleSection, ...] = ()
    """Rules, of which the first that names a device counts: tables [[devices.rules]]."""
    barred: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    """Users (logins, * stands for any text) who may not synchronise at all."""
    limit: Annotated[int, Field(ge=0, le=10_000)] = 100
    """Devices a user may have at most; 0: any number."""
    notice: Annotated[str, Field(max_length=2000)] = ""
    """Text for users whose device is in quarantine: whom to ask."""
    expire_days: Annotated[int, Field(ge=0, le=36500)] = 0
    """Days after which a device is forgotten that does not come any more; 0: never."""


class BrakesSection(_Section):
    """How much a device may ask before it is slowed; 0: without bound."""

    device_burst: Annotated[int, Field(ge=0)] = 30_000
    """Requests of a device at once; those refused count as ten."""
    device_per_hour: Annotated[int, Field(ge=0)] = 3_600
    """Requests it may make again in each hour, once these are used up."""
    user_burst: Annotated[int, Field(ge=0)] = 150_000
    """Requests of all devices of a user at once."""
    user_per_hour: Annotated[int, Field(ge=0)] = 18_000
    """Requests they may make again in each hour."""


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
    eas: EasSection = EasSection()
    calendar: CalendarSection = CalendarSection()
    directory: DirectorySection = DirectorySection()
    ldap: LdapSection | None = None
    autodiscover: AutodiscoverSection = AutodiscoverSection()
    devices: DevicesSection = DevicesSection()
    brakes: BrakesSection = BrakesSection()
    policies: Mapping[str, Annotated[dict[str, Any], AfterValidator(_policy)]] = {}


# --- reading it --------------------------------------------------------------------------------------------


def load(file: Path, environment: Mapping[str, str]) -> Settings:
    """Read the configuration file, and the environment over it. Raises ConfigError."""
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: is not TOML: {error}") from None
    named = _lay_over(values, environment)
    try:
        settings = Settings.model_validate(values, context={"folder": file.resolve().parent})
    except ValidationError as error:
        raise ConfigError(_explain(error, file, named)) from None
    if settings.eas.heartbeat_min > settings.eas.heartbeat_max:
        raise ConfigError(f"{file}: eas.heartbeat_min: allowed is at most eas.heartbeat_max")
    return settings


def _lay_over(values: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Put variables over the values of the file; returns which variable gave which key."""
    named: dict[tuple[str, ...], str] = {}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable == CONFIG_VARIABLE:
            continue
        if (place := _key_of(variable)) is None:
            continue
        section, key = place
        table = values.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = text
            named[section, key] = f"environment variable {variable}"
    return named


def _key_of(variable: str) -> tuple[str, str] | None:
    """Return section and key a variable stands for, or None when it is not about the configuration.

    Others use variables that begin like ours (Kubernetes does for a service of that name), so only a name
    with two underscores, or with those of a key misplaced, is meant for us. Raises ConfigError where there
    is no such key.
    """
    section, separator, key = variable.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
    if not separator:
        one = section.replace("_", "")
        meant = [
            f"{ENVIRONMENT_PREFIX}{each.upper()}__{name.upper()}"
            for each in Settings.model_fields
            for name in _keys(each)
            if f"{each}{name}".replace("_", "") == one
        ]
        if not meant:
            return None
        raise ConfigError(f"environment variable {variable}: names no key; allowed is {meant[0]}")
    location = (section, key) if section in Settings.model_fields else (section,)
    if key not in _keys(section):
        raise ConfigError(
            f"environment variable {variable}: unknown key {'.'.join(location)};"
            f" allowed are {_allowed(location)}"
        )
    return section, key


def _explain(error: ValidationError, file: Path, named: Mapping[tuple[str, ...], str]) -> str:
    """Say one fault in one line, without the value: it may be a secret."""
    faults = error.errors(include_url=False, include_input=False)
    # A misspelt key makes two faults: it is unknown, and the right one is missing.
    fault = next((each for each in faults if each["type"] == "extra_forbidden"), faults[0])
    location = tuple(str(part) for part in fault["loc"])
    source = named.get(location[:2], str(file))
    key = ".".join(location)
    match fault["type"]:
        case "extra_forbidden":
            return f"{source}: unknown key {key}; allowed are {_allowed(location)}"
        case "missing":
            return f"{source}: {key} is missing"
        case "value_error":
            return f"{source}: {key}: {fault['ctx']['error']}"
        case "model_type":
            return f"{source}: {key}: allowed is a section: [{key}] and its keys below it"
        case _:
            return f"{source}: {key}: {fault['msg']}"


def _allowed(location: tuple[str, ...]) -> str:
    if len(location) == 1:
        return f"the sections {', '.join(Settings.model_fields)}"
    return ", ".join(_keys(*location[:-1]))


def _keys(*place: str) -> tuple[str, ...]:
    """Return the keys of a section, or of a table in it (numbers are positions in lists); none elsewhere."""
    section: type[BaseModel] | None = Settings
    for name in place:
        if section is not None and not name.isdigit():
            field = section.model_fields.get(name)
            section = _section(field.annotation) if field else None
    return tuple(section.model_fields) if section else ()


def _section(annotation: object) -> type[BaseModel] | None:
    kinds = (annotation, *get_args(annotation))
    return next((one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)), None)
