"""What clients can do (XEP-0115): each hash is asked about once, whoever names it."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from ..core.pubsub.capabilities import NONE, Caps, interests, is_genuine, question
from ..xmpp.element import Element
from ..xmpp.jid import JID
from .questions import Questions

K = TypeVar("K")
_KNOWN_MAX: Final = 2_000
_LEARNERS_MAX: Final = 20  #: that wait to hear of one client
_ASKED_MAX: Final = 5_000  #: hashes that are asked about at a time: more come from somebody who makes them up

Learnt = Callable[[frozenset[str]], None]


class _Waiting(NamedTuple):
    account: JID
    client: JID
    learnt: list[Learnt]

    def tell(self, interests: frozenset[str]) -> None:
        for learnt in self.learnt:
            learnt(interests)


class Capabilities:
    """Of whose news clients want to hear: what they answered, by the hash if that is genuine, else by their address."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._known: OrderedDict[tuple[str, str], frozenset[str]] = OrderedDict()
        self._single: OrderedDict[tuple[JID, Caps], frozenset[str]] = OrderedDict()
        self._waiting: dict[Caps, dict[JID, _Waiting]] = {}  # by client, in the order in which they are asked

    def learn(self, caps: Caps | None, client: JID, account: JID, learnt: Learnt) -> None:
        """Calls `learnt` with the interests of a client: at once if they are known, else when it has told `account`.

        One that does not answer has none.
        """
        if caps is None:
            learnt(NONE)
            return
        known = self._known.get(caps.key)
        if known is None:
            known = self._single.get((client, caps))
        if known is not None:
            learnt(known)
            return
        if caps not in self._waiting and len(self._waiting) >= _ASKED_MAX:
            learnt(NONE)
            return
        waiting = self._waiting.setdefault(caps, {})
        if client not in waiting:
            waiting[client] = _Waiting(account, client, [])
            if len(waiting) == 1:
                self._ask(caps, waiting[client])
        if len(waiting[client].learnt) < _LEARNERS_MAX:
            waiting[client].learnt.append(learnt)

    def _ask(self, caps: Caps, asked: _Waiting) -> None:
        def told(info: Element | None) -> None:
            self._told(caps, info)

        self._questions.ask(question(caps), asked.account, asked.client, told)

    def _told(self, caps: Caps, info: Element | None) -> None:
        """An answer that does not fit the hash is good for nobody but who gave it: the next one is asked."""
        waiting = self._waiting[caps]
        found = NONE if info is None else interests(info)
        if info is not None and is_genuine(info, caps):
            del self._waiting[caps]
            _remember(self._known, caps.key, found)
            for each in waiting.values():
                each.tell(found)
            return
        asked = waiting.pop(next(iter(waiting)))
        if info is not None:
            _remember(self._single, (asked.client, caps), found)
        asked.tell(found)
        if waiting:
            self._ask(caps, next(iter(waiting.values())))
        else:
            del self._waiting[caps]


def _remember(known: OrderedDict[K, frozenset[str]], key: K, found: frozenset[str]) -> None:
    known[key] = found
    if len(known) > _KNOWN_MAX:
        known.popitem(last=False)
