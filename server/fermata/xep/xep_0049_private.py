"""XEP-0049: Private XML Storage, each element under its own name."""

from collections.abc import Iterable
from typing import Final

from ..core.pubsub.bookmarks import STORAGE
from ..core.records import Record, Step, ValueRemoved, ValueSaved
from ..core.stored_xml import stanza_from
from ..host.extension import Host, extension
from ..host.iq import Addressee, Answer, Request
from ..host.stores import ValueStore
from ..services.bookmarks import PRIVATE_SPACE, Bookmarks
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element, child, namespace, serialise
from ..xmpp.errors import StanzaError

_QUERY: Final = "{%s}query" % ns.PRIVATE
_BYTES_MAX: Final = 65_536  #: of one element
_ELEMENTS_MAX: Final = 100  #: of one account


@extension(xep=49, version="1.2", features=(ns.PRIVATE,))
def private_storage(host: Host) -> None:
    """Answers the account itself; nobody else finds anything here."""
    storage = _PrivateStorage(host.values, host.services[Bookmarks])
    host.on_iq(Addressee.SELF, "get", _QUERY, storage.get)
    host.on_iq(Addressee.SELF, "set", _QUERY, storage.set)


class _PrivateStorage:
    def __init__(self, values: ValueStore, bookmarks: Bookmarks) -> None:
        self._values, self._bookmarks = values, bookmarks

    async def get(self, request: Request) -> Element:
        """What is kept under a name or, if nothing is, what was asked with."""
        wanted = list(request.payload)
        if len(wanted) != 1:
            raise StanzaError("bad-request" if not wanted else "not-acceptable", "ask for one element at a time")
        _check_names(wanted)
        if wanted[0].tag == STORAGE:
            return E(_QUERY, None, await self._bookmarks.storage(request.owner))
        xml = await self._values.value(request.owner.number, PRIVATE_SPACE, wanted[0].tag)
        return E(_QUERY, None, wanted[0] if xml is None else stanza_from(xml))

    async def set(self, request: Request) -> Answer:
        """Keeps all elements or none; one without content is as good as none, and takes no room."""
        account, kept = request.owner.number, list(request.payload)
        if not kept:
            raise StanzaError("not-acceptable", "there is nothing to be kept")
        _check_names(kept)
        records = [_record(account, element) for element in kept]
        bookmarks = child(request.payload, STORAGE)
        if bookmarks is not None:
            records = [record for record in records if STORAGE not in _names([record], ValueSaved, ValueRemoved)]
        before = await self._values.keys(account, PRIVATE_SPACE)
        if len({*before, *_names(records, ValueSaved)} - _names(records, ValueRemoved)) > _ELEMENTS_MAX:
            raise StanzaError("resource-constraint", f"an account can keep {_ELEMENTS_MAX} elements")
        if bookmarks is not None:
            return await self._bookmarks.replace(request.owner, bookmarks, request.sender, records, request.iq)
        return Answer(step=Step(records))


def _check_names(elements: list[Element]) -> None:
    if any(namespace(element) in ("", ns.PRIVATE) for element in elements):
        raise StanzaError("not-acceptable", "an element without a namespace of its own")
    if len({element.tag for element in elements}) < len(elements):
        raise StanzaError("not-acceptable", "the same element twice")


def _record(account: int, element: Element) -> Record:
    if not (len(element) or element.text or element.attrib):
        return ValueRemoved(account, PRIVATE_SPACE, element.tag)
    xml = serialise(element)
    if len(xml.encode()) > _BYTES_MAX:
        raise StanzaError("policy-violation", f"an element can have {_BYTES_MAX} bytes")
    return ValueSaved(account, PRIVATE_SPACE, element.tag, xml)


def _names(records: Iterable[Record], *kinds: type[ValueSaved] | type[ValueRemoved]) -> set[str]:
    return {record.key for record in records if isinstance(record, kinds)}
