"""XEP-0054: vcard-temp, kept for accounts and shown to everybody."""

from typing import Final

from ..core.avatars import photo_of, with_photo, without_photo
from ..core.records import Record, ValueSaved
from ..core.stored_xml import stanza_from
from ..host.extension import Host, extension
from ..host.iq import Addressee, Answer, Request
from ..host.stores import ValueStore
from ..services.avatars import Avatars
from ..xmpp import namespaces as ns
from ..xmpp.element import Element, serialise
from ..xmpp.errors import StanzaError

_SPACE: Final = "vcard"
_VCARD: Final = "{%s}vCard" % ns.VCARD
_BYTES_MAX: Final = 65_536


@extension(xep=54, version="1.2", features=(ns.VCARD,), account_features=(ns.VCARD,))
def vcards(host: Host) -> None:
    """Answers for accounts, whoever asks; only the account itself can change its vCard."""
    vcards = _VCards(host.values, host.services[Avatars])
    host.on_iq(Addressee.SELF, "get", _VCARD, vcards.get)
    host.on_iq(Addressee.ACCOUNT, "get", _VCARD, vcards.get)
    host.on_iq(Addressee.SELF, "set", _VCARD, vcards.set)
    host.on_iq(Addressee.ACCOUNT, "set", _VCARD, _refuse)


class _VCards:
    def __init__(self, values: ValueStore, avatars: Avatars) -> None:
        self._values, self._avatars = values, avatars

    async def get(self, request: Request) -> Element:
        """The vCard as it was set, with the avatar as it was published, for those who may see that (XEP-0398 §3.1).

        To oneself, an empty one if none was set: clients read it before they write (§3.1).
        """
        xml = await self._values.value(request.owner.number, _SPACE, "")
        photo = await self._avatars.photo(request.owner, request.sender)
        if photo is not None:
            return with_photo(Element(_VCARD) if xml is None else stanza_from(xml), photo)
        if xml is None and request.sender.bare == request.owner.jid:
            return Element(_VCARD)
        if xml is None:
            raise StanzaError("item-not-found", "there is no vCard")
        return stanza_from(xml)

    def set(self, request: Request) -> Answer:
        """Replaces the whole vCard: there is no other way to change it (§3.2). Its photo is published as an avatar."""
        xml = serialise(request.payload)
        if len(xml.encode()) > _BYTES_MAX:
            raise StanzaError("policy-violation", f"a vCard can have {_BYTES_MAX} bytes")
        photo = photo_of(request.payload)
        if photo is not None:
            xml = serialise(without_photo(request.payload))
        records: list[Record] = [ValueSaved(request.owner.number, _SPACE, "", xml)]
        return self._avatars.replace(request.owner, photo, request.sender, records, request.iq)


def _refuse(request: Request) -> None:
    raise StanzaError("forbidden", "it is the vCard of somebody else")
