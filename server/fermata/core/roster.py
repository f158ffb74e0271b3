"""An account's roster in memory (RFC 6121 §2, §3): items, unanswered requests, versions.

Whatever changes it returns a `Change`: the records to keep and what is to be told to whom.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from ..xmpp.element import Element, serialise
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .records import Record, RequestRemoved, RequestSaved
from .roster_item import QUERY, RosterItem, item_element, item_record, parse_roster_set
from .subscription import Outcome, State, inbound, outbound, state_of

MAX_REQUESTS: Final = 1_000  #: unanswered ones: anybody can send them
_REQUEST_CHARACTERS: Final = 4_000  # of which each is kept: of a longer one, only that it was made


class Change(NamedTuple):
    """What follows from a roster set or a subscription stanza, to be done in this order."""

    contact: JID  #: bare
    records: list[Record]
    unavailable: bool = False  #: each available session sends the contact unavailable presence
    stanzas: tuple[Element, ...] = ()  #: presence to route to the contact
    available: bool = False  #: each available session sends the contact its current presence
    to_available: Element | None = None  #: for every available session: a request
    to_interested: Element | None = None  #: for every session that asked for the roster: an answer or a withdrawal
    push: Element | None = None  #: for the same sessions, the `<query/>` of a roster push


class Answer(NamedTuple):
    """What answers a roster get: the result's payload, if it has one, and the pushes that follow it (§2.6)."""

    query: Element | None
    pushes: list[Element]


class Roster:
    """The roster of one account, of at most `max_items`. Items are by bare JID; `version` only ever grows.

    Tombstones are never forgotten: a client may come back with any version that there was.
    """

    __slots__ = (
        "_account",
        "_items",
        "_max_items",
        "_owner",
        "_subscribers",
        "_subscriptions",
        "_tombstones",
        "requests",
        "version",
    )

    def __init__(
        self,
        account: int,
        owner: JID,
        items: Iterable[RosterItem],
        requests: Mapping[str, str],
        max_items: float = math.inf,
    ) -> None:
        self._account, self._owner, self._max_items = account, owner, max_items
        self._items: dict[JID, RosterItem] = {}
        self._tombstones: dict[JID, RosterItem] = {}
        self.version = 0
        for item in items:
            kept = self._tombstones if item.subscription == "remove" else self._items
            kept[JID.parse(item.jid)] = item
            self.version = max(self.version, item.version)
        #: who asked for a subscription and has no answer → the presence, as XML: each session that becomes available
        #: gets it (§3.1.3)
        self.requests: dict[JID, str] = {JID.parse(jid): xml for jid, xml in requests.items()}
        self._subscribers: tuple[JID, ...] | None = None
        self._subscriptions: tuple[JID, ...] | None = None

    # -- reading

    @property
    def subscribers(self) -> tuple[JID, ...]:
        """The contacts that get the account's presence (from, both)."""
        if self._subscribers is None:
            self._subscribers = self._with("from", "both")
        return self._subscribers

    @property
    def subscriptions(self) -> tuple[JID, ...]:
        """The contacts whose presence the account gets (to, both)."""
        if self._subscriptions is None:
            self._subscriptions = self._with("to", "both")
        return self._subscriptions

    @property
    def contacts(self) -> tuple[JID, ...]:
        """Everybody who is in it."""
        return tuple(self._items)

    def state(self, contact: JID) -> State:
        """How things stand with a contact (bare JID); *none* for a stranger."""
        item = self._items.get(contact)
        if item is None:
            return State.NONE_PENDING_IN if contact in self.requests else State.NONE
        return state_of(item.subscription, item.ask, contact in self.requests)

    def item(self, contact: JID) -> RosterItem | None:
        """The item for a contact (bare JID), if there is one."""
        return self._items.get(contact)

    def get(self, version: str | None) -> Answer:
        """Answers a roster get with that `ver`; None is a client that knows no versions (§2.1.3, §2.6.2)."""
        since = self._known(version)
        if since is not None:
            changed = [item for item in (*self._items.values(), *self._tombstones.values()) if item.version > since]
            if not changed or len(changed) < len(self._items):
                changed.sort(key=lambda item: item.version)
                return Answer(None, [_query([item], item.version) for item in changed])
        return Answer(_query(self._items.values(), None if version is None else self.version), [])

    def _known(self, version: str | None) -> int | None:
        """The version that a client has, if it is one that there was."""
        if version and len(version) < 20 and version.isascii() and version.isdecimal() and int(version) <= self.version:
            return int(version)
        return None

    def _with(self, *subscriptions: str) -> tuple[JID, ...]:
        return tuple(jid for jid, item in self._items.items() if item.subscription in subscriptions)

    # -- changing

    def set_item(self, query: Element) -> Change:
        """A client's roster set: adds, updates or removes an item (§2.3 to §2.5).

        Raises StanzaError: as `parse_roster_set` does; `item-not-found` for removing what is not there; `not-allowed`
        for the account itself; `resource-constraint` where the roster is full.
        """
        wanted = parse_roster_set(query)
        if wanted.jid == self._owner:
            raise StanzaError("not-allowed", "nobody is in their own roster")
        if wanted.remove:
            return self._remove(wanted.jid)
        item = self._items.get(wanted.jid) or self._new(wanted.jid)
        record, push = self._keep(wanted.jid, item._replace(name=wanted.name, groups=wanted.groups))
        return Change(wanted.jid, [record], push=push)

    def send(self, stanza: Element, contact: JID) -> Change:
        """A client sends a subscription stanza to a contact (bare JID): §3, appendix A.2.

        Raises StanzaError `resource-constraint` where the roster is full.
        """
        if contact == self._owner:
            return Change(contact, [])
        outcome = outbound(stanza.get("type", ""), self.state(contact), self._is_approved(contact))
        stamped = _between(stanza, self._owner, contact)
        records, push = self._settle(contact, outcome, stamped)
        return Change(
            contact,
            records,
            unavailable=outcome.presence == "unavailable",
            stanzas=(stamped,) if outcome.passes else (),
            available=outcome.presence == "available",
            push=push,
        )

    def receive(self, stanza: Element, contact: JID) -> Change:
        """A contact (bare JID) sends the account a subscription stanza: §3, appendix A.3.

        Raises StanzaError `resource-constraint` for a request where too many are unanswered.
        """
        if contact == self._owner:
            return Change(contact, [])
        type = stanza.get("type", "")
        outcome = inbound(type, self.state(contact), self._is_approved(contact))
        stamped = _between(stanza, contact, self._owner)
        records, push = self._settle(contact, outcome, stamped)
        delivered = stamped if outcome.passes else None
        return Change(
            contact,
            records,
            unavailable=outcome.presence == "unavailable",
            stanzas=(self._presence(outcome.reply, contact),) if outcome.reply else (),
            available=outcome.presence == "available",
            to_available=delivered if type == "subscribe" else None,
            to_interested=delivered if type != "subscribe" else None,
            push=push,
        )

    def _settle(self, contact: JID, outcome: Outcome, stanza: Element) -> tuple[list[Record], Element | None]:
        """Brings the item and the unanswered request to where the outcome has them."""
        records: list[Record] = []
        push = None
        if outcome.push:
            item = self._items.get(contact) or self._new(contact)
            state = outcome.state
            item = item._replace(subscription=state.subscription, ask=state.ask, approved=outcome.approved)
            record, push = self._keep(contact, item)
            records.append(record)
        if not outcome.state.pending_in:
            records += self._answered(contact)
        elif contact not in self.requests:
            if len(self.requests) >= MAX_REQUESTS:
                raise StanzaError("resource-constraint", "too many requests wait for an answer")
            xml = serialise(stanza)
            if len(xml) > _REQUEST_CHARACTERS:
                xml = serialise(self._asking(contact))
            self.requests[contact] = xml
            records.append(RequestSaved(self._account, contact, xml))
        return records, push

    def _remove(self, contact: JID) -> Change:
        """§2.5.2: what there was of subscriptions and requests, both ways, ends with the item."""
        if contact not in self._items:
            raise StanzaError("item-not-found")
        state = self.state(contact)
        ends = []
        if state.has_to or state.ask:
            ends.append(self._presence("unsubscribe", contact))
        if state.has_from or state.pending_in:
            ends.append(self._presence("unsubscribed", contact))
        record, push = self._keep(contact, RosterItem(contact, "", "remove", False, False, (), 0))
        records = [record, *self._answered(contact)]
        return Change(contact, records, unavailable=state.has_from, stanzas=tuple(ends), push=push)

    def _answered(self, contact: JID) -> list[Record]:
        if self.requests.pop(contact, None) is None:
            return []
        return [RequestRemoved(self._account, contact)]

    def _new(self, contact: JID) -> RosterItem:
        if len(self._items) >= self._max_items:
            raise StanzaError("resource-constraint", "the roster is full")
        return RosterItem(contact, "", "none", False, False, (), 0)

    def _keep(self, contact: JID, item: RosterItem) -> tuple[Record, Element]:
        self.version += 1
        item = item._replace(version=self.version)
        kept, other = self._items, self._tombstones
        if item.subscription == "remove":
            kept, other = other, kept
        kept[contact] = item
        other.pop(contact, None)
        self._subscribers = self._subscriptions = None
        return item_record(self._account, item), _query([item], self.version)

    def _is_approved(self, contact: JID) -> bool:
        item = self._items.get(contact)
        return item is not None and item.approved

    def _asking(self, contact: JID) -> Element:
        return Element("presence", {"from": contact, "to": self._owner, "type": "subscribe"})

    def _presence(self, type: str, contact: JID) -> Element:
        return Element("presence", {"from": self._owner, "to": contact, "type": type})


def _between(stanza: Element, sender: JID, to: JID) -> Element:
    """The stanza between bare JIDs, as subscriptions are (§3.1.2)."""
    stamped = Element(stanza.tag, {**stanza.attrib, "from": sender, "to": to})
    stamped.extend(stanza)
    return stamped


def _query(items: Iterable[RosterItem], version: int | None) -> Element:
    query = Element(QUERY) if version is None else Element(QUERY, {"ver": str(version)})
    query.extend(item_element(item) for item in items)
    return query
