"""The policy every device gets: EASProvisionDoc (MS-ASPROV 2.2.2.28).

It restricts nothing. Values are sent all the same, so that a device drops what an earlier server demanded.
"""

from __future__ import annotations

from gateway.eas.versions import Version
from wbxml import Element, Tag, element
from wbxml.pages import Provision

_DEFAULTS: tuple[tuple[Tag, str], ...] = (
    (Provision.DevicePasswordEnabled, "0"),
    (Provision.AlphanumericDevicePasswordRequired, "0"),
    (Provision.PasswordRecoveryEnabled, "0"),
    (Provision.RequireStorageCardEncryption, "0"),
    (Provision.AttachmentsEnabled, "1"),
    (Provision.MinDevicePasswordLength, ""),
    (Provision.MaxInactivityTimeDeviceLock, ""),
    (Provision.MaxDevicePasswordFailedAttempts, ""),
    (Provision.MaxAttachmentSize, ""),
    (Provision.AllowSimpleDevicePassword, "1"),
    (Provision.DevicePasswordExpiration, ""),
    (Provision.DevicePasswordHistory, "0"),
    (Provision.AllowStorageCard, "1"),
    (Provision.AllowCamera, "1"),
    (Provision.RequireDeviceEncryption, "0"),
    (Provision.AllowUnsignedApplications, "1"),
    (Provision.AllowUnsignedInstallationPackages, "1"),
    (Provision.AllowWiFi, "1"),
    (Provision.AllowTextMessaging, "1"),
    (Provision.AllowPOPIMAPEmail, "1"),
    (Provision.AllowBluetooth, "2"),
    (Provision.AllowIrDA, "1"),
    (Provision.RequireManualSyncWhenRoaming, "0"),
    (Provision.AllowDesktopSync, "1"),
    (Provision.MaxCalendarAgeFilter, "0"),
    (Provision.AllowHTMLEmail, "1"),
    (Provision.MaxEmailAgeFilter, "0"),
    (Provision.MaxEmailBodyTruncationSize, "-1"),
    (Provision.MaxEmailHTMLBodyTruncationSize, "-1"),
    (Provision.RequireSignedSMIMEMessages, "0"),
    (Provision.RequireEncryptedSMIMEMessages, "0"),
    (Provision.AllowSMIMESoftCerts, "1"),
    (Provision.AllowBrowser, "1"),
    (Provision.AllowConsumerEmail, "1"),
    (Provision.AllowRemoteDesktop, "1"),
    (Provision.AllowInternetSharing, "1"),
)


def document(version: Version) -> Element:
    """The policy as a device of this version may see it: elements it does not know are left out."""
    known = [
        element(tag, value)
        for tag, value in _DEFAULTS
        if tag.min_version is not None and float(tag.min_version) <= version / 10
    ]
    return element(Provision.EASProvisionDoc, *known)
