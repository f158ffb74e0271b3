"""XEP-0077: In-Band Registration, of those who have authenticated: a new password, and the end of an account.

How somebody gets an account is a matter of the stream, before there is a session: see `core.c2s_registration`.
"""

from typing import Final

from ..core.throttle import Throttle
from ..host.extension import Host, extension
from ..host.iq import Addressee, Answer, Request
from ..services.users import Users
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element, child
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID, JIDError

_QUERY: Final = "{%s}query" % ns.REGISTER
_REMOVE: Final = "{%s}remove" % ns.REGISTER
_CHANGES_PER_MINUTE: Final = 10  #: hashing a password is work


@extension(xep=77, version="2.4", features=(ns.REGISTER,), account_features=(ns.REGISTER,))
def registration(host: Host) -> None:
    """Answers accounts, whether they ask the server or themselves."""
    registration = _Registration(host)
    for addressee in (Addressee.SERVER, Addressee.SELF):
        host.on_iq(addressee, "get", _QUERY, registration.get)
        host.on_iq(addressee, "set", _QUERY, registration.set)


class _Registration:
    def __init__(self, host: Host) -> None:
        self._users, self._sessions, self._clock = host.services[Users], host.sessions, host.clock
        self._throttle = Throttle(_CHANGES_PER_MINUTE)

    def get(self, request: Request) -> Element:
        """They are registered (§3.1)."""
        account = self._account(request)
        username = E(_clark("username"), None, account.local)
        return E(_QUERY, None, E(_clark("registered")), username, E(_clark("password")))

    async def set(self, request: Request) -> Answer:
        """A new password (§3.3), or the end (§3.2): after the answer the account goes, even over a crash."""
        account, query = self._account(request), request.payload
        if child(query, _REMOVE) is not None:
            if len(query) != 1:
                raise StanzaError("bad-request", "an account is removed, or changed, but not both")
            await self._users.condemn(account)
            return Answer(then=lambda: self._users.remove_soon(account))
        username, password = child(query, _clark("username")), child(query, _clark("password"))
        if username is None or password is None:
            raise StanzaError("bad-request", "a username and a password are needed")
        if not _names(username.text or "", account):
            raise StanzaError("not-allowed", "that is not your account")
        if self._throttle.is_full(account, self._clock.seconds()):
            raise StanzaError("resource-constraint", "too many changes; wait a little")
        self._throttle.note(account, self._clock.seconds())
        await self._users.set_password(account, password.text or "")
        return Answer()

    def _account(self, request: Request) -> JID:
        """Whose session asks; somebody of another server cannot have an account here."""
        account = request.sender.bare
        if self._sessions.get(request.sender) is None or request.to not in (account, account.domain):
            raise StanzaError("not-allowed", "accounts are for those who log in here")
        return account


def _names(username: str, account: JID) -> bool:
    try:
        return JID.of(username, account.domain) == account
    except JIDError:
        return False


def _clark(name: str) -> str:
    return "{%s}%s" % (ns.REGISTER, name)
