"""Finding out, after a start, who is still in the rooms: sends the pings, reads the answers (core.muc.verification)."""

from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Final

from ..core.muc.verification import Doubt, Missed, Ping, Verdict, Verification
from ..core.records import PingAnswered, Step
from ..host.accounts import Account
from ..host.origin import Clock, Timer
from ..host.registry import Sessions
from ..host.residents import Residents
from ..host.router import Router
from ..host.stores import Writer
from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from ..xmpp.stanza import condition_of

_MOST_ANSWERERS: Final = 10_000
_SHORTEST_PAUSE: Final = 0.05  # seconds from one round of questions to the next


class RoomVerification:
    """For the rooms of one service. `on_gone(room, session, why)` takes somebody out who is not there any more."""

    def __init__(
        self,
        rules: Verification,
        domains: Collection[str],
        accounts: Residents[Account],
        sessions: Sessions,
        router: Router,
        writer: Writer,
        clock: Clock,
    ) -> None:
        """`domains` are those of our own accounts."""
        self._rules, self._domains = rules, domains
        self._accounts, self._sessions, self._router = accounts, sessions, router
        self._writer, self._clock = writer, clock
        self._timer: Timer | None = None
        self._given_time: set[JID] = set()
        self._answerers: set[JID] = set()  # who has answered a ping, as far as that is remembered
        self.on_gone: Callable[[JID, JID, str], None]
        #: whether an account stands in a room with that full JID: it does so without any session
        self.stands_in: Callable[[JID, JID], bool] = _nobody

    @property
    def doubts(self) -> Mapping[JID, Doubt]:
        """The sessions of which nothing was heard yet; always the same mapping."""
        return self._rules.doubts

    def unverified_since(self, room: JID, session: JID) -> float:
        """Since when nothing is known of a session that is recorded in a room (Unix seconds); 0 if it is here."""
        return 0.0 if self._stays(session) else self._rules.unverified_since(session, room)

    def is_awaited(self, session: JID) -> bool:
        """Whether it is a session of our own accounts that may still come back: nothing can be delivered to it now."""
        return self._rules.is_awaited(session)

    def recall(self, room: JID, session: JID, answers_pings: bool) -> None:
        """A session was in a room when the process before this one ended, or when its server was lost."""
        if not self._stays(session) and not self.stands_in(room, session):
            answers_pings = answers_pings or session in self._answerers
            now, is_own = self._clock.seconds(), session.domain in self._domains
            self._rules.doubt(session, room, now, is_own, answers_pings)

    def begin(self) -> None:
        """Everybody was recalled."""
        self._watch()

    def domain_up(self, domain: str, lossless: bool) -> None:
        """There is a link to another server again; `lossless`: it goes on where the one before had ended."""
        self._rules.domain_up(domain, lossless, self._clock.seconds())
        self._watch()

    def take(self, stanza: Element, room: JID, sender: JID) -> bool:
        """Something has come from a session in doubt; whether that was all, and the room need not see it."""
        kind, rules = stanza.get("type", ""), self._rules
        if kind == "error" and rules.is_awaited(sender):
            return True  # made by ourselves: its time is not over yet
        if stanza.tag == "iq" and kind in ("error", "result"):
            verdict = rules.judge(sender, stanza)
            if verdict is not None:
                self._conclude(sender, verdict, stanza)
                return True
        if kind == "unavailable":
            rules.left(sender, room)
        elif kind != "error":
            rules.heard(sender)
        return False

    def _conclude(self, session: JID, verdict: Verdict, answer: Element) -> None:
        if verdict is Verdict.HERE:
            self._rules.heard(session)
            if answer.get("type") == "result":
                self._remember(session)
        elif verdict is Verdict.GONE:
            self._remove(session, f"unverified: {condition_of(answer)}")

    def _remember(self, answerer: JID) -> None:
        if len(self._answerers) >= _MOST_ANSWERERS:
            self._answerers.clear()
        self._answerers.add(answerer)
        self._writer.submit(Step([PingAnswered(answerer, self._clock.seconds())]))

    def _remove(self, session: JID, why: str) -> None:
        for room in self._rules.heard(session):
            self.on_gone(room, session, why)

    def _watch(self) -> None:
        """Sees to it that the rules are asked when they want to be."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        due = self._rules.next_deadline()
        if due < inf:
            self._timer = self._clock.callLater(max(_SHORTEST_PAUSE, due - self._clock.seconds()), self._tick)

    def _tick(self) -> None:
        for each in self._rules.tick(self._clock.seconds()):
            if isinstance(each, Missed):
                self._miss(each.session)
            else:
                self._ping(each)
        self._watch()

    def _ping(self, ping: Ping) -> None:
        rest = f" from='{ping.room.attribute}' id='{ping.id}' type='get'><ping xmlns='{ns.PING}'/></iq>"
        self._router.deliver(Payload("iq", rest, ping.room, "get"), ping.session)

    def _miss(self, session: JID) -> None:
        """Design invariant 1: 30 s; whose account is back by then may just be about to enter again."""
        if self._stays(session):
            self._rules.heard(session)
        elif self._is_back(session) and session not in self._given_time:
            self._given_time.add(session)
            self._rules.wait_longer(session, self._clock.seconds())
        else:
            self._remove(session, "not back after a restart")

    def _stays(self, jid: JID) -> bool:
        """Whether a session here has a client, or will wait for its client for longer than the rooms do."""
        session = self._sessions.get(jid)
        return session is not None and (session.link is not None or session.queue_trail is not None)

    def _is_back(self, session: JID) -> bool:
        account = self._accounts.get(session.bare)
        return account is not None and any(other.link is not None for other in account.sessions.values())


def _nobody(room: JID, session: JID) -> bool:
    return False
