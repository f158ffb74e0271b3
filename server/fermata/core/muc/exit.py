"""Leaving a room, and being removed from it (XEP-0045 §7.14, §11)."""

from typing import Final

from ...xmpp.element import Element
from ...xmpp.jid import JID
from ...xmpp.stanza import condition_of
from ..records import EntityGone, InviteOwed
from .appearance import Notice
from .come_back import settle
from .effects import Effects
from .occupants import Occupant, Occupants
from .presence import gone, is_shown, item_children, presence_text, show, tell_others, tell_self
from .state import RoomState

#: RFC 6120 §8.3.3, as far as it says that nobody is at that address any more.
NOBODY_THERE: Final = frozenset({"gone", "item-not-found", "jid-malformed", "recipient-unavailable", "redirect"})


def leave(room: RoomState, occupant: Occupant, sender: JID, presence: Element, now: float) -> Effects:
    """A session leaves (§7.14), with the presence that says so."""
    effects = Effects()
    notice = gone(occupant, sender, presence=presence_text(presence, room.jid))
    if room.locked_until and len(room.occupants.everyone) == 1:
        # §10.1.3: its maker leaves a room that was never configured, and with him it goes.
        notice = notice._replace(after="<destroy/>")
    remove_session(room, effects, occupant, sender, notice, now, "left", presence.get("id", ""))
    return effects


def remove_session(
    room: RoomState,
    effects: Effects,
    occupant: Occupant,
    sender: JID,
    notice: Notice,
    now: float,
    cause: str,
    id: str = "",
) -> None:
    """Takes a session out of the room; others see its occupant go only if that was the last one (§7.2.8)."""
    was_shown = occupant.shown.jid == sender
    room.occupants.exit(sender)
    tell_self(room, effects, notice, (sender,), id=id)
    room.end_session(effects, sender)
    room.journal(effects, now, sender, occupant.nick, "exit", cause)
    if occupant.sessions:
        if was_shown:
            occupant.refresh()
            tell_self(room, effects, occupant.notice(), occupant.sessions)
            show(room, effects, occupant)
    elif is_shown(room, occupant):
        tell_others(room, effects, notice)
    abandon(room, effects)


def expel(room: RoomState, effects: Effects, occupant: Occupant, notice: Notice, now: float, cause: str) -> None:
    """Takes an occupant out with all sessions and tells them so; telling the others is up to the caller."""
    sessions = room.occupants.expel(occupant)
    tell_self(room, effects, notice, sessions)
    for session in sessions:
        room.end_session(effects, session)
        room.journal(effects, now, session, occupant.nick, "exit", cause)


def abandon(room: RoomState, effects: Effects) -> None:
    """A room that nobody is in goes if it is temporary (§7.14), or if its maker left it unconfigured (§10.1.3)."""
    if not room.occupants and (room.locked_until or not room.config.persistentroom):
        effects.records.append(EntityGone(room.number))
        effects.destroyed = True


def undeliverable(room: RoomState, sender: JID, stanza: Element, own: bool, now: float) -> Effects:
    """A stanza of the room came back as an error from a session (§11.1).

    `own`: our own side made that error, because it can't reach the other one. That, and what may be otherwise in a
    minute, removes nobody: only the word of his own server that he is not there does.
    """
    effects = Effects()
    occupant = room.occupants.at(sender)
    if occupant is None:
        settle(room, effects, sender)
    if occupant is None or own:
        return effects
    condition = condition_of(stanza)
    # A server says this of a message to a session that is gone (RFC 6121 §8.5.3.2.1), but a client of an iq, too.
    if condition in NOBODY_THERE or (condition == "service-unavailable" and stanza.tag == "message"):
        notice = gone(occupant, sender, (333,))
        remove_session(room, effects, occupant, sender, notice, now, f"undeliverable: {condition}")
    return effects


def vanish(room: RoomState, session: JID, cause: str, now: float) -> Effects:
    """A session is not there any more, as was found out after it should have been (§11.1)."""
    effects = Effects()
    occupant = room.occupants.at(session)
    if occupant is not None:
        remove_session(room, effects, occupant, session, gone(occupant, session, (333,)), now, cause)
    return effects


def shut_down(room: RoomState, now: float, reason: str) -> Effects:
    """The service stops and keeps nobody (§11.2): each session is told, by its own occupant JID, of nobody else.

    The room stays, even a temporary one, and owes everybody an invitation (see `come_back`).
    """
    effects = Effects()
    inside = item_children(reason=reason)
    for occupant in room.occupants:
        tell_self(room, effects, gone(occupant, occupant.shown.jid, (332,), inside), occupant.sessions)
        for session in occupant.sessions.values():
            room.end_session(effects, session.jid)
            room.journal(effects, now, session.jid, occupant.nick, "exit", "shutdown")
            effects.records.append(InviteOwed(room.number, session.jid, occupant.nick, session.wants_invite, now))
    room.occupants = Occupants()
    return effects
