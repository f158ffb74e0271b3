"""Commands about rooms, for which XEP-0133 has no nodes: these are ours."""

from collections.abc import Iterable
from typing import Final

from ...core.commands import Command, Done, Invocation, Stage
from ...host.extension import Host
from ...services.room_administration import RoomAdministration
from ...xmpp import namespaces as ns
from ...xmpp.dataforms import Field, Form
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from .asking import Allows

_TYPE: Final = ns.FERMATA + "admin"
_MOST: Final = 1_000  #: lines in one answer


def commands(host: Host, is_admin: Allows) -> Iterable[Command]:
    """The commands, for those who may execute them."""
    rooms = _Rooms(host.services[RoomAdministration])
    yield Command(f"{_TYPE}#list-rooms", "List the rooms", rooms.list, is_admin)
    yield Command(f"{_TYPE}#room-occupants", "List who is in a room", rooms.occupants, is_admin)
    yield Command(f"{_TYPE}#destroy-room", "Destroy a room", rooms.destroy, is_admin)


_ROOM: Final = Form("form", _TYPE, (Field("jid-single", "room", label="Room", required=True),), "Which room?")


class _Rooms:
    def __init__(self, rooms: RoomAdministration) -> None:
        self._rooms = rooms

    async def list(self, invocation: Invocation) -> Done:
        lines = [f"{each.jid} ({each.occupants})" for each in await self._rooms.rooms()]
        return _lines("rooms", lines)

    async def occupants(self, invocation: Invocation) -> Stage | Done:
        if not invocation.answers:
            return Stage(_ROOM)
        occupants = await self._rooms.occupants(_room(invocation.answers[0]))
        return _lines("occupants", [f"{each.nick}: {each.jid} ({each.role})" for each in occupants])

    async def destroy(self, invocation: Invocation) -> Stage | Done:
        """Asks which room, then once more: nothing brings it back."""
        if not invocation.answers:
            return Stage(_ROOM, is_last=False)
        room = _room(invocation.answers[0])
        if len(invocation.answers) == 1:
            present = len(await self._rooms.occupants(room))
            sure = Field.fixed(f"{room} will be gone for good, with its archive; {present} in it.")
            return Stage(Form("form", _TYPE, (sure, Field.text_single("reason", label="What those in it are told"))))
        told = await self._rooms.destroy(room, invocation.answers[1].text("reason", ""))
        return Done(f"{room} is destroyed; {told} in it")


def _lines(var: str, lines: "list[str]") -> Done:
    note = "" if len(lines) <= _MOST else f"the first {_MOST} of {len(lines)}"
    return Done(note, Form("result", _TYPE, (Field.text_multi(var, "\n".join(lines[:_MOST])),)))


def _room(form: Form) -> JID:
    rooms = form.jids("room")
    if len(rooms) != 1 or not rooms[0].local or rooms[0].resource:
        raise StanzaError("not-acceptable", "room should be the address of one room")
    return rooms[0]
