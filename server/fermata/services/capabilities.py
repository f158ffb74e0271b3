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

Learnt = Callable[[frozenset[str]], None]


class _Waiting(NamedTuple):
    account: JID
    client: JID
    learnt: Learnt


class Capabilities:
    """Of whose news clients want to hear: what they answered, by the hash if that is genuine, else by their address."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._known: OrderedDict[tuple[str, str], frozenset[str]] = OrderedDict()
        self._single: OrderedDict[tuple[JID, Caps], frozenset[str]] = OrderedDict()
        self._waiting: dict[Caps, list[_Waiting]] = {}

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
        waiting = self._waiting.setdefault(caps, [])
        waiting.append(_Waiting(account, client, learnt))
        if len(waiting) == 1:
            self._ask(caps, waiting[0])

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
            for each in waiting:
                each.learnt(found)
            return
        asked = waiting.pop(0)
        _remember(self._single, (asked.client, caps), found)
        asked.learnt(found)
        if waiting:
            self._ask(caps, waiting[0])
        else:
            del self._waiting[caps]


def _remember(known: OrderedDict[K, frozenset[str]], key: K, found: frozenset[str]) -> None:
    known[key] = found
    if len(known) > _KNOWN_MAX:
        known.popitem(last=False)
