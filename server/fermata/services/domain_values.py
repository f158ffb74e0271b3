"""Small things that a domain itself owns, such as its message of the day: values whose owner is the domain."""

from collections.abc import Sequence
from functools import partial

from ..core.records import Record, ValueRemoved, ValueSaved
from ..host.origin import Clock
from ..host.stores import Entities, SettledWriter, ValueStore
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .durable import keep


class DomainValues:
    """Values by domain, space and key; a method that changes one returns when that is durable.

    They raise StanzaError `internal-server-error` where it can't be kept, `item-not-found` for a domain that is not one
    of `domains`.
    """

    def __init__(
        self, domains: Sequence[str], entities: Entities, values: ValueStore, writer: SettledWriter, clock: Clock
    ) -> None:
        self._domains = domains
        self._entities, self._values, self._clock = entities, values, clock
        self.keep = partial(keep, writer)  #: keeps records together

    def check(self, domain: str) -> None:
        """Raises StanzaError `item-not-found` for a domain that is not ours."""
        if domain not in self._domains:
            known = ", ".join(self._domains)
            raise StanzaError("item-not-found", f"{domain} is none of this server's domains ({known})")

    async def value(self, domain: str, space: str, key: str) -> str | None:
        """One value, if it is there."""
        return await self._values.value(await self._number(domain), space, key)

    async def values(self, domain: str, space: str) -> dict[str, str]:
        """All values of one space."""
        return await self._values.values(await self._number(domain), space)

    async def keys(self, domain: str, space: str) -> list[str]:
        """Under which keys there are values in one space."""
        return await self._values.keys(await self._number(domain), space)

    async def save(self, domain: str, space: str, key: str, value: str) -> None:
        """Keeps a value."""
        await self.keep([await self.saving(domain, space, key, value)])

    async def saving(self, domain: str, space: str, key: str, value: str) -> Record:
        """The record that keeps a value, to be kept with something else."""
        return ValueSaved(await self._number(domain), space, key, value)

    async def removal(self, domain: str, space: str, key: str) -> Record:
        """The record that takes a value away, to be kept with something else."""
        return ValueRemoved(await self._number(domain), space, key)

    async def remove(self, domain: str, space: str, keys: Sequence[str]) -> None:
        """Takes values away."""
        number = await self._number(domain)
        await self.keep([ValueRemoved(number, space, key) for key in keys])

    async def _number(self, domain: str) -> int:
        self.check(domain)
        return await self._entities.number_for(JID.parse(domain), self._clock.seconds())
