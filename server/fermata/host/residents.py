"""What lives in memory while it is needed: loaded on demand, used in the order in which it was asked for."""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID

T = TypeVar("T")
Spawn = Callable[[Coroutine[Any, Any, None]], object]  #: starts a coroutine
Refuse = Callable[[StanzaError], None]
_log = logging.getLogger(__name__)


class Residents(Generic[T]):
    """Accounts or rooms by bare JID.

    `load` brings one in from storage, or None where there is none; `is_idle` says that nothing would be missed if one
    were dropped from memory; at most about `spare` idle ones are kept.
    """

    def __init__(
        self, load: Callable[[JID], Awaitable[T | None]], is_idle: Callable[[T], bool], spawn: Spawn, spare: int = 1000
    ) -> None:
        self._load, self._is_idle, self._spawn, self._spare = load, is_idle, spawn, spare
        self._present: dict[JID, T] = {}
        self._waiting: dict[JID, list[tuple[Callable[[T | None], None], Refuse]]] = {}
        self._sweep_at = spare
        self._dropped = 0  # how many have left memory
        self.get = self._present.get  #: the one that is in memory, or None; never loads

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._present.values()))

    def __len__(self) -> int:
        return len(self._present)

    def put(self, jid: JID, resident: T) -> None:
        """Takes in one that was made here rather than loaded."""
        self._present[jid] = resident
        if len(self._present) > self._sweep_at:
            self._sweep()

    def drop(self, jid: JID) -> None:
        """It is gone, or must be loaded afresh."""
        self._dropped += 1
        self._present.pop(jid, None)

    def use(self, jid: JID, act: Callable[[T | None], None], refuse: Refuse) -> None:
        """Calls `act` with the one that has this bare JID, or with None if there is none.

        While one is being loaded, calls for it wait in line, so that order is kept; `refuse` is called instead if
        storage fails.
        """
        resident = self._present.get(jid)
        if resident is not None and jid not in self._waiting:
            act(resident)
            return
        waiting = self._waiting.get(jid)
        if waiting is not None:
            waiting.append((act, refuse))
            return
        self._waiting[jid] = [(act, refuse)]
        self._spawn(self._bring_in(jid))

    async def fetch(self, jid: JID) -> T | None:
        """The one that has this bare JID, for somebody who need not stand in line; None if there is none.

        Whoever stands in line has his turn first. What storage raises comes through.
        """
        if jid not in self._present:
            self._waiting.setdefault(jid, [])
            await self._load_for_all(jid)
        return self._present.get(jid)

    async def _bring_in(self, jid: JID) -> None:
        try:
            await self._load_for_all(jid)
        except Exception:
            _log.exception("could not be loaded: %s", jid)

    async def _load_for_all(self, jid: JID) -> None:
        """Brings one in, and gives everybody in line his turn, whoever began to load it."""
        try:
            loaded = await self._read(jid)
        except Exception:
            for _, refuse in self._waiting.pop(jid, ()):
                refuse(StanzaError("internal-server-error", "the database does not answer", "wait"))
            raise
        if loaded is not None and jid not in self._present:
            self.put(jid, loaded)
        waiting = self._waiting.get(jid)
        while waiting:
            act, _ = waiting.pop(0)
            try:
                # One that stood before may have made or dropped what this one asks for.
                act(self._present.get(jid))
            except Exception:
                _log.exception("what was to be done with %s failed", jid)  # those behind it must not wait for ever
        if self._waiting.get(jid) is waiting:
            self._waiting.pop(jid, None)

    async def _read(self, jid: JID) -> T | None:
        """What storage has now: what was read before one was dropped may be older than what that one had changed."""
        while True:
            before, loaded = self._dropped, await self._load(jid)
            if before == self._dropped or jid in self._present:
                return loaded

    def _sweep(self) -> None:
        idle = [jid for jid, resident in self._present.items() if self._is_idle(resident)]
        for jid in idle[: len(idle) // 2]:
            self.drop(jid)
        self._sweep_at = len(self._present) + self._spare
