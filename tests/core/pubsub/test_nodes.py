"""Whatever is asked of nodes in whatever order: what is kept says the same as memory, and no limit is passed."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fermata.core.pubsub import affiliate, lifecycle, publish, subscribe
from fermata.core.pubsub.access import Requester, check_retrieve
from fermata.core.pubsub.effects import Effects
from fermata.core.pubsub.leaving import forget
from fermata.core.pubsub.nodes import ACCOUNT, SERVICE, Kind, Limits, Nodes, Stored
from fermata.core.pubsub.records import (
    ItemRemoved,
    ItemSaved,
    NodeAffiliationSaved,
    NodeRemoved,
    NodeSaved,
    NodeSubscriptionRemoved,
    NodeSubscriptionSaved,
)
from fermata.core.stored_xml import stanza_from
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from fermata.xmpp.pubsub import NodeRequest, parse
from kit.pubsub import form, pubsub

LIMITS = Limits(nodes=3, items=3, payload=300, total=3_500)
OWNER = JID.parse("ann@a.example")
PEOPLE = [OWNER, JID.parse("ben@a.example"), JID.parse("cat@b.example")]
SERVICE_JID = JID.parse("pubsub.a.example")

names, ids = st.sampled_from(["n1", "n1", "n2", "n3", "n4"]), st.sampled_from("abcdef")
people = st.sampled_from([OWNER, OWNER, *PEOPLE])
configs = st.fixed_dictionaries(
    {},
    optional={
        "access_model": st.sampled_from(["open", "whitelist"]),
        "publish_model": st.sampled_from(["open", "publishers", "subscribers"]),
        "max_items": st.sampled_from(["1", "2", "max"]),
        "item_expire": st.sampled_from(["5", "max"]),
        "persist_items": st.sampled_from(["0", "1"]),
    },
)


def items(node: str, id: str, size: int) -> str:
    return pubsub(f"<publish node='{node}'><item id='{id}'><x xmlns='u'>{'x' * size}</x></item></publish>")


def configured(node: str, config: dict[str, str]) -> str:
    return pubsub(f"<configure node='{node}'>{form('node_config', dict(config))}</configure>", owner=True)


def created(node: str, config: dict[str, str]) -> str:
    return pubsub(f"<create node='{node}'/><configure>{form('node_config', dict(config))}</configure>")


def affiliated(node: str, person: JID, what: str) -> str:
    each = f"<affiliation jid='{person}' affiliation='{what}'/>"
    return pubsub(f"<affiliations node='{node}'>{each}</affiliations>", owner=True)


publications = st.builds(items, names, ids, st.sampled_from([0, 100, 200, 400]))
requests = st.one_of(
    publications,
    publications,
    publications,
    st.builds(created, names, configs),
    st.builds(configured, names, configs),
    st.builds(affiliated, names, people, st.sampled_from(affiliate.AFFILIATIONS)),
    st.builds(lambda node, id: pubsub(f"<retract node='{node}'><item id='{id}'/></retract>"), names, ids),
    st.builds(lambda node: pubsub(f"<purge node='{node}'/>", owner=True), names),
    st.builds(lambda node: pubsub(f"<delete node='{node}'/>", owner=True), names),
    # The address is that of whoever asks.
    st.builds(lambda node: pubsub(f"<subscribe node='{node}' jid='ASKS'/>"), names),
    st.builds(lambda node: pubsub(f"<unsubscribe node='{node}' jid='ASKS'/>"), names),
)

ACTS: dict[str, Callable[[Nodes, Requester, NodeRequest, float], Effects]] = {
    "publish": lambda nodes, who, asked, now: publish.publish(nodes, who, asked, now, str),
    "create": lambda nodes, who, asked, now: lifecycle.create(nodes, who, asked, now, str),
    "configureSet": lifecycle.configure,
    "affiliationsSet": lambda nodes, who, asked, now: affiliate.set_affiliations(nodes, who, asked),
    "retract": lambda nodes, who, asked, now: publish.retract(nodes, who, asked),
    "purge": lambda nodes, who, asked, now: publish.purge(nodes, who, asked),
    "delete": lambda nodes, who, asked, now: lifecycle.delete(nodes, who, asked),
    "subscribe": lambda nodes, who, asked, now: subscribe.subscribe(nodes, who, asked),
    "unsubscribe": lambda nodes, who, asked, now: subscribe.unsubscribe(nodes, who, asked),
}


class Kept:
    """What storage has, by the keys of the records."""

    def __init__(self) -> None:
        self.tables: dict[type, dict[tuple[Any, ...], Any]] = {
            kind: {} for kind in (NodeSaved, ItemSaved, NodeAffiliationSaved, NodeSubscriptionSaved)
        }

    def keep(self, effects: Effects) -> None:
        removals = {NodeRemoved: (NodeSaved, 2), ItemRemoved: (ItemSaved, 3)}
        removals[NodeSubscriptionRemoved] = (NodeSubscriptionSaved, 3)
        for record in effects.records:
            kind, width = removals.get(type(record), (type(record), 2 if isinstance(record, NodeSaved) else 3))
            is_none = isinstance(record, NodeAffiliationSaved) and record.affiliation == "none"
            if type(record) in removals or is_none:
                self.tables[kind].pop(record[:width], None)
            else:
                self.tables[kind][record[:width]] = record

    def nodes(self, kind: Kind) -> Nodes:
        tables = self.tables
        found = sorted(tables[ItemSaved].values(), key=lambda item: item.seq)
        affiliations, subscriptions = tables[NodeAffiliationSaved], tables[NodeSubscriptionSaved]
        stored = Stored(tables[NodeSaved].values(), found, affiliations.values(), subscriptions.values())
        return Nodes(1, address(kind), kind, LIMITS, stored)


def address(kind: Kind) -> JID:
    return OWNER if kind.is_account else SERVICE_JID


def shown(nodes: Nodes) -> dict[str, Any]:
    """All that they are, as it stands now."""
    return {
        node.name: (node.config, list(node.items.items()), dict(node.affiliations), dict(node.subscriptions))
        for node in nodes
    }


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([ACCOUNT, SERVICE]), st.lists(st.tuples(people, requests), min_size=15, max_size=60))
def test_what_is_kept_says_what_memory_says(kind: Kind, asked: list[tuple[JID, str]]) -> None:
    nodes, kept = Nodes(1, address(kind), kind, LIMITS), Kept()
    before = shown(nodes)
    opened = [(OWNER, created(name, {"access_model": "open", "max_items": "max"})) for name in ("n1", "n2")]
    for now, (person, xml) in enumerate(opened + asked):
        may_create = person == OWNER if kind.is_account else person.domain == "a.example"
        requester = Requester(person, has_presence=True, may_create=may_create)
        request = parse(stanza_from(f"<iq type='set'>{xml.replace('ASKS', person)}</iq>"))
        try:
            effects = ACTS[request.verb](nodes, requester, request, float(now))
        except StanzaError:
            assert shown(nodes) == before
            continue
        kept.keep(effects)
        before = shown(nodes)
        assert shown(kept.nodes(kind)) == before
        check_limits(nodes)
    if not kind.is_account:
        for effects in forget(nodes, OWNER):
            kept.keep(effects)
        assert shown(kept.nodes(kind)) == shown(nodes)
        assert not [node for node in nodes if OWNER in node.affiliations or OWNER in node.subscriptions]


def check_limits(nodes: Nodes) -> None:
    for person in PEOPLE:
        own = [node for node in nodes if node.creator == person]
        assert len(own) <= LIMITS.nodes
        assert sum(entry.size for node in own for entry in node.items.values()) <= LIMITS.total
    for node in nodes:
        assert len(node.items) <= min(LIMITS.items, node.config.max_items or LIMITS.items)
        assert nodes.kind.is_account or node.owners()


@given(
    st.sampled_from(affiliate.AFFILIATIONS), st.sampled_from(["open", "presence", "roster", "whitelist"]), st.booleans()
)
def test_a_stranger_sees_what_is_open_and_nothing_else(affiliation: str, model: str, is_contact: bool) -> None:
    nodes = Nodes(1, OWNER, ACCOUNT, LIMITS)
    request = parse(stanza_from(f"<iq type='set'>{created('n', {'access_model': model})}</iq>"))
    lifecycle.create(nodes, Requester(OWNER, may_create=True), request, 0.0, str)
    node, person = nodes.node("n"), PEOPLE[2]
    if affiliation != "none":
        node.affiliations[person] = affiliation
    try:
        check_retrieve(nodes, node, Requester(person, is_contact))
        may = True
    except StanzaError:
        may = False
    is_open_to_him = model == "open" or (model == "presence" and is_contact)
    assert may is (affiliation in ("owner", "publisher", "member") or (affiliation == "none" and is_open_to_him))
