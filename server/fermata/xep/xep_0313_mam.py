"""XEP-0313: Message Archive Management: an account asks its own archive. Rooms answer for theirs themselves."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from ..core.archive_answer import fin, form, metadata, results
from ..core.archive_query import FIELDS, GROUPCHAT_FIELD, METADATA, QUERY, Query, Row, account_match
from ..core.keeping import GROUPCHAT
from ..host.extension import Host, extension
from ..host.iq import Addressee, Request
from ..host.registry import Sessions
from ..host.stores import ArchiveStore
from ..services.archives import ArchiveReading
from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.jid import JID
from ..xmpp.payload import Payload

_FIELDS: Final = FIELDS | {GROUPCHAT_FIELD}
_FEATURES: Final = (ns.MAM, ns.MAM_EXTENDED, ns.MAM_GROUPCHAT)


@extension(xep=313, version="1.1.3")
def archives(host: Host) -> None:
    """Answers the account itself, where accounts have archives; nobody else learns that there is one."""
    if host.archive is None:
        return
    archives = _Archives(host.archive, host.sessions)
    host.on_iq(Addressee.SELF, "set", QUERY, archives.query)
    host.on_iq(Addressee.SELF, "get", QUERY, lambda request: form(_FIELDS))
    host.on_iq(Addressee.SELF, "get", METADATA, archives.metadata)
    host.discoverable.account_features.update(_FEATURES)


class _Archives:
    def __init__(self, archive: ArchiveStore, sessions: Sessions) -> None:
        self._archive, self._sessions = archive, sessions
        self._reading = ArchiveReading(archive)

    async def query(self, request: Request) -> Element:
        """A page of the archive: its messages to the session that asks, then the result (§4.2)."""
        account, query = request.owner, Query.parse(request.payload, _FIELDS)
        id_of = partial(self._archive.id_of, owner=account.number)
        seq_of = partial(self._archive.seq_of, owner=account.number)
        selection = query.selection(seq_of, account_match(account.jid, query.jid))
        if not query.groupchat and not query.ids:
            selection = selection._replace(without=GROUPCHAT)
        page = await self._reading.found(account.number, selection, request.sender)
        payloads = results(account.jid, query, page, id_of, _as_it_was)
        request.origin.emit(0, None, self._send, payloads, request.sender)
        return fin(page, id_of)

    async def metadata(self, request: Request) -> Element:
        """Where the archive begins and ends (§4.4)."""
        number = request.owner.number
        return metadata(await self._archive.ends(number), partial(self._archive.id_of, owner=number))

    def _send(self, payloads: Sequence[Payload], to: JID) -> None:
        session = self._sessions.get(to)
        if session is not None:
            session.send_all(payloads, to)


def _as_it_was(row: Row, id: str) -> str:
    return row.xml
