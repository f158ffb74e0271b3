"""Changes of roles and affiliations, and their consequences (XEP-0045 §8, §9, §10)."""

from ...xmpp.jid import JID
from . import push
from .appearance import Notice
from .effects import Effects, Flood
from .exit import abandon, expel
from .invite import MOST, invitation
from .occupants import Occupant
from .presence import gone, is_shown, item_children, tell_others, tell_self
from .ranks import Affiliation, role_after
from .state import RoomState
from .versions import follow_rights, marked_for
from .welcome import roster


class Changes:
    """What one request changes.

    Whoever has to go is told at once; what concerns everybody is said by `announce`, after the request was answered
    (§8.2: the occupant removed, the moderator, the others).
    """

    def __init__(self, room: RoomState, effects: Effects, actor: JID, now: float) -> None:
        """`actor` is the session that asks for the changes."""
        self._room, self._effects, self._now = room, effects, now
        occupant = room.occupants.at(actor)
        self._actor, self._actor_bare = occupant.nick if occupant is not None else "", actor.bare
        self._removed: list[Notice] = []
        self._changed: list[tuple[Occupant, str, str, bool]] = []
        self._invited: list[JID] = []

    def set_role(self, occupant: Occupant, role: str, reason: str = "") -> None:
        """Gives an occupant a role; `none` is a kick."""
        if not occupant.sessions:
            return
        if role == "none":
            self._remove(occupant, 307, reason, "kicked")
        else:
            self._change(occupant, role, item_children(self._actor, reason))

    def set_affiliation(self, bare: JID, affiliation: Affiliation) -> None:
        """Gives a bare JID an affiliation; its occupants get the role that goes with it, or go."""
        room = self._room
        before = room.affiliation_of(bare)
        room.affiliate(bare, affiliation)
        room.save_affiliation(self._effects, bare)
        affected = [one for one in room.occupants if bare in (one.bare, one.bare.domain)]
        for occupant in affected:
            self._follow(occupant, affiliation.reason)
        if not affected and room.config.membersonly and (before, affiliation.affiliation) == ("none", "member"):
            # §9.5: who may now enter a members-only room should hear of it.
            self._invited.append(bare)

    def _follow(self, occupant: Occupant, reason: str) -> None:
        room = self._room
        old, new = occupant.affiliation, room.affiliation_of(occupant.bare)
        if old == new:
            return
        occupant.affiliation = new
        if new == "outcast":
            self._remove(occupant, 301, reason, "banned")
        elif new == "none" and room.config.membersonly:
            self._remove(occupant, 321, reason, "membership revoked")
        else:
            role = role_after(occupant.role, old, new, room.config.moderatedroom)
            self._change(occupant, role, item_children(self._actor, reason))

    def close_to_nonmembers(self) -> None:
        """The room has become members-only: who is no member has to go (§10.2)."""
        for occupant in [one for one in self._room.occupants if one.affiliation == "none"]:
            self._remove(occupant, 322, "", "members only")

    def _remove(self, occupant: Occupant, code: int, reason: str, cause: str) -> None:
        notice = gone(occupant, occupant.shown.jid, (code,), item_children(self._actor, reason))
        if is_shown(self._room, occupant):
            self._removed.append(notice)
        expel(self._room, self._effects, occupant, notice, self._now, cause)

    def _change(self, occupant: Occupant, role: str, inside: str) -> None:
        room, was_shown = self._room, is_shown(self._room, occupant)
        before, occupant.role = occupant.role, role
        if role != before:
            room.occupants.regroup()
            follow_rights(room, self._effects)
            for session in occupant.sessions.values():
                room.save_session(self._effects, occupant, session)
                room.journal(self._effects, self._now, session.jid, occupant.nick, "role", f"{before} to {role}")
        occupant.refresh()
        self._changed.append((occupant, before, inside, was_shown))

    def announce(self) -> None:
        """Tells the room."""
        room, effects = self._room, self._effects
        for notice in self._removed:
            tell_others(room, effects, notice)
        for occupant, before, inside, was_shown in self._changed:
            if not occupant.sessions:
                continue
            notice = occupant.notice(inside)
            tell_self(room, effects, notice, occupant.sessions)
            if is_shown(room, occupant):
                tell_others(room, effects, notice, occupant.sessions)
            elif was_shown:
                tell_others(room, effects, gone(occupant, occupant.shown.jid), occupant.sessions)
            if occupant.role == "moderator" != before and not room.config.nonanonymous:
                # From now on he may know who the others are.
                for session in occupant.sessions:
                    effects.sends.append(Flood(marked_for(room, session, roster(room, occupant)), session))
        for bare in self._invited[:MOST]:
            effects.send(invitation(room, self._actor_bare, room.new_id()), (bare,))
        push.follow(room, effects)
        abandon(room, effects)
