"""XEP-0054: vcard-temp, kept for accounts and shown to everybody."""

from typing import Final

from ..core.records import Step, ValueSaved
from ..core.stored_xml import stanza_from
from ..host.extension import Host, extension
from ..host.iq import Addressee, Answer, Request
from ..host.stores import ValueStore
from ..xmpp import namespaces as ns
from ..xmpp.element import Element, serialise
from ..xmpp.errors import StanzaError

_SPACE: Final = "vcard"
_VCARD: Final = "{%s}vCard" % ns.VCARD
_BYTES_MAX: Final = 65_536


@extension(xep=54, version="1.2", features=(ns.VCARD,), account_features=(ns.VCARD,))
def vcards(host: Host) -> None:
    """Answers for accounts, whoever asks; only the account itself can change its vCard."""
    vcards = _VCards(host.values)
    host.on_iq(Addressee.SELF, "get", _VCARD, vcards.get)
    host.on_iq(Addressee.ACCOUNT, "get", _VCARD, vcards.get)
    host.on_iq(Addressee.SELF, "set", _VCARD, vcards.set)
    host.on_iq(Addressee.ACCOUNT, "set", _VCARD, _refuse)


class _VCards:
    def __init__(self, values: ValueStore) -> None:
        self._values = values

    async def get(self, request: Request) -> Element:
        """The vCard as it was set; to oneself, an empty one if none was: clients read it before they write (§3.1)."""
        xml = await self._values.value(request.owner.number, _SPACE, "")
        if xml is None and request.sender.bare == request.owner.jid:
            return Element(_VCARD)
        if xml is None:
            raise StanzaError("item-not-found", "there is no vCard")
        return stanza_from(xml)

    def set(self, request: Request) -> Answer:
        """Replaces the whole vCard: there is no other way to change it (§3.2)."""
        xml = serialise(request.payload)
        if len(xml.encode()) > _BYTES_MAX:
            raise StanzaError("policy-violation", f"a vCard can have {_BYTES_MAX} bytes")
        return Answer(step=Step([ValueSaved(request.owner.number, _SPACE, "", xml)]))


def _refuse(request: Request) -> None:
    raise StanzaError("forbidden", "it is the vCard of somebody else")
