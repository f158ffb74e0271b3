"""What a room says to everybody on its own account (XEP-0045 §10.2.1)."""

from ...xmpp import namespaces as ns
from ...xmpp.payload import Payload
from .effects import Effects
from .state import RoomState
from .versions import spread


def configuration_changed(room: RoomState, effects: Effects, codes: tuple[int, ...]) -> None:
    """Tells all occupants by status codes how the configuration has changed."""
    statuses = "".join([f"<status code='{code}'/>" for code in codes])
    rest = (
        f" from='{room.jid.attribute}' id='{room.new_id()}' type='groupchat'>"
        f"<x xmlns='{ns.MUC_USER}'>{statuses}</x></message>"
    )
    spread(room, effects, Payload("message", rest, room.jid, "groupchat"), room.occupants.everyone)
