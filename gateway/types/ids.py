"""What users, devices, collections, items and messages are known by."""

from __future__ import annotations

from typing import NewType

from pyroaring import FrozenBitMap

UserId = NewType("UserId", str)
"""The upstream login in lower case: the identity under which everything is stored."""
DeviceId = NewType("DeviceId", str)
NO_DEVICE = DeviceId("")
"""What is of a user and of none of his devices, such as some leases, is kept under this name."""
CollectionId = NewType("CollectionId", str)
ServerId = NewType("ServerId", str)
Uids = FrozenBitMap
"""A set of IMAP UIDs (unsigned 32-bit), immutable, compressed."""
