"""Moderation: a moderator retracts somebody else's message (XEP-0425), also as asked before its version 0.3."""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element, child
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ..keeping import is_content
from ..stored_xml import stanza_from
from .effects import Effects
from .messages import publish
from .occupants import occupant_id
from .ranks import NONE, default_role
from .retraction import RETRACT, bury
from .state import RoomState

_MODERATE_0: Final = "{%s}moderate" % ns.MODERATE_0
_RETRACT_0: Final = "{%s}retract" % ns.RETRACT_0


def moderate(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Retracts a message; one that is older than the history has to be recalled first."""
    _check_moderator(room, sender)
    id, _ = _asked(iq[0])
    seq = room.archive.seq_of(id)
    if seq is None:
        raise StanzaError("item-not-found", "there is no such message")
    found = room.history.find(id)
    if found is None:
        effects.recall = seq
    else:
        conclude(room, effects, sender, iq, found.addressed(sender), now)


def conclude(room: RoomState, effects: Effects, sender: JID, iq: Element, archived: str, now: float) -> None:
    """Retracts the message that stands in the archive as `archived`: tells everybody, and leaves a tombstone."""
    _check_moderator(room, sender)
    id, reason = _asked(iq[0])
    original = stanza_from(archived) if archived else None
    if original is None:
        raise StanzaError("item-not-found", "there is no such message")
    if not is_content(original):
        raise StanzaError("not-acceptable", "nothing is said in that message")
    by, moderator = _moderator(room, sender)
    notice = E(
        "message",
        {"from": room.jid, "id": room.new_id(), "type": "groupchat"},
        E(RETRACT, {"id": id}, *_why(by, moderator, reason)),
        _fastened(id, by, reason),
    )
    publish(room, effects, notice, "", sender, now)
    bury(room, effects, id, original, notice.get("id", ""), now, *_why(by, moderator, reason))
    effects.answer(iq, sender)


def _asked(request: Element) -> tuple[str, str]:
    """The stanza-id of the message that is to be retracted, and why."""
    moderate, retract, namespace = request, RETRACT, ns.MODERATE
    if request.tag != "{%s}moderate" % ns.MODERATE:
        fastened = child(request, _MODERATE_0)
        if fastened is None:
            raise StanzaError("feature-not-implemented", "only moderation can be fastened here")
        moderate, retract, namespace = fastened, _RETRACT_0, ns.MODERATE_0
    if child(moderate, retract) is None:
        raise StanzaError("bad-request", "to moderate a message is to retract it")
    reason = child(moderate, "{%s}reason" % namespace)
    return request.get("id", ""), (reason.text or "") if reason is not None else ""


def _check_moderator(room: RoomState, sender: JID) -> None:
    """Who is not in the room may do what he might do if he entered it."""
    occupant = room.occupants.at(sender)
    role = occupant.role if occupant is not None else default_role(room.affiliation_of(sender.bare), False)
    if role != "moderator":
        raise StanzaError("forbidden", "moderation is for moderators")


def _moderator(room: RoomState, sender: JID) -> tuple[str, str]:
    """The occupant JID of who moderates, as far as he has one, and his occupant-id."""
    occupant = room.occupants.at(sender)
    nick = occupant.nick if occupant is not None else room.affiliations.get(sender.bare, NONE).nick
    return room.jid.with_resource(nick) if nick else room.jid, occupant_id(room.secret, sender.bare)


def _why(by: str, moderator: str, reason: str) -> list[Element]:
    moderated = E("{%s}moderated" % ns.MODERATE, {"by": by}, E("{%s}occupant-id" % ns.OCCUPANT_ID, {"id": moderator}))
    return [moderated, *([E("{%s}reason" % ns.RETRACT, None, reason)] if reason else [])]


def _fastened(id: str, by: str, reason: str) -> Element:
    """The same in the words of version 0.2, for clients that know no others."""
    moderated = E("{%s}moderated" % ns.MODERATE_0, {"by": by}, Element(_RETRACT_0))
    if reason:
        moderated.append(E("{%s}reason" % ns.MODERATE_0, None, reason))
    return E("{%s}apply-to" % ns.FASTEN, {"id": id}, moderated)
