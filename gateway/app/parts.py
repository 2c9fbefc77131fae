"""What the parts need to know, of the configuration."""

from __future__ import annotations

from datetime import timedelta

from gateway.app.certificates import LaterCertificates
from gateway.config import Settings, SieveSection
from gateway.eas.admission import AccessRule, Admission
from gateway.eas.commands.base import Limits
from gateway.eas.identity import Identity
from gateway.groups import Groups
from gateway.policies import Policies, read_policy
from gateway.ports import Bus
from gateway.types import Access
from gateway.upstream.imap.settings import ImapSettings
from gateway.upstream.sieve import SieveFilters, SieveSettings
from gateway.upstream.smtp import SmtpSettings
from gateway.web.autodiscover import Servers, public, reached
from gateway.web.brakes import Brakes, Budget
from gateway.web.loops import Loops


def identity_of(settings: Settings) -> Identity:
    """How a configuration makes logins and addresses of what phones send."""
    return Identity(
        login=settings.imap.login,
        email=settings.identity.email,
        name=settings.identity.name,
        allow_from=settings.identity.allow_from,
    )


def admission_of(settings: Settings) -> Admission:
    """Who is let in by a configuration."""
    devices = settings.devices
    rules = (one.model_dump() | {"access": Access(one.access)} for one in devices.rules)
    policies = tuple(read_policy(name, values) for name, values in settings.policies.items())
    return Admission(
        policies=Policies(policies, Groups(settings.groups)),
        access=Access(devices.access),
        rules=tuple(AccessRule(**rule) for rule in rules),
        barred=devices.barred,
        barred_groups=devices.barred_groups,
        limit=devices.limit,
        notice=devices.notice,
    )


def imap_settings(settings: Settings, processes: int = 1) -> ImapSettings:
    """How the IMAP server is reached and used by one of so many processes on a machine.

    Its connections are divided among them. Each has two of a user at least: to watch his mail, and to do what
    he asks.
    """
    imap = settings.imap
    return ImapSettings(
        host=imap.host,
        port=imap.port_number,
        security=imap.security,
        ca_file=imap.ca_file,
        verify=imap.verify,
        timeout=imap.timeout,
        max_connections_per_user=_share(imap.max_connections_per_user, processes, 2),
        max_connections=_share(imap.max_connections, processes, 1),
        idle_seconds=imap.idle_seconds,
        max_mailboxes=imap.max_mailboxes,
        shared_mailboxes=imap.shared_mailboxes,
        poll_interval=imap.poll_interval,
        auth_cache_seconds=settings.auth.cache_seconds,
    )


def _share(whole: int, processes: int, least: int) -> int:
    return min(whole, max(least, whole // processes))


def smtp_settings(settings: Settings) -> SmtpSettings:
    """How the SMTP server is reached."""
    smtp = settings.smtp
    return SmtpSettings(
        host=smtp.host,
        port=smtp.port_number,
        security=smtp.security,
        auth=smtp.auth,
        login=smtp.login,
        password=smtp.password.get_secret_value(),
        ca_file=smtp.ca_file,
        verify=smtp.verify,
        timeout=smtp.timeout,
    )


def sieve_settings(sieve: SieveSection) -> SieveSettings:
    """How the ManageSieve server is reached."""
    return SieveSettings(
        host=sieve.host,
        port=sieve.port,
        security=sieve.security,
        ca_file=sieve.ca_file,
        verify=sieve.verify,
        timeout=sieve.timeout,
    )


def filters_of(settings: Settings) -> SieveFilters | None:
    """Where out-of-office is kept; None without a ManageSieve server."""
    return None if settings.sieve is None else SieveFilters(sieve_settings(settings.sieve))


def certificates_of(settings: Settings) -> LaterCertificates:
    """How certificates are checked."""
    return LaterCertificates(settings.certificates)


def brakes_of(settings: Settings, bus: Bus) -> Brakes:
    """How much devices and users may ask."""
    rates = settings.brakes
    device = Budget(rates.device_burst, rates.device_per_hour)
    user = Budget(rates.user_burst, rates.user_per_hour)
    return Brakes(device, user, Loops(rates.loop_turns, rates.loop_seconds), bus)


def servers_of(settings: Settings, identity: Identity) -> Servers:
    """What programs that set an account up are told of this server and of those behind it."""
    told, imap, smtp = settings.autodiscover, settings.imap, settings.smtp
    return Servers(
        identity=identity,
        url=settings.server.public_url,
        imap=reached(told.imap) or public(imap.host, imap.port_number, imap.security),
        smtp=reached(told.smtp) or public(smtp.host, smtp.port_number, smtp.security),
        moved=dict(pair.split("=", 1) for pair in told.moved),
    )


def limits_of(settings: Settings) -> Limits:
    """The bounds of requests and of their work."""
    values = settings.eas.model_dump(exclude={"recipients"})
    return Limits(**values | {"duplicate_window": timedelta(seconds=settings.eas.duplicate_window)})
