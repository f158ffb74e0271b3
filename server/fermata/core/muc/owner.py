"""What owners do: configure the room, and destroy it (XEP-0045 §10)."""

from dataclasses import replace
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.dataforms import DATA_FORM, Form
from ...xmpp.element import E, Element, child, serialise
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID, JIDError
from ..records import EntityGone
from .admin import AffiliationChange, check_lists
from .changes import Changes
from .config import Config
from .config_form import ADMINS, OWNERS, config_form, configured
from .effects import Effects
from .exit import expel
from .notices import configuration_changed
from .presence import gone, show, tell_others
from .ranks import NONE, Affiliation
from .state import RoomState
from .versions import follow_rights

_QUERY: Final = "{%s}query" % ns.MUC_OWNER
_DESTROY: Final = "{%s}destroy" % ns.MUC_OWNER
_REASON: Final = "{%s}reason" % ns.MUC_OWNER
_PASSWORD: Final = "{%s}password" % ns.MUC_OWNER


def _check_owner(room: RoomState, sender: JID) -> None:
    if room.affiliation_of(sender.bare) != "owner":
        raise StanzaError("forbidden", "that is for owners")


def _with(room: RoomState, affiliation: str) -> list[str]:
    return [bare for bare, found in room.affiliations.items() if found.affiliation == affiliation]


def give_form(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Answers with the configuration form (§10.1.3, §10.2)."""
    _check_owner(room, sender)
    form = config_form(room.config, _with(room, "admin"), _with(room, "owner"))
    effects.answer(iq, sender, E(_QUERY, None, form.element()))


def submit(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Takes a configuration, or the order to destroy the room."""
    _check_owner(room, sender)
    order, element = child(iq[0], _DESTROY), child(iq[0], DATA_FORM)
    if order is not None:
        _destroy(room, effects, sender, iq, order, now)
        return
    if element is None:
        raise StanzaError("bad-request", "a form is needed")
    form = Form.parse(element, ns.MUC_ROOM_CONFIG)
    if form.type == "submit":
        _configure(room, effects, sender, iq, form, now)
    elif form.type != "cancel":
        raise StanzaError("bad-request", "a form is submitted or cancelled")
    elif room.locked_until:
        # §10.1.3: what was never configured was never there.
        _destroy(room, effects, sender, iq, Element(_DESTROY), now)
    else:
        effects.answer(iq, sender)


def _configure(room: RoomState, effects: Effects, sender: JID, iq: Element, form: Form, now: float) -> None:
    old, new = room.config, configured(room.config, form)
    lists = _asked_lists(room, form)
    check_lists(room, lists)
    was_locked, room.locked_until, room.config = bool(room.locked_until), 0.0, new
    room.save(effects)
    follow_rights(room, effects)
    if new.maxhistoryfetch != old.maxhistoryfetch:
        room.history = room.history.resized(room.jid, new.maxhistoryfetch)
    changes = Changes(room, effects, sender, now)
    for one in lists:
        changes.set_affiliation(one.bare, one.affiliation)
    if new.membersonly and not old.membersonly:
        changes.close_to_nonmembers()
    effects.answer(iq, sender)
    changes.announce()
    _follow_broadcast(room, effects, old)
    codes = notification(old, new)
    if codes and not was_locked:
        configuration_changed(room, effects, codes)


def _asked_lists(room: RoomState, form: Form) -> list[AffiliationChange]:
    """The changes that make the lists of admins and owners those in the form, which names all of them (§10.5)."""
    wanted: dict[JID, str] = {}
    for var, affiliation in ((ADMINS, "admin"), (OWNERS, "owner")):
        if var in form:
            wanted = dict.fromkeys(map(JID.parse, _with(room, affiliation)), "none") | wanted
            wanted |= dict.fromkeys([jid.bare for jid in form.jids(var)], affiliation)
    if not all(bare.local for bare in wanted):
        raise StanzaError("not-acceptable", "a whole domain can only be banned")
    changes = []
    for bare, affiliation in wanted.items():
        found = room.affiliations.get(bare, NONE)
        if found.affiliation != affiliation:
            nick = found.nick if affiliation != "none" else ""
            changes.append(AffiliationChange(bare, Affiliation(affiliation, nick)))
    return changes


def notification(old: Config, new: Config) -> tuple[int, ...]:
    """The status codes that say how a configuration changed (§10.2.1)."""
    codes = []
    if new.enablelogging != old.enablelogging:
        codes.append(170 if new.enablelogging else 171)
    if new.whois != old.whois:
        codes.append(172 if new.nonanonymous else 173)
    if replace(new, enablelogging=old.enablelogging, whois=old.whois) != old:
        codes.append(104)
    return tuple(codes)


def _follow_broadcast(room: RoomState, effects: Effects, old: Config) -> None:
    """Roles whose presence is told from now on appear to the others, the rest vanish (`presencebroadcast`)."""
    for occupant in room.occupants:
        was, now = (occupant.role in config.presencebroadcast for config in (old, room.config))
        if now and not was:
            show(room, effects, occupant)
        elif was and not now:
            tell_others(room, effects, gone(occupant, occupant.shown.jid), occupant.sessions)


def _destroy(room: RoomState, effects: Effects, sender: JID, iq: Element, order: Element, now: float) -> None:
    """§10.9: everybody is told once, of himself alone."""
    venue = order.get("jid", "")
    try:
        effects.venue = JID.parse(venue) if venue else ""
    except JIDError:
        raise StanzaError("jid-malformed", "that is no venue") from None
    told = E("{%s}destroy" % ns.MUC_USER, {"jid": effects.venue} if venue else {})
    for tag in (_REASON, _PASSWORD):
        found = child(order, tag)
        if found is not None:
            told.append(E(tag.replace(ns.MUC_OWNER, ns.MUC_USER), None, found.text or ""))
    dissolve(room, effects, told, now)
    effects.answer(iq, sender)


def dissolve(room: RoomState, effects: Effects, told: Element, now: float) -> None:
    """The room is no more; each occupant is told `told`, a `<destroy/>`, of himself alone (§10.9)."""
    after = serialise(told, ns.MUC_USER)
    for occupant in list(room.occupants):
        notice = gone(occupant, occupant.shown.jid)._replace(affiliation="none", after=after)
        expel(room, effects, occupant, notice, now, "destroyed")
    effects.records.append(EntityGone(room.number))
    effects.destroyed = True
