"""What the user of a wiped device is told."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email.policy import SMTPUTF8

import pytest

from gateway.eas.wiping import notice
from gateway.mail.imip import message_id, write
from gateway.types import Control, Device, DeviceId, UserId, Wipe, WipeStage

ASKED, NOW = datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)


def wiped(wipe: Wipe, name: str = "Jo's phone") -> Device:
    control = Control(None, wipe, WipeStage.TOLD, ASKED)
    return Device(UserId("jo"), DeviceId("D1"), "iPhone", information={"FriendlyName": name}, control=control)


@pytest.mark.parametrize("address", ["jo@example.com", "jö@bücher.example", "jo", "jo@\ufffe"])
@pytest.mark.parametrize("name", ["Jo's phone", "Jö\r\nBcc: eve@example.com", "\x1b\ud800"])
def test_the_notice_can_be_written_whatever_the_names(address: str, name: str) -> None:
    """Otherwise the wipe would never be noted as done."""
    mail = notice(wiped(Wipe.DEVICE, name), address, NOW)
    written = email.message_from_bytes(write(mail), policy=SMTPUTF8)
    assert written["Bcc"] is None
    assert written["Message-ID"] == message_id(address, mail.name)
    assert written["Message-ID"].isascii()
    text = written.get_content()
    assert "2026-03-01 08:00 UTC" in text
    assert "Id: D1" in text.splitlines()


def test_one_wipe_is_one_notice() -> None:
    whole, account = (notice(wiped(wipe), "jo@example.com", NOW) for wipe in Wipe)
    assert whole.subject == "All data on your device was deleted"
    assert account.subject == "The account on your device was deleted"
    later = notice(wiped(Wipe.DEVICE), "jo@example.com", NOW.replace(hour=1))
    assert later.name == whole.name
    again = wiped(Wipe.DEVICE).replace(control=Control(None, Wipe.DEVICE, WipeStage.TOLD, NOW))
    assert notice(again, "jo@example.com", NOW).name != whole.name
