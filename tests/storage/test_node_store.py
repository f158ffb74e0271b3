"""Nodes of publish-subscribe, from `submit` to the store that reads them, in every database."""

import pytest

from fermata.core.pubsub.nodes import ACCOUNT, Limits, Nodes
from fermata.core.pubsub.records import (
    ItemRemoved,
    ItemSaved,
    NodeAffiliationSaved,
    NodeRemoved,
    NodeSaved,
    NodeSubscriptionRemoved,
    NodeSubscriptionSaved,
)
from fermata.core.records import EntityMade
from fermata.xmpp.jid import JID
from kit.databases import Opened

ROMEO = JID.parse("romeo@a.example")
NODE = "urn:example"
LIMITS = Limits(10, 10, 1_000, 10_000)


@pytest.fixture
def romeo(opened: Opened) -> int:
    """Romeo's number."""
    number = opened.database.entities.new_number()
    opened.keep(EntityMade(number, ROMEO, 1.0))
    return number


def item(owner: int, id: str, seq: int, xml: str = "<x/>") -> ItemSaved:
    return ItemSaved(owner, NODE, id, seq, 5.5, ROMEO, 100, xml)


def nodes_of(opened: Opened, owner: int) -> Nodes:
    stored = opened.turns.run(opened.database.nodes.nodes(owner))
    return Nodes(owner, ROMEO, ACCOUNT, LIMITS, stored)


def test_nodes_are_as_they_were_saved_last(opened: Opened, romeo: int) -> None:
    opened.keep(
        NodeSaved(romeo, NODE, '{"title": "Töne"}', ROMEO, 4.25),
        item(romeo, "b", 1),
        item(romeo, "a", 2),
        item(romeo, "b", 3),
        NodeAffiliationSaved(romeo, NODE, "juliet@a.example", "member"),
        NodeSubscriptionSaved(romeo, NODE, "juliet@a.example/x", "subscribed", False),
    )
    opened.keep(NodeAffiliationSaved(romeo, NODE, "tybalt@a.example", "outcast"))
    node = nodes_of(opened, romeo).node(NODE)
    assert (node.config.title, node.creator, node.created) == ("Töne", ROMEO, 4.25)
    assert [(id, entry.seq, entry.publisher, entry.size) for id, entry in node.items.items()] == [
        ("a", 2, ROMEO, 100), ("b", 3, ROMEO, 100)
    ]  # fmt: skip
    assert node.affiliations == {"juliet@a.example": "member", "tybalt@a.example": "outcast"}
    assert {jid: tuple(each) for jid, each in node.subscriptions.items()} == {
        "juliet@a.example/x": ("subscribed", False)
    }
    assert nodes_of(opened, romeo).next_seq() == 4


def test_what_is_removed_is_gone(opened: Opened, romeo: int) -> None:
    opened.keep(
        NodeSaved(romeo, NODE, "{}", ROMEO, 1.0),
        item(romeo, "a", 1),
        NodeAffiliationSaved(romeo, NODE, "juliet@a.example", "member"),
        NodeSubscriptionSaved(romeo, NODE, "juliet@a.example", "subscribed", True),
    )
    opened.keep(
        ItemRemoved(romeo, NODE, "a"),
        NodeAffiliationSaved(romeo, NODE, "juliet@a.example", "none"),
        NodeSubscriptionRemoved(romeo, NODE, "juliet@a.example"),
    )
    node = nodes_of(opened, romeo).node(NODE)
    assert not node.items
    assert not node.affiliations
    assert not node.subscriptions
    opened.keep(NodeRemoved(romeo, NODE))
    assert len(nodes_of(opened, romeo)) == 0


def test_payloads_are_read_one_by_one_or_from_place_to_place(opened: Opened, romeo: int) -> None:
    opened.keep(
        NodeSaved(romeo, NODE, "{}", ROMEO, 1.0),
        *(item(romeo, id, seq, f"<x>{id}</x>") for seq, id in enumerate("abcd")),
        item(romeo, "empty", 9, ""),
    )
    run, store = opened.turns.run, opened.database.nodes
    assert run(store.payload(romeo, NODE, "b")) == "<x>b</x>"
    assert run(store.payload(romeo, NODE, "empty")) == ""
    assert run(store.payload(romeo, NODE, "z")) is None
    assert run(store.payloads(romeo, NODE, 1, 2)) == {"b": "<x>b</x>", "c": "<x>c</x>"}
    assert run(store.payloads(romeo, "another", 0, 9)) == {}


def test_the_longest_names_are_kept(opened: Opened, romeo: int) -> None:
    name = "ü" * 511
    opened.keep(
        NodeSaved(romeo, name, "{}", ROMEO, 1.0),
        ItemSaved(romeo, name, "ß" * 511, 1, 1.0, ROMEO, 1, "<x/>"),
    )
    assert list(nodes_of(opened, romeo).node(name).items) == ["ß" * 511]
