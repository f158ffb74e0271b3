"""Requests to the room itself, and between occupants (XEP-0045 §17.4, XEP-0410)."""

from collections.abc import Callable
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, namespace
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import payload_of
from ...xmpp.stanza import check_iq
from .. import archive_query
from . import admin, archive, avatar, disco, moderation, owner, push, register
from .effects import Effects
from .queries import Query
from .rename import FORMER_SECONDS
from .state import RoomState

Answerer = Callable[[RoomState, Effects, JID, Element, float], None]

_PING: Final = "{%s}ping" % ns.PING
_DISCO: Final = frozenset({ns.DISCO_INFO, ns.DISCO_ITEMS})
_LONGEST_ID: Final = 1_023
# What belongs to the account and not to one of its sessions.
_OF_THE_ACCOUNT: Final = frozenset({ns.VCARD, ns.VCARD4, ns.PUBSUB})


def _pong(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """A ping to the room itself says nothing about who is in it (XEP-0199)."""
    effects.answer(iq, sender)


_ANSWERERS: Final[dict[tuple[str, str], Answerer]] = {
    ("get", _PING): _pong,
    ("get", "{%s}query" % ns.DISCO_INFO): disco.give_info,
    ("get", "{%s}query" % ns.DISCO_ITEMS): disco.give_items,
    ("get", "{%s}query" % ns.MUC_ADMIN): admin.give_list,
    ("set", "{%s}query" % ns.MUC_ADMIN): admin.change,
    ("get", "{%s}query" % ns.MUC_OWNER): owner.give_form,
    ("set", "{%s}query" % ns.MUC_OWNER): owner.submit,
    ("get", archive_query.QUERY): archive.give_form,
    ("set", archive_query.QUERY): archive.read,
    ("get", archive_query.METADATA): archive.read,
    ("set", "{%s}moderate" % ns.MODERATE): moderation.moderate,
    ("set", "{%s}apply-to" % ns.FASTEN): moderation.moderate,
    ("get", "{%s}vCard" % ns.VCARD): avatar.give_vcard,
    ("set", "{%s}vCard" % ns.VCARD): avatar.change_vcard,
    ("get", "{%s}query" % ns.REGISTER): register.give_form,
    ("set", "{%s}query" % ns.REGISTER): register.submit,
    ("set", push.ENABLE): push.enable,
    ("set", push.DISABLE): push.disable,
}


def to_room(room: RoomState, sender: JID, iq: Element, now: float) -> Effects:
    """A request to the room, or the answer to what it has sent to who has registered for push."""
    check_iq(iq)
    effects, kind = Effects(), iq.get("type", "")
    if kind in ("get", "set"):
        answerer = _ANSWERERS.get((kind, iq[0].tag))
        if answerer is None:
            raise StanzaError("service-unavailable")
        answerer(room, effects, sender, iq, now)
    else:
        push.answered(room, effects, sender, iq, now)
    return effects


def to_occupant(room: RoomState, sender: JID, iq: Element, nick: str, now: float) -> Effects:
    """A request to an occupant, which is passed on, or the answer to one that was."""
    check_iq(iq)
    if iq.get("type") not in ("get", "set"):
        return _pass_back(room, sender, iq)
    effects, query = Effects(), iq[0]
    asker = room.occupants.at(sender)
    if asker is None:
        if namespace(query) in _DISCO:
            raise StanzaError("bad-request", "only occupants may ask an occupant")
        raise StanzaError("not-acceptable", "you are not in this room", type="cancel")
    if query.tag == _PING and (nick == asker.nick or _had(room, sender, nick, now)):
        # XEP-0410 §3.3: the sender asks whether it is in, and it is.
        effects.answer(iq, sender)
        return effects
    asked = room.occupants.named(nick)
    if asked is None:
        raise StanzaError("item-not-found", "nobody here has that nickname")
    if len(iq.get("id", "")) > _LONGEST_ID:
        raise StanzaError("policy-violation", "the room remembers the ids of requests, and none that is so long")
    target = asked.bare if namespace(query) in _OF_THE_ACCOUNT else asked.shown.jid
    id = room.new_id()
    room.queries.add(id, Query(sender, iq.get("id", ""), asked.jid, target))
    passed_on = Element("iq", {"from": asker.jid, "id": id, "type": iq.get("type", "")})
    passed_on.append(query)
    effects.send(payload_of(passed_on), (target,))
    return effects


def _had(room: RoomState, session: JID, nick: str, now: float) -> bool:
    occupant = room.occupants.at(session)
    former = occupant.sessions[session].former if occupant is not None else ()
    return any(nick == old and now - given_up < FORMER_SECONDS for old, given_up in former)


def _pass_back(room: RoomState, sender: JID, iq: Element) -> Effects:
    effects = Effects()
    query = room.queries.take(iq.get("id", ""), sender)
    if query is None or room.occupants.at(query.requester) is None:
        return effects
    answer = Element("iq", {"from": query.asked, "id": query.id, "type": iq.get("type", "")})
    for item in iq:
        if item.tag == "error" and "by" in item.attrib:
            # Whoever refused it, his address is not for the requester.
            item = _anonymous(item)
        answer.append(item)
    effects.send(payload_of(answer), (query.requester,))
    return effects


def _anonymous(error: Element) -> Element:
    same = Element("error", {name: value for name, value in error.attrib.items() if name != "by"})
    same.extend(error)
    return same
