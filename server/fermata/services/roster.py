"""The roster as clients manage it (RFC 6121 §2)."""

from ..host.iq import Addressee, Answer, IQTable, Request
from ..host.registry import Sessions
from ..xmpp import namespaces as ns
from ..xmpp.errors import StanzaError
from .subscriptions import Subscriptions, push

_QUERY = "{%s}query" % ns.ROSTER


class RosterRequests:
    """Answers `jabber:iq:roster`."""

    def __init__(self, iqs: IQTable, sessions: Sessions, subscriptions: Subscriptions) -> None:
        self._sessions, self._subscriptions = sessions, subscriptions
        iqs.on(Addressee.SELF, "get", _QUERY, self._get)
        iqs.on(Addressee.SELF, "set", _QUERY, self._set)

    def _get(self, request: Request) -> Answer:
        account, session = request.account, self._sessions.get(request.sender)
        if account is None or session is None:
            raise StanzaError("item-not-found")
        session.wants_roster = True
        if session.trail is not None:
            session.trail.told()
        answer = account.roster.get(request.payload.get("ver"))

        def send_pushes() -> None:
            for query in answer.pushes:
                push([session], account.jid, query)

        return Answer(answer.query, then=send_pushes)

    def _set(self, request: Request) -> Answer:
        account = request.account
        if account is None:
            raise StanzaError("item-not-found")
        change = account.roster.set_item(request.payload)
        return Answer(step=self._subscriptions.perform(account, change, request.iq, request.origin))
