"""The bookmarks of accounts: one list, however clients ask for it and change it (XEP-0402, XEP-0048, XEP-0049).

What is kept is an item for each room. Who wants to know in which rooms an account wants to be asks `of`, and is told by
`on_change`.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from ..core.pubsub import bookmarks, events
from ..core.pubsub.access import Requester
from ..core.pubsub.bookmarks import STORAGE, Bookmark, Rewriting
from ..core.pubsub.config import PRIVATE
from ..core.pubsub.effects import Changed, Effects
from ..core.pubsub.node import Node
from ..core.pubsub.several import Rewritten, rewrite
from ..core.records import Record, ValueRemoved, ValueSaved
from ..core.stored_xml import stanza_from
from ..host.accounts import Account
from ..host.iq import Answer
from ..host.origin import Clock
from ..host.residents import Spawn
from ..host.stores import NodeStore, ValueStore
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element, serialise
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.pubsub import PUBSUB, NodeRequest, error
from .account_nodes import AccountNodes
from .pubsub_notices import Notices, Owner

PRIVATE_SPACE: Final = "private"  #: of the values that are private XML (XEP-0049)
GRACE_SECONDS: Final = 600.0  #: for which joins are kept that an older client has ended in bulk
_ITEM: Final = "{%s}item" % ns.PUBSUB
_SINGLE: Final = "current"  #: the id of the one item with the list


class BookmarkChange(NamedTuple):
    """A bookmark is new or changed, or gone (None).

    Whoever leaves the room because of it waits `grace` seconds, and stays if the bookmark has come back by then.
    """

    room: JID
    bookmark: Bookmark | None
    grace: float = 0.0


class Bookmarks:
    """Those of all accounts."""

    def __init__(
        self,
        nodes: AccountNodes,
        store: NodeStore,
        values: ValueStore,
        notices: Notices,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self._nodes, self._store, self._values = nodes, store, values
        self._clock, self._spawn = clock, spawn
        self._sweeping: set[tuple[JID, str]] = set()  # accounts and ids of items that are changed in bulk
        self._to_be_told: set[JID] = set()
        #: called with an account and each change, once that is durable
        self.on_change: list[Callable[[Account, BookmarkChange], None]] = []
        notices.followers.setdefault(ns.BOOKMARKS, []).append(self._changed)
        nodes.substitutes[ns.BOOKMARKS_STORAGE] = self.answer

    async def of(self, account: Account) -> dict[JID, Bookmark]:
        """The bookmarks of an account, by their rooms."""
        items = await self._items(account)
        found = (bookmarks.bookmark_of(id, payload) for id, payload in items.items())
        return {bookmark.room: bookmark for bookmark in found if bookmark is not None}

    async def _items(self, account: Account) -> dict[str, Element | None]:
        node = account.nodes.get(ns.BOOKMARKS)
        if node is None or not node.items:
            return {}
        places = [entry.seq for entry in node.items.values()]
        found = await self._store.payloads(account.number, node.name, min(places), max(places))
        return {id: stanza_from(found[id]) if found[id] else None for id in node.items if id in found}

    # -- the list that older clients know

    async def storage(self, account: Account) -> Element:
        """All of them as one `<storage/>` (XEP-0048)."""
        kept = await self._values.value(account.number, PRIVATE_SPACE, STORAGE)
        others = [] if kept is None else bookmarks.others(stanza_from(kept))
        return bookmarks.storage(await self._items(account), others)

    async def replace(
        self, account: Account, written: Element, sender: JID, records: list[Record], iq: Element
    ) -> Answer:
        """A `<storage/>` takes the place of what there was; `records` are kept with it. Raises StanzaError."""
        effects = await self._replacement(account, written, sender)
        effects.records += records
        return self._nodes.settle(account, effects, iq)

    async def _replacement(self, account: Account, written: Element, sender: JID) -> Effects:
        if written.tag != STORAGE:
            raise error("bad-request", "invalid-payload", "that is no list of bookmarks")
        while True:
            before = self._state(account)
            items = await self._items(account)
            if self._state(account) == before:
                break  # else somebody has changed them meanwhile
        found = bookmarks.rewriting(items, written)
        requester = Requester(sender, True, (), True)
        edits = (Rewritten(ns.BOOKMARKS, id, payload) for id, payload in found.edits)
        effects = rewrite(account.nodes, requester, edits, self._clock.seconds())
        self._note_sweep(account, found)
        effects.records.append(_others(account, written))
        return effects

    def _state(self, account: Account) -> tuple[int, ...]:
        node = account.nodes.get(ns.BOOKMARKS)
        return () if node is None else tuple(entry.seq for entry in node.items.values())

    def _note_sweep(self, account: Account, found: Rewriting) -> None:
        if found.is_sweeping:
            self._sweeping.update((account.jid, edit.id) for edit in found.edits)

    # -- the same as an item of publish-subscribe

    async def answer(self, account: Account, requester: Requester, asked: NodeRequest, iq: Element) -> Answer | None:
        """What answers a request about the node with the list; None for one like any other. Raises StanzaError."""
        if asked.verb not in ("items", "publish"):
            return None
        if requester.jid.bare != account.jid:
            raise error("not-allowed", "closed-node", "it is for the account alone")
        if asked.verb == "items":
            return Answer(await self._shown(account, asked))
        if len(asked.items) != 1 or len(asked.items[0]) != 1:
            raise error("bad-request", "invalid-payload", "there is one item with one list")
        # Whether the node is as the client wants it is seen by publishing there; nobody is shown what that leaves.
        single = self._nodes.act(account, requester, asked)
        single.notices.clear()
        self._nodes.settle(account, single)
        effects = await self._replacement(account, asked.items[0][0], requester.jid)
        effects.answer = single.answer
        return self._nodes.settle(account, effects, iq)

    async def _shown(self, account: Account, asked: NodeRequest) -> Element:
        node, found = account.nodes.get(asked.node), E("{%s}items" % ns.PUBSUB, {"node": asked.node})
        written = await self.storage(account)
        id = _SINGLE if node is None or not node.items else next(iter(node.items))
        if asked.ids and id not in asked.ids:
            raise StanzaError("item-not-found", "there is no such item")
        if len(written):
            found.append(E(_ITEM, {"id": id}, written))
        elif node is None:
            raise StanzaError("item-not-found", "there is no such node")
        return E(PUBSUB, None, found)

    # -- changes

    def _changed(self, owner: Owner, change: Changed) -> None:
        if not isinstance(owner, Account):
            return
        key = (owner.jid, change.id)
        grace = GRACE_SECONDS if key in self._sweeping else 0.0
        self._sweeping.discard(key)
        bookmark = bookmarks.bookmark_of(change.id, change.payload)
        gone = bookmarks.room_of(change.id)
        room = gone if bookmark is None else bookmark.room
        if room is not None:
            for told in self.on_change:
                told(owner, BookmarkChange(room, bookmark, grace))
        if owner.jid not in self._to_be_told and _has_listeners(owner):
            self._to_be_told.add(owner.jid)
            self._clock.callLater(0, lambda: self._spawn(self._tell(owner)))

    async def _tell(self, account: Account) -> None:
        """Clients that know the list alone hear of it whenever something in it has changed."""
        self._to_be_told.discard(account.jid)
        node = account.nodes.get(ns.BOOKMARKS_STORAGE) or Node(ns.BOOKMARKS_STORAGE, PRIVATE, account.jid, 0.0)
        id = next(iter(node.items), _SINGLE)
        item = E("{%s}item" % ns.PUBSUB_EVENT, {"id": id}, await self.storage(account))
        self._nodes.tell_own(account, node, events.published(node, [item]))


def _has_listeners(account: Account) -> bool:
    """Whether a client wants to hear of the list, or has not said yet."""
    return any(each.interests is None or ns.BOOKMARKS_STORAGE in each.interests for each in account.available())


def _others(account: Account, written: Element) -> Record:
    """What is in a list beside rooms is kept as private XML."""
    others = bookmarks.others(written)
    if not others:
        return ValueRemoved(account.number, PRIVATE_SPACE, STORAGE)
    return ValueSaved(account.number, PRIVATE_SPACE, STORAGE, serialise(E(STORAGE, None, *others)))
