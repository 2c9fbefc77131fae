"""A policy as devices of version 2.5 read it: a WAP provisioning document (MS-ASPROV 2.2.2.24.2)."""

from __future__ import annotations

from gateway.policies import Policy

__all__ = ["POLICY_TYPE", "document"]

POLICY_TYPE = "MS-WAP-Provisioning-XML"

_PASSWORD_NEEDLESS, _DESKTOP_UNLOCK = 4131, 4133
"""Security policies of Windows Mobile; 1 in the first: no password, in the second: a desktop may unlock."""
_LASSD = r"HKLM\Comm\Security\Policy\LASSD"
_LENGTH = rf"{_LASSD}\LAP\lap_pw"
_LOCK = rf"{_LASSD}\AE\{{50C13377-C66D-400C-889E-C316FC4AB374}}"
_SECONDS = 60


def document(policy: Policy) -> str:
    """What there is of a policy in such a document: password, its length, when it locks and is wiped.

    One that demands nothing takes back what was demanded earlier.
    """
    values = policy.values
    needed = values.get("DevicePasswordEnabled") == "1"
    registry = ""
    if needed:
        length = values.get("MinDevicePasswordLength", "1")
        letters = "0" if values.get("AlphanumericDevicePasswordRequired") == "1" else "2"
        registry += _branch(_LENGTH, MinimumPasswordLength=str(length), PasswordComplexity=letters)
        if "MaxDevicePasswordFailedAttempts" in values:
            registry += _branch(_LASSD, DeviceWipeThreshold=str(values["MaxDevicePasswordFailedAttempts"]))
        if "MaxInactivityTimeDeviceLock" in values:
            minutes = max(1, int(str(values["MaxInactivityTimeDeviceLock"])) // _SECONDS)
            registry += _branch(_LOCK, AEFrequencyType="1", AEFrequencyValue=str(minutes))
    security = _parameter(str(_PASSWORD_NEEDLESS), "0" if needed else "1")
    security += _parameter(str(_DESKTOP_UNLOCK), "0" if needed else "1")
    tree = f'<characteristic type="SecurityPolicy">{security}</characteristic>'
    if registry:
        tree += f'<characteristic type="Registry">{registry}</characteristic>'
    return f"<wap-provisioningdoc>{tree}</wap-provisioningdoc>"


def _branch(path: str, **values: str) -> str:
    parameters = "".join(_parameter(name, value) for name, value in values.items())
    return f'<characteristic type="{path}">{parameters}</characteristic>'


def _parameter(name: str, value: str) -> str:
    return f'<parm name="{name}" value="{value}"/>'
