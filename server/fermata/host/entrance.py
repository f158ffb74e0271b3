"""The way in, as the network layer sees it: from a proven address to a session, and out again."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from ..core.sasl.credentials import ScramKeys
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .sessions import Link, Session


class Credentials(NamedTuple):
    """What is known of who wants to authenticate: the account's keys, none if there is no such account."""

    keys: list[ScramKeys]
    is_disabled: bool = False  #: it may not log in, which is told to nobody but its owner


class Registrar(Protocol):
    """What makes accounts for clients that have none. Every answer goes to the `done` that is passed along."""

    def preauthorise(self, domain: str, token: str, address: str, done: Callable[[str | StanzaError], None]) -> None:
        """Whether a token invites to make an account; the localpart that it is for, empty for any."""

    def register(
        self, jid: JID, password: str, token: str, address: str, done: Callable[[StanzaError | None], None]
    ) -> None:
        """Makes an account, by that invitation if the token is not empty."""


class Entrance(Protocol):
    """What answers a client's connection. Every answer goes to the `done` that is passed along, at once or later."""

    def look_up(self, jid: JID, address: str, done: Callable[[Credentials | None], None]) -> None:
        """The credentials of an account; None if nobody at `address` may try it now."""

    def failed(self, jid: JID | None, address: str) -> None:
        """An attempt to authenticate has failed."""

    def verify(self, check: Callable[[], bool], done: Callable[[bool], None]) -> None:
        """Runs a check that takes milliseconds, beside everything else."""

    def bind(self, jid: JID, resource: str, link: Link, done: Callable[[Session | StanzaError], None]) -> None:
        """Binds a resource for the account `jid`; an empty one is chosen here."""

    def resume(self, jid: JID, previd: str, h: int, link: Link, done: Callable[[Session | None], None]) -> None:
        """Resumes a session of the account `jid`; None if it can't be, which the client has then been told."""

    def nonza(self, session: Session, element: Element) -> None:
        """An element that is no stanza, from a bound client. Raises StreamError if nobody knows it."""

    def left(self, session: Session, link: Link) -> None:
        """The client has closed its stream: the session is over."""

    def lost(self, session: Session, link: Link) -> None:
        """The connection is gone without a goodbye."""
