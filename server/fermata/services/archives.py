"""Asks storage what a query asks an archive (XEP-0313)."""

from collections import Counter
from typing import Final

from ..core.archive_query import Found, Selection
from ..host.stores import ArchiveStore
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID

_LONG_AT_ONCE: Final = 10  #: questions of one person for which a whole archive may have to be looked through


class ArchiveReading:
    """Finds pages; nobody may make others wait for very many long questions."""

    def __init__(self, archive: ArchiveStore) -> None:
        self._archive = archive
        self._long: Counter[JID] = Counter()

    async def found(self, owner: int, selection: Selection, asker: JID) -> Found:
        """The page of an owner's archive that somebody asks for.

        Raises StanzaError: `item-not-found` if a message that the question names is not there, `resource-constraint`
        for too many long questions at once.
        """
        if selection.match is None and selection.most:
            return await self._found(owner, selection)
        bare = asker.bare
        if self._long[bare] >= _LONG_AT_ONCE:
            raise StanzaError("resource-constraint", "too many long questions at once")
        self._long[bare] += 1
        try:
            return await self._found(owner, selection)
        finally:
            self._long[bare] -= 1
            if not self._long[bare]:
                del self._long[bare]

    async def _found(self, owner: int, selection: Selection) -> Found:
        if selection.named and await self._archive.held(owner, selection.named) != selection.named:
            raise StanzaError("item-not-found", "the archive has no such message")
        if selection.most == 0:
            total = await self._archive.count(owner, selection)
            return Found((), total == 0, total)
        return Found.of(selection, await self._archive.page(owner, selection, selection.most + 1))
