"""Kinds of values the configuration may have, each of which says what is allowed where another is given."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import quote
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, ValidationInfo

from gateway.groups import matches
from gateway.policies import read_policy

LDAP_PROPERTIES = (
    "address", "name", "alias", "first_name", "last_name", "title", "office", "company", "phone",
    "home_phone", "mobile_phone", "photo", "certificate", "member", "member_uid",
)  # fmt: skip
"""What LDAP attributes can be named for."""

VERSIONS = ("2.5", "12.0", "12.1", "14.0", "14.1", "16.0", "16.1")
"""Of the protocol, which devices may speak."""

TOKEN_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519"),
)
"""Signatures of tokens that nobody can make who only knows the public key."""


def _traces_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
        raise ValueError("allowed is a URL, as http://localhost:4318/v1/traces")
    return value


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


def _domain(value: str) -> str:
    if not value or any(one.isspace() or one in "@\\" for one in value):
        raise ValueError("allowed are domains, as example.com or CORP")
    return value.lower()


def _template(value: str) -> str:
    if set(re.findall(r"\{[^{}]*\}?|\}", value)) - {"{user}", "{local}", "{domain}"}:
        raise ValueError("allowed in braces are {user}, {local} and {domain}")
    return value


def _public_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^/?#\s]+/?", value):
        raise ValueError("allowed is a URL without path, as https://sync.example.com")
    return value.rstrip("/")


def _provider_url(value: str) -> str:
    local = re.match(r"http://(localhost|127\.[0-9.]+|\[::1\])[:/]", f"{value}/")
    if not re.fullmatch(r"https?://[^/?#@\s]+[^?#\s]*", value) or (value.startswith("http:") and not local):
        raise ValueError("allowed is a URL that begins with https://")
    return value


def _algorithm(value: str) -> str:
    if value not in TOKEN_ALGORITHMS:
        raise ValueError(f"allowed are {', '.join(TOKEN_ALGORITHMS)}")
    return value


def _header(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", value):
        raise ValueError("allowed is the name of a header, as X-SSL-Client-Cert")
    return value.lower()


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
        if not re.fullmatch(r"postgres(ql)?://[^/?#\s]*/[^/?#\s]+(\?\S*)?", value):
            raise ValueError("allowed is postgresql://user:password@host/database")
        return value
    if scheme != "sqlite" or not value[len("sqlite:") :].strip("/"):
        raise ValueError(
            "allowed are sqlite:///path/to/gateway.db and postgresql://user:password@host/database"
        )
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


def _user_filter(value: str) -> str:
    if value and not re.search(r"\{(user|local)\}", _template(value)):
        raise ValueError("allowed is a filter with {user} or {local}, as (uid={local})")
    return _filter(value)


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


def _version(value: str) -> str:
    if value and not any(matches(one, value) for one in VERSIONS):
        raise ValueError(f"allowed are {', '.join(VERSIONS)}, in which * stands for any text")
    return value


def _policy(values: dict[str, Any]) -> dict[str, Any]:
    read_policy("", values)
    return values


def _traced(value: str) -> str:
    if not value.partition("/")[0]:
        raise ValueError('allowed are "user" and "user/deviceid"')
    return value


def words(value: object) -> object:
    """Split the text of an environment variable; a list of the file stays what it is."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


Host: TypeAlias = Annotated[str, Field(min_length=1)]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86400)]
Domain: TypeAlias = Annotated[str, AfterValidator(_domain)]
TracesUrl: TypeAlias = Annotated[str, AfterValidator(_traces_url)]
Template: TypeAlias = Annotated[str, AfterValidator(_template)]
File: TypeAlias = Annotated[Path, AfterValidator(_path)]
Listen: TypeAlias = Annotated[str, AfterValidator(_listen)]
PublicUrl: TypeAlias = Annotated[str, AfterValidator(_public_url)]
Network: TypeAlias = Annotated[str, AfterValidator(_network)]
StoreUrl: TypeAlias = Annotated[str, AfterValidator(_store_url)]
Traced: TypeAlias = Annotated[str, AfterValidator(_traced)]
TimeZone: TypeAlias = Annotated[str, AfterValidator(_time_zone)]
Reachable: TypeAlias = Annotated[str, AfterValidator(_reachable)]
Moved: TypeAlias = Annotated[str, AfterValidator(_moved)]
ProviderUrl: TypeAlias = Annotated[str, AfterValidator(_provider_url)]
TokenAlgorithm: TypeAlias = Annotated[str, AfterValidator(_algorithm)]
HeaderName: TypeAlias = Annotated[str, AfterValidator(_header)]
Owned: TypeAlias = Annotated[str, AfterValidator(_owned)]
LdapUrl: TypeAlias = Annotated[str, AfterValidator(_ldap_url)]
Filter: TypeAlias = Annotated[str, AfterValidator(_filter)]
UserFilter: TypeAlias = Annotated[str, AfterValidator(_user_filter)]
Attribute: TypeAlias = Annotated[str, AfterValidator(_attribute)]
Name: TypeAlias = Annotated[str, Field(min_length=1)]
VersionPattern: TypeAlias = Annotated[str, AfterValidator(_version)]
PolicyTable: TypeAlias = Annotated[dict[str, Any], AfterValidator(_policy)]
