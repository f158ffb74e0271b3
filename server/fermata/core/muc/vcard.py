"""A room's vCard as a value, with what is said of its photos (XEP-0054, XEP-0153)."""

from base64 import b64decode
from hashlib import sha1
from typing import Final, NamedTuple, Self

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, child, serialise
from ..stored_xml import stanza_from

SPACE: Final = "vcard"  #: where it is kept among the room's values
VCARD: Final = "{%s}vCard" % ns.VCARD
_PHOTO: Final = "{%s}PHOTO" % ns.VCARD
_BINVAL: Final = "{%s}BINVAL" % ns.VCARD


class VCard(NamedTuple):
    """A vCard as XML, empty if there is none; `hashes` are the SHA-1 of its photos, in hexadecimal (XEP-0153 §3)."""

    xml: str = ""
    hashes: tuple[str, ...] = ()

    @classmethod
    def of(cls, element: Element) -> Self:
        """What a `<vCard/>` holds. Raises ValueError for a photo that is not in base64."""
        photos = [child(photo, _BINVAL) for photo in element if photo.tag == _PHOTO]
        texts = ["".join((photo.text or "").split()) for photo in photos if photo is not None]
        hashes = [sha1(b64decode(text, validate=True)).hexdigest() for text in texts if text]
        return cls(serialise(element) if len(element) else "", tuple(hashes))

    @classmethod
    def parse(cls, xml: str) -> Self:
        """The vCard that was kept as this text."""
        return cls.of(stanza_from(xml)) if xml else cls()

    def element(self) -> Element:
        """The `<vCard/>`."""
        return stanza_from(self.xml) if self.xml else Element(VCARD)
