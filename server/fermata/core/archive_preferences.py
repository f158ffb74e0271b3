"""Which of an account's messages its archive keeps (XEP-0441)."""

from collections.abc import Iterable
from typing import Final, NamedTuple, Self

from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element, child
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID, JIDError

PREFS: Final = "{%s}prefs" % ns.MAM
SPACE: Final = "archive preferences"  #: under which they are kept, as XML

_ALWAYS: Final = "{%s}always" % ns.MAM
_NEVER: Final = "{%s}never" % ns.MAM
_JID: Final = "{%s}jid" % ns.MAM
_DEFAULTS: Final = frozenset({"always", "never", "roster"})
_MOST: Final = 1_000


class Preferences(NamedTuple):
    """What is kept with whom: `default` is always, never or roster, for everybody in neither list."""

    default: str = "always"
    always: tuple[JID, ...] = ()
    never: tuple[JID, ...] = ()

    @classmethod
    def parse(cls, element: Element) -> Self:
        """What a `<prefs/>` says; a list that it leaves out is empty.

        Raises StanzaError `bad-request`, and `resource-constraint` for more addresses than can be kept.
        """
        default = element.get("default", "")
        if default not in _DEFAULTS:
            raise StanzaError("bad-request", "by default, messages are kept always, never or for the roster")
        always, never = _listed(child(element, _ALWAYS)), _listed(child(element, _NEVER))
        if len(always) + len(never) > _MOST:
            raise StanzaError("resource-constraint", f"the lists can have {_MOST} addresses")
        return cls(default, always, never)

    def element(self) -> Element:
        """The same as a `<prefs/>`."""
        lists = [E(tag, None, *_jids(listed)) for tag, listed in ((_ALWAYS, self.always), (_NEVER, self.never))]
        return E(PREFS, {"default": self.default}, *lists)

    def keeps(self, peer: JID, is_contact: bool) -> bool:
        """Whether a message from or to `peer` is kept: an address with a resource says more than one without (§2.3)."""
        for jid in (peer, peer.bare):
            if jid in self.never:
                return False
            if jid in self.always:
                return True
        return self.default == "always" or (self.default == "roster" and is_contact)


KEEP_ALL: Final = Preferences()


def _listed(element: Element | None) -> tuple[JID, ...]:
    if element is None:
        return ()
    try:
        return tuple(dict.fromkeys(JID.parse((item.text or "").strip()) for item in element if item.tag == _JID))
    except JIDError as error:
        raise StanzaError("bad-request", "that is no address") from error


def _jids(listed: Iterable[JID]) -> list[Element]:
    return [E(_JID, None, jid) for jid in listed]
