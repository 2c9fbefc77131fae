"""Writes the configuration of a private Dovecot, in the syntax of 2.3 or of 2.4."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.support.tls import Certificate

PASSWORD = "pw"
MASTER, MASTER_PASSWORD = "boss", "master-pw"

SPECIAL_USE = {
    "Drafts": "\\Drafts",
    "Sent": "\\Sent",
    "Trash": "\\Trash",
    "Junk": "\\Junk",
    "Archive": "\\Archive",
}


@dataclass(frozen=True, slots=True)
class Options:
    """How a Dovecot differs from the others.

    `profile` "bare" announces IMAP4rev1 only, so that a client may use no extension (the server would still
    know them). `storage` keeps each mailbox in a folder `filed_by` its name: then who has a mailbox selected
    that was deleted may spoil the next of that name for everybody, by SERVERBUG, and sdbox loses mail. An id
    is given to no other; but NOTIFY does not tell of a new name. With `very_dirty` the folders of a Maildir
    are read only when they must be (`maildir_very_dirty_syncs`). `prefix` is that of the personal namespace,
    with its separator: "INBOX.". `processes` is how many connections it serves at once. `messages` is how
    many messages a user may have, 0 for as many as he likes; `read_only` is a mailbox that may be read and
    not changed. `connections` is how many a user may have from one address, 0 for as many as he likes. With
    `sieve` it filters what `dovecot-lda` delivers, speaks ManageSieve (without the extensions in `no_sieve`),
    and sends replies by SMTP to the port `replies`. With `master` the user MASTER may log in as everybody,
    told by SASL or as "anna*boss". Tokens of `issuer` are taken, signed with keys in the folder `keys`.
    """

    profile: Literal["full", "bare"] = "full"
    storage: Literal["sdbox", "maildir"] = "sdbox"
    filed_by: Literal["name", "id"] = "name"
    very_dirty: bool = False
    separator: str = "/"
    prefix: str = ""
    processes: int = 1024
    messages: int = 0
    read_only: str = ""
    connections: int = 0
    sieve: bool = False
    no_sieve: tuple[str, ...] = ()
    replies: int = 0
    master: bool = False
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one instance lives: its folder, its ports, its certificate."""

    folder: Path
    imap_port: int
    imaps_port: int
    sieve_port: int
    certificate: Certificate

    @property
    def log(self) -> Path:
        return self.folder / "dovecot.log"

    @property
    def keys(self) -> Path:
        """Where the public keys are that tokens may be signed with."""
        return self.folder / "keys"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"


def mail_owner() -> tuple[int, int]:
    """The uid and gid that own the mail: our own, but never root, which Dovecot refuses."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def render(version: tuple[int, int], options: Options, place: Place) -> str:
    """Returns the text of dovecot.conf for a Dovecot of `version` (2, 3) or (2, 4) and newer."""
    parts = [
        _head_24(place) if version >= (2, 4) else "",
        _common(options, place),
        _modern(options, place) if version >= (2, 4) else _classic(options, place),
        _namespace(options),
        _limits(version, options, place),
        _services(version, options, place),
        _sieve(version, options, place) if options.sieve else "",
        "" if os.geteuid() == 0 else _unprivileged(options),
    ]
    return "\n".join(part for part in parts if part)


def _head_24(place: Place) -> str:
    # These two must come first. The oldest 2.4 is enough for what is used here.
    return f"""\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
mail_home = {place.mail}/%{{user}}
"""


def _common(options: Options, place: Place) -> str:
    uid, gid = mail_owner()
    return f"""\
base_dir = {place.folder}/run
state_dir = {place.folder}/state
log_path = {place.log}
listen = 127.0.0.1
ssl = yes
auth_mechanisms = plain login{" xoauth2 oauthbearer" if options.issuer else ""}
auth_master_user_separator = *
auth_failure_delay = 0
first_valid_uid = 1
mail_uid = {uid}
mail_gid = {gid}
mail_max_userip_connections = {options.connections}
mail_fsync = never
# NOTIFY needs the list index. Polling helps out where the kernel's watches run short.
mailbox_list_index = yes
mailbox_idle_check_interval = 1 s
{"maildir_very_dirty_syncs = yes" if options.very_dirty else ""}
"""


def _classic(options: Options, place: Place) -> str:
    uid, gid = mail_owner()
    bare = "imap_capability = IMAP4rev1\n" if options.profile == "bare" else ""
    return f"""\
protocols = imap{" sieve" if options.sieve else ""}
disable_plaintext_auth = no
ssl_cert = <{place.certificate.certificate}
ssl_key = <{place.certificate.key}
mail_location = {options.storage}:~/mail{":LAYOUT=index" if options.filed_by == "id" else ""}
{_others(options, place)}passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={place.mail}/%u
}}
{bare}"""


def _others(options: Options, place: Place) -> str:
    """The passdbs of those who log in without a user's password, in the syntax of 2.3."""
    found = ""
    if options.master:
        users = place.folder / "masters"
        users.write_text(f"{MASTER}:{{PLAIN}}{MASTER_PASSWORD}\n")
        users.chmod(0o644)
        found += f"passdb {{\n  driver = passwd-file\n  master = yes\n  args = {users}\n}}\n"
    if options.issuer:
        tokens = place.folder / "tokens"
        tokens.write_text(
            f"introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={place.keys}/\n"
            f"username_attribute = email\nusername_format = %n\nissuers = {options.issuer}\n"
        )
        tokens.chmod(0o644)
        found += f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {tokens}\n}}\n"
    return found


def _others_24(options: Options, place: Place) -> str:
    """The same in the syntax of 2.4."""
    found = ""
    if options.master:
        users = place.folder / "masters"
        users.write_text(f"{MASTER}:{{PLAIN}}{MASTER_PASSWORD}\n")
        users.chmod(0o644)
        found += f"passdb passwd-file {{\n  master = yes\n  passwd_file_path = {users}\n}}\n"
    if options.issuer:
        found += (
            f"oauth2 {{\n  introspection_mode = local\n  username_attribute = email\n"
            f"  username_validation_format = %{{user | username}}\n  issuers = {options.issuer}\n"
            f"}}\noauth2_local_validation {{\n  dict fs {{\n    fs posix {{\n"
            f"      prefix = {place.keys}/\n    }}\n  }}\n}}\n"
        )
    return found


def _modern(options: Options, place: Place) -> str:
    uid, gid = mail_owner()
    bare = "imap_capability = IMAP4rev1\n" if options.profile == "bare" else ""
    return f"""\
protocols {{
  imap = yes{chr(10) + "  sieve = yes" if options.sieve else ""}
}}
auth_allow_cleartext = yes
ssl_server_cert_file = {place.certificate.certificate}
ssl_server_key_file = {place.certificate.key}
mail_driver = {options.storage}
mail_path = ~/mail
{"mailbox_list_layout = index" if options.filed_by == "id" else ""}
{_others_24(options, place)}passdb static {{
  password = {PASSWORD}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {place.mail}/%{{user}}
  }}
}}
{bare}"""


def _namespace(options: Options) -> str:
    mailboxes = "".join(
        f"  mailbox {name} {{\n    special_use = {flag}\n    auto = subscribe\n  }}\n"
        for name, flag in SPECIAL_USE.items()
    )
    prefix = f"  prefix = {options.prefix}\n" if options.prefix else ""
    return f"namespace inbox {{\n  inbox = yes\n  separator = {options.separator}\n{prefix}{mailboxes}}}\n"


def _limits(version: tuple[int, int], options: Options, place: Place) -> str:
    """The quota of every user, and who may change what."""
    rules = place.folder / "acl"
    if options.read_only:
        rules.write_text(f"{options.read_only} owner lrs\n")
        rules.chmod(0o644)
    modern = version >= (2, 4)
    plugins, values = [], []
    if options.messages:
        plugins.append("quota")
        values += (
            [f"quota user {{\n  message_count = {options.messages}\n}}"]
            if modern
            else [
                "quota = count:User quota",
                "quota_vsizes = yes",
                f"quota_rule = *:messages={options.messages}",
            ]
        )
    if options.read_only:
        plugins.append("acl")
        values += ["acl_driver = vfile", f"acl_global_path = {rules}"] if modern else [f"acl = vfile:{rules}"]
    if not plugins:
        return ""
    if modern:
        loaded = "".join(f"  {name} = yes\n" for name in plugins)
        return f"mail_plugins {{\n{loaded}}}\n" + "\n".join(values) + "\n"
    settings = "".join(f"  {value}\n" for value in values)
    return f"mail_plugins = {' '.join(plugins)}\nplugin {{\n{settings}}}\n"


def _services(version: tuple[int, int], options: Options, place: Place) -> str:
    # One long-lived login process starts faster than one for each connection.
    long_lived = "restart_request_count = unlimited" if version >= (2, 4) else "service_count = 0"
    # Each process of a connection is a client of several services.
    return f"""\
default_client_limit = {max(1000, 4 * options.processes)}
service imap-login {{
  {long_lived}
  process_min_avail = 1
  inet_listener imap {{
    port = {place.imap_port}
  }}
  inet_listener imaps {{
    port = {place.imaps_port}
    ssl = yes
  }}
}}
service imap {{
  process_limit = {options.processes}
}}
# Without this one wrong password slows down every later login from the same address.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


def _sieve(version: tuple[int, int], options: Options, place: Place) -> str:
    """Filters at delivery (Pigeonhole), and ManageSieve."""
    without = " ".join(f"-{name}" for name in options.no_sieve)
    modern = version >= (2, 4)
    if modern:
        filters = f"""\
protocol lda {{
  mail_plugins {{
    sieve = yes
  }}
}}
sieve_script personal {{
  driver = file
  path = ~/sieve
  active_path = ~/.dovecot.sieve
}}
{"".join(f"sieve_extensions {{{chr(10)}  {name} = no{chr(10)}}}{chr(10)}" for name in options.no_sieve)}"""
    else:
        filters = f"""\
protocol lda {{
  mail_plugins = $mail_plugins sieve
}}
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
{f"  sieve_extensions = {without}" if without else ""}
}}
"""
    return f"""\
postmaster_address = postmaster@example.test
submission_host = 127.0.0.1:{options.replies}
service managesieve-login {{
  {"restart_request_count = unlimited" if modern else "service_count = 0"}
  inet_listener sieve {{
    port = {place.sieve_port}
  }}
}}
{filters}"""


def _unprivileged(options: Options) -> str:
    user = pwd.getpwuid(os.geteuid()).pw_name
    group = grp.getgrgid(os.getegid()).gr_name
    names = ("anvil", "imap-login", "stats", *(("managesieve-login",) if options.sieve else ()))
    services = "".join(f"service {name} {{\n  chroot =\n}}\n" for name in names)
    return f"""\
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
{services}"""
