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
_MODES: Final = {"bookmarked": "Those that are bookmarked", "all": "All that I enter", "off": "None"}
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
        self._archive, self._accounts = host.archive, host.accounts

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
        """Lists the rooms; the account stays in them, leaves them, or leaves them to its clients."""
        jid = invocation.sender.bare
        if not invocation.answers:
            return Stage(self._form(jid))
        account = self._accounts.get(jid)
        if account is None:
            raise StanzaError("item-not-found", "you have no account any more")
        form, known, mode = invocation.answers[0], self._known(jid), self._stand_ins.mode_of(jid)
        wanted = form.option("mode", MODES, mode)
        left, kept, alone = (form.options(field, known) for field in ("leave", "stay", "alone"))
        if wanted != mode:
            await self._wishes.set_mode(account, wanted)
        if "alone" in form:
            await self._wishes.set_alone(account, frozenset(map(JID.parse, alone)))
        holder = self._stand_ins.holder(jid)
        if holder is not None:
            for room in list(holder.rooms):
                if room in left:
                    self._stand_ins.leave(holder, room, is_meant=True)
                elif "stay" in form:
                    self._stand_ins.stay(holder, room, room in kept)
        return Done(f"You have left {', '.join(left)}." if left else "It will be as you wish.")

    def _known(self, jid: JID) -> dict[str, str]:
        """The rooms from which one can choose: those where the account is, and those that it leaves to clients."""
        holder = self._stand_ins.holder(jid)
        return {} if holder is None else {str(room): str(room) for room in sorted({*holder.rooms, *holder.alone})}

    def _form(self, jid: JID) -> Form:
        standing, known = self._standing(jid), self._known(jid)
        lines = [_line(stand_in) for stand_in in standing]
        shown = [Field.fixed(line) for line in lines] or [Field.fixed("Your account is in no room by itself.")]
        holder = self._stand_ins.holder(jid)
        alone = [] if holder is None else sorted(holder.alone)
        kept = [stand_in.state.room for stand_in in standing if stand_in.state.keeps]
        chosen = (
            Field.list_single("mode", self._stand_ins.mode_of(jid), _MODES, "Which rooms your account is in by itself"),
            Field.list_multi("stay", kept, known, "Rooms to stay in without a bookmark"),
            Field.list_multi("leave", (), known, "Rooms to leave for good"),
            Field.list_multi("alone", alone, known, "Rooms for your clients alone"),
        )
        return Form("form", ns.ACCOUNT_JOIN, (*shown, *chosen), "My rooms")


def _line(stand_in: StandIn) -> str:
    s = stand_in.state
    named = f" as {s.here}" if s.here else ""
    why = f": {s.why}" if s.standing is Standing.REMOVED and s.why else ""
    return f"{s.room}{named} ({s.standing.value}{why})"
