"""Account-level joining (docs/design/0006): what clients that know of it can ask, decide and command.

`urn:x-fermata:account-join:0`: `<rooms/>` lists the rooms in which the account stands, `<prefs mode='…'/>` says whether
it does. Beside XEP-0045, of which nothing changes.
"""

from collections.abc import Sequence
from typing import Final

from ..core.commands import Command, CommandTable, Done, Invocation, Stage
from ..core.standin.standin import StandIn
from ..core.standin.state import Standing
from ..host.extension import Host, extension
from ..host.iq import Addressee, Answer, Request
from ..services.standin_wishes import MODES, StandInWishes
from ..services.standins import StandIns
from ..xmpp import namespaces as ns
from ..xmpp.dataforms import Field, Form
from ..xmpp.element import E, Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID

_PREFS: Final = "{%s}prefs" % ns.ACCOUNT_JOIN
_ROOMS: Final = "{%s}rooms" % ns.ACCOUNT_JOIN
_ROOM: Final = "{%s}room" % ns.ACCOUNT_JOIN
_NODE: Final = ns.ACCOUNT_JOIN + "#rooms"


@extension(xep=45, version="1.35.5", account_features=(ns.ACCOUNT_JOIN,))
def account_join(host: Host) -> None:
    """Answers the account itself, and offers the command "my rooms" to everybody who has an account."""
    found = _AccountJoin(host)
    host.on_iq(Addressee.SELF, "get", _ROOMS, found.rooms)
    host.on_iq(Addressee.SELF, "get", _PREFS, found.prefs)
    host.on_iq(Addressee.SELF, "set", _PREFS, found.decide)
    if host.archive is not None:
        host.discoverable.account_features.add(ns.MAM_GROUPCHAT_AVAILABLE)
    command = Command(_NODE, "My rooms", found.command, lambda sender: sender.domain in host.domains)
    host.services[CommandTable].add(command)


class _AccountJoin:
    def __init__(self, host: Host) -> None:
        self._stand_ins, self._wishes = host.services[StandIns], host.services[StandInWishes]
        self._archive = host.archive

    def rooms(self, request: Request) -> Element:
        """Where the account is, under which nickname, and since which message of its archive."""
        account = request.owner
        answer = Element(_ROOMS)
        for stand_in in self._standing(account.jid):
            s = stand_in.state
            room = E(_ROOM, {"jid": s.room, "state": s.standing.name.lower()})
            if s.here:
                room.set("nick", s.here)
            if s.recent.places and self._archive is not None:
                room.set("last", self._archive.id_of(s.recent.places[-1], account.number))
            if s.wish is not None:
                room.set("bookmarked", "true")
            answer.append(room)
        return answer

    def _standing(self, jid: JID) -> Sequence[StandIn]:
        holder = self._stand_ins.holder(jid)
        return [] if holder is None else [holder.rooms[room] for room in sorted(holder.rooms)]

    def prefs(self, request: Request) -> Element:
        """How the account enters rooms."""
        return E(_PREFS, {"mode": self._stand_ins.mode_of(request.owner.jid)})

    async def decide(self, request: Request) -> Answer:
        """The account decides otherwise."""
        mode = request.payload.get("mode", "")
        if mode not in MODES:
            raise StanzaError("bad-request", f"a mode is one of {', '.join(MODES)}")
        await self._wishes.set_mode(request.owner, mode)
        return Answer(E(_PREFS, {"mode": mode}))

    async def command(self, invocation: Invocation) -> Stage | Done:
        """Lists the rooms, and leaves one of them if that is wanted."""
        jid = invocation.sender.bare
        if not invocation.answers:
            return Stage(self._form(jid))
        chosen = invocation.answers[0].values("leave")
        holder = self._stand_ins.holder(jid)
        left = [room for room in map(JID.parse, chosen) if holder is not None and room in holder.rooms]
        for room in left:
            if holder is not None:
                self._stand_ins.leave(holder, room)
        return Done(f"You have left {', '.join(left)}." if left else "You stay in all of them.")

    def _form(self, jid: JID) -> Form:
        lines = [_line(stand_in) for stand_in in self._standing(jid)]
        options: dict[str, str] = {stand_in.state.room: stand_in.state.room for stand_in in self._standing(jid)}
        shown = [Field.fixed(line) for line in lines] or [Field.fixed("Your account is in no room by itself.")]
        leave = Field.list_multi("leave", (), options, "Rooms to leave for good")
        return Form("form", ns.ACCOUNT_JOIN, (*shown, leave), "My rooms")


def _line(stand_in: StandIn) -> str:
    s = stand_in.state
    named = f" as {s.here}" if s.here else ""
    why = f": {s.why}" if s.standing is Standing.REMOVED and s.why else ""
    return f"{s.room}{named} ({s.standing.value}{why})"
