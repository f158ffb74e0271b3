"""Slixmpp and the service of publish-subscribe (XEP-0060): each thing that its plugin can ask for, part by part."""

import itertools
from typing import Any

import pytest
from slixmpp import Message
from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0004 import Form
from slixmpp.plugins.xep_0059.stanza import Set
from slixmpp.plugins.xep_0060.stanza import Pubsub
from slixmpp.xmlstream import ET, register_stanza_plugin

from interop.clients import Clients
from interop.slixmpp_client import SlixmppClient
from interop.waiting import DEADLINE

pytestmark = pytest.mark.interop
SERVICE, EXAMPLE = "pubsub.localhost", "urn:example"
_NUMBERS = itertools.count(1)


class Publisher:
    """One person's plugin, for one node."""

    def __init__(self, client: SlixmppClient, node: str) -> None:
        self.client, self.node, self.jid = client, node, client.boundjid.bare
        self._plugin = client.plugin["xep_0060"]

    async def do(self, deed: str, *arguments: object, **options: object) -> Any:
        """What the service answers to that; raises IqError."""
        answer = await getattr(self._plugin, deed)(SERVICE, self.node, *arguments, timeout=DEADLINE, **options)
        return answer.xml

    async def deliver(self, flag: str) -> None:
        """Says whether its own subscription is to deliver; slixmpp's method asks for that with an iq of type get."""
        iq = self.client.make_iq_set(ito=SERVICE)
        iq["pubsub"]["options"]["node"], iq["pubsub"]["options"]["jid"] = self.node, self.jid
        iq["pubsub"]["options"].append(form("subscribe_options", deliver=flag))
        await iq.send(timeout=DEADLINE)

    async def publish(self, text: str, id: str | None = None, **options: object) -> str:
        """Publishes an item; its id."""
        payload = ET.Element(f"{{{EXAMPLE}}}word")
        payload.text = text
        answer = await self.do("publish", id=id, payload=payload, **options)
        return str(found(answer, "item")[0].get("id"))

    async def words(self, **options: object) -> list[tuple[str, str | None]]:
        """What items the node shows."""
        return items(await self.do("get_items", **options))

    async def told(self) -> Any:
        """The next notification of the node: what stands in its `<event/>`."""

        def fits(stanza: object) -> bool:
            return isinstance(stanza, Message) and any(each.get("node") == self.node for each in events(stanza.xml))

        (event,) = events((await self.client.take(fits, f"notification of {self.node}")).xml)
        return event

    async def refused(self, deed: str, *arguments: object, **options: object) -> str:
        """The condition of the error that answers that."""
        with pytest.raises(IqError) as caught:
            await self.do(deed, *arguments, **options)
        return str(caught.value.condition)


def found(xml: Any, name: str) -> list[Any]:
    return [each for each in xml.iter() if each.tag.rpartition("}")[2] == name]


def items(xml: Any) -> list[tuple[str, str | None]]:
    return [(each.get("id", ""), each[0].text if len(each) else None) for each in found(xml, "item")]


def events(xml: Any) -> list[Any]:
    return [each for event in found(xml, "event") for each in event]


def form(kind: str, **fields: str) -> Form:
    """A form of that kind; names are without `pubsub#`."""
    made = Form()
    made["type"] = "submit"
    made.add_field(var="FORM_TYPE", ftype="hidden", value=f"http://jabber.org/protocol/pubsub#{kind}")
    for name, value in fields.items():
        made.add_field(var=f"pubsub#{name}", value=value)
    return made


async def people(clients: Clients) -> tuple[Publisher, Publisher]:
    """The owner of a node that is not there yet, and somebody else."""
    node = f"node{next(_NUMBERS)}"
    made = []
    for _ in range(2):
        client = await clients.online()
        client.register_plugin("xep_0060")
        client.register_plugin("xep_0059")
        made.append(Publisher(client, node))
    return made[0], made[1]


async def test_the_service_says_what_it_is_and_what_it_can(clients: Clients) -> None:
    owner, _ = await people(clients)
    told = await owner.client.plugin["xep_0030"].get_info(SERVICE, timeout=DEADLINE)
    assert ("pubsub", "service") in {(category, type) for category, type, _, _ in told["disco_info"]["identities"]}
    wanted = "publish retract-items purge-nodes create-nodes create-and-configure config-node publish-options rsm"
    wanted += " delete-nodes instant-nodes item-ids persistent-items multi-items modify-affiliations subscribe"
    wanted += " manage-subscriptions retrieve-items retrieve-subscriptions retrieve-affiliations outcast-affiliation"
    wanted += " subscription-options"
    features = set(told["disco_info"]["features"])
    assert {f"http://jabber.org/protocol/pubsub#{each}" for each in wanted.split()} <= features


async def test_nodes_are_made_configured_and_deleted(clients: Clients) -> None:
    owner, reader = await people(clients)
    await owner.do("create_node", form("node_config", title="Musings", max_items="2"))
    assert await owner.refused("create_node") == "conflict"
    (config,) = [Form(xml=each) for each in found(await owner.do("get_node_config"), "x")]
    values = config.get_values()
    assert (values["pubsub#title"], values["pubsub#max_items"]) == ("Musings", "2")
    await owner.do("set_node_config", form("node_config", title="More"))
    assert await reader.refused("set_node_config", form("node_config", title="Mine")) == "forbidden"
    listed = await owner.client.plugin["xep_0060"].get_nodes(SERVICE, timeout=DEADLINE)
    assert (SERVICE, owner.node, "More") in listed["disco_items"]["items"]
    await reader.do("subscribe")
    assert await reader.refused("delete_node") == "forbidden"
    await owner.do("delete_node")
    assert (await reader.told()).tag.endswith("}delete")
    assert await owner.refused("get_items") == "item-not-found"


async def test_a_node_without_a_name_gets_one(clients: Clients) -> None:
    owner, _ = await people(clients)
    owner.node = ""
    (made,) = found(await owner.do("create_node"), "create")
    owner.node = made.get("node")
    await owner.publish("hello", "one")
    assert await owner.words() == [("one", "hello")]


async def test_items_are_published_replaced_retrieved_and_retracted(clients: Clients) -> None:
    owner, reader = await people(clients)
    await owner.do("create_node")
    await reader.do("subscribe")
    assert await owner.publish("first", "one") == "one"
    assert items(await reader.told()) == [("one", "first")]
    given = await owner.publish("second")
    assert given
    await owner.publish("again", "one")
    assert await reader.words() == [(given, "second"), ("one", "again")]
    assert await reader.words(max_items=1) == [("one", "again")]
    assert await reader.words(item_ids=[given]) == [(given, "second")]
    assert items(await reader.do("get_item", "one")) == [("one", "again")]
    listed = await reader.do("get_item_ids")
    assert {each.get("name") for each in found(listed, "item")} == {given, "one"}
    assert await reader.refused("retract", "one") == "forbidden"
    await owner.do("retract", "one", notify="true")
    while not found(event := await reader.told(), "retract"):
        pass
    assert [each.get("id") for each in found(event, "retract")] == ["one"]
    assert await reader.words() == [(given, "second")]
    assert await owner.refused("retract", "one") == "item-not-found"


async def test_a_node_is_purged(clients: Clients) -> None:
    owner, reader = await people(clients)
    await owner.do("create_node")
    for number in range(3):
        await owner.publish("word", str(number))
    await reader.do("subscribe")
    assert await reader.refused("purge") == "forbidden"
    await owner.do("purge")
    while not (await reader.told()).tag.endswith("}purge"):
        pass
    assert await reader.words() == []


async def test_items_come_in_pages(clients: Clients) -> None:
    owner, _ = await people(clients)
    await owner.do("create_node", form("node_config", max_items="max"))
    for number in range(25):
        await owner.publish("word", str(number))
    register_stanza_plugin(Pubsub, Set)  # slixmpp has it for its other lists alone
    pages = owner.client.plugin["xep_0060"].get_items(SERVICE, owner.node, iterator=True)
    pages.amount = 10
    sizes, ids = [], []
    async for page in pages:
        told = items(page.xml)
        sizes.append(len(told))
        ids += [id for id, _ in told]
    assert sizes == [10, 10, 5]
    assert ids == [str(number) for number in range(25)]


async def test_publish_options_make_a_node_and_are_conditions_of_one(clients: Clients) -> None:
    owner, reader = await people(clients)
    await owner.publish("first", "one", options=form("publish-options", access_model="whitelist", max_items="5"))
    assert await reader.refused("get_items") == "not-allowed"
    assert await owner.words() == [("one", "first")]
    with pytest.raises(IqError) as caught:
        await owner.publish("second", "two", options=form("publish-options", access_model="open"))
    assert caught.value.condition == "conflict"
    assert found(caught.value.iq.xml, "precondition-not-met")
    assert await owner.words() == [("one", "first")]


@pytest.mark.parametrize(
    ("model", "condition"),
    [("open", ""), ("whitelist", "not-allowed"), ("authorize", "not-authorized")],
)
async def test_who_may_read_is_for_the_node_to_say(clients: Clients, model: str, condition: str) -> None:
    owner, reader = await people(clients)
    await owner.do("create_node", form("node_config", access_model=model))
    await owner.publish("word", "one")
    if not condition:
        assert await reader.words() == [("one", "word")]
        return
    assert await reader.refused("get_items") == condition
    await owner.do("modify_affiliations", [(reader.jid, "member")])
    assert await reader.words() == [("one", "word")]


async def test_affiliations_are_given_listed_and_taken(clients: Clients) -> None:
    owner, other = await people(clients)
    await owner.do("create_node")
    with pytest.raises(IqError, match="forbidden"):
        await other.publish("mine")
    for affiliation in ("publisher", "outcast", "none"):
        await owner.do("modify_affiliations", [(other.jid, affiliation)])
        listed = found(await owner.do("get_node_affiliations"), "affiliation")
        wanted = {owner.jid: "owner"} | ({other.jid: affiliation} if affiliation != "none" else {})
        assert {each.get("jid"): each.get("affiliation") for each in listed} == wanted
        own = found(await other.do("get_affiliations"), "affiliation")
        assert [each.get("affiliation") for each in own] == ([affiliation] if affiliation != "none" else [])
        if affiliation == "publisher":
            await other.publish("mine", "one")
        if affiliation == "outcast":
            assert await other.refused("get_items") == "forbidden"
            assert await other.refused("subscribe") == "forbidden"
    assert await other.refused("get_node_affiliations") == "forbidden"
    assert await other.words() == [("one", "mine")]


async def test_subscriptions_are_made_listed_set_up_and_ended(clients: Clients) -> None:
    owner, reader = await people(clients)
    await owner.do("create_node")
    (made,) = found(await reader.do("subscribe"), "subscription")
    assert (made.get("jid"), made.get("subscription")) == (reader.jid, "subscribed")
    own = found(await reader.do("get_subscriptions"), "subscription")
    assert [(each.get("jid"), each.get("subscription")) for each in own] == [(reader.jid, "subscribed")]
    listed = found(await owner.do("get_node_subscriptions"), "subscription")
    assert [(each.get("jid"), each.get("subscription")) for each in listed] == [(reader.jid, "subscribed")]
    (options,) = [Form(xml=each) for each in found(await reader.do("get_subscription_options", reader.jid), "x")]
    assert "pubsub#deliver" in options.get_values()
    await reader.deliver("0")
    await owner.publish("unheard", "one")
    await reader.deliver("1")
    await owner.publish("heard", "two")
    assert items(await reader.told()) == [("two", "heard")]
    await reader.do("unsubscribe")
    assert await reader.refused("unsubscribe") == "unexpected-request"
    assert found(await reader.do("get_subscriptions"), "subscription") == []


async def test_an_owner_ends_a_subscription(clients: Clients) -> None:
    owner, reader = await people(clients)
    await owner.do("create_node")
    await reader.do("subscribe")
    assert await reader.refused("modify_subscriptions", [(owner.jid, "none")]) == "forbidden"
    await owner.do("modify_subscriptions", [(reader.jid, "none")])
    assert found(await owner.do("get_node_subscriptions"), "subscription") == []
    ended = await reader.told()
    assert (ended.tag.rpartition("}")[2], ended.get("subscription")) == ("subscription", "none")


async def test_who_wants_to_subscribe_may_have_to_wait_for_the_owner(clients: Clients) -> None:
    owner, reader = await people(clients)
    await owner.do("create_node", form("node_config", access_model="authorize"))
    (made,) = found(await reader.do("subscribe"), "subscription")
    assert made.get("subscription") == "pending"

    def asks(stanza: object) -> bool:
        return isinstance(stanza, Message) and bool(found(stanza.xml, "x"))

    asked = await owner.client.take(asks, "question for the owner")
    (question,) = found(asked.xml, "x")
    answer = Form(xml=question)
    answer["type"] = "submit"
    answer["values"] = {**answer.get_values(), "pubsub#allow": True}
    reply = owner.client.make_message(SERVICE)
    reply.append(answer)
    reply.send()
    allowed = await reader.told()
    assert allowed.get("subscription") == "subscribed"
    await owner.publish("word", "one")
    assert items(await reader.told()) == [("one", "word")]
