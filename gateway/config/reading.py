"""The configuration read from its file and from the environment, with every fault in one line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from gateway.config.sections.settings import Settings
from gateway.errors import ConfigError

__all__ = ["CONFIG_VARIABLE", "load"]

ENVIRONMENT_PREFIX = "GATEWAY_"
CONFIG_VARIABLE = "GATEWAY_CONFIG"
"""Names the file itself, and is no key in it."""


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
    _check_logins(settings, file)
    _check_groups(settings, file)
    return settings


def _check_groups(settings: Settings, file: Path) -> None:
    """Raises ConfigError for a group that there is not, or that nobody could be asked for."""
    devices = settings.devices
    asked = [
        *((f"policies.{name}.groups", one.get("groups", ())) for name, one in settings.policies.items()),
        *((f"devices.rules.{number}.group", [one.group]) for number, one in enumerate(devices.rules)),
        ("devices.barred_groups", devices.barred_groups),
    ]
    others = [(key, one) for key, groups in asked for one in groups if one and one not in settings.groups]
    if not others:
        return
    key, group = others[0]
    if settings.ldap is None and settings.directory.file is None:
        allowed = ", ".join(settings.groups) or "none, as there is no section [groups]"
        raise ConfigError(f"{file}: {key}: unknown group {group}; allowed are {allowed}")
    if settings.ldap is not None and settings.ldap.bind == "user" and _without_password(settings):
        raise ConfigError(
            f'{file}: ldap.bind: allowed is "service" or "anonymous" where {key} names a group of directories'
            " and users log in without the mail password"
        )


def _without_password(settings: Settings) -> bool:
    """Whether users may log in so that the gateway does not have their mail password."""
    others = settings.oauth, settings.client_certificates
    return settings.passwords.enabled or any(one is not None for one in others)


def _check_logins(settings: Settings, file: Path) -> None:
    """Raises ConfigError for a login without the mail password where nothing opens the mailbox."""
    if settings.passwords.required and not settings.passwords.enabled:
        raise ConfigError(f"{file}: passwords.required: allowed is true with passwords.enabled = true alone")
    needing = {
        "passwords.enabled": settings.passwords.enabled,
        "oauth.upstream": settings.oauth is not None and settings.oauth.upstream == "master",
        "client_certificates": settings.client_certificates is not None,
    }
    for key in (key for key, needed in needing.items() if needed and settings.master is None):
        raise ConfigError(f"{file}: {key}: needs the section [master], with its login and password")


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
