"""One exercise for each feature of publish-subscribe that an address advertises (XEP-0060 §9).

Each is called with the people of a server, one of them, and the address: that one's account, or a service.
"""

import itertools
from collections.abc import Callable

from . import ns
from .people import People
from .pubsub import (
    affiliate,
    asking,
    caps,
    configuration,
    configure,
    create,
    events,
    items,
    listen,
    publish,
    publishing,
    pubsub,
    refusal,
    retract,
    subscribe,
    unsubscribe,
)
from .stanzas import find, find_all, form_fields, form_values, show
from .wire import Client

Exercise = Callable[[People, Client, str], None]
_numbers = itertools.count(1)


def name() -> str:
    """A node that nobody has used."""
    return f"urn:example:node{next(_numbers)}"


def itself(people: People, client: Client, to: str) -> None:
    publish(client, name(), to=to)


def auto_create(people: People, client: Client, to: str) -> None:
    node = name()
    publish(client, node, to=to)
    assert len(items(client, node, to)) == 1


def configurable(people: People, client: Client, to: str) -> None:
    node = name()
    create(client, node, to)
    configure(client, node, to, title="a title")
    assert configuration(client, node, to)["title"] == ["a title"]


def config_node_max(people: People, client: Client, to: str) -> None:
    node = name()
    create(client, node, to, max_items="max")
    assert configuration(client, node, to)["max_items"] == ["max"]


def delete_nodes(people: People, client: Client, to: str) -> None:
    node = name()
    create(client, node, to)
    client.set(pubsub(f"<delete node='{node}'/>", owner=True), to)
    assert refusal(client, "get", asking(node), to)[1] == "item-not-found"


def instant_nodes(people: People, client: Client, to: str) -> None:
    assert find(client.set(pubsub("<create/>"), to), "pubsub:pubsub/pubsub:create[@node]") is not None


def several_items(people: People, client: Client, to: str) -> None:
    node = name()
    create(client, node, to, max_items="5")
    for id in "ab":
        publish(client, node, id=id, to=to)
    assert list(items(client, node, to)) == ["a", "b"]


def delete_items(people: People, client: Client, to: str) -> None:
    node = name()
    publish(client, node, id="a", to=to)
    retract(client, node, "a", to)
    assert items(client, node, to) == {}


def purge_nodes(people: People, client: Client, to: str) -> None:
    node = name()
    publish(client, node, to=to)
    client.set(pubsub(f"<purge node='{node}'/>", owner=True), to)
    assert items(client, node, to) == {}


def publish_options(people: People, client: Client, to: str) -> None:
    node = name()
    publish(client, node, to=to, access_model="whitelist")
    assert refusal(client, "set", publishing(node, access_model="open"), to)[2] == "precondition-not-met"


def meta_data(people: People, client: Client, to: str) -> None:
    node = name()
    create(client, node, to, title="a title")
    reply = client.get(f"<query xmlns='{ns.DISCO_INFO}' node='{node}'/>", to)
    assert form_values(reply)["pubsub#title"] == ["a title"]


def retrieve_default(people: People, client: Client, to: str) -> None:
    assert "pubsub#access_model" in form_fields(client.get(pubsub("<default/>", owner=True), to))


def pages(people: People, client: Client, to: str) -> None:
    node = name()
    create(client, node, to, max_items="5")
    for id in "ab":
        publish(client, node, id=id, to=to)
    reply = client.get(asking(node, more=f"<set xmlns='{ns.RSM}'><max>1</max></set>"), to)
    assert find(reply, "pubsub:pubsub/rsm:set/rsm:count") is not None, show(reply)


def retrieve_affiliations(people: People, client: Client, to: str) -> None:
    node = name()
    create(client, node, to)
    reply = client.get(pubsub(f"<affiliations node='{node}'/>"), to)
    assert find(reply, "pubsub:pubsub/pubsub:affiliations/pubsub:affiliation[@affiliation='owner']") is not None


def affiliated(affiliation: str) -> Exercise:
    def exercise(people: People, client: Client, to: str) -> None:
        node, other = name(), people.online()
        create(client, node, to, access_model="whitelist" if affiliation != "outcast" else "open", max_items="9")
        publish(client, node, to=to)
        affiliate(client, node, to, **{other.bare.split("@")[0]: affiliation})
        retrieves = other.iq("get", asking(node), to).get("type") == "result"
        publishes = other.iq("set", publishing(node), to).get("type") == "result"
        assert retrieves is (affiliation in ("member", "publisher"))
        assert publishes is (affiliation in ("publisher", "publish-only"))

    return exercise


def subscriptions(people: People, client: Client, to: str) -> None:
    node, other = name(), people.online()
    create(client, node, to, access_model="open")
    subscribe(other, node, to)
    publish(client, node, to=to)
    assert [told.node for told in events(other)] == [node]
    reply = other.get(pubsub("<subscriptions/>"), to)
    assert find_all(reply, "pubsub:pubsub/pubsub:subscriptions/pubsub:subscription")
    unsubscribe(other, node, to)


def subscription_options(people: People, client: Client, to: str) -> None:
    node = name()
    create(client, node, to)
    subscribe(client, node, to)
    options = pubsub(f"<options node='{node}' jid='{client.bare}'/>")
    assert form_values(client.get(options, to))["pubsub#deliver"] == ["true"]


def manage_subscriptions(people: People, client: Client, to: str) -> None:
    """An owner ends a subscription, of which the subscriber is notified."""
    node, other = name(), people.online()
    create(client, node, to, access_model="open")
    subscribe(other, node, to)
    ended = f"<subscription jid='{other.bare}' subscription='none'/>"
    client.set(pubsub(f"<subscriptions node='{node}'>{ended}</subscriptions>", owner=True), to)
    assert [told.kind for told in events(other)] == ["subscription"]


def last_published(people: People, client: Client, to: str) -> None:
    node = name()
    create(client, node, to)
    publish(client, node, id="last", to=to)
    subscribe(client, node, to)
    assert [told.ids for told in events(client)] == [["last"]]


def access(model: str) -> Exercise:
    def exercise(people: People, client: Client, to: str) -> None:
        node, stranger = name(), people.online()
        publish(client, node, to=to, access_model=model)
        assert configuration(client, node, to)["access_model"] == [model]
        assert (stranger.iq("get", asking(node), to).get("type") == "result") is (model == "open")

    return exercise


def automatic_subscription(people: People, client: Client, to: str) -> None:
    """A contact whose client wants to hear of a node hears of it; of another it does not."""
    node, contact = name(), people.online()
    people.befriend(client, contact)
    listen(contact, node)
    publish(client, node, id="new")
    publish(client, name())
    assert [(told.sender, told.ids) for told in events(contact)] == [(client.bare, ["new"])]
    contact.send(f"<presence>{caps()}</presence>")


_SUBSCRIBED = ("auto-subscribe", "filtered-notifications", "presence-subscribe")
_FEATURES: dict[str, Exercise] = {
    "": itself,
    "auto-create": auto_create,
    "config-node": configurable,
    "config-node-max": config_node_max,
    "create-and-configure": configurable,
    "create-nodes": configurable,
    "delete-items": delete_items,
    "delete-nodes": delete_nodes,
    "instant-nodes": instant_nodes,
    "item-ids": several_items,
    "last-published": last_published,
    "manage-subscriptions": manage_subscriptions,
    "member-affiliation": affiliated("member"),
    "meta-data": meta_data,
    "modify-affiliations": affiliated("member"),
    "multi-items": several_items,
    "outcast-affiliation": affiliated("outcast"),
    "persistent-items": several_items,
    "publish": auto_create,
    "publish-only-affiliation": affiliated("publish-only"),
    "publish-options": publish_options,
    "publisher-affiliation": affiliated("publisher"),
    "purge-nodes": purge_nodes,
    "retract-items": delete_items,
    "retrieve-affiliations": retrieve_affiliations,
    "retrieve-default": retrieve_default,
    "retrieve-items": several_items,
    "retrieve-subscriptions": subscriptions,
    "rsm": pages,
    "subscribe": subscriptions,
    "subscription-notifications": manage_subscriptions,
    "subscription-options": subscription_options,
    "pubsub-on-a-jid": itself,
    **{f"access-{model}": access(model) for model in ("open", "authorize", "presence", "roster", "whitelist")},
    **dict.fromkeys(_SUBSCRIBED, automatic_subscription),
}

PUBSUB: dict[str, Exercise] = {
    f"{ns.PUBSUB}#{feature}" if feature else ns.PUBSUB: exercise for feature, exercise in _FEATURES.items()
}
