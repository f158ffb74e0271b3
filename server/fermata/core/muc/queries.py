"""The iq requests between occupants that wait for an answer (XEP-0045 §17.4)."""

from typing import Final, NamedTuple

from ...xmpp.jid import JID

_MOST: Final = 1000


class Query(NamedTuple):
    """One request: the session that asked, with its own id, the occupant JID it asked, the real JID that got it."""

    requester: JID
    id: str
    asked: JID
    target: JID


class Queries:
    """Requests by the id under which the room passed them on; the oldest is forgotten when there are too many."""

    def __init__(self) -> None:
        self._queries: dict[str, Query] = {}

    def __len__(self) -> int:
        return len(self._queries)

    def add(self, id: str, query: Query) -> None:
        """Remembers a request."""
        if len(self._queries) >= _MOST:
            del self._queries[next(iter(self._queries))]
        self._queries[id] = query

    def take(self, id: str, sender: JID) -> Query | None:
        """The request that an answer from `sender` is to, which is then done; None if it is an answer to none."""
        query = self._queries.get(id)
        if query is None or query.target != sender:
            return None
        return self._queries.pop(id)
