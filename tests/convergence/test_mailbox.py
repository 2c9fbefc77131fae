"""The second mail program: what it does is done once, or the stories would blame the gateway for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.convergence.mailbox import MailProgram
from tests.convergence.world import World


@pytest.mark.parametrize(
    "goes",
    [lambda mail: mail.rename("Alpha", "Beta"), lambda mail: mail.delete("Alpha")],
    ids=["renamed", "deleted"],
)
def test_mail_arrives_once_when_the_mailbox_looked_at_goes_away(
    world: World, goes: Callable[[MailProgram], None]
) -> None:
    user, token = world.new_user(), world.new_token("m")
    mail, other = MailProgram(world.dovecot, user), MailProgram(world.dovecot, user)
    mail.create("Alpha")
    mail.content("Alpha")
    goes(other)
    mail.deliver("INBOX", token)
    assert [message.token for message in mail.content("INBOX").values()] == [token]
    for one in (mail, other):
        one.close()
