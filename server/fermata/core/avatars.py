"""Avatars as they are published (XEP-0084), as part of a vCard (XEP-0153), and as a hash in presence (XEP-0398)."""

import binascii
import hashlib
import re
from base64 import b64decode, b64encode
from typing import Final, NamedTuple

from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element, child, copy_of
from .pubsub.nodes import Nodes

_PHOTO: Final = "{%s}PHOTO" % ns.VCARD
_BINVAL: Final = "{%s}BINVAL" % ns.VCARD
_TYPE: Final = "{%s}TYPE" % ns.VCARD
_DATA: Final = "{%s}data" % ns.AVATAR_DATA
_METADATA: Final = "{%s}metadata" % ns.AVATAR_METADATA
_INFO: Final = "{%s}info" % ns.AVATAR_METADATA
_X: Final = "{%s}x" % ns.VCARD_UPDATE
_PRESENCE_PHOTO: Final = "{%s}photo" % ns.VCARD_UPDATE
_HASH: Final = re.compile("[0-9a-f]{40}")
_USUAL_TYPE: Final = "image/png"


class Photo(NamedTuple):
    """An image: its media type, and its octets."""

    type: str
    octets: bytes

    @property
    def hash(self) -> str:
        """By which everybody knows it: SHA-1, in hexadecimal."""
        return hashlib.sha1(self.octets).hexdigest()


def photo_of(vcard: Element) -> Photo | None:
    """The image in a vCard; None if there is none, or none that can be read."""
    found = child(vcard, _PHOTO)
    return None if found is None else _image(_text(found, _BINVAL), _text(found, _TYPE))


def without_photo(vcard: Element) -> Element:
    """The vCard without an image that can be published instead."""
    rest = copy_of(vcard)
    found = child(rest, _PHOTO)
    if found is not None:
        rest.remove(found)
    return rest


def with_photo(vcard: Element, photo: Photo) -> Element:
    """The vCard with this image, whatever it had."""
    whole = without_photo(vcard)
    binval = E(_BINVAL, None, b64encode(photo.octets).decode())
    whole.append(E(_PHOTO, None, E(_TYPE, None, photo.type), binval))
    return whole


def published(photo: Photo) -> tuple[Element, Element]:
    """The payloads that say the same: the data, and the metadata about them (XEP-0084 §4.2)."""
    described = {"bytes": str(len(photo.octets)), "id": photo.hash, "type": photo.type}
    return E(_DATA, None, b64encode(photo.octets).decode()), E(_METADATA, None, E(_INFO, described))


def withdrawn() -> Element:
    """The metadata that say that there is none any more (XEP-0084 §4.2.4)."""
    return Element(_METADATA)


def read(data: Element, metadata: Element, hash: str) -> Photo | None:
    """The image that was published under a hash; None if it is another (XEP-0398 §3.1)."""
    types = [info.get("type", "") for info in metadata if info.tag == _INFO and info.get("id") == hash]
    photo = _image(data.text or "", types[0] if types else "")
    return photo if photo is not None and photo.hash == hash else None


def current(nodes: Nodes) -> str | None:
    """The hash of the avatar that an account has published; None if it has none, or none with data here."""
    metadata = nodes.get(ns.AVATAR_METADATA)
    if metadata is None or not metadata.items:
        return None
    hash, data = next(reversed(metadata.items)), nodes.get(ns.AVATAR_DATA)
    if data is None or hash not in data.items or _HASH.fullmatch(hash) is None:
        return None
    return hash


def stamp(nodes: Nodes, presence: Element) -> None:
    """Puts the hash of the account's avatar into an available presence (XEP-0398 §4).

    A client that says that it has none is believed; an avatar that is for a list of people alone is told to nobody.
    """
    hash = current(nodes)
    if hash is None or nodes.node(ns.AVATAR_METADATA).config.access_model == "whitelist":
        return
    x = child(presence, _X)
    if x is None:
        presence.append(E(_X, None, E(_PRESENCE_PHOTO, None, hash)))
        return
    photo = child(x, _PRESENCE_PHOTO)
    if photo is None:
        x.append(E(_PRESENCE_PHOTO, None, hash))
    elif (photo.text or "").strip():
        photo.text = hash


def _image(text: str, type: str) -> Photo | None:
    try:
        octets = b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return Photo(type or _USUAL_TYPE, octets) if octets else None


def _text(element: Element, tag: str) -> str:
    found = child(element, tag)
    return "" if found is None else found.text or ""
