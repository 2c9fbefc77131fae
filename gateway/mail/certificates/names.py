"""Name constraints of authorities (RFC 5280 4.2.1.10): for whom they may vouch."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cryptography import x509

from gateway.mail.certificates.effort import Effort

__all__ = ["allowed"]


def allowed(
    constraints: x509.NameConstraints, names: Iterable[x509.GeneralName], effort: Effort
) -> bool | None:
    """Whether an authority may vouch for all of these names; None where that cannot be told."""
    permitted = tuple(constraints.permitted_subtrees or ())
    excluded = tuple(constraints.excluded_subtrees or ())
    for name in names:
        effort.spend(1 + len(permitted) + len(excluded))
        kind = type(name)
        within = [one for one in permitted if type(one) is kind]
        without = [one for one in excluded if type(one) is kind]
        if not within and not without:
            continue
        covers = _COVERS.get(kind)
        if covers is None:
            return None
        if within and not any(covers(one.value, name.value) for one in within):
            return False
        if any(covers(one.value, name.value) for one in without):
            return False
    return True


def _address(subtree: str, address: str) -> bool:
    local, at, host = address.rpartition("@")
    wanted, wanted_at, wanted_host = subtree.rpartition("@")
    if wanted_at:
        return bool(at) and local == wanted and host.lower() == wanted_host.lower()
    if subtree.startswith("."):
        return host.lower().endswith(subtree.lower())
    return host.lower() == subtree.lower()


def _host(subtree: str, host: str) -> bool:
    wanted = subtree.lower().lstrip(".")
    return not wanted or host.lower() == wanted or host.lower().endswith(f".{wanted}")


def _directory(subtree: x509.Name, name: x509.Name) -> bool:
    return name.rdns[: len(subtree.rdns)] == subtree.rdns


_COVERS: dict[type[x509.GeneralName], Callable[..., bool]] = {
    x509.RFC822Name: _address,
    x509.DNSName: _host,
    x509.DirectoryName: _directory,
}
