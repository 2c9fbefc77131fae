"""What people decide of devices, on whatever way they say it; each decision is noted with who made it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.eas.request import as_stored
from gateway.errors import Kind, NotFound, Refused
from gateway.ports import Act, Clock, State
from gateway.ports.audit import Wanted
from gateway.types import Access, Control, Device, DeviceId, UserId, Wipe

__all__ = ["Decisions", "find_device"]

_FIRST_WITH_ACCOUNT_WIPE = 16.1
_WIPE = "device.wipe"


async def find_device(state: State, user: UserId, device: str) -> Device:
    """The device of a user by its id, in any case of letters, be it one that never came and was decided of.

    Raises `NotFound`.
    """
    known = [*await state.list_devices(user), *await state.awaited_devices(user)]
    alike = [one for one in known if one.id.lower() == device.lower()]
    if not alike:
        raise NotFound(f"{user} has no device {device}")
    return next((one for one in alike if one.id == as_stored(device)), alike[0])


@dataclass(frozen=True, slots=True)
class Decisions:
    """What somebody may decide.

    `who` is noted with each decision: the user, or "cli:" and an account. `owner` is that user where he
    decides of his own devices alone; None is an administrator, who decides of everybody's. All raise
    `Refused` (or `NotFound`) for what may not be done, and `GatewayError`.
    """

    state: State
    clock: Clock
    who: str
    owner: UserId | None = None

    async def set_access(self, user: UserId, device: str, access: Access | None) -> Device | None:
        """Decide what a device may do, None: what the rules say; for administrators.

        Returns it, or None when it never came and nothing was decided of it: should it come, this holds.
        """
        self._for_administrators()
        try:
            known = await find_device(self.state, user, device)
        except NotFound:
            known = None
        name = known.id if known else as_stored(device)
        if not name.strip():
            raise NotFound(f"{user} has no device without an id")
        act = self._act(f"device.{access.value if access else 'undecide'}", user, name)
        await self.state.set_access(user, name, access, act)
        return known

    async def wipe(self, user: UserId, device: str, wipe: Wipe) -> None:
        """Have a device delete everything, or the account, at its next request.

        Until it has said that it did so this can be taken back; from then on it is barred. The user
        finds a message in his INBOX then. He changes no wipe that an administrator asked for.
        """
        known = await self._allowed(user, device)
        await self._check_wipe(known)
        if wipe is Wipe.ACCOUNT and float(known.version or 0) < _FIRST_WITH_ACCOUNT_WIPE:
            spoken = known.version or "?"
            raise Refused(
                Kind.ACCESS_DENIED,
                f"the device speaks version {spoken}, which cannot wipe the account alone",
            )
        act = self._act(_WIPE, user, known.id, wipe.value)
        if not await self.state.ask_wipe(user, known.id, wipe, act.at, act):
            raise Refused(Kind.ACCESS_DENIED, "the device is wiped already")

    async def unwipe(self, user: UserId, device: str) -> None:
        """Take a wipe back that is not done; a user takes back none but his own."""
        known = await self._allowed(user, device)
        await self._check_wipe(known)
        act = self._act("device.unwipe", user, known.id)
        if not await self.state.ask_wipe(user, known.id, None, act.at, act):
            raise Refused(Kind.ACCESS_DENIED, "there is no wipe to be taken back")

    async def resync(self, user: UserId, device: str) -> None:
        """Have a device synchronise everything anew."""
        known = await self._allowed(user, device)
        await self.state.forget_syncs(user, known.id, self._act("device.resync", user, known.id))

    async def remove(self, user: UserId, device: str) -> None:
        """Forget a device, and what was decided of it.

        A user removes none that was decided of: it would be allowed again. One that is wiped, an
        administrator clears so.
        """
        known = await self._allowed(user, device)
        if self.owner is not None and not _undecided(known.control):
            raise Refused(Kind.ACCESS_DENIED, "an administrator has to remove this device")
        if not await self.state.forget_device(user, known.id, self._act("device.remove", user, known.id)):
            raise NotFound(f"{user} has no device {device}")

    async def sign_out(self, user: UserId) -> None:
        """End a user's web sessions and held requests, and have each of his logins checked anew.

        For administrators, about users whose password others know, or who have left: what the mail server
        still takes is let in again.
        """
        self._for_administrators()
        await self.state.sign_out(user, self._act("user.sign-out", user, DeviceId("")))

    async def _check_wipe(self, device: Device) -> None:
        """Raise `Refused` when a user is about to change a wipe that somebody else asked for."""
        if self.owner is None or device.control.wipe is None:
            return
        last = await self.state.list_acts(Wanted(act=_WIPE, user=device.user, device=device.id), 1)
        if not last or last[0].act.who != self.who:
            raise Refused(Kind.ACCESS_DENIED, "an administrator asked for the wipe")

    async def _allowed(self, user: UserId, device: str) -> Device:
        """The device, if it may be decided of. Of devices of others a user learns nothing, not even that."""
        if self.owner is not None and self.owner != user:
            raise NotFound(f"{user} has no device {device}")
        return await find_device(self.state, user, device)

    def _for_administrators(self) -> None:
        if self.owner is not None:
            raise Refused(Kind.ACCESS_DENIED, "this is for administrators")

    def _act(self, what: str, user: UserId, device: DeviceId, details: str = "") -> Act:
        return Act(self.clock.now(), self.who, what, user, device, details)


def _undecided(control: Control) -> bool:
    return control.access is None and control.wipe is None
