"""Avatars: published once, shown by every way that clients have to look for one (XEP-0084, XEP-0153, XEP-0398)."""

from collections.abc import Callable

from ..core import avatars
from ..core.avatars import Photo
from ..core.pubsub.access import may_retrieve
from ..core.pubsub.effects import Changed, Effects
from ..core.pubsub.several import Rewritten, rewrite
from ..core.records import Record
from ..core.stored_xml import stanza_from
from ..host.accounts import Account
from ..host.iq import Answer
from ..host.origin import Clock
from ..host.stores import NodeStore
from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.jid import JID
from .account_nodes import AccountNodes
from .pep import requester_of
from .pubsub_notices import Notices, Owner


class Avatars:
    """Those of all accounts. What is kept is what was published; a vCard is shown with it, presence with its hash."""

    def __init__(
        self, nodes: AccountNodes, store: NodeStore, notices: Notices, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._nodes, self._store, self._clock, self._new_id = nodes, store, clock, new_id
        #: called with an account that has another avatar now, or none
        self.on_change: list[Callable[[Account], None]] = []
        for node in (ns.AVATAR_DATA, ns.AVATAR_METADATA):
            notices.followers.setdefault(node, []).append(self._changed)

    def stamp(self, account: Account, presence: Element) -> None:
        """Puts the hash into an available presence that one of the account's sessions sends (XEP-0398 §4)."""
        avatars.stamp(account.nodes, presence)

    async def photo(self, account: Account, jid: JID) -> Photo | None:
        """The avatar of an account, for somebody who may see it."""
        nodes, requester = account.nodes, requester_of(account, jid)
        hash = avatars.current(nodes)
        if hash is None:
            return None
        places = [nodes.node(name) for name in (ns.AVATAR_DATA, ns.AVATAR_METADATA)]
        if not all(may_retrieve(nodes, node, requester) for node in places):
            return None
        data, metadata = [await self._store.payload(account.number, node.name, hash) for node in places]
        return avatars.read(stanza_from(data), stanza_from(metadata), hash) if data and metadata else None

    def replace(self, account: Account, photo: Photo | None, sender: JID, records: list[Record], iq: Element) -> Answer:
        """The account's avatar is this one, or none, by its vCard; `records` are kept with it. Raises StanzaError.

        What stands in a vCard is for everybody, so that nodes that are made for it are open.
        """
        now, hash = avatars.current(account.nodes), None if photo is None else photo.hash
        effects = Effects()
        if photo is not None and hash != now:
            data, metadata = avatars.published(photo)
            edits = [
                Rewritten(ns.AVATAR_DATA, photo.hash, data, "open"),
                Rewritten(ns.AVATAR_METADATA, photo.hash, metadata, "open"),
            ]
            effects = rewrite(account.nodes, requester_of(account, sender), edits, self._clock.seconds())
        elif photo is None and now is not None:
            ended = Rewritten(ns.AVATAR_METADATA, self._new_id(), avatars.withdrawn())
            effects = rewrite(account.nodes, requester_of(account, sender), [ended], self._clock.seconds())
        effects.records += records
        return self._nodes.settle(account, effects, iq)

    def _changed(self, owner: Owner, change: Changed) -> None:
        """Whoever asks for presence now, or gets it as a new contact, is told of the new one."""
        if isinstance(owner, Account):
            for session in owner.available():
                if session.presence is not None:
                    self.stamp(owner, session.presence)
            for told in self.on_change:
                told(owner)
