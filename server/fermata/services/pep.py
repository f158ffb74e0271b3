"""Personal eventing (XEP-0163): accounts have nodes, and contacts hear of them because they get presence."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from ..core.pubsub.access import Requester, may_retrieve
from ..core.pubsub.capabilities import NONE, caps_of
from ..core.pubsub.node import Node
from ..core.throttle import Throttle
from ..host.accounts import Account
from ..host.origin import Clock
from ..host.residents import Residents
from ..host.sessions import Session
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .capabilities import Capabilities
from .contacts_elsewhere import ContactsElsewhere
from .pubsub_notices import Notices, Send

_ROUNDS_PER_MINUTE: Final = 30  #: how often the last items are looked for, for one bare JID
_AGAIN_SECONDS: Final = 60.0


def requester_of(account: Account, jid: JID) -> Requester:
    """What somebody is to an account."""
    bare = jid.bare
    if bare == account.jid:
        return Requester(jid, True, (), True)
    item = account.roster.item(bare)
    return Requester(jid, account.roster.state(bare).has_from, () if item is None else item.groups)


class PersonalEventing:
    """Who hears of the nodes of accounts here, and when he gets the last items of them."""

    def __init__(
        self,
        domains: Sequence[str],
        accounts: Residents[Account],
        capabilities: Capabilities,
        elsewhere: ContactsElsewhere,
        notices: Notices,
        clock: Clock,
    ) -> None:
        self._domains, self._accounts, self._capabilities = frozenset(domains), accounts, capabilities
        self._elsewhere, self._notices, self._clock = elsewhere, notices, clock
        elsewhere.on_interest = self._send_there
        self._rounds = Throttle(_ROUNDS_PER_MINUTE)
        self._late: set[JID] = set()

    # -- who hears of a node

    def tell(self, account: Account, node: Node, send: Send) -> None:
        """Calls `send` with everybody who is to hear of a node of an account (§4.3)."""
        told: set[JID] = set()

        def tell(jid: JID) -> None:
            if jid not in told:
                told.add(jid)
                send(jid)

        self.tell_own(account, node.name, tell)
        if node.config.access_model != "whitelist" or node.affiliations:
            self._elsewhere.look(account)
            for contact in account.roster.subscribers:
                self._tell_contact(account, contact, node, tell)
        bare = {jid.bare for jid in told}
        for jid, subscription in list(node.subscriptions.items()):
            is_wanted = subscription.state == "subscribed" and subscription.delivers
            if is_wanted and jid not in bare and self._may_hear(account, node, jid):
                tell(jid)

    def _may_hear(self, account: Account, node: Node, jid: JID) -> bool:
        blocklist = account.blocklist
        return not (blocklist and blocklist.blocks(jid)) and may_retrieve(
            account.nodes, node, requester_of(account, jid)
        )

    def _tell_contact(self, account: Account, contact: JID, node: Node, tell: Send) -> None:
        if contact.domain in self._domains:
            other = self._accounts.get(contact)
            if other is not None and other.sessions and self._may_hear(account, node, contact):
                self.tell_own(other, node.name, tell)
            return
        wanting = [jid for jid, interests in self._elsewhere.of(account.jid, contact) if node.name in interests]
        if wanting and self._may_hear(account, node, contact):
            for jid in wanting:
                tell(jid)

    def tell_own(self, account: Account, name: str, tell: Send) -> None:
        """Calls `tell` with each session of an account whose client wants to hear of a node of that name."""
        for session in account.available():
            if session.interests is None:  # it was restored: its client has said nothing since
                self._learn(account, session, partial(_tell_if, name, session.jid, tell))
            elif name in session.interests:
                tell(session.jid)

    # -- sessions here

    def broadcast(self, account: Account, session: Session, is_new: bool) -> None:
        """A session has sent presence; with `is_new`, it was not available before."""
        if is_new:
            self._elsewhere.has_looked(account.jid)
        caps = caps_of(session.presence)
        if caps == session.caps and not is_new:
            return
        session.caps = caps
        if is_new:
            session.interests = None
        before = session.interests or NONE
        self._learn(account, session, lambda interests: self._send_last(account, session, interests - before))

    def _learn(self, account: Account, session: Session, then: Callable[[frozenset[str]], None]) -> None:
        caps = session.caps = session.caps or caps_of(session.presence)

        def learnt(interests: frozenset[str]) -> None:
            if session.caps == caps and not session.is_over:
                session.interests = interests
                then(interests)

        self._capabilities.learn(caps, session.jid, account.jid, learnt)

    def _send_last(self, account: Account, session: Session, names: frozenset[str]) -> None:
        """The last items of the account's own nodes, and of those of contacts here (§4.3.4)."""
        if not names or session.priority is None:
            return
        if not self._may_go_round(account.jid, partial(self._send_last, account, session, names), session.jid):
            return
        self._send_from(account, account.jid, names, [session.jid])
        for contact in account.roster.subscriptions:
            if contact.domain in self._domains and not (account.blocklist and account.blocklist.blocks(contact)):
                self._accounts.use(
                    contact, partial(self._send_from, jid=account.jid, names=names, to=[session.jid]), _ignore
                )

    def _send_from(self, owner: Account | None, jid: JID, names: Iterable[str], to: Sequence[JID]) -> None:
        if owner is None or not len(owner.nodes):
            return
        found = [node for name in names if (node := owner.nodes.get(name)) is not None]
        chosen = [
            node
            for node in found
            if node.config.send_last_published_item == "on_sub_and_presence" and self._may_hear(owner, node, jid)
        ]
        self._notices.send_last(owner.nodes, chosen, to)

    def _may_go_round(self, bare: JID, again: Callable[[], None], who: JID) -> bool:
        """Whoever comes and goes all the time gets what is last a little later, and once."""
        now = self._clock.seconds()
        if not self._rounds.is_full(bare, now):
            self._rounds.note(bare, now)
            return True
        if who not in self._late:
            self._late.add(who)
            self._clock.callLater(_AGAIN_SECONDS, self._go_late, who, again)
        return False

    def _go_late(self, who: JID, again: Callable[[], None]) -> None:
        self._late.discard(who)
        again()

    # -- sessions elsewhere

    def _send_there(self, owner: JID, to: JID, names: frozenset[str]) -> None:
        if names and self._may_go_round(to.bare, partial(self._send_there, owner, to, names), to):
            self._accounts.use(owner, partial(self._send_from, jid=to, names=names, to=[to]), _ignore)

    # -- subscriptions to presence

    def granted(self, account: Account, contact: JID) -> None:
        """A contact (bare JID) gets the account's presence from now on, and so what its nodes have."""
        if contact.domain in self._domains:
            other = self._accounts.get(contact)
            clients = [] if other is None else [(each.jid, each.interests) for each in other.available()]
        else:
            clients = [*self._elsewhere.of(account.jid, contact)]
        for jid, interests in clients:
            if interests:
                self._send_from(account, contact, interests, [jid])


def _tell_if(name: str, jid: JID, tell: Send, interests: frozenset[str]) -> None:
    if name in interests:
        tell(jid)


def _ignore(error: StanzaError) -> None:
    """Nobody waits for it."""
