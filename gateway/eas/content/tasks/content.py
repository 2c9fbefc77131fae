"""The Tasks class as the commands use it: `ItemContent` of tasks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.eas.content.itembody import body_text
from gateway.eas.content.preferences import HTML, PLAIN, RTF, BodyOptions
from gateway.eas.content.readers import boolean, no_instance, without_no_dates
from gateway.eas.content.tasks.elements import (
    Absent,
    Reading,
    Showing,
    ghosted,
    kept,
    news,
    read_patch,
    shown_task,
)
from gateway.eas.content.values import refusing
from gateway.eas.versions import Version
from gateway.items import Item, ItemKind, ItemNumber
from gateway.pim.matching import Texts
from gateway.pim.properties import UNSET
from gateway.pim.tasks.document import advance, is_passed, new_task, patch_task, read_task, stored_task
from gateway.pim.tasks.model import Task, TaskPatch
from gateway.query import Place
from gateway.sync.itemoperations import AddItem, Answer, ChangeItem, DeleteItem, Given, Made
from wbxml import Element, element
from wbxml.pages import AirSync, Tasks

if TYPE_CHECKING:
    from gateway.eas.content.items import Scene
    from gateway.eas.itemoptions import ItemOptions

__all__ = ["TaskContent"]

_INCOMPLETE = 8
"""The FilterType of what is still to be done (MS-ASCMD 2.2.3.68.2)."""
_DATES = frozenset(
    {
        *(Tasks.StartDate, Tasks.UtcStartDate, Tasks.DueDate, Tasks.UtcDueDate),
        *(Tasks.DateCompleted, Tasks.ReminderTime, Tasks.OrdinalDate),
    }
)
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class TaskContent:
    """Tasks in lists."""

    kind = ItemKind.TASKS
    name = "Tasks"
    filters = frozenset({0, _INCOMPLETE})
    ghosts = True

    def body_types(self, version: Version) -> frozenset[int]:  # noqa: ARG002
        """In every version the same."""
        return frozenset({PLAIN, HTML, RTF})

    def since(self, filter_type: int, now: datetime) -> datetime | None:  # noqa: ARG002
        """Whatever has ended is completed: a window that begins behind all of it shows what is not."""
        return _NEVER if filter_type == _INCOMPLETE else None

    # --- operations --------------------------------------------------------------------------------------

    def add(self, client_id: str, digest: str, data: Element, scene: Scene) -> AddItem:
        """A new task. Raises `BadItem`."""
        data = without_no_dates(data, _DATES)
        patch = read_patch(data, _reading(None, kept, scene))
        uid = str(uuid.uuid4())

        def make(_given: Given) -> Made:
            return Made(stored_task(new_task(patch, uid, scene.now, scene.zone)))

        def merge(item: Item, _given: Given) -> Made:
            return _changed(item, data, kept, scene, "")

        return AddItem(client_id, digest, make, merge)

    def change(
        self, number: ItemNumber, instance: str, digest: str, data: Element, scene: Scene
    ) -> ChangeItem:
        """A task that is different, or done. Raises `BadItem`."""
        no_instance(instance)
        data = without_no_dates(data, _DATES)
        read_patch(data, _reading(None, kept, scene))  # what can be no task is refused whatever it changes
        uid = str(uuid.uuid4()) if boolean(data, Tasks.Complete) else ""

        def change(item: Item, given: Given) -> Made:
            return _changed(item, data, ghosted(scene.version, given.supported), scene, uid)

        return ChangeItem(number, digest, change, splits=bool(uid))

    def delete(self, number: ItemNumber, instance: str, scene: Scene) -> DeleteItem:  # noqa: ARG002
        """A task that goes. Raises `BadItem`."""
        no_instance(instance)
        return DeleteItem(number)

    # --- what devices are told ---------------------------------------------------------------------------

    def render(self, item: Item, options: ItemOptions, scene: Scene) -> Sequence[Element]:
        """The task as this device sees it."""
        return shown_task(_task_of(item, scene), Showing(scene.version, options.body))

    def stub(self, item: Item, scene: Scene) -> Sequence[Element]:
        """An explanation."""
        task = Task(item.stored.uid, subject="(This task cannot be shown)")
        return shown_task(task, Showing(scene.version, BodyOptions()))

    def texts(self, item: Item, scene: Scene) -> Texts:
        """Its subject, text and categories."""
        task = read_task(item.stored.text, scene.zone)
        return {
            Place.SUBJECT: [task.subject],
            Place.BODY: [body_text(task.body)],
            Place.ANYWHERE: task.categories,
        }

    def answered(self, answer: Answer, scene: Scene) -> Sequence[Element]:  # noqa: ARG002
        """Nothing but the ServerId."""
        return ()


def _task_of(item: Item, scene: Scene) -> Task:
    task = read_task(item.stored.text, scene.zone)
    return replace(task, modified=task.modified or item.modified)


def _reading(task: Task | None, absent: Absent, scene: Scene) -> Reading:
    return Reading(scene.version, task, absent, scene.zone)


def _changed(item: Item, data: Element, absent: Absent, scene: Scene, uid: str) -> Made:
    """What comes of a Change. Raises `Refused`.

    A device that completes a series means its next occurrence, unless it says (DeadOccur) that this is one:
    that becomes a task of its own, with this UID, and the series goes on (MS-ASTASK 2.2.2.11).
    """
    text, zone, now = item.stored.text, scene.zone, scene.now
    task = _task_of(item, scene)
    shown = element(AirSync.ApplicationData, *shown_task(task, Showing(scene.version, BodyOptions())))
    reading = _reading(task, absent, scene)
    with refusing():
        patch = news(read_patch(data, reading), read_patch(shown, reading))
    if uid and patch.completed is True and not task.completed:
        if any(is_passed(task, one) for one in (patch.start, patch.due) if isinstance(one, datetime)):
            return Made(stored_task(patch_task(text, _without_progress(patch), now, zone)))
        done = patch.completed_at if isinstance(patch.completed_at, datetime) else now
        going_on = patch_task(text, replace(patch, completed=UNSET, completed_at=UNSET), now, zone)
        advanced = advance(going_on, done, uid, now, zone)
        if advanced:
            return Made(stored_task(advanced.series), beside=stored_task(advanced.done))
    return Made(stored_task(patch_task(text, patch, now, zone)))


def _without_progress(patch: TaskPatch) -> TaskPatch:
    """A patch of a device that completes an occurrence which another completed: the series has gone on."""
    return replace(
        patch,
        start=UNSET,
        due=UNSET,
        completed=UNSET,
        completed_at=UNSET,
        reminder=UNSET,
        repetition=UNSET,
    )
