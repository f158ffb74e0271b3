"""Accounts that people make for themselves, if they may (XEP-0077, XEP-0445); see host.entrance.Registrar."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from ..core.c2s_registration import Terms
from ..core.throttle import Throttle
from ..host.origin import Clock
from ..host.residents import Spawn
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .introductions import Introductions
from .invitations import Invitations
from .users import Users

_OF_AN_ACCOUNT: Final = 0.2  #: what a failed attempt counts for
_HOUR: Final = 3_600.0
T = TypeVar("T")
_log = logging.getLogger(__name__)


class Registration:
    """Lets people in whom nobody has authenticated, as far as the terms allow and not too many from one address."""

    def __init__(
        self,
        terms: Terms,
        users_may_invite: bool,
        per_address_per_hour: int,
        users: Users,
        invitations: Invitations,
        introductions: Introductions,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self.terms, self.users_may_invite = terms, users_may_invite
        self._throttle = Throttle(per_address_per_hour, _HOUR)
        self._users, self._invitations, self._introductions = users, invitations, introductions
        self._clock, self._spawn = clock, spawn

    def preauthorise(self, domain: str, token: str, address: str, done: Callable[[str | StanzaError], None]) -> None:
        """See Registrar. Raises nothing: `item-not-found` is passed on, as is `resource-constraint`."""
        self._spawn(self._answer(self._preauthorise(domain, token, address), done))

    async def _answer(self, work: Awaitable[T], done: Callable[[T | StanzaError], None]) -> None:
        try:
            answer: T | StanzaError = await work
        except StanzaError as error:
            answer = error
        except Exception:
            _log.exception("a registration failed")
            answer = StanzaError("internal-server-error")
        done(answer)

    async def _preauthorise(self, domain: str, token: str, address: str) -> str:
        self._check(address)
        try:
            invitation = await self._invitations.find(domain, token)
            if not invitation.makes_account:
                raise StanzaError("item-not-found", "the invitation is not for an account")
        except StanzaError:
            self._note(address, _OF_AN_ACCOUNT)
            raise
        return invitation.localpart

    def register(
        self, jid: JID, password: str, token: str, address: str, done: Callable[[StanzaError | None], None]
    ) -> None:
        """See Registrar."""
        self._spawn(self._answer(self._register(jid, password, token, address), done))

    async def _register(self, jid: JID, password: str, token: str, address: str) -> None:
        self._check(address)
        # Noted before the work is done, so that many at once are stopped as well.
        self._note(address, _OF_AN_ACCOUNT)
        if await self._invitations.reserves(jid, token):
            raise StanzaError("conflict", f"{jid} is taken")
        if token:
            await self._register_guest(jid, password, token)
        elif self.terms.is_open:
            await self._users.add(jid, password)
        else:
            raise StanzaError("not-allowed", "nobody can register here without an invitation")
        self._note(address, 1.0 - _OF_AN_ACCOUNT)
        _log.info("an account was registered %s", "by invitation" if token else "by itself")

    async def _register_guest(self, jid: JID, password: str, token: str) -> None:
        invitation, used = await self._invitations.claim(jid.domain, token)
        try:
            await self._users.add(jid, password, [used])
        finally:
            self._invitations.release(token)
        if invitation.inviter:
            await self._introductions.introduce(JID.parse(invitation.inviter), jid)

    def _check(self, address: str) -> None:
        if self._throttle.is_full(address, self._clock.seconds()):
            raise StanzaError("resource-constraint", "too many accounts from your address; try again later")

    def _note(self, address: str, weight: float) -> None:
        self._throttle.note(address, self._clock.seconds(), weight)
