"""Entering a room, and being told again what is in it (XEP-0045 §7.2)."""

from math import inf

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, child
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID, JIDError
from ...xmpp.nickname import nickname_key
from ...xmpp.payload import Payload
from ..archive_query import Found
from ..records import EntityMade
from . import push
from .come_back import settle, wants_invite
from .effects import Effects, Reading
from .nicknames import granted_jid
from .occupants import Occupant, Session
from .presence import is_same, is_shown, presence_text, show, tell_self
from .ranks import Affiliation, affiliation_at_least, default_role
from .relayed import addressed
from .state import RoomState
from .versions import note, spread
from .welcome import welcome
from .wishes import Wish, fulfilled, wish_of

MUC = "{%s}x" % ns.MUC


def wanted_jid(room: RoomState, presence: Element) -> JID:
    """The occupant JID that a presence is addressed to.

    Raises StanzaError `jid-malformed` if it has no nickname, or none that could be seen (§17.1).
    """
    nick = addressed(presence).resource
    try:
        nickname_key(nick)
    except JIDError:
        raise StanzaError("jid-malformed", "a nickname is needed") from None
    return room.jid.with_resource(nick)


def enter(
    room: RoomState,
    sender: JID,
    presence: Element,
    muc: Element,
    now: float,
    created: bool = False,
    found: Found | None = None,
    is_back: bool = False,
) -> Effects:
    """A session enters, under the nickname that the presence is addressed to.

    Raises StanzaError as §7.2.17 has it. `created` says that it made the room by this (§10.1.1); `found` is what the
    archive has of the history that it asks for by an id; `is_back`, that it did not know whether it was in.
    """
    effects = Effects()
    wanted = wanted_jid(room, presence)
    granted = granted_jid(room, sender.bare, wanted)
    asked = wish_of(room, presence, muc, now)
    if is_back:
        asked = asked._replace(is_back=True)
    occupant = admit(room, sender.bare, granted.resource, muc)
    wish = asked if created else fulfilled(room, sender, asked, found)
    if isinstance(wish, Reading):
        effects.reading = wish
        return effects
    session = Session(sender, presence_text(presence, room.jid), now, wants_invite(muc))
    entitled, unentitled = room.entitled(), room.unentitled()
    before = occupant.shown.presence if occupant else None
    if occupant is None:
        affiliation = room.affiliation_of(sender.bare)
        role = default_role(affiliation, room.config.moderatedroom)
        occupant = Occupant(granted, sender.bare, affiliation, role, room.secret)
    room.occupants.enter(occupant, session)
    occupant.refresh()
    if before is None:
        # These are the sessions from before, so nobody need be left out.
        if is_shown(room, occupant):
            note(room, effects, occupant)
            spread(room, effects, occupant.revealing, entitled)
            spread(room, effects, occupant.plain, unentitled)
    elif before != session.presence:
        tell_self(room, effects, occupant.notice(), [jid for jid in occupant.sessions if jid != sender])
        show(room, effects, occupant)
    # A room that is still locked, as after a crash, is to be set up by the owner who enters.
    codes = (*([201] if created or room.locked_until else []), *([210] if occupant.jid != wanted else []))
    welcome(room, effects, occupant, sender, wish, codes, presence.get("id", ""))
    room.save_session(effects, occupant, session)
    room.journal(effects, now, sender, occupant.nick, "enter", "created" if created else "entered")
    settle(room, effects, sender)
    if room.pushes.all:
        push.entered(room, sender)
    return effects


def make(room: RoomState, sender: JID, presence: Element, now: float) -> Effects:
    """A session makes the room by entering it, and so owns it (§10.1.1).

    Raises StanzaError: `item-not-found` for a presence that is not there to enter a room.
    """
    muc = child(presence, MUC)
    if muc is None or presence.get("type"):
        raise StanzaError("item-not-found", "there is no such room")
    room.affiliate(sender.bare, Affiliation("owner"))
    entered = enter(room, sender, presence, muc, now, created=True)
    effects = Effects()
    effects.records.append(EntityMade(room.number, room.jid, now))
    room.save(effects)
    room.save_affiliation(effects, sender.bare)
    effects.records += entered.records
    effects.sends = entered.sends
    return effects


def admit(room: RoomState, bare: JID, nick: str, muc: Element) -> Occupant | None:
    """Whether somebody may enter under a nickname: returns his own occupant that has it already, if there is one.

    Raises StanzaError: §7.2.5 to §7.2.10.
    """
    config, affiliation = room.config, room.affiliation_of(bare)
    if affiliation == "outcast":
        raise StanzaError("forbidden", "you are banned from this room")
    if room.locked_until and affiliation != "owner":
        raise StanzaError("item-not-found", "the room is not open yet")
    if config.membersonly and affiliation == "none":
        raise StanzaError("registration-required", "this room is for members")
    if config.passwordprotectedroom:
        password = child(muc, "{%s}password" % ns.MUC)
        if password is None or (password.text or "") != config.roomsecret:
            raise StanzaError("not-authorized", "this room needs its password")
    occupant = holder(room, bare, nick)
    full = len(room.occupants) >= min(config.maxusers or inf, room.most_occupants)
    if occupant is None and full and not affiliation_at_least(affiliation, "admin"):
        raise StanzaError("service-unavailable", "the room is full", type="wait")
    return occupant


def holder(room: RoomState, bare: JID, nick: str) -> Occupant | None:
    """The occupant of that nickname if it is this person's own; None if it is free for him.

    Raises StanzaError `conflict` (§7.2.8) if it is somebody else's, or looks so much like one that people would take
    it for it.
    """
    key = nickname_key(nick)
    occupant = room.occupants.like(key)
    reserved = room.reserved.get(key, bare)
    if (occupant is not None and occupant.bare != bare) or reserved != bare:
        raise StanzaError("conflict", "this nickname is somebody else's")
    return occupant


def resync(
    room: RoomState,
    effects: Effects,
    occupant: Occupant,
    sender: JID,
    presence: Element,
    muc: Element,
    wish: Wish,
) -> None:
    """A session that is in enters again: it lost track, and is told everything (§17.3); others, only what changed."""
    text, session = presence_text(presence, room.jid), occupant.sessions[sender]
    wanted_invite, session.wants_invite = session.wants_invite, wants_invite(muc)
    if not is_same(text, session.presence):
        speak(room, effects, occupant, sender, text)
    elif wanted_invite != session.wants_invite:
        room.save_session(effects, occupant, session)
    codes = (210,) if addressed(presence).resource not in ("", occupant.nick) else ()
    welcome(room, effects, occupant, sender, wish, codes, presence.get("id", ""))


def change_availability(room: RoomState, effects: Effects, occupant: Occupant, sender: JID, presence: Element) -> None:
    """A session tells its presence (§7.7)."""
    speak(room, effects, occupant, sender, presence_text(presence, room.jid))
    tell_self(room, effects, occupant.notice(), (sender,), id=presence.get("id", ""))


def speak(room: RoomState, effects: Effects, occupant: Occupant, sender: JID, text: str) -> None:
    """Takes a session's presence for the occupant's, and tells it to everybody but that session."""
    session = occupant.sessions[sender]
    session.presence = text
    occupant.speaks(session)
    occupant.refresh()
    tell_self(room, effects, occupant.notice(), [jid for jid in occupant.sessions if jid != sender])
    show(room, effects, occupant)
    room.save_session(effects, occupant, session)


def send_away(sender: JID, presence: Element) -> Effects:
    """A session that is not in, but believes that it is, learns the truth (§7.2.18)."""
    effects, sought = Effects(), addressed(presence)
    kicked = (
        f" from='{sought.attribute}' type='unavailable'>"
        f"<x xmlns='{ns.MUC_USER}'><item affiliation='none' role='none'/>"
        "<status code='110'/><status code='307'/><status code='333'/></x></presence>"
    )
    effects.send(Payload("presence", kicked, sought, "unavailable"), (sender,))
    return effects
