"""Who wants to know of changes in the store, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from gateway.ports import Unsubscribe
from gateway.types import CollectionId, UserId

__all__ = ["Told", "Watchers"]

Told = Mapping[CollectionId, Iterable[UserId]]
"""Which folders changed, each with those who see it; "" is the list of folders."""


class Watchers:
    """The calls to make when something changes. A user without a watch costs nothing."""

    def __init__(self) -> None:
        self._calls: dict[UserId, dict[object, Callable[[CollectionId], None]]] = {}

    def watch(self, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        """Call `notify` with each folder of the user that changes, until the returned function is called."""
        watch = object()
        self._calls.setdefault(user, {})[watch] = notify

        def unsubscribe() -> None:
            calls = self._calls.get(user, {})
            calls.pop(watch, None)
            if not calls:
                self._calls.pop(user, None)

        return unsubscribe

    def users(self) -> tuple[UserId, ...]:
        """Those who have a watch."""
        return tuple(self._calls)

    def tell_all(self) -> None:
        """Have everybody look for himself, since it is not known what changed."""
        self.tell({CollectionId(""): self.users()})

    def tell(self, changes: Told) -> None:
        """Make the calls for some changes. A call may end watches."""
        for folder, users in changes.items():
            for user in users:
                for notify in tuple(self._calls.get(user, {}).values()):
                    notify(folder)
