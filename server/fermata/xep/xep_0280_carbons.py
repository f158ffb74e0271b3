"""XEP-0280: Message Carbons: `services.carbons` makes them, here a client asks for them."""

from typing import Final

from ..host.extension import Host, extension
from ..host.iq import Addressee, Request
from ..host.registry import Sessions
from ..xmpp import namespaces as ns
from ..xmpp.errors import StanzaError

_ENABLE: Final = "{%s}enable" % ns.CARBONS
_DISABLE: Final = "{%s}disable" % ns.CARBONS


@extension(xep=280, version="1.0.1", features=(ns.CARBONS,))
def carbons(host: Host) -> None:
    """Answers sessions of the account itself; others do not learn that it is there."""
    carbons = _Carbons(host.sessions)
    host.on_iq(Addressee.SELF, "set", _ENABLE, carbons.enable)
    host.on_iq(Addressee.SELF, "set", _DISABLE, carbons.disable)


class _Carbons:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def enable(self, request: Request) -> None:
        """From now on, the session gets copies (§4); if it does already, that is as well."""
        self._set(request, True)

    def disable(self, request: Request) -> None:
        """It gets none any more (§5)."""
        self._set(request, False)

    def _set(self, request: Request, is_wanted: bool) -> None:
        session = self._sessions.get(request.sender)
        if session is None:
            raise StanzaError("not-allowed", "only a client gets copies")
        request.owner.listens(session, is_wanted)
        if session.trail is not None:
            session.trail.told()
