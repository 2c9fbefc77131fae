"""Items for a reply: rendered, with what cannot be shown noted for the administrator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gateway.eas.commands.base import Context
from gateway.eas.content.failures import reason_of
from gateway.eas.content.items import ItemContent, Scene
from gateway.eas.content.kinds import content_of
from gateway.eas.itemoptions import ItemOptions
from gateway.items import Item, ItemFolder, ItemNumber
from gateway.sync.background import compute
from wbxml import Element

__all__ = ["render", "scene_of"]

_FEW = 4
_SHORT = 8 * 1024
"""Items that are rendered in the event loop, and characters of text in them: more take several ms."""


@dataclass(frozen=True, slots=True)
class _Rendered:
    """An item for the wire. `poison` is None, or why `elements` are a stub."""

    elements: Sequence[Element]
    poison: str | None = None


def scene_of(context: Context, folder: ItemFolder) -> Scene:
    """Where and for whom a request does something with items."""
    principal, services, request = context.principal, context.services, context.request
    owner = principal.email if folder.owner == principal.user else services.identity.address(folder.owner)
    own = partial(services.identity.owns, owner)
    now, zone = services.clock.now(), services.zone
    return Scene(request.version, principal, folder, owner, now, own, zone, request.device_type)


async def render(
    context: Context, folder: ItemFolder, items: Sequence[Item], options: ItemOptions
) -> Mapping[ItemNumber, Sequence[Element]]:
    """The ApplicationData of items of a folder, in their order.

    An item that could only be shown as a stub is listed in the store, and logged the first time.
    """
    content, scene = content_of(folder.kind), scene_of(context, folder)
    if len(items) <= _FEW and sum(len(item.stored.text) for item in items) <= _SHORT:
        rendered = _render(content, items, options, scene)
    else:
        rendered = await compute(_render, content, items, options, scene)
    for number, one in rendered.items():
        if one.poison is not None and await context.services.state.note_poison(
            context.principal.user, folder.id, str(number), context.services.release, one.poison
        ):
            context.services.tally.stubs += 1
            context.log.warning("item shown as a stub", collection=folder.id, item=number, reason=one.poison)
    return {number: one.elements for number, one in rendered.items()}


def _render(
    content: ItemContent, items: Sequence[Item], options: ItemOptions, scene: Scene
) -> dict[ItemNumber, _Rendered]:
    return {item.number: _render_one(content, item, options, scene) for item in items}


def _render_one(content: ItemContent, item: Item, options: ItemOptions, scene: Scene) -> _Rendered:
    try:
        return _Rendered(content.render(item, options, scene))
    except Exception as error:  # noqa: BLE001 - one item must not keep back the others; the caller logs it
        return _Rendered(content.stub(item, scene), reason_of(error))
