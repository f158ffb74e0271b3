"""Blocking (XEP-0191): whom an account does not want to hear of, and what that changes.

Ask `if blocklist and blocklist.blocks(jid)`: an empty one then costs next to nothing.
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID, JIDError
from .records import Record, ValueRemoved, ValueSaved

SPACE: Final = "blocking"  #: of the values that keep a blocklist: key is the JID, the value is empty
BLOCKLIST: Final = "{%s}blocklist" % ns.BLOCKING
BLOCK: Final = "{%s}block" % ns.BLOCKING
UNBLOCK: Final = "{%s}unblock" % ns.BLOCKING
ITEM: Final = "{%s}item" % ns.BLOCKING
BLOCKED: Final = "{%s}blocked" % ns.BLOCKING_ERRORS


class Change(NamedTuple):
    """What follows from a block or unblock request.

    `push` goes to every session that asked for the blocklist. `affected`: who is blocked now and was not, and
    gets unavailable presence; or is not blocked any more, and gets current presence.
    """

    records: list[Record]
    push: Element
    affected: list[JID]


class Blocklist:
    """The JIDs that an account blocks; `owner` is its bare JID.

    The account itself and its server are never blocked, whatever the list says.
    """

    __slots__ = ("_account", "_exempt", "entries")

    def __init__(self, account: int, owner: JID, entries: Iterable[str] = ()) -> None:
        self._account = account
        self._exempt = (owner, owner.domain)
        self.entries: dict[JID, None] = dict.fromkeys(JID.parse(entry) for entry in entries)  #: as they were blocked

    def __len__(self) -> int:
        return len(self.entries)

    def blocks(self, jid: JID) -> bool:
        """Whether an address is blocked: as it is, by its bare JID, or with its whole domain."""
        entries = self.entries
        return (jid in entries or jid.bare in entries or jid.domain in entries) and jid.bare not in self._exempt

    def element(self) -> Element:
        """The `<blocklist/>` that answers a get."""
        return _listing(BLOCKLIST, self.entries)

    def block(self, request: Element, contacts: Collection[JID]) -> Change:
        """Takes the addresses of a `<block/>` in; `contacts` are all that the account's presence goes to.

        Raises StanzaError `bad-request`, `jid-malformed`.
        """
        wanted = _addresses(request)
        if not wanted:
            raise StanzaError("bad-request", "nobody is named to be blocked")
        added = [jid for jid in wanted if jid not in self.entries]
        affected = self._replace({**self.entries, **dict.fromkeys(added)}, added, contacts)
        records: list[Record] = [ValueSaved(self._account, SPACE, jid, "") for jid in added]
        return Change(records, _listing(BLOCK, wanted), affected)

    def unblock(self, request: Element, contacts: Collection[JID]) -> Change:
        """Takes the addresses of an `<unblock/>` out, or all if it names none; `contacts` as for `block`.

        Raises StanzaError `bad-request`, `jid-malformed`.
        """
        wanted = _addresses(request)
        removed = [jid for jid in wanted or self.entries if jid in self.entries]
        affected = self._replace({jid: None for jid in self.entries if jid not in removed}, removed, contacts)
        records: list[Record] = [ValueRemoved(self._account, SPACE, jid) for jid in removed]
        return Change(records, _listing(UNBLOCK, wanted), affected)

    def _replace(self, entries: dict[JID, None], changed: list[JID], contacts: Collection[JID]) -> list[JID]:
        """Whom the new entries block that the old ones did not, or the other way round."""
        # One resource of a contact is told as such; the others still get what goes to the bare JID.
        resources = [jid for jid in changed if jid.resource and jid.bare in contacts]
        concerned = list(dict.fromkeys([*contacts, *resources]))
        were_blocked = [self.blocks(jid) for jid in concerned]
        self.entries = entries
        return [jid for jid, was in zip(concerned, were_blocked, strict=True) if self.blocks(jid) is not was]


def inbound_error(kind: str, type: str, from_occupant: bool = False) -> StanzaError | None:
    """What the sender of a blocked stanza is told; None: nothing.

    A room takes a message that comes back for the sign that its occupant is gone. Blocking one occupant must not remove
    us from the room: so no message that a room passes on is answered.
    """
    if kind == "presence" or type in ("groupchat", "error", "result") or (kind == "message" and from_occupant):
        return None
    return StanzaError("service-unavailable")


def outbound_error() -> StanzaError:
    """What a client is told that sends something to an address that its account blocks."""
    return StanzaError("not-acceptable", "you have blocked this address", type="cancel", detail=BLOCKED)


def _addresses(request: Element) -> list[JID]:
    try:
        jids = [JID.parse(item.attrib["jid"]) for item in request if item.tag == ITEM]
    except KeyError:
        raise StanzaError("bad-request", "an item has no jid") from None
    except JIDError as error:
        raise StanzaError("jid-malformed", str(error)) from None
    return list(dict.fromkeys(jids))


def _listing(tag: str, jids: Iterable[JID]) -> Element:
    return E(tag, None, *(E(ITEM, {"jid": jid}) for jid in jids))
