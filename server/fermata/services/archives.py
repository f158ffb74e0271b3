"""Asks storage what a query asks an archive (XEP-0313)."""

from ..core.archive_query import Found, Selection
from ..host.stores import ArchiveStore
from ..xmpp.errors import StanzaError


async def found(archive: ArchiveStore, owner: int, selection: Selection) -> Found:
    """The page of an owner's archive that is asked for.

    Raises StanzaError `item-not-found` if a message that the question names is not there.
    """
    if selection.named and await archive.held(owner, selection.named) != selection.named:
        raise StanzaError("item-not-found", "the archive has no such message")
    if selection.most == 0:
        total = await archive.count(owner, selection)
        return Found((), total == 0, total)
    return Found.of(selection, await archive.page(owner, selection, selection.most + 1))
