"""Lists of roles and affiliations: what may be asked of them, and changed in them (XEP-0045 §8, §9, §10.3 to §10.8)."""

from collections.abc import Collection
from typing import Final, NamedTuple

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element, child
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID, JIDError
from .changes import Changes
from .effects import Effects
from .lists import may_list
from .nicknames import reservable
from .occupants import Occupant
from .ranks import (
    AFFILIATIONS,
    NONE,
    ROLES,
    Affiliation,
    affiliation_at_least,
    may_change_affiliation,
    may_change_role,
)
from .state import RoomState

_QUERY: Final = "{%s}query" % ns.MUC_ADMIN
_ITEM: Final = "{%s}item" % ns.MUC_ADMIN
_REASON: Final = "{%s}reason" % ns.MUC_ADMIN


class RoleChange(NamedTuple):
    """A role that an occupant is to get."""

    occupant: Occupant
    role: str
    reason: str


class AffiliationChange(NamedTuple):
    """An affiliation that a bare JID is to get."""

    bare: JID
    affiliation: Affiliation


def _items(iq: Element) -> list[Element]:
    items = [item for item in iq[0] if item.tag == _ITEM]
    if not items:
        raise StanzaError("bad-request", "an item is needed")
    return items


def give_list(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Answers with everybody who has one of the roles or affiliations asked for."""
    answer = Element(_QUERY)
    # Each list once, however often it is asked for: one request must not fill the memory.
    for role, affiliation in dict.fromkeys((item.get("role"), item.get("affiliation")) for item in _items(iq)):
        if role in ROLES[1:] and affiliation is None:
            _check_may_list_role(room, sender)
            answer.extend(_with_role(room, role))
        elif affiliation in AFFILIATIONS and affiliation != "none" and role is None:
            if not may_list(room, sender, affiliation):
                raise StanzaError("forbidden", "this list is not for you")
            answer.extend(_with_affiliation(room, affiliation))
        else:
            raise StanzaError("bad-request", "an item names a role or an affiliation")
    effects.answer(iq, sender, answer)


def _check_may_list_role(room: RoomState, sender: JID) -> None:
    occupant = room.occupants.at(sender)
    if occupant is None or occupant.role != "moderator":
        raise StanzaError("forbidden", "this list is for moderators")


def _with_role(room: RoomState, role: str) -> list[Element]:
    return [
        E(_ITEM, {"nick": one.nick, "role": role, "affiliation": one.affiliation, "jid": one.shown.jid})
        for one in room.occupants
        if one.role == role
    ]


def _with_affiliation(room: RoomState, affiliation: str) -> list[Element]:
    nicks: dict[str, str] = {one.bare: one.nick for one in room.occupants}
    listed = []
    for bare, found in room.affiliations.items():
        if found.affiliation == affiliation:
            item = E(_ITEM, {"affiliation": affiliation, "jid": bare})
            nick = found.nick or nicks.get(bare, "")
            if nick:
                item.set("nick", nick)
            if found.reason:
                item.append(E(_REASON, None, found.reason))
            listed.append(item)
    return listed


def change(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Changes roles and affiliations: all that the items ask for, or nothing."""
    wanted = [_checked(room, sender, item) for item in _items(iq)]
    check_lists(room, [one for one in wanted if isinstance(one, AffiliationChange)])
    changes = Changes(room, effects, sender, now)
    for one in wanted:
        if isinstance(one, RoleChange):
            changes.set_role(one.occupant, one.role, one.reason)
        else:
            changes.set_affiliation(one.bare, one.affiliation)
    effects.answer(iq, sender)
    changes.announce()


def _checked(room: RoomState, sender: JID, item: Element) -> RoleChange | AffiliationChange:
    """§17.4: an item is about the role of a nickname or the affiliation of a JID."""
    role, affiliation, nick, jid = (item.get(name) for name in ("role", "affiliation", "nick", "jid"))
    found = child(item, _REASON)
    reason = (found.text or "") if found is not None else ""
    if role is not None and nick is not None and affiliation is None and jid is None:
        return _checked_role(room, sender, nick, role, reason)
    if affiliation is not None and jid is not None and role is None:
        return _checked_affiliation(room, sender, jid, affiliation, nick, reason)
    raise StanzaError("bad-request", "an item changes the role of a nickname or the affiliation of a JID")


def _checked_role(room: RoomState, sender: JID, nick: str, role: str, reason: str) -> RoleChange:
    if role not in ROLES:
        raise StanzaError("bad-request", "there is no such role")
    actor = room.occupants.at(sender)
    if actor is None or actor.role != "moderator":
        raise StanzaError("forbidden", "roles are for moderators to change")
    target = room.occupants.named(nick)
    if target is None:
        raise StanzaError("item-not-found", "nobody here has that nickname")
    if target is actor and role == "none":
        raise StanzaError("conflict", "to leave, leave")
    if not may_change_role(actor.role, actor.affiliation, target.role, role, target.affiliation):
        raise StanzaError("not-allowed", "that occupant is not yours to change")
    return RoleChange(target, role, reason)


def _checked_affiliation(
    room: RoomState, sender: JID, jid: str, affiliation: str, nick: str | None, reason: str
) -> AffiliationChange:
    if affiliation not in AFFILIATIONS:
        raise StanzaError("bad-request", "there is no such affiliation")
    own = room.affiliation_of(sender.bare)
    if not affiliation_at_least(own, "admin"):
        raise StanzaError("forbidden", "affiliations are for admins to change")
    try:
        bare = JID.parse(jid).bare
    except JIDError:
        raise StanzaError("jid-malformed") from None
    if not bare.local and affiliation not in ("outcast", "none"):
        raise StanzaError("not-acceptable", "a whole domain can only be banned")
    if affiliation == "outcast" and bare in (sender.bare, sender.domain):
        raise StanzaError("conflict", "nobody bans himself")
    if affiliation_at_least(affiliation, "admin") and own != "owner":
        raise StanzaError("forbidden", "admins and owners are for owners to make")
    old = room.affiliations.get(bare, NONE)
    if not may_change_affiliation(own, old.affiliation, affiliation, bare == sender.bare):
        raise StanzaError("not-allowed", "that person is not yours to change")
    if not affiliation_at_least(affiliation, "member"):
        return AffiliationChange(bare, Affiliation(affiliation, "", reason))
    # §9.5: a nickname in an item is reserved for its JID; an empty one is given up.
    kept = reservable(room, bare, nick) if nick else old.nick if nick is None else ""
    return AffiliationChange(bare, Affiliation(affiliation, kept, reason))


def check_lists(room: RoomState, wanted: Collection[AffiliationChange]) -> None:
    """Whether affiliations can be changed so: raises StanzaError `conflict` if nobody would own the room (§10.4).

    And `resource-constraint` if there were too many of them.
    """
    room.check_room_for({bare for bare, affiliation in wanted if affiliation.affiliation != "none"}, by_admins=True)
    owners = {bare for bare, found in room.affiliations.items() if found.affiliation == "owner"}
    for bare, affiliation in wanted:
        if affiliation.affiliation == "owner":
            owners.add(bare)
        else:
            owners.discard(bare)
    if not owners:
        raise StanzaError("conflict", "a room needs an owner")
