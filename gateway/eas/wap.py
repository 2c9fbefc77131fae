"""The policy as devices of version 2.5 read it: a WAP provisioning document (MS-ASPROV 2.2.2.28.2)."""

from __future__ import annotations

__all__ = ["DOCUMENT", "POLICY_TYPE"]

POLICY_TYPE = "MS-WAP-Provisioning-XML"

_PASSWORD_REQUIRED, _DESKTOP_UNLOCK = 4131, 4133
"""Security policies of Windows Mobile; 1 in the first: no password, in the second: a desktop may unlock."""

DOCUMENT = (
    '<wap-provisioningdoc><characteristic type="SecurityPolicy">'
    f'<parm name="{_PASSWORD_REQUIRED}" value="1"/><parm name="{_DESKTOP_UNLOCK}" value="1"/>'
    "</characteristic></wap-provisioningdoc>"
)
"""It restricts nothing, and takes back what an earlier server demanded."""
