"""What this server asks others in the name of its accounts, and their answers."""

from collections.abc import Callable
from typing import Final, NamedTuple

from ..host.origin import Clock, Timer
from ..host.pipeline import guarded_route
from ..host.router import Router
from ..xmpp.element import Element
from ..xmpp.jid import JID
from .relayed import Relayed

_SECONDS: Final = 60.0

Told = Callable[[Element | None], None]  #: gets the payload of a result; None for an error, or no answer in time


class _Open(NamedTuple):
    asked: JID
    told: Told
    timer: Timer


class Questions:
    """Requests of type get from the bare JIDs of accounts, as long as they have no answer."""

    def __init__(self, router: Router, relayed: Relayed, clock: Clock, new_id: Callable[[], str]) -> None:
        self._router, self._relayed, self._clock, self._new_id = router, relayed, clock, new_id
        self._open: dict[tuple[JID, str], _Open] = {}

    def ask(self, payload: Element, account: JID, to: JID, told: Told) -> None:
        """Asks; `told` is called once, and not before this returns."""
        id = self._new_id()
        timer = self._clock.callLater(_SECONDS, self._settle, (account, id), None)
        self._open[account, id] = _Open(to, told, timer)
        iq = Element("iq", {"type": "get", "id": id, "from": account, "to": to})
        iq.append(payload)
        self._clock.callLater(0, guarded_route, self._router, iq, to, account, self._relayed)

    def answered(self, stanza: Element, to: JID, sender: JID) -> None:
        """An iq of type result or error has come for the bare JID of an account: nobody else can answer than asked."""
        key = (to, stanza.get("id", ""))
        question = self._open.get(key)
        if question is not None and question.asked == sender:
            is_result = stanza.get("type") == "result" and len(stanza) > 0
            self._settle(key, stanza[0] if is_result else None)

    def _settle(self, key: tuple[JID, str], payload: Element | None) -> None:
        question = self._open.pop(key)
        if question.timer.active():
            question.timer.cancel()
        question.told(payload)
