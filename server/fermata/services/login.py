"""How a client becomes a session: its keys, its account, its resource."""

import logging
from collections.abc import Callable, Hashable
from typing import Final

from ..core.throttle import Failures
from ..host.accounts import Account
from ..host.entrance import Credentials
from ..host.iq import Addressee, IQTable
from ..host.origin import Clock
from ..host.registry import Sessions
from ..host.residents import Residents, Spawn
from ..host.sessions import Link, Session
from ..host.stores import AccountStore
from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID
from .kept_accounts import InThread
from .stream_management import StreamManagement

_OF_MANY: Final = 0.1
_log = logging.getLogger(__name__)
_SM: Final = "{" + ns.SM + "}"


def session_requests(iqs: IQTable) -> None:
    """Old clients ask for a session after they have bound one (RFC 3921 §3); since RFC 6121 that changes nothing."""
    for addressee in (Addressee.SELF, Addressee.SERVER):
        iqs.on(addressee, "set", "{%s}session" % ns.SESSION, lambda request: None)


class Login:
    """The way in for clients. Each answer goes to the `done` that is passed along; `address` is the peer's."""

    def __init__(
        self,
        credentials: AccountStore,
        accounts: Residents[Account],
        sessions: Sessions,
        stream_management: StreamManagement,
        failures: Failures,
        clock: Clock,
        spawn: Spawn,
        in_thread: InThread,
    ) -> None:
        self._credentials, self._accounts, self._sessions = credentials, accounts, sessions
        self._stream_management, self._failures, self._clock = stream_management, failures, clock
        self._spawn, self._in_thread = spawn, in_thread
        self.failed_attempts = 0  #: how often somebody has failed to authenticate

    def look_up(self, jid: JID, address: str, done: Callable[[Credentials | None], None]) -> None:
        """The credentials of an account; None if nobody may try now."""
        now = self._clock.seconds()
        if any(self._failures.is_full(key, now, weight) for key, weight in _weights(address, jid)):
            done(None)
            return
        self._spawn(self._look_up(jid, done))

    async def _look_up(self, jid: JID, done: Callable[[Credentials | None], None]) -> None:
        try:
            keys = await self._credentials.credentials(jid)
            is_disabled = await self._credentials.is_disabled(jid)
        except Exception:
            _log.exception("the keys of %s could not be read", jid)
            done(None)
        else:
            done(Credentials(keys, is_disabled))

    def failed(self, jid: JID | None, address: str) -> None:
        """An attempt to authenticate has failed."""
        self.failed_attempts += 1
        now = self._clock.seconds()
        for key, weight in _weights(address, jid):
            self._failures.note(key, now, weight)

    def verify(self, check: Callable[[], bool], done: Callable[[bool], None]) -> None:
        """Compares a password, which takes milliseconds, beside the reactor."""
        self._spawn(self._verify(check, done))

    async def _verify(self, check: Callable[[], bool], done: Callable[[bool], None]) -> None:
        done(await self._in_thread(check))

    def bind(self, jid: JID, resource: str, link: Link, done: Callable[[Session | StanzaError], None]) -> None:
        """Binds a resource for an account, with its roster and blocklist in memory."""

        def bound(account: Account | None) -> None:
            try:
                if account is None or account.is_disabled:
                    raise StanzaError("not-allowed", "the account is gone")
                done(self._sessions.bind(account, resource, link))
            except StanzaError as error:
                done(error)

        self._accounts.use(jid, bound, done)

    def resume(self, jid: JID, previd: str, h: int, link: Link, done: Callable[[Session | None], None]) -> None:
        """Resumes a session of an account (XEP-0198 §5)."""

        def loaded(account: Account | None) -> None:
            if account is None:
                done(None)
            else:
                self._stream_management.resume(account, previd, h, link, done)

        self._accounts.use(jid, loaded, lambda error: done(None))

    def nonza(self, session: Session, element: Element) -> None:
        """An element that is no stanza, from a bound client. Raises StreamError."""
        if not element.tag.startswith(_SM):
            raise StreamError("unsupported-stanza-type")
        self._stream_management.take(session, element)

    def left(self, session: Session, link: Link) -> None:
        """The client has closed its stream: what it sent is dealt with, then the session is over."""

        def finish() -> None:
            # Its connection may be gone by now, but not replaced by another.
            if session.link in (link, None):
                self._sessions.end(session)

        self._stream_management.say_goodbye(session, finish)

    def lost(self, session: Session, link: Link) -> None:
        """The connection of a session is gone, without a goodbye."""
        if session.link is link:
            self._stream_management.lost(session)
            self._sessions.lost(session, link, self._stream_management.window(session))


def _weights(address: str, jid: JID | None) -> tuple[tuple[Hashable, float], ...]:
    """Whom a failure is held against, and how much.

    Whoever tries one password on many accounts, or comes from many addresses, is stopped as well; a house full of
    people is not, and nobody keeps others out of their accounts so easily.
    """
    return ((address, jid), 1.0), (address, _OF_MANY), (jid, _OF_MANY)
