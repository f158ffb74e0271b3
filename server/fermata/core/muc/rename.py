"""Changing one's nickname (XEP-0045 §7.6)."""

from ...xmpp.element import Element, child
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from .effects import Effects
from .enter import MUC, holder, speak, wanted_jid
from .nicknames import granted_jid
from .occupants import Occupant, Session
from .presence import is_shown, presence_text, show, tell_others, tell_self
from .state import RoomState

# A self-ping to a nickname that was given up so lately was sent before its sender knew (XEP-0410 §3.3).
FORMER_SECONDS = 60.0
_MOST_FORMER = 8


def rename(
    room: RoomState, effects: Effects, occupant: Occupant, sender: JID, presence: Element, now: float
) -> Occupant:
    """A session takes the nickname that its presence is addressed to; returns what it is then an occupant of.

    The occupant changes its name if that is its only session, or if the new name is the old one in another spelling.
    Otherwise the session alone moves, to an occupant of that name: its own, or a new one. Raises StanzaError
    `not-acceptable` to who is bound to another nickname; but if he enters again, he is in under that one.
    """
    asked = wanted_jid(room, presence)
    wanted = granted_jid(room, occupant.bare, asked)
    if wanted != asked and child(presence, MUC) is None:
        raise StanzaError("not-acceptable", "you have a nickname that is reserved for you", type="cancel")
    if wanted == occupant.jid:
        return occupant
    target = holder(room, occupant.bare, wanted.resource)
    session = occupant.sessions[sender]
    recent = [(nick, since) for nick, since in session.former if now - since < FORMER_SECONDS]
    session.former = (*recent[1 - _MOST_FORMER :], (occupant.nick, now))
    if target is occupant or (target is None and len(occupant.sessions) == 1):
        _rename_all(room, effects, occupant, wanted, sender)
    else:
        occupant = _move(room, effects, occupant, target, wanted, session)
    speak(room, effects, occupant, sender, presence_text(presence, room.jid))
    codes = (210,) if occupant.jid != asked else ()
    tell_self(room, effects, occupant.notice(), (sender,), codes, presence.get("id", ""))
    room.journal(effects, now, sender, occupant.nick, "nick", f"was {session.former[-1][0]}")
    return occupant


def _rename_all(room: RoomState, effects: Effects, occupant: Occupant, wanted: JID, sender: JID) -> None:
    """Renames an occupant with all its sessions; that of the sender is recorded with its new presence."""
    notice = occupant.notice()._replace(type="unavailable", nick=wanted.resource, presence=">", codes=(303,))
    tell_self(room, effects, notice, occupant.sessions)
    if is_shown(room, occupant):
        tell_others(room, effects, notice, occupant.sessions)
    room.occupants.rename(occupant, wanted)
    for session in occupant.sessions.values():
        if session.jid != sender:
            room.save_session(effects, occupant, session)


def _move(
    room: RoomState, effects: Effects, old: Occupant, target: Occupant | None, wanted: JID, session: Session
) -> Occupant:
    """Moves one session from an occupant to another one of the same person."""
    new = target or Occupant(wanted, old.bare, old.affiliation, old.role, room.secret)
    notice = old.notice()._replace(jid=session.jid, type="unavailable", nick=new.nick, presence=">", codes=(303,))
    room.occupants.exit(session.jid)
    tell_self(room, effects, notice, (session.jid,))
    room.occupants.enter(new, session)
    if not old.sessions:
        if is_shown(room, old):
            tell_others(room, effects, notice, (session.jid,))
    else:
        # The old occupant stays, with the other sessions: from now on it is somebody else to this one.
        old.refresh()
        show(room, effects, old)
        tell_self(room, effects, old.notice(), old.sessions)
    return new
