"""XEP-0012: Last Activity: how long the server has been up, and how long an account has been away."""

from typing import Final

from ..host.extension import Host, extension
from ..host.iq import Addressee, Request
from ..services.last_seen import LastSeen
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element
from ..xmpp.errors import StanzaError

_QUERY: Final = "{%s}query" % ns.LAST


@extension(xep=12, version="2.0", features=(ns.LAST,), account_features=(ns.LAST,))
def last_activity(host: Host) -> None:
    """Answers for the server, and for accounts to those who get their presence."""
    activity = _Activity(host)
    host.on_iq(Addressee.SERVER, "get", _QUERY, activity.of_server)
    host.on_iq(Addressee.SELF, "get", _QUERY, activity.of_account)
    host.on_iq(Addressee.ACCOUNT, "get", _QUERY, activity.of_account)


class _Activity:
    def __init__(self, host: Host) -> None:
        self._clock, self._seen = host.clock, host.services[LastSeen]
        self._since = host.clock.seconds()

    def of_server(self, request: Request) -> Element:
        """Since when it runs (§5)."""
        return _answer(self._clock.seconds() - self._since)

    async def of_account(self, request: Request) -> Element:
        """Since when nobody is there (§3), for those who would see somebody come (§8)."""
        account, asker = request.owner, request.sender.bare
        if asker != account.jid and not account.roster.state(asker).has_from:
            raise StanzaError("forbidden", "that is for its contacts to know")
        if account.available():
            return _answer(0.0)
        seen = await self._seen.of(account)
        if seen is None:
            raise StanzaError("item-not-found", "nobody has been there yet")
        return _answer(self._clock.seconds() - seen.stamp, seen.status)


def _answer(seconds: float, status: str = "") -> Element:
    attributes = {"seconds": str(max(0, int(seconds)))}
    return E(_QUERY, attributes, status) if status else E(_QUERY, attributes)
