"""The guardian of stand-ins: asks rooms whether they are still in, and lets them enter again (core.guardian)."""

from collections.abc import Callable
from math import inf
from typing import Final

from ..core.guardian.guardian import Enter, Guardian, Lost, Ping, Place, Turn, Want
from ..host.federation import Pair
from ..host.origin import Clock, Timer
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element
from ..xmpp.jid import JID
from ..xmpp.stanza import condition_of
from .link_listener import LinkListener

_SHORTEST_PAUSE: Final = 0.02


class Guard:
    """`wanted` is told of entrances, losses and turns, `ask` sends a request, `doubted` hears of domains out of reach.

    With `asks` switched off, whoever is in is believed to be, whatever happens on the way.
    """

    def __init__(
        self,
        guardian: Guardian,
        wanted: Callable[[Enter | Lost | Turn], None],
        ask: Callable[[Element, JID], None],
        doubted: Callable[[str], None],
        clock: Clock,
        asks: bool,
    ) -> None:
        self._guardian, self._wanted, self._ask, self._doubted = guardian, wanted, ask, doubted
        self._clock, self._asks = clock, asks
        self._timer: Timer | None = None
        self._at = inf

    def __len__(self) -> int:
        return len(self._guardian)

    def watch(self, place: Place, nick: str, is_sure: bool = True) -> None:
        """Somebody is in a room."""
        if self._asks:
            self._guardian.watch(place, nick, self._clock.seconds(), is_sure)
            self._set()
        else:
            self._guardian.forget(place)

    def heard(self, place: Place) -> None:
        """The room has said something to him."""
        self._guardian.heard(place, self._clock.seconds())

    def doubt(self, place: Place) -> bool:
        """He may be out; whether anybody will find out."""
        self._guardian.suspect(place, self._clock.seconds())
        self._set()
        return self._asks

    def fallen(self, place: Place, nick: str, pause: float) -> None:
        """He is out, and wants to be in."""
        self._guardian.fell_out(place, nick, self._clock.seconds(), pause)
        self._set()

    def refused(self, place: Place, condition: str, type: str) -> None:
        """The room does not let him in."""
        self._want(self._guardian.refused(place, condition, type, self._clock.seconds()))
        self._set()

    def line_up(self, place: Place, is_waited_for: bool) -> None:
        """What was missed is to be asked for; `wanted` is told when that may be, soon where a client waits for it."""
        self._want(self._guardian.ask(place, self._clock.seconds(), is_waited_for))
        self._set()

    def forget(self, place: Place) -> None:
        """He does not want to be in any more."""
        self._guardian.forget(place)

    def answered(self, stanza: Element, sender: JID) -> bool | None:
        """An answer to an iq has come: True if it says that one is in; None if it answers nothing of ours."""
        condition = condition_of(stanza) if stanza.get("type") == "error" else ""
        if not self._guardian.answered(stanza.get("id", ""), sender, condition, self._clock.seconds()):
            return None
        self._set()
        return not condition

    def lost_connection(self, domain: str) -> None:
        """A connection with that server is lost."""
        if self._asks:
            self._guardian.lost_connection(domain, self._clock.seconds())
            self._doubted(domain)
            self._set()

    # -- time

    def _set(self) -> None:
        due = self._guardian.next_deadline()
        if due < self._at:
            if self._timer is not None and self._timer.active():
                self._timer.cancel()
            self._at = due
            self._timer = self._clock.callLater(max(_SHORTEST_PAUSE, due - self._clock.seconds()), self._tick)

    def _tick(self) -> None:
        self._at = inf
        self._want(self._guardian.tick(self._clock.seconds()))
        self._set()

    def _want(self, wants: list[Want]) -> None:
        for want in wants:
            if isinstance(want, Ping):
                iq = E("iq", {"type": "get", "id": want.id, "from": want.place.who, "to": want.to})
                iq.append(E("{%s}ping" % ns.PING))
                self._ask(iq, want.to)
            else:
                self._wanted(want)


class Ways(LinkListener):
    """How the ways to other servers are doing.

    That one is there again is no reason to ask at once, since the other server may just be starting; nor to stop
    asking that one is dead.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def stalled(self, pair: Pair) -> None:
        """See LinkListener: if it is not mended soon, rooms there may have let people go."""
        self._guard.lost_connection(pair.remote)
