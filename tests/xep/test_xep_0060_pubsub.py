"""XEP-0060: Publish-Subscribe, on accounts and at a service of its own: both answer in the same way."""

from collections.abc import Callable

import pytest

from fermata.app.config import Config
from fermata.app.config_pubsub import PubSub
from fermata.app.config_tables import Server
from fermata.services.users import Users
from fermata.xmpp.jid import JID
from kit import ns
from kit.pubsub import (
    affiliate,
    asking,
    configuration,
    configure,
    create,
    event,
    events,
    form,
    items,
    publish,
    publishing,
    pubsub,
    refusal,
    retract,
    subscribe,
    unsubscribe,
)
from kit.stanzas import find, find_all, form_fields, form_values, show, text
from kit.wire import Client
from kit.world import World

NODE = "princely_musings"
SERVICE = "pubsub.localhost"
INFO = f"<query xmlns='{ns.DISCO_INFO}' node='{NODE}'/>"
ITEMS = f"<query xmlns='{ns.DISCO_ITEMS}' node='{NODE}'/>"


@pytest.fixture(params=["account", "service"])
def to(request: pytest.FixtureRequest) -> str:
    """Where the nodes are: Hamlet's account, or the service."""
    return "hamlet@localhost" if request.param == "account" else SERVICE


@pytest.fixture
def hamlet(world: World) -> Client:
    return world.online("hamlet@localhost/blogbot")


@pytest.fixture
def francisco(world: World) -> Client:
    """A stranger to Hamlet."""
    return world.online("francisco@localhost/barracks")


def payload(word: str) -> str:
    return f"<entry xmlns='urn:example'>{word}</entry>"


def words(found: dict[str, object]) -> list[str]:
    return [element.text for element in found.values()]  # type: ignore[attr-defined]


# §7.1 Publishing


def test_what_was_published_is_retrieved_even_after_a_crash(world: World, hamlet: Client, to: str) -> None:
    assert publish(hamlet, NODE, payload("O"), "1", to) == "1"
    world.crash()
    hamlet = world.login("hamlet@localhost/blogbot")
    assert words(items(hamlet, NODE, to)) == ["O"]


def test_an_item_without_an_id_gets_one(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_items="10")
    ids = [publish(hamlet, NODE, payload("a"), None, to), publish(hamlet, NODE, payload("b"), None, to)]
    assert len(set(ids)) == 2
    assert list(items(hamlet, NODE, to)) == ids


def test_an_item_with_the_same_id_takes_its_place_and_is_the_newest(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_items="10")
    for id, word in (("1", "a"), ("2", "b"), ("1", "c")):
        publish(hamlet, NODE, payload(word), id, to)
    assert words(items(hamlet, NODE, to)) == ["b", "c"]
    assert list(items(hamlet, NODE, to, max_items="1")) == ["1"]


def test_of_more_items_than_a_node_keeps_the_oldest_goes(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_items="2")
    for id in "123":
        publish(hamlet, NODE, payload(id), id, to)
    assert list(items(hamlet, NODE, to)) == ["2", "3"]


def test_an_account_keeps_one_item_on_a_node_if_nobody_says_otherwise(hamlet: Client) -> None:
    for id in "12":
        publish(hamlet, NODE, payload(id), id)
    assert list(items(hamlet, NODE)) == ["2"]


def test_items_expire(world: World, hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_items="10", item_expire="60")
    publish(hamlet, NODE, payload("a"), "1", to)
    world.advance(40)
    publish(hamlet, NODE, payload("b"), "2", to)
    world.advance(30)
    assert list(items(hamlet, NODE, to)) == ["2"]
    publish(hamlet, NODE, payload("c"), "3", to)
    assert world.rows("SELECT id FROM item ORDER BY id") == [("2",), ("3",)]


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (f"<publish node='{NODE}'/>", ("modify", "bad-request", "item-required")),
        (f"<publish node='{NODE}'><item/></publish>", ("modify", "bad-request", "payload-required")),
        (
            f"<publish node='{NODE}'><item><a xmlns='u'/><b xmlns='u'/></item></publish>",
            ("modify", "bad-request", "invalid-payload"),
        ),
        (
            f"<publish node='{NODE}'><item><a xmlns='u'/></item><item><a xmlns='u'/></item></publish>",
            ("cancel", "not-allowed", "max-items-exceeded"),
        ),
        ("<publish><item><a xmlns='u'/></item></publish>", ("modify", "bad-request", "nodeid-required")),
        (
            f"<publish node='{NODE}'><item id='{'i' * 1024}'><a xmlns='u'/></item></publish>",
            ("modify", "not-acceptable", ""),
        ),
        (f"<publish node='{'n' * 1024}'><item><a xmlns='u'/></item></publish>", ("modify", "not-acceptable", "")),
        ("", ("modify", "bad-request", "")),
        ("<dance/>", ("cancel", "feature-not-implemented", "")),
    ],
)
def test_what_cannot_be_published(hamlet: Client, to: str, request_: str, wanted: tuple[str, str, str]) -> None:
    assert refusal(hamlet, "set", pubsub(request_), to) == wanted
    assert refusal(hamlet, "get", asking(NODE), to) == ("cancel", "item-not-found", "")


def test_a_node_for_notifications_alone_has_no_items(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, persist_items="0", deliver_payloads="0")
    assert refusal(hamlet, "set", publishing(NODE), to) == ("modify", "bad-request", "item-forbidden")
    subscribe(hamlet, NODE, to)
    hamlet.set(pubsub(f"<publish node='{NODE}'/>"), to)
    (told,) = events(hamlet)
    assert (told.kind, told.node, told.items) == ("items", NODE, [])
    assert refusal(hamlet, "get", asking(NODE), to)[1:] == ("feature-not-implemented", "unsupported")


def test_a_transient_item_is_told_and_not_kept(world: World, hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, persist_items="0")
    subscribe(hamlet, NODE, to)
    publish(hamlet, NODE, payload("O"), "1", to)
    (told,) = events(hamlet)
    assert told.ids == ["1"]
    assert world.rows("SELECT * FROM item") == []


def test_payloads_stay_at_home_where_the_node_says_so(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, deliver_payloads="0")
    subscribe(hamlet, NODE, to)
    publish(hamlet, NODE, payload("O"), "1", to)
    (told,) = events(hamlet)
    assert told.items == [("1", None)]
    assert words(items(hamlet, NODE, to)) == ["O"]


def test_the_publisher_is_named_where_the_node_says_so(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, itemreply="publisher")
    subscribe(hamlet, NODE, to)
    hamlet.set(pubsub(f"<publish node='{NODE}'><item publisher='x@y'>{payload('O')}</item></publish>"), to)
    (told,) = events(hamlet)
    for stanza in (told.message, hamlet.get(asking(NODE), to)):
        assert [item.get("publisher") for item in stanza.iter() if item.tag.endswith("}item")] == ["hamlet@localhost"]


# §7.1.5 Publish options


def test_publish_options_make_the_node_that_they_ask_for(hamlet: Client, to: str) -> None:
    publish(hamlet, NODE, payload("a"), "1", to, access_model="whitelist", max_items="max", persist_items="true")
    config = configuration(hamlet, NODE, to)
    assert (config["access_model"], config["max_items"]) == (["whitelist"], ["max"])
    publish(hamlet, NODE, payload("b"), "2", to, access_model="whitelist", max_items="max")
    assert list(items(hamlet, NODE, to)) == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "value"), [("access_model", "open"), ("max_items", "5"), ("purge_offline", "1"), ("unheard_of", "1")]
)
def test_publish_options_that_are_not_met_refuse_the_item(hamlet: Client, to: str, name: str, value: str) -> None:
    create(hamlet, NODE, to, access_model="whitelist")
    request = publishing(NODE, payload("a"), "1", **{name: value})
    assert refusal(hamlet, "set", request, to) == ("cancel", "conflict", "precondition-not-met")
    assert items(hamlet, NODE, to) == {}


def test_publish_options_that_nobody_can_meet_make_no_node(hamlet: Client, to: str) -> None:
    assert refusal(hamlet, "set", publishing(NODE, unheard_of="1"), to)[2] == "precondition-not-met"
    wrong = publishing(NODE, access_model="nonsense")
    assert refusal(hamlet, "set", wrong, to) == ("modify", "not-acceptable", "unsupported-access-model")
    assert refusal(hamlet, "get", asking(NODE), to) == ("cancel", "item-not-found", "")


def test_what_is_always_so_may_be_asked_for(hamlet: Client, to: str) -> None:
    publish(hamlet, NODE, payload("a"), "1", to, node_type="leaf", purge_offline="false", tempsub="0")


# §6.5 Retrieving


def test_items_are_retrieved_by_their_ids(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_items="10")
    for id in "123":
        publish(hamlet, NODE, payload(id), id, to)
    assert words(items(hamlet, NODE, to, "3", "1", "x")) == ["3", "1"]
    assert refusal(hamlet, "get", asking(NODE, "x"), to) == ("cancel", "item-not-found", "")


def test_the_newest_items_are_retrieved_by_their_number(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_items="10")
    for id in "123":
        publish(hamlet, NODE, payload(id), id, to)
    assert list(items(hamlet, NODE, to, max_items="2")) == ["2", "3"]


def test_items_come_in_pages(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_items="10")
    for id in "12345":
        publish(hamlet, NODE, payload(id), id, to)

    def page(set_: str) -> tuple[list[str], str | None, str | None]:
        reply = hamlet.get(asking(NODE, more=f"<set xmlns='{ns.RSM}'>{set_}</set>"), to)
        ids = [item.get("id", "") for item in find_all(reply, "pubsub:pubsub/pubsub:items/pubsub:item")]
        where = "pubsub:pubsub/rsm:set/rsm:"
        return ids, text(reply, where + "last"), text(reply, where + "count")

    assert page("<max>2</max>") == (["1", "2"], "2", "5")
    assert page("<max>2</max><after>2</after>") == (["3", "4"], "4", "5")
    assert page("<max>2</max><before/>") == (["4", "5"], "5", "5")
    wrong = asking(NODE, more=f"<set xmlns='{ns.RSM}'><after>x</after></set>")
    assert refusal(hamlet, "get", wrong, to)[1] == "item-not-found"


def test_a_node_without_items_shows_none(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to)
    assert items(hamlet, NODE, to) == {}


def test_what_is_too_much_for_one_stanza_comes_in_part(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_items="10")
    for id in "12345":
        publish(hamlet, NODE, payload("x" * 100_000), id, to)
    reply = hamlet.get(asking(NODE), to)
    assert [item.get("id") for item in find_all(reply, "pubsub:pubsub/pubsub:items/pubsub:item")] == ["1", "2", "3"]
    assert text(reply, "pubsub:pubsub/rsm:set/rsm:last") == "3"


def test_many_small_items_come_at_once_for_those_who_ask_for_no_page(hamlet: Client) -> None:
    create(hamlet, NODE, max_items="max")
    for number in range(600):
        publish(hamlet, NODE, payload("o"), str(number))
    assert len(items(hamlet, NODE)) == 600


# §7.2 Retracting, §8.5 purging


def test_a_retracted_item_is_gone_and_told(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_items="10")
    publish(hamlet, NODE, payload("a"), "1", to)
    subscribe(hamlet, NODE, to)
    events(hamlet)
    retract(hamlet, NODE, "1", to)
    (told,) = events(hamlet)
    assert (told.kind, told.ids) == ("retract", ["1"])
    assert items(hamlet, NODE, to) == {}


@pytest.mark.parametrize(("of_node", "notify", "told"), [("0", "", 0), ("0", "1", 1), ("1", "false", 0), ("1", "", 1)])
def test_who_retracts_says_whether_that_is_told(hamlet: Client, to: str, of_node: str, notify: str, told: int) -> None:
    create(hamlet, NODE, to, notify_retract=of_node)
    publish(hamlet, NODE, payload("a"), "1", to)
    subscribe(hamlet, NODE, to)
    events(hamlet)
    retract(hamlet, NODE, "1", to, **({"notify": notify} if notify else {}))
    assert len(events(hamlet)) == told


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (f"<retract node='{NODE}'><item id='x'/></retract>", ("cancel", "item-not-found", "")),
        ("<retract node='nothing'><item id='x'/></retract>", ("cancel", "item-not-found", "")),
        ("<retract><item id='x'/></retract>", ("modify", "bad-request", "nodeid-required")),
        (f"<retract node='{NODE}'/>", ("modify", "bad-request", "item-required")),
        (f"<retract node='{NODE}'><item/></retract>", ("modify", "bad-request", "item-required")),
    ],
)
def test_what_cannot_be_retracted(hamlet: Client, to: str, request_: str, wanted: tuple[str, str, str]) -> None:
    create(hamlet, NODE, to)
    assert refusal(hamlet, "set", pubsub(request_), to) == wanted


def test_a_purged_node_is_empty_and_that_is_told(world: World, hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_items="10")
    for id in "12":
        publish(hamlet, NODE, payload("a"), id, to)
    subscribe(hamlet, NODE, to)
    events(hamlet)
    hamlet.set(pubsub(f"<purge node='{NODE}'/>", owner=True), to)
    (told,) = events(hamlet)
    assert (told.kind, told.node) == ("purge", NODE)
    assert items(hamlet, NODE, to) == {}
    assert world.rows("SELECT * FROM item") == []


# §8.1 to §8.4 Nodes


def test_a_node_is_made_once(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to)
    assert refusal(hamlet, "set", pubsub(f"<create node='{NODE}'/>"), to) == ("cancel", "conflict", "")


def test_a_node_without_a_name_gets_one(hamlet: Client, to: str) -> None:
    found = find(hamlet.set(pubsub("<create/>"), to), "pubsub:pubsub/pubsub:create")
    assert found is not None
    assert items(hamlet, found.get("node", ""), to) == {}


def test_a_node_is_set_up_as_it_is_made_and_later(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, title="Musings", max_items="7")
    config = configuration(hamlet, NODE, to)
    assert (config["title"], config["max_items"]) == (["Musings"], ["7"])
    configure(hamlet, NODE, to, title="Other musings")
    config = configuration(hamlet, NODE, to)
    assert (config["title"], config["max_items"]) == (["Other musings"], ["7"])


def test_a_node_that_is_to_keep_less_discards_the_oldest(world: World, hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_items="10")
    for id in "123":
        publish(hamlet, NODE, payload(id), id, to)
    configure(hamlet, NODE, to, max_items="1")
    assert list(items(hamlet, NODE, to)) == ["3"]
    configure(hamlet, NODE, to, persist_items="0")
    assert world.rows("SELECT * FROM item") == []


def test_a_form_that_is_cancelled_changes_nothing(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to)
    before = configuration(hamlet, NODE, to)
    hamlet.set(pubsub(f"<configure node='{NODE}'><x xmlns='{ns.DATA}' type='cancel'/></configure>", owner=True), to)
    assert configuration(hamlet, NODE, to) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_items", "many"), ("max_items", "0"), ("publish_model", "x"), ("persist_items", "perhaps")],
)
def test_what_a_field_cannot_be_is_refused(hamlet: Client, to: str, name: str, value: str) -> None:
    create(hamlet, NODE, to)
    wrong = f"<configure node='{NODE}'>{form('node_config', {name: value, 'title': 'x'})}</configure>"
    assert refusal(hamlet, "set", pubsub(wrong, owner=True), to) == ("modify", "not-acceptable", "")
    assert configuration(hamlet, NODE, to)["title"] == [""]


def test_the_default_configuration_is_shown(hamlet: Client, to: str) -> None:
    fields = form_fields(hamlet.get(pubsub("<default/>", owner=True), to))
    assert {"pubsub#access_model", "pubsub#max_items"} <= fields.keys()


def test_a_change_of_the_configuration_is_told_where_the_node_says_so(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to)
    subscribe(hamlet, NODE, to)
    configure(hamlet, NODE, to, title="a")
    assert events(hamlet) == []
    configure(hamlet, NODE, to, title="b", notify_config="1")
    (told,) = events(hamlet)
    assert (told.kind, told.node) == ("configuration", NODE)
    assert form_values(told.message)["pubsub#title"] == ["b"]


def test_a_deleted_node_is_gone_and_told_with_where_to_go(world: World, hamlet: Client, to: str) -> None:
    publish(hamlet, NODE, payload("a"), "1", to)
    subscribe(hamlet, NODE, to)
    affiliate(hamlet, NODE, to, horatio="member")
    events(hamlet)
    hamlet.set(pubsub(f"<delete node='{NODE}'><redirect uri='xmpp:x@y?;node=z'/></delete>", owner=True), to)
    (told,) = events(hamlet)
    assert (told.kind, told.node) == ("delete", NODE)
    assert [each.get("uri") for each in told.message.iter() if each.tag.endswith("}redirect")] == ["xmpp:x@y?;node=z"]
    assert refusal(hamlet, "get", asking(NODE), to) == ("cancel", "item-not-found", "")
    for table in ("node", "item", "node_affiliation", "node_subscription"):
        assert world.rows(f"SELECT * FROM {table}") == []


@pytest.mark.parametrize("request_", ["configure", "delete", "purge", "affiliations", "subscriptions"])
def test_only_owners_do_what_owners_do(hamlet: Client, francisco: Client, to: str, request_: str) -> None:
    create(hamlet, NODE, to, access_model="open", publish_model="open")
    type = "get" if request_ in ("configure", "affiliations", "subscriptions") else "set"
    asked = pubsub(f"<{request_} node='{NODE}'/>", owner=True)
    assert refusal(francisco, type, asked, to) == ("auth", "forbidden", "")
    wrong = asked.replace(NODE, "nothing")
    assert refusal(hamlet, type, wrong, to) == ("cancel", "item-not-found", "")


# §4.5 Access models, §4.1 affiliations


def test_an_open_node_is_for_everybody(hamlet: Client, francisco: Client, to: str) -> None:
    publish(hamlet, NODE, payload("O"), "1", to, access_model="open")
    assert words(items(francisco, NODE, to)) == ["O"]
    assert subscribe(francisco, NODE, to) == "subscribed"
    publish(hamlet, NODE, payload("P"), "1", to)
    assert [told.ids for told in events(francisco)][-1] == ["1"]


def test_a_node_with_a_list_is_for_those_on_it(hamlet: Client, francisco: Client, to: str) -> None:
    publish(hamlet, NODE, payload("O"), "1", to, access_model="whitelist")
    for type, request_ in (
        ("get", asking(NODE)),
        ("set", pubsub(f"<subscribe node='{NODE}' jid='{francisco.bare}'/>")),
    ):
        assert refusal(francisco, type, request_, to) == ("cancel", "not-allowed", "closed-node")
    affiliate(hamlet, NODE, to, francisco="member")
    assert words(items(francisco, NODE, to)) == ["O"]
    subscribe(francisco, NODE, to)
    events(francisco)
    affiliate(hamlet, NODE, to, francisco="none")
    publish(hamlet, NODE, payload("P"), "1", to)
    assert events(francisco) == []
    assert refusal(francisco, "get", asking(NODE), to)[2] == "closed-node"


@pytest.mark.parametrize(
    ("affiliation", "retrieves", "publishes"),
    [("publisher", True, True), ("publish-only", False, True), ("member", True, False), ("outcast", False, False)],
)
def test_what_the_affiliated_may_do(
    hamlet: Client, francisco: Client, to: str, affiliation: str, retrieves: bool, publishes: bool
) -> None:
    publish(hamlet, NODE, payload("O"), "1", to, access_model="open", max_items="9")
    affiliate(hamlet, NODE, to, francisco=affiliation)
    assert (francisco.iq("get", asking(NODE), to).get("type") == "result") is retrieves
    assert (francisco.iq("set", publishing(NODE, id="2"), to).get("type") == "result") is publishes
    forbidden = ("auth", "forbidden", "")
    assert refusal(francisco, "set", pubsub(f"<retract node='{NODE}'><item id='1'/></retract>"), to) == forbidden
    if publishes:
        retract(francisco, NODE, "2", to)


def test_affiliations_are_listed_and_kept(world: World, hamlet: Client, francisco: Client, to: str) -> None:
    create(hamlet, NODE, to)
    affiliate(hamlet, NODE, to, francisco="member", bernardo="outcast")
    world.crash()
    hamlet, francisco = world.login("hamlet@localhost/blogbot"), world.login("francisco@localhost/barracks")
    reply = hamlet.get(pubsub(f"<affiliations node='{NODE}'/>", owner=True), to)
    found = {each.get("jid"): each.get("affiliation") for each in reply.iter() if each.tag.endswith("}affiliation")}
    assert found == {"hamlet@localhost": "owner", "francisco@localhost": "member", "bernardo@localhost": "outcast"}
    for request_ in ("<affiliations/>", f"<affiliations node='{NODE}'/>"):
        own = find_all(francisco.get(pubsub(request_), to), "pubsub:pubsub/pubsub:affiliations/pubsub:affiliation")
        assert [(each.get("node"), each.get("affiliation")) for each in own] == [(NODE, "member")]


@pytest.mark.parametrize(
    ("changes", "condition"),
    [
        ("<affiliation jid='francisco@localhost' affiliation='king'/>", "not-acceptable"),
        ("<affiliation jid='hamlet@localhost' affiliation='none'/>", "not-acceptable"),
        ("<affiliation jid='a@b' affiliation='member'/><affiliation jid='a@b/c' affiliation='none'/>", "bad-request"),
        ("<affiliation jid='@' affiliation='member'/>", "bad-request"),
    ],
)
def test_affiliations_that_cannot_be_change_none(hamlet: Client, to: str, changes: str, condition: str) -> None:
    create(hamlet, NODE, to)
    also = "<affiliation jid='bernardo@localhost' affiliation='member'/>"
    request_ = pubsub(f"<affiliations node='{NODE}'>{also}{changes}</affiliations>", owner=True)
    reply = hamlet.iq("set", request_, to)
    assert reply.find(f"error/{{{ns.STANZA_ERRORS}}}{condition}") is not None
    if condition == "not-acceptable":
        back = [each.get("affiliation") for each in reply.iter() if each.tag.endswith("}affiliation")]
        assert back in (["none", "none"], ["none", "owner"])
    listed = hamlet.get(pubsub(f"<affiliations node='{NODE}'/>", owner=True), to)
    assert len([each for each in listed.iter() if each.tag.endswith("}affiliation")]) == 1


@pytest.mark.parametrize("model", ["publishers", "subscribers", "open"])
def test_who_may_publish_is_for_the_node_to_say(hamlet: Client, francisco: Client, to: str, model: str) -> None:
    create(hamlet, NODE, to, access_model="open", publish_model=model, max_items="9")
    request_ = publishing(NODE, payload("O"), "1")
    may = francisco.iq("set", request_, to).get("type") == "result"
    assert may is (model == "open")
    subscribe(francisco, NODE, to)
    may = francisco.iq("set", request_, to).get("type") == "result"
    assert may is (model != "publishers")


# §6.1 to §6.3 Subscriptions


def test_a_subscription_lasts_until_it_is_ended(world: World, hamlet: Client, francisco: Client, to: str) -> None:
    create(hamlet, NODE, to, access_model="open")
    subscribe(francisco, NODE, to, francisco.jid)
    world.crash()
    hamlet, francisco = world.login("hamlet@localhost/blogbot"), world.login("francisco@localhost/barracks")
    publish(hamlet, NODE, payload("O"), "1", to)
    (told,) = events(francisco)
    assert (told.sender, told.ids, told.message.get("type"), told.message.get("to")) == (
        to, ["1"], "headline", francisco.jid
    )  # fmt: skip
    unsubscribe(francisco, NODE, to, francisco.jid)
    publish(hamlet, NODE, payload("P"), "1", to)
    assert events(francisco) == []


def test_a_new_subscriber_gets_the_last_item(hamlet: Client, francisco: Client, to: str) -> None:
    create(hamlet, NODE, to, access_model="open", max_items="5", send_last_published_item="on_sub")
    for id in "12":
        publish(hamlet, NODE, payload(id), id, to)
    subscribe(francisco, NODE, to)
    assert [told.ids for told in events(francisco)] == [["2"]]
    subscribe(francisco, NODE, to)
    assert events(francisco) == []


def test_a_subscriber_may_want_nothing_for_a_while(hamlet: Client, francisco: Client, to: str) -> None:
    create(hamlet, NODE, to, access_model="open")
    subscribe(francisco, NODE, to, options=f"<options>{form('subscribe_options', {'deliver': '0'})}</options>")
    publish(hamlet, NODE, payload("O"), "1", to)
    assert events(francisco) == []
    options = f"<options node='{NODE}' jid='{francisco.bare}'/>"
    assert form_values(francisco.get(pubsub(options), to))["pubsub#deliver"] == ["false"]
    wanted = options.replace("/>", f">{form('subscribe_options', {'deliver': '1'})}</options>")
    francisco.set(pubsub(wanted), to)
    publish(hamlet, NODE, payload("P"), "1", to)
    assert len(events(francisco)) == 1
    wrong = options.replace("/>", f">{form('subscribe_options', {'deliver': 'soon'})}</options>")
    assert refusal(francisco, "set", pubsub(wrong), to) == ("modify", "bad-request", "invalid-options")


def test_subscriptions_are_listed_for_those_who_have_them(hamlet: Client, francisco: Client, to: str) -> None:
    for name in (NODE, "other"):
        create(hamlet, name, to, access_model="open")
        subscribe(francisco, name, to)
    subscribe(hamlet, NODE, to)
    for request_, wanted in (("<subscriptions/>", {NODE, "other"}), (f"<subscriptions node='{NODE}'/>", {NODE})):
        found = find_all(francisco.get(pubsub(request_), to), "pubsub:pubsub/pubsub:subscriptions/pubsub:subscription")
        assert {each.get("node") for each in found} == wanted
        assert {each.get("jid") for each in found} == {francisco.bare}


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (f"<subscribe node='{NODE}' jid='hamlet@localhost'/>", ("modify", "bad-request", "invalid-jid")),
        (f"<subscribe node='{NODE}'/>", ("modify", "bad-request", "jid-required")),
        ("<subscribe node='nothing' jid='francisco@localhost'/>", ("cancel", "item-not-found", "")),
        ("<subscribe jid='francisco@localhost'/>", ("modify", "bad-request", "nodeid-required")),
        (f"<unsubscribe node='{NODE}' jid='francisco@localhost'/>", ("cancel", "unexpected-request", "not-subscribed")),
        (f"<unsubscribe node='{NODE}' jid='hamlet@localhost'/>", ("auth", "forbidden", "invalid-jid")),
    ],
)
def test_subscriptions_that_cannot_be(
    hamlet: Client, francisco: Client, to: str, request_: str, wanted: tuple[str, str, str]
) -> None:
    create(hamlet, NODE, to, access_model="open")
    assert refusal(francisco, "set", pubsub(request_), to) == wanted


def test_an_id_of_a_subscription_that_was_never_given_is_refused(hamlet: Client, francisco: Client, to: str) -> None:
    create(hamlet, NODE, to, access_model="open")
    subscribe(francisco, NODE, to)
    wrong = pubsub(f"<unsubscribe node='{NODE}' jid='{francisco.bare}' subid='1'/>")
    assert refusal(francisco, "set", wrong, to) == ("modify", "not-acceptable", "invalid-subid")


def test_a_node_may_have_no_subscribers(hamlet: Client, francisco: Client, to: str) -> None:
    create(hamlet, NODE, to, access_model="open", subscribe="0")
    wrong = pubsub(f"<subscribe node='{NODE}' jid='{francisco.bare}'/>")
    assert refusal(francisco, "set", wrong, to) == ("cancel", "not-allowed", "")


# §8.8 Subscriptions as owners manage them


def test_an_owner_ends_a_subscription_and_that_is_told(hamlet: Client, francisco: Client, to: str) -> None:
    create(hamlet, NODE, to, access_model="open")
    subscribe(francisco, NODE, to)
    asked = pubsub(f"<subscriptions node='{NODE}'/>", owner=True)
    listed = [each for each in hamlet.get(asked, to).iter() if each.tag.endswith("}subscription")]
    assert [(each.get("jid"), each.get("subscription")) for each in listed] == [(francisco.bare, "subscribed")]
    change = f"<subscription jid='{francisco.bare}' subscription='none'/>"
    hamlet.set(asked.replace("/></pubsub>", f">{change}</subscriptions></pubsub>"), to)
    (told,) = events(francisco)
    found = find(told.message, f"{{{ns.PUBSUB}#event}}event/{{{ns.PUBSUB}#event}}subscription")
    assert found is not None
    assert (found.get("node"), found.get("jid"), found.get("subscription")) == (NODE, francisco.bare, "none")
    publish(hamlet, NODE, payload("O"), "1", to)
    assert events(francisco) == []


def test_an_owner_subscribes_nobody_who_has_not_asked(hamlet: Client, francisco: Client, to: str) -> None:
    create(hamlet, NODE, to, access_model="open")
    change = f"<subscription jid='{francisco.bare}' subscription='subscribed'/>"
    asked = pubsub(f"<subscriptions node='{NODE}'>{change}</subscriptions>", owner=True)
    reply = hamlet.iq("set", asked, to)
    assert reply.find(f"error/{{{ns.STANZA_ERRORS}}}not-acceptable") is not None
    assert [each.get("subscription") for each in reply.iter() if each.tag.endswith("}subscription")] == ["none"]


# §6.1.3, §8.6 Requests that an owner answers: at the service alone


@pytest.mark.parametrize(("answer", "wanted"), [("true", "subscribed"), ("false", "none")])
def test_an_owner_is_asked_and_answers(hamlet: Client, francisco: Client, answer: str, wanted: str) -> None:
    create(hamlet, NODE, SERVICE, access_model="authorize")
    assert subscribe(francisco, NODE, SERVICE) == "pending"
    question = hamlet.wait_for(lambda stanza: stanza.tag == "message")
    assert text(question, "body")
    assert form_values(question)["pubsub#subscriber_jid"] == [francisco.bare]
    publish(hamlet, NODE, payload("O"), "1", SERVICE)
    assert events(francisco) == []
    assert refusal(francisco, "get", asking(NODE), SERVICE) == ("auth", "not-authorized", "not-subscribed")
    again = pubsub(f"<subscribe node='{NODE}' jid='{francisco.bare}'/>")
    assert refusal(francisco, "set", again, SERVICE) == ("auth", "not-authorized", "pending-subscription")
    filled = form("subscribe_authorization", {"node": NODE, "subscriber_jid": francisco.bare, "allow": answer})
    hamlet.send(f"<message to='{SERVICE}' id='{question.get('id')}'>{filled}</message>")
    hamlet.sync()
    told = event(francisco.wait_for(lambda stanza: stanza.tag == "message"))
    assert told.kind == "subscription"
    assert told.message.find(f".//*[@subscription='{wanted}']") is not None
    assert (francisco.iq("get", asking(NODE), SERVICE).get("type") == "result") is (answer == "true")


def test_nobody_else_answers_for_an_owner(hamlet: Client, francisco: Client) -> None:
    create(hamlet, NODE, SERVICE, access_model="authorize")
    subscribe(francisco, NODE, SERVICE)
    filled = form("subscribe_authorization", {"node": NODE, "subscriber_jid": francisco.bare, "allow": "1"})
    francisco.send(f"<message to='{SERVICE}' id='m'>{filled}</message>")
    francisco.expect_error("message", "forbidden", id="m")
    assert refusal(francisco, "get", asking(NODE), SERVICE)[2] == "not-subscribed"


def test_whoever_becomes_a_member_is_waiting_no_more(hamlet: Client, francisco: Client) -> None:
    create(hamlet, NODE, SERVICE, access_model="authorize")
    subscribe(francisco, NODE, SERVICE)
    affiliate(hamlet, NODE, SERVICE, francisco="member")
    publish(hamlet, NODE, payload("O"), "1", SERVICE)
    assert [told.kind for told in events(francisco)] == ["subscription", "items"]


def test_an_account_asks_nobody(hamlet: Client) -> None:
    wrong = pubsub(
        f"<create node='{NODE}'/><configure>{form('node_config', {'access_model': 'authorize'})}</configure>"
    )
    assert refusal(hamlet, "set", wrong) == ("modify", "not-acceptable", "unsupported-access-model")


# §5 Discovery


def test_nodes_are_discovered_by_those_who_may_see_them(hamlet: Client, francisco: Client) -> None:
    create(hamlet, NODE, SERVICE, access_model="open", title="Musings")
    create(hamlet, "secret", SERVICE, access_model="whitelist")
    publish(hamlet, NODE, payload("O"), "1", SERVICE)
    all_ = f"<query xmlns='{ns.DISCO_ITEMS}'/>"

    def nodes(client: Client) -> list[tuple[str | None, str | None]]:
        found = find_all(client.get(all_, SERVICE), "items:query/items:item")
        return [(item.get("node"), item.get("name")) for item in found]

    assert nodes(hamlet) == [(NODE, "Musings"), ("secret", None)]
    assert nodes(francisco) == [(NODE, "Musings")]
    found = find_all(francisco.get(ITEMS, SERVICE), "items:query/items:item")
    assert [(item.get("jid"), item.get("name"), item.get("node")) for item in found] == [(SERVICE, "1", None)]
    info = francisco.get(INFO, SERVICE)
    identity = find(info, "info:query/info:identity")
    assert identity is not None
    assert (identity.get("category"), identity.get("type")) == ("pubsub", "leaf")
    form_ = form_values(info)
    assert (form_["pubsub#title"], form_["pubsub#owner"]) == (["Musings"], ["hamlet@localhost"])
    hidden = f"<query xmlns='{ns.DISCO_INFO}' node='secret'/>"
    assert refusal(francisco, "get", hidden, SERVICE) == ("cancel", "not-allowed", "closed-node")


# The service


def test_only_our_users_make_nodes_at_the_service(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(server=Server(domains=("localhost", "second.example"))))
    one, other = world.login("hamlet@localhost/1"), world.login("ann@second.example/1")
    create(one, NODE, "pubsub.second.example")
    create(other, "x", "pubsub.localhost")
    assert list(items(other, "x", "pubsub.localhost")) == []


def test_there_may_be_no_service(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(pubsub=PubSub(service=None)))
    hamlet = world.login("hamlet@localhost/1")
    reply = hamlet.get(f"<query xmlns='{ns.DISCO_ITEMS}'/>", "localhost")
    assert [item.get("jid") for item in find_all(reply, "items:query/items:item")] == ["conference.localhost"]
    assert hamlet.iq("set", publishing(NODE), SERVICE).get("type") == "error"
    publish(hamlet, NODE)


def test_nodes_of_an_account_that_is_removed_go_with_it(world: World, hamlet: Client) -> None:
    for to in (None, SERVICE):
        publish(hamlet, NODE, payload("O"), "1", to)
    world.do(world.parts.services[Users].remove(JID.parse("hamlet@localhost")))
    for table in ("node", "item", "node_affiliation", "node_subscription"):
        assert world.rows(f"SELECT * FROM {table}") == []


# Limits


def test_what_an_account_may_keep_has_limits(worlds: Callable[[Config], World]) -> None:
    limits = PubSub(nodes_per_account=2, items_per_node=3, item_bytes=1_000, bytes_per_account=5_500)
    world = worlds(Config(pubsub=limits))
    hamlet = world.login("hamlet@localhost/1")
    for to in (None, SERVICE):
        big = publishing(NODE, payload("x" * 1_000))
        assert refusal(hamlet, "set", big, to) == ("modify", "not-acceptable", "payload-too-big")
        for id in "1234":
            publish(hamlet, NODE, payload(id), id, to, max_items="max")
        assert list(items(hamlet, NODE, to)) == ["2", "3", "4"]
        create(hamlet, "second", to)
        assert refusal(hamlet, "set", publishing("third"), to) == ("wait", "resource-constraint", "")
        for id in "23":
            publish(hamlet, NODE, payload("x" * 900), id, to)
        assert refusal(hamlet, "set", publishing(NODE, payload("x" * 900), "4"), to)[1] == "resource-constraint"
        retract(hamlet, NODE, "2", to)
        publish(hamlet, NODE, payload("x" * 900), "4", to)


def test_a_node_may_want_shorter_payloads_than_the_server(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to, max_payload_size="50")
    assert refusal(hamlet, "set", publishing(NODE, payload("x" * 50)), to)[2] == "payload-too-big"


# What hostile people try


def test_a_node_has_a_name(hamlet: Client, to: str) -> None:
    nameless = pubsub("<publish node=''><item><a xmlns='u'/></item></publish>")
    assert refusal(hamlet, "set", nameless, to) == ("modify", "bad-request", "nodeid-required")


def test_one_subscriber_has_so_many_addresses_at_most(hamlet: Client, francisco: Client, to: str) -> None:
    create(hamlet, NODE, to, access_model="open")
    for number in range(20):
        subscribe(francisco, NODE, to, f"{francisco.bare}/{number}")
    one_more = pubsub(f"<subscribe node='{NODE}' jid='{francisco.bare}/x'/>")
    wanted = ("wait", "policy-violation", "too-many-subscriptions")
    assert refusal(francisco, "set", one_more, to) == wanted
    assert subscribe(francisco, NODE, to, f"{francisco.bare}/3") == "subscribed"


def test_a_node_lets_so_many_people_in_by_name_at_most(hamlet: Client, to: str) -> None:
    create(hamlet, NODE, to)
    affiliate(hamlet, NODE, to, **{f"p{number}": "member" for number in range(249)})
    one_more = "".join(f"<affiliation jid='q{number}@localhost' affiliation='member'/>" for number in range(2))
    asked = pubsub(f"<affiliations node='{NODE}'>{one_more}</affiliations>", owner=True)
    assert refusal(hamlet, "set", asked, to) == ("wait", "resource-constraint", "")


@pytest.mark.parametrize("groups", [["g"] * 51, ["g" * 201]])
def test_a_node_names_so_many_groups_at_most(hamlet: Client, groups: list[str]) -> None:
    create(hamlet, NODE)
    wrong = f"<configure node='{NODE}'>{form('node_config', {'roster_groups_allowed': groups})}</configure>"
    assert refusal(hamlet, "set", pubsub(wrong, owner=True))[1] == "not-acceptable"


def test_who_fetches_all_the_time_what_is_not_his_has_to_wait(
    world: World, hamlet: Client, francisco: Client, to: str
) -> None:
    publish(hamlet, NODE, payload("x" * 120_000), "1", to, access_model="open")
    fetched = 0
    while francisco.iq("get", asking(NODE), to).get("type") == "result":
        fetched += 1
    assert 80 <= fetched <= 90
    assert refusal(francisco, "get", asking(NODE), to) == ("wait", "resource-constraint", "")
    assert list(items(hamlet, NODE, to)) == ["1"]
    world.advance(30)
    assert list(items(francisco, NODE, to)) == ["1"]


def test_a_long_list_of_items_comes_in_part(hamlet: Client) -> None:
    create(hamlet, NODE, SERVICE, max_items="max")
    for number in range(501):
        publish(hamlet, NODE, payload(""), str(number), SERVICE)
    reply = hamlet.get(ITEMS, SERVICE)
    assert len(find_all(reply, "items:query/items:item")) == 500
    assert text(reply, "items:query/rsm:set/rsm:count") == "501"


def test_a_closed_node_shows_a_stranger_nothing_of_itself(hamlet: Client, francisco: Client, to: str) -> None:
    """Whatever he asks, he sees no item, no name of anybody, and nothing of how it is set up."""
    publish(hamlet, NODE, payload("secret"), "secret-id", to, access_model="whitelist")
    configure(hamlet, NODE, to, title="secret-title")
    affiliate(hamlet, NODE, to, horatio="member")
    for type, owner, asked in (
        ("get", False, f"<items node='{NODE}'/>"),
        ("get", False, f"<items node='{NODE}'><item id='secret-id'/></items>"),
        ("get", False, f"<affiliations node='{NODE}'/>"),
        ("get", False, f"<subscriptions node='{NODE}'/>"),
        ("get", False, f"<options node='{NODE}' jid='{francisco.bare}'/>"),
        ("set", False, f"<subscribe node='{NODE}' jid='{francisco.bare}'/>"),
        ("set", False, f"<publish node='{NODE}'><item id='secret-id'><a xmlns='u'/></item></publish>"),
        ("set", False, f"<retract node='{NODE}'><item id='secret-id'/></retract>"),
        ("get", True, f"<configure node='{NODE}'/>"),
        ("get", True, f"<affiliations node='{NODE}'/>"),
        ("get", True, f"<subscriptions node='{NODE}'/>"),
        ("set", True, f"<purge node='{NODE}'/>"),
    ):
        reply = francisco.iq(type, pubsub(asked, owner), to)
        shown = show(reply).replace(asked, "")
        assert "secret<" not in shown
        assert "secret-title" not in shown
        assert "horatio" not in shown
    for query in (INFO, ITEMS):
        assert francisco.iq("get", query, to).get("type") == "error"
    assert events(francisco) == []
    assert words(items(hamlet, NODE, to)) == ["secret"]
