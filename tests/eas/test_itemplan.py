"""What is asked for in a folder of items, before anything is done."""

from __future__ import annotations

import pytest

from gateway.eas.commands.sync.itemplan import plan
from gateway.eas.commands.sync.request import ClientCommand, Verb
from gateway.eas.content.kinds import content_of
from gateway.eas.versions import Version
from gateway.errors import Refused
from gateway.items import ItemKind
from gateway.sync.itemoperations import AddItem, Given
from tests.eas.content.shelf import scene
from wbxml import element
from wbxml.pages import AirSync, AirSyncBase, Calendar


def test_texts_that_are_too_long_together_are_refused_before_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each may be as long as it is; read would take the thread that computes for everybody a minute."""
    body = element(
        AirSyncBase.Body, element(AirSyncBase.Type, "2"), element(AirSyncBase.Data, "<p>a" * 20_000)
    )
    exceptions = [element(Calendar.Exception, body) for _ in range(120)]
    data = element(AirSync.ApplicationData, element(Calendar.Exceptions, *exceptions))
    content = content_of(ItemKind.CALENDAR)
    monkeypatch.setattr(type(content), "add", lambda *_: pytest.fail("it was read"))
    command = ClientCommand(Verb.ADD, "c1", data)
    (planned,) = plan([command], content, scene(content, Version.V16_1)).operations.values()
    assert isinstance(planned, AddItem)
    with pytest.raises(Refused, match="too long"):
        planned.make(Given())
