"""What a client can do, as its presence says (XEP-0115), as far as nodes are concerned: whose news it wants."""

import hashlib
from base64 import b64encode
from typing import Final, NamedTuple

from ...xmpp import disco
from ...xmpp import namespaces as ns
from ...xmpp.element import Element, child
from ...xmpp.errors import StanzaError

_C: Final = "{%s}c" % ns.CAPS
_NOTIFY: Final = "+notify"
_HASHES: Final = {"sha-1": "sha1", "sha-224": "sha224", "sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}
_INTERESTS_MAX: Final = 200
_CHARACTERS_MAX: Final = 10_000  #: of all of them
_VER_CHARACTERS_MAX: Final = 200

NONE: Final[frozenset[str]] = frozenset()


class Caps(NamedTuple):
    """The `<c/>` of a presence; without a hash it is of a kind that says nothing by itself (§1.3)."""

    node: str
    ver: str
    hash: str

    @property
    def key(self) -> tuple[str, str]:
        """By what the same is known of everybody who says the same."""
        return self.hash, self.ver


def caps_of(presence: Element | None) -> Caps | None:
    """The capabilities that a presence names, if it does."""
    found = None if presence is None else child(presence, _C)
    if found is None:
        return None
    caps = Caps(found.get("node", ""), found.get("ver", ""), found.get("hash", ""))
    return caps if caps.ver and sum(map(len, caps)) <= _VER_CHARACTERS_MAX * 3 else None


def question(caps: Caps) -> Element:
    """What is asked to learn what they mean (§6.2)."""
    return Element("{%s}query" % ns.DISCO_INFO, {"node": f"{caps.node}#{caps.ver}"})


def interests(info: Element) -> frozenset[str]:
    """The nodes of which somebody wants notifications (XEP-0060 §9.2), by his disco#info."""
    found = [
        feature.get("var", "").removesuffix(_NOTIFY)
        for feature in info
        if feature.tag == "{%s}feature" % ns.DISCO_INFO and feature.get("var", "").endswith(_NOTIFY)
    ]
    if len(found) > _INTERESTS_MAX or sum(map(len, found)) > _CHARACTERS_MAX:
        return NONE
    return frozenset(found)


def is_genuine(info: Element, caps: Caps) -> bool:
    """Whether the hash is that of the answer, so that it holds for everybody who names it (§5.4)."""
    algorithm = _HASHES.get(caps.hash)
    if algorithm is None:
        return False
    try:
        text = disco.verification_string(*disco.parse_info(info))
    except StanzaError:
        return False
    return b64encode(hashlib.new(algorithm, text.encode()).digest()).decode() == caps.ver
