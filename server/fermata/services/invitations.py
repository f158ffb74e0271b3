"""Invitations: to make an account, or to be somebody's contact, once (XEP-0401, XEP-0445, XEP-0379).

Only a hash of each token is kept, so that a copy of the database lets nobody in.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import quote

from ..core.records import Record
from ..host.origin import Clock
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID, JIDError
from .domain_values import DomainValues
from .users import Users

_SPACE: Final = "invitations"  #: of the domain; the key is the hash of a token
_TOKEN_BYTES: Final = 18
_DAY: Final = 86_400.0
_OF_ONE_MAX: Final = 100  #: unused ones of one inviter
_LOCALPART: Final = "!$()*+,;="  # what may stand as it is in a URI (RFC 5122 §2.2)


class Invitation(NamedTuple):
    """What a token is good for, until `expires` (Unix seconds; 0: for good).

    `inviter` is the bare JID whose contact the guest becomes, empty for none; `localpart` the name that is reserved for
    the guest, empty for any; `makes_account` whether an account can be made with it.
    """

    inviter: str
    localpart: str
    makes_account: bool
    expires: float

    def is_good(self, now: float) -> bool:
        """Whether it has not expired."""
        return not self.expires or now < self.expires


class Ticket(NamedTuple):
    """An invitation as it is handed to the guest: its token, and the URI that a client opens."""

    token: str
    uri: str
    expires: float


class Invitations:
    """The invitations of these domains. Everything raises StanzaError, whose text is for people."""

    def __init__(self, domains: Sequence[str], own: DomainValues, users: Users, clock: Clock, days: int) -> None:
        self._domains, self._own, self._users, self._clock, self._days = domains, own, users, clock, days
        self._claimed: set[str] = set()  # what is being used just now

    async def to_register(
        self, domain: str, inviter: JID | None = None, localpart: str = "", days: int | None = None
    ) -> Ticket:
        """Invites somebody to make an account, who then is a contact of the inviter's if there is one.

        `conflict` if the name that is to be reserved is taken, `resource-constraint` for too many.
        """
        self._own.check(domain)
        if inviter is not None and not await self._users.exists(inviter):
            raise StanzaError("item-not-found", f"there is no account {inviter}")
        address = JID.parse(domain)
        if localpart:
            try:
                address = JID.of(localpart, domain)
            except JIDError as error:
                raise StanzaError("not-acceptable", f"{localpart!r} can be no username: {error}") from None
            if await self._users.exists(address) or await self.reserves(address):
                raise StanzaError("conflict", f"{address} is taken")
        invitation = Invitation(inviter or "", address.local, True, self._expiry(days))
        return await self._keep(domain, invitation, address, "register")

    async def to_befriend(self, inviter: JID, makes_account: bool) -> Ticket:
        """Invites somebody, with an account anywhere, to be a contact; with `makes_account`, also to make one here."""
        invitation = Invitation(inviter, "", makes_account, self._expiry(None))
        ticket = await self._keep(inviter.domain, invitation, inviter, "roster")
        return ticket._replace(uri=ticket.uri + ";ibr=y") if makes_account else ticket

    def _expiry(self, days: int | None) -> float:
        days = self._days if days is None else days
        return self._clock.seconds() + days * _DAY if days else 0.0

    async def _keep(self, domain: str, invitation: Invitation, address: JID, action: str) -> Ticket:
        kept = await self._all(domain)
        now = self._clock.seconds()
        stale = [key for key, each in kept.items() if not each.is_good(now)]
        if stale:
            await self._own.remove(domain, _SPACE, stale)
        if invitation.inviter and sum(each.inviter == invitation.inviter for each in kept.values()) >= _OF_ONE_MAX:
            raise StanzaError("resource-constraint", f"{_OF_ONE_MAX} of your invitations are still unused")
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await self._own.save(domain, _SPACE, _key(token), json.dumps(invitation))
        local = f"{quote(address.local, safe=_LOCALPART)}@" if address.local else ""
        return Ticket(token, f"xmpp:{local}{address.domain}?{action};preauth={token}", invitation.expires)

    async def find(self, domain: str, token: str) -> Invitation:
        """What a token is good for. Raises `item-not-found` if it never was good, or is no more."""
        kept = await self._own.value(domain, _SPACE, _key(token))
        invitation = None if kept is None else Invitation(*json.loads(kept))
        if invitation is None or not invitation.is_good(self._clock.seconds()):
            raise StanzaError("item-not-found", "the invitation is not good, or no more")
        return invitation

    async def reserves(self, jid: JID, but: str = "") -> bool:
        """Whether a name is kept for somebody who was invited with another token than `but`."""
        now = self._clock.seconds()
        kept = await self._all(jid.domain)
        return any(each.localpart == jid.local and each.is_good(now) for key, each in kept.items() if key != _key(but))

    async def claim(self, domain: str, token: str) -> tuple[Invitation, Record]:
        """An invitation that nobody else can use until it is released, and the record that uses it up.

        It may have expired since it was asked for (XEP-0445 §4.3): whoever is typing a password is let in.
        """
        kept = await self._own.value(domain, _SPACE, _key(token))
        if kept is None or token in self._claimed:
            raise StanzaError("not-allowed", "the invitation is used up")
        used = await self._own.removal(domain, _SPACE, _key(token))
        if token in self._claimed:
            raise StanzaError("not-allowed", "the invitation is used up")
        self._claimed.add(token)
        return Invitation(*json.loads(kept)), used

    def release(self, token: str) -> None:
        """It is used, or can be by somebody else."""
        self._claimed.discard(token)

    async def admits(self, inviter: JID, token: str) -> bool:
        """Whether that token makes somebody a contact of the inviter's (XEP-0379); it is used up by that."""
        try:
            invitation = await self.find(inviter.domain, token)
            if invitation.inviter != inviter:
                return False
            _, used = await self.claim(inviter.domain, token)
        except StanzaError:
            return False
        try:
            await self._own.keep([used])
        finally:
            self.release(token)
        return True

    async def withdraw(self, inviter: JID) -> None:
        """An account is removed: whom it has invited is not let in any more."""
        if inviter.domain in self._domains:
            kept = await self._all(inviter.domain)
            own = [key for key, each in kept.items() if each.inviter == inviter]
            await self._own.remove(inviter.domain, _SPACE, own)

    async def _all(self, domain: str) -> dict[str, Invitation]:
        kept = await self._own.values(domain, _SPACE)
        return {key: Invitation(*json.loads(text)) for key, text in kept.items()}


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
