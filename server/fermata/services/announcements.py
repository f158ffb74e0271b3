"""What administrators tell everybody: announcements, and the message of the day."""

import json
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ..core.records import Step, ValueSaved
from ..host.accounts import Account
from ..host.pipeline import guarded_route
from ..host.residents import Spawn
from ..host.router import Router
from ..host.sessions import Session
from ..host.stores import SettledWriter, ValueStore
from ..xmpp.element import E
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .domain_values import DomainValues
from .relayed import Relayed
from .users import Users

_SPACE: Final = "motd"  #: of the domain: the message of the day; of an account: the id of the last one that it got
_AT_ONCE: Final = 100  # accounts that are told before what that made is committed


class MessageOfTheDay(NamedTuple):
    """What each account of a domain is told once, when it next becomes available."""

    id: str
    text: str


class Announcements:
    """Messages from a domain to its accounts. Everything that changes something raises StanzaError."""

    def __init__(
        self,
        domains: Sequence[str],
        users: Users,
        own: DomainValues,
        values: ValueStore,
        router: Router,
        relayed: Relayed,
        writer: SettledWriter,
        spawn: Spawn,
        new_id: Callable[[], str],
    ) -> None:
        self._domains, self._users, self._own, self._values = domains, users, own, values
        self._router, self._relayed, self._writer = router, relayed, writer
        self._spawn, self._new_id = spawn, new_id
        self._today: dict[str, MessageOfTheDay] = {}
        # Who has got the present one, as far as it is known without asking storage; by number.
        self._told: dict[str, set[int]] = {}

    async def load(self) -> None:
        """Reads the messages of the day; to be called once, at the start."""
        for domain in self._domains:
            kept = await self._own.value(domain, _SPACE, "")
            if kept is not None and domain not in self._today:
                self._today[domain] = MessageOfTheDay(*json.loads(kept))

    async def announce(self, domain: str, text: str, to_all: bool = False) -> int:
        """Sends a message to the accounts of a domain that are online, or to all; to how many."""
        self._own.check(domain)
        _check_text(text)
        accounts = await self._users.registered(domain) if to_all else self._users.online(domain)
        for number, account in enumerate(accounts, 1):
            self._send(JID.parse(account), text, "Announcement")
            if number % _AT_ONCE == 0:
                await self._writer.settled()
        return len(accounts)

    def of_the_day(self, domain: str) -> str:
        """The text of a domain's message of the day; empty if there is none."""
        self._own.check(domain)
        today = self._today.get(domain)
        return "" if today is None else today.text

    async def set_of_the_day(self, domain: str, text: str) -> None:
        """Each account gets this message once, when it next becomes available."""
        await self._keep(domain, MessageOfTheDay(self._new_id(), text))
        self._told.pop(domain, None)

    async def edit_of_the_day(self, domain: str, text: str) -> None:
        """Changes the message for those who have not got it yet. Raises `item-not-found` if there is none."""
        today = self._today.get(domain)
        if today is None:
            raise StanzaError("item-not-found", "there is no message of the day")
        await self._keep(domain, today._replace(text=text))

    async def delete_of_the_day(self, domain: str) -> None:
        """There is no message of the day any more."""
        self._own.check(domain)
        self._today.pop(domain, None)
        self._told.pop(domain, None)
        await self._own.remove(domain, _SPACE, [""])

    async def _keep(self, domain: str, today: MessageOfTheDay) -> None:
        self._own.check(domain)
        _check_text(today.text)
        await self._own.save(domain, _SPACE, "", json.dumps(today))
        self._today[domain] = today

    def arrived(self, account: Account, session: Session) -> None:
        """A session has become available: its account gets the message of the day, unless it has had it."""
        today = self._today.get(account.jid.domain)
        if today is None:
            return
        told = self._told.setdefault(account.jid.domain, set())
        if account.number not in told:
            told.add(account.number)
            self._spawn(self._tell(account, today))

    async def _tell(self, account: Account, today: MessageOfTheDay) -> None:
        if await self._values.value(account.number, _SPACE, "") != today.id:
            self._writer.submit(Step([ValueSaved(account.number, _SPACE, "", today.id)]))
            self._send(account.jid, today.text, "Message of the day")

    def _send(self, to: JID, text: str, subject: str) -> None:
        domain = JID.parse(to.domain)
        message = E("message", {"from": domain, "to": to}, E("subject", None, subject), E("body", None, text))
        message.set("id", self._new_id())
        guarded_route(self._router, message, to, domain, self._relayed)


def _check_text(text: str) -> None:
    if not text.strip():
        raise StanzaError("not-acceptable", "there is nothing to be said")
