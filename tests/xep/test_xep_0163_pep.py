"""XEP-0163: contacts hear of what an account publishes, if their clients want to, as soon as they can."""

from collections.abc import Callable

import pytest

from fermata.core.stored_xml import stanza_from
from fermata.services.capabilities import Capabilities
from fermata.services.contacts_elsewhere import ContactsElsewhere
from fermata.services.questions import Questions
from fermata.services.relayed import Relayed
from fermata.xmpp.element import Element as Own
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import Payload
from kit import ns
from kit.pubsub import (
    affiliate,
    asking,
    caps,
    configure,
    create,
    event,
    events,
    items,
    listen,
    publish,
    refusal,
    subscribe,
    tell_features,
    ver,
)
from kit.stanzas import find, text
from kit.wire import Client
from kit.world import World

TUNE, MOOD = "http://jabber.org/protocol/tune", "http://jabber.org/protocol/mood"


def payload(word: str) -> str:
    return f"<tune xmlns='{TUNE}'>{word}</tune>"


@pytest.fixture
def juliet(world: World) -> Client:
    return world.online("juliet@localhost/balcony")


@pytest.fixture
def romeo(world: World, juliet: Client) -> Client:
    """A contact of Juliet's."""
    client = world.online("romeo@localhost/orchard")
    world.befriend(juliet, client)
    return client


# Who hears of what


def test_a_contact_hears_of_what_his_client_wants_to_hear(romeo: Client, juliet: Client) -> None:
    listen(romeo, TUNE)
    publish(juliet, TUNE, payload("a"), "1")
    publish(juliet, MOOD, "<mood xmlns='http://jabber.org/protocol/mood'/>")
    (told,) = events(romeo)
    assert (told.sender, told.node, told.ids) == (juliet.bare, TUNE, ["1"])
    assert (told.message.get("type"), told.message.get("to")) == ("headline", romeo.jid)


def test_each_of_his_clients_hears_what_it_wants(world: World, romeo: Client, juliet: Client) -> None:
    phone, old = world.login("romeo@localhost/phone"), world.online("romeo@localhost/old")
    listen(romeo, TUNE)
    listen(phone, MOOD)
    publish(juliet, TUNE, payload("a"))
    assert len(events(romeo)) == 1
    assert events(phone) == events(old) == []


def test_so_do_the_other_clients_of_the_account_and_the_one_that_published(world: World, juliet: Client) -> None:
    phone = world.login("juliet@localhost/phone")
    listen(phone, TUNE)
    listen(juliet, TUNE)
    publish(juliet, TUNE, payload("a"), access_model="whitelist")
    assert len(events(phone)) == len(events(juliet)) == 1


def test_a_stranger_and_a_contact_without_a_subscription_hear_nothing(world: World, juliet: Client) -> None:
    stranger, watched = world.login("tybalt@localhost/street"), world.online("paris@localhost/hall")
    juliet.send(f"<presence type='subscribe' to='{watched.bare}'/>")
    watched.send(f"<presence type='subscribed' to='{juliet.bare}'/>")
    listen(stranger, TUNE)
    listen(watched, TUNE)
    publish(juliet, TUNE, payload("a"))
    assert events(stranger) == events(watched) == []
    for client in (stranger, watched):
        wanted = ("auth", "not-authorized", "presence-subscription-required")
        assert refusal(client, "get", asking(TUNE), juliet.bare) == wanted


def test_a_subscription_one_way_is_enough(world: World, juliet: Client) -> None:
    nurse = world.online("nurse@localhost/chamber")
    nurse.send(f"<presence type='subscribe' to='{juliet.bare}'/>")
    juliet.send(f"<presence type='subscribed' to='{nurse.bare}'/>")
    nurse.sync()
    listen(nurse, TUNE)
    publish(juliet, TUNE, payload("a"))
    assert len(events(nurse)) == 1


def test_what_is_for_a_group_is_for_those_in_it(world: World, romeo: Client, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"), "1")
    configure(juliet, TUNE, access_model="roster", roster_groups_allowed=["Lovers", "Friends"])
    listen(romeo, TUNE)
    wanted = ("auth", "not-authorized", "not-in-roster-group")
    assert refusal(romeo, "get", asking(TUNE), juliet.bare) == wanted
    publish(juliet, TUNE, payload("b"), "2")
    assert events(romeo) == []
    item = f"<item jid='{romeo.bare}'><group>Lovers</group></item>"
    juliet.set(f"<query xmlns='{ns.ROSTER}'>{item}</query>")
    assert list(items(romeo, TUNE, juliet.bare)) == ["2"]
    publish(juliet, TUNE, payload("c"), "3")
    assert [told.ids for told in events(romeo)] == [["3"]]


def test_a_member_of_a_closed_node_who_is_a_contact_hears_of_it(romeo: Client, juliet: Client) -> None:
    listen(romeo, TUNE)
    create(juliet, TUNE, access_model="whitelist")
    publish(juliet, TUNE, payload("a"))
    assert events(romeo) == []
    affiliate(juliet, TUNE, romeo="member")
    publish(juliet, TUNE, payload("b"))
    assert len(events(romeo)) == 1
    affiliate(juliet, TUNE, romeo="outcast")
    publish(juliet, TUNE, payload("c"))
    assert events(romeo) == []


def test_who_is_blocked_hears_nothing_and_who_blocks_neither(romeo: Client, juliet: Client) -> None:
    listen(romeo, TUNE)
    for blocker, blocked in ((juliet, romeo), (romeo, juliet)):
        blocker.set(f"<block xmlns='{ns.BLOCKING}'><item jid='{blocked.bare}'/></block>")
        publish(juliet, TUNE, payload("a"))
        assert events(romeo) == []
        blocker.set(f"<unblock xmlns='{ns.BLOCKING}'/>")
    publish(juliet, TUNE, payload("b"))
    assert len(events(romeo)) == 1


def test_who_is_no_contact_any_more_hears_nothing(romeo: Client, juliet: Client) -> None:
    listen(romeo, TUNE)
    create(juliet, TUNE)
    subscribe(romeo, TUNE, juliet.bare)
    juliet.send(f"<presence type='unsubscribed' to='{romeo.bare}'/>")
    publish(juliet, TUNE, payload("a"))
    assert events(romeo) == []


def test_nobody_is_told_twice(romeo: Client, juliet: Client) -> None:
    listen(romeo, TUNE)
    create(juliet, TUNE, send_last_published_item="never")
    subscribe(romeo, TUNE, juliet.bare)
    subscribe(romeo, TUNE, juliet.bare, romeo.jid)
    publish(juliet, TUNE, payload("a"))
    assert len(events(romeo)) == 1


def test_who_is_subscribed_to_an_open_node_hears_of_it_at_his_bare_address(world: World, juliet: Client) -> None:
    stranger = world.online("tybalt@localhost/street")
    create(juliet, TUNE, access_model="open")
    subscribe(stranger, TUNE, juliet.bare)
    publish(juliet, TUNE, payload("a"))
    (told,) = events(stranger)
    assert told.message.get("to") == stranger.bare


# The last item


def test_who_comes_online_gets_the_last_item_once(world: World, romeo: Client, juliet: Client) -> None:
    create(juliet, TUNE, max_items="5")
    for id in "12":
        publish(juliet, TUNE, payload(id), id)
    phone = world.login("romeo@localhost/phone")
    assert [(told.sender, told.ids) for told in listen(phone, TUNE)] == [(juliet.bare, ["2"])]
    phone.send(f"<presence>{caps(TUNE)}<show>away</show></presence>")
    assert events(phone) == []
    assert events(romeo) == []


def test_who_comes_and_goes_gets_it_again(world: World, romeo: Client, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"), "1")
    phone = world.login("romeo@localhost/phone")
    listen(phone, TUNE)
    phone.send("<presence type='unavailable'/>")
    assert len(listen(phone, TUNE)) == 1


def test_who_wants_to_hear_more_gets_the_last_of_that(world: World, romeo: Client, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"), "1")
    publish(juliet, MOOD, payload("a"), "2")
    assert [told.node for told in listen(romeo, TUNE)] == [TUNE]
    assert [told.node for told in listen(romeo, TUNE, MOOD)] == [MOOD]


def test_the_account_gets_its_own_too(world: World, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"), access_model="whitelist")
    phone = world.login("juliet@localhost/phone")
    assert [told.sender for told in listen(phone, TUNE)] == [juliet.bare]


def test_the_publisher_need_not_be_there_even_after_a_crash(world: World, romeo: Client, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"), "1")
    world.crash()
    romeo = world.login("romeo@localhost/orchard")
    assert [told.ids for told in listen(romeo, TUNE)] == [["1"]]


def test_a_new_contact_gets_it_at_once(world: World, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"), "1")
    nurse = world.login("nurse@localhost/chamber")
    assert listen(nurse, TUNE) == []
    nurse.send(f"<presence type='subscribe' to='{juliet.bare}'/>")
    juliet.send(f"<presence type='subscribed' to='{nurse.bare}'/>")
    assert [told.ids for told in events(nurse)] == [["1"]]


@pytest.mark.parametrize("when", ["never", "on_sub"])
def test_a_node_may_not_send_it(world: World, romeo: Client, juliet: Client, when: str) -> None:
    publish(juliet, TUNE, payload("a"), send_last_published_item=when)
    assert listen(romeo, TUNE) == []


def test_who_comes_and_goes_all_the_time_gets_it_later(world: World, romeo: Client, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"), "1")
    told = listen(romeo, TUNE)
    for _ in range(60):
        romeo.send(f"<presence type='unavailable'/><presence>{caps(TUNE)}</presence>")
        told += events(romeo)
    assert len(told) <= 31
    world.advance(61)
    assert len(events(romeo)) == 1


# Capabilities (XEP-0115)


def test_a_hash_is_asked_about_once(world: World, romeo: Client, juliet: Client) -> None:
    listen(romeo, TUNE)
    publish(juliet, TUNE, payload("a"))
    phone = world.login("romeo@localhost/phone")
    phone.send(f"<presence>{caps(TUNE)}</presence>")
    came = phone.sync()
    assert not [stanza for stanza in came if stanza.tag == "iq"]
    assert [stanza for stanza in came if stanza.tag == "message"]


def test_while_one_client_is_asked_others_with_the_same_hash_wait(world: World, romeo: Client, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"))
    phone = world.login("romeo@localhost/phone")
    for client in (romeo, phone):
        client.send(f"<presence>{caps(TUNE)}</presence>")
    (question,) = [stanza for stanza in romeo.sync() if stanza.tag == "iq"]
    assert not [stanza for stanza in phone.sync() if stanza.tag == "iq"]
    assert question.get("from") == romeo.bare
    tell_features(romeo, question, f"{TUNE}+notify")
    assert len(events(romeo)) == len(events(phone)) == 1


def test_a_client_that_lies_about_its_hash_speaks_for_itself_alone(world: World, romeo: Client, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"))
    phone = world.login("romeo@localhost/phone")
    for client in (romeo, phone):
        client.send(f"<presence>{caps(TUNE)}</presence>")
    (question,) = [stanza for stanza in romeo.sync() if stanza.tag == "iq"]
    tell_features(romeo, question, "urn:example:a-lie")
    assert events(romeo) == []
    (question,) = [stanza for stanza in phone.sync() if stanza.tag == "iq"]
    tell_features(phone, question, f"{TUNE}+notify")
    assert len(events(phone)) == 1
    publish(juliet, TUNE, payload("b"))
    assert (len(events(romeo)), len(events(phone))) == (0, 1)


def test_a_client_that_does_not_answer_keeps_nobody_waiting(world: World, romeo: Client, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"))
    phone = world.login("romeo@localhost/phone")
    for client in (romeo, phone):
        client.send(f"<presence>{caps(TUNE)}</presence>")
    romeo.sync()
    world.advance(61)
    (question,) = [stanza for stanza in phone.sync() if stanza.tag == "iq"]
    tell_features(phone, question, f"{TUNE}+notify")
    assert len(events(phone)) == 1


def test_a_client_that_comes_and_goes_meanwhile_is_asked_once(world: World, romeo: Client, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"), "1")
    romeo.send(f"<presence>{caps(TUNE)}</presence>")
    for _ in range(30):
        romeo.send(f"<presence type='unavailable'/><presence>{caps(TUNE)}</presence>")
    publish(juliet, MOOD, "<mood xmlns='urn:example'/>")
    publish(juliet, TUNE, payload("b"), "2")
    (question,) = [stanza for stanza in romeo.sync() if stanza.tag == "iq"]
    tell_features(romeo, question, f"{TUNE}+notify")
    assert {id for told in events(romeo) for id in told.ids} == {"2"}
    publish(juliet, TUNE, payload("c"), "3")
    assert [told.ids for told in events(romeo)] == [["3"]]


def test_a_client_that_did_not_answer_is_asked_again_when_it_comes_back(
    world: World, romeo: Client, juliet: Client
) -> None:
    publish(juliet, TUNE, payload("a"))
    romeo.send(f"<presence>{caps(TUNE)}</presence>")
    romeo.sync()
    world.advance(61)
    romeo.send("<presence type='unavailable'/>")
    assert len(listen(romeo, TUNE)) == 1


def test_an_answer_that_was_not_asked_for_counts_for_nothing(world: World, romeo: Client, juliet: Client) -> None:
    publish(juliet, TUNE, payload("a"))
    tybalt = world.online("tybalt@localhost/street")
    romeo.send(f"<presence>{caps(TUNE)}</presence>")
    (question,) = [stanza for stanza in romeo.sync() if stanza.tag == "iq"]
    tell_features(tybalt, question, f"{TUNE}+notify")
    tybalt.sync()
    assert events(romeo) == []
    tell_features(romeo, question, f"{TUNE}+notify")
    assert len(events(romeo)) == 1


@pytest.mark.parametrize("hash", ["", "hash='md5'"])
def test_capabilities_of_another_kind_hold_for_the_client_that_has_them(
    world: World, romeo: Client, juliet: Client, hash: str
) -> None:
    publish(juliet, TUNE, payload("a"))
    romeo.send(f"<presence><c xmlns='{ns.CAPS}' {hash} node='urn:old' ver='1.0'/></presence>")
    (question,) = [stanza for stanza in romeo.sync() if stanza.tag == "iq"]
    tell_features(romeo, question, f"{TUNE}+notify")
    assert len(events(romeo)) == 1


# Contacts on other servers


class Elsewhere:
    """All other servers: what is for them, and what comes from them."""

    def __init__(self, world: World) -> None:
        self._world, self.came = world, list[Own]()
        world.parts.router.elsewhere = self
        self._origin = Relayed(JID.parse("far.example"), world.parts.router, world.database.writer)

    def message(self, stanza: Own, to: JID, sender: JID, origin: object) -> None:
        self.came.append(stanza)

    presence = iq = message

    def deliver(self, payload: Payload, to: JID) -> None:
        self.came.append(stanza_from(payload.addressed(to)))

    def send(self, xml: str) -> None:
        stanza = stanza_from(xml)
        to, sender = JID.parse(stanza.get("to", "")), JID.parse(stanza.get("from", ""))
        self._world.parts.router.route(stanza, to, sender, self._origin)
        self._world.turn()

    def taken(self, kind: str) -> list[Own]:
        taken = [stanza for stanza in self.came if stanza.tag == kind]
        self.came.clear()
        return taken


@pytest.fixture
def elsewhere(world: World) -> Elsewhere:
    return Elsewhere(world)


@pytest.fixture
def ben(world: World, juliet: Client, elsewhere: Elsewhere) -> Callable[[str], list[str]]:
    """A contact of Juliet's on another server: sends presence, answers questions; what notifications came for whom."""
    juliet.send("<presence type='subscribe' to='ben@far.example'/>")
    elsewhere.send(f"<presence type='subscribed' to='{juliet.bare}' from='ben@far.example'/>")
    elsewhere.send(f"<presence type='subscribe' to='{juliet.bare}' from='ben@far.example'/>")
    juliet.send("<presence type='subscribed' to='ben@far.example'/>")
    juliet.sync()

    def present(xml: str) -> list[str]:
        if xml:
            elsewhere.send(xml)
        world.turn()
        messages = [stanza for stanza in elsewhere.came if stanza.tag == "message"]
        for question in elsewhere.taken("iq"):
            query = question[0]
            features = f"<feature var='{TUNE}+notify'/>" if query.get("node") == f"n#{ver(f'{TUNE}+notify')}" else ""
            elsewhere.send(
                f"<iq type='result' id='{question.get('id')}' from='{question.get('to')}' to='{question.get('from')}'>"
                f"<query xmlns='{ns.DISCO_INFO}' node='{query.get('node')}'>"
                f"<identity category='client' type='pc' name='test'/>{features}</query></iq>"
            )
        return [stanza.get("to", "") for stanza in [*messages, *elsewhere.taken("message")]]

    return present


CAPS = f"<c xmlns='{ns.CAPS}' hash='sha-1' node='n' ver='{ver(f'{TUNE}+notify')}'/>"


def test_a_contact_elsewhere_is_told_like_one_here(juliet: Client, ben: Callable[[str], list[str]]) -> None:
    publish(juliet, TUNE, payload("a"))
    arrives = f"<presence from='ben@far.example/x' to='{juliet.bare}'>{CAPS}</presence>"
    assert ben(arrives) == ["ben@far.example/x"]
    assert ben(arrives) == []
    publish(juliet, TUNE, payload("b"))
    publish(juliet, MOOD, payload("b"))
    assert ben("") == ["ben@far.example/x"]
    ben(f"<presence type='unavailable' from='ben@far.example/x' to='{juliet.bare}'/>")
    publish(juliet, TUNE, payload("c"))
    assert ben("") == []
    assert ben(arrives) == ["ben@far.example/x"]


def test_so_is_one_who_was_there_before_the_account(juliet: Client, ben: Callable[[str], list[str]]) -> None:
    """Whoever is asked whether he is there answers the session that has asked."""
    publish(juliet, TUNE, payload("a"))
    assert ben(f"<presence from='ben@far.example/x' to='{juliet.jid}'>{CAPS}</presence>") == ["ben@far.example/x"]


def test_sessions_that_are_older_than_the_process_miss_nobody(
    world: World, juliet: Client, ben: Callable[[str], list[str]], elsewhere: Elsewhere
) -> None:
    """A session that has come over a restart has asked nobody, so whoever publishes does (but once)."""
    account = world.parts.accounts.get(JID.parse(juliet.bare))
    assert account is not None
    relayed = Relayed(JID.parse("localhost"), world.parts.router, world.database.writer)
    capabilities = Capabilities(world.parts.services[Questions])
    contacts = ContactsElsewhere({"localhost"}, capabilities, world.parts.router, relayed)
    elsewhere.came.clear()
    contacts.look(account)
    contacts.look(account)
    probes = [(stanza.get("type"), stanza.get("from"), stanza.get("to")) for stanza in elsewhere.taken("presence")]
    assert probes == [("probe", juliet.bare, "ben@far.example")]


def test_a_stranger_elsewhere_is_asked_nothing(juliet: Client, elsewhere: Elsewhere) -> None:
    publish(juliet, TUNE, payload("a"), access_model="open")
    elsewhere.send(f"<presence from='eve@far.example/x' to='{juliet.bare}'>{CAPS}</presence>")
    assert elsewhere.came == []


def test_a_contact_elsewhere_has_so_many_sessions_at_most(juliet: Client, ben: Callable[[str], list[str]]) -> None:
    create(juliet, TUNE, send_last_published_item="never")
    for number in range(30):
        ben(f"<presence from='ben@far.example/{number}' to='{juliet.bare}'>{CAPS}</presence>")
    publish(juliet, TUNE, payload("a"))
    assert len(ben("")) == 20


def test_a_subscriber_elsewhere_is_told_at_the_address_that_subscribed(
    world: World, juliet: Client, elsewhere: Elsewhere
) -> None:
    create(juliet, TUNE, access_model="open")
    asked = f"<subscribe node='{TUNE}' jid='eve@far.example'/>"
    elsewhere.send(
        f"<iq type='set' id='s' from='eve@far.example/x' to='{juliet.bare}'>"
        f"<pubsub xmlns='{ns.PUBSUB}'>{asked}</pubsub></iq>"
    )
    assert [stanza.get("type") for stanza in elsewhere.taken("iq")] == ["result"]
    publish(juliet, TUNE, payload("a"))
    (told,) = elsewhere.taken("message")
    assert told.get("to") == "eve@far.example"


# Personal nodes that need nothing else


@pytest.mark.parametrize(
    ("node", "xml"),
    [
        ("http://jabber.org/protocol/nick", "<nick xmlns='http://jabber.org/protocol/nick'>Jule</nick>"),
        ("urn:xmpp:vcard4", "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Juliet</text></fn></vcard>"),
    ],
)
def test_a_nickname_and_a_vcard_are_nodes_like_any_other(
    world: World, romeo: Client, juliet: Client, node: str, xml: str
) -> None:
    publish(juliet, node, xml, "current")
    assert [told.node for told in listen(romeo, node)] == [node]
    assert list(items(romeo, node, juliet.bare)) == ["current"]


def test_what_was_read_elsewhere_is_for_the_account_alone(world: World, romeo: Client, juliet: Client) -> None:
    """XEP-0490."""
    node = "urn:xmpp:mds:displayed:0"
    phone = world.login("juliet@localhost/phone")
    listen(phone, node)
    listen(romeo, node)
    displayed = f"<stanza-id xmlns='{ns.SID}' by='{juliet.bare}' id='1'/>"
    for chat in ("romeo@localhost", "tea@rooms.example"):
        publish(juliet, node, f"<displayed xmlns='{node}'>{displayed}</displayed>", chat)
    assert [told.ids for told in events(phone)] == [["romeo@localhost"], ["tea@rooms.example"]]
    assert events(romeo) == []
    assert len(items(phone, node)) == 2
    assert refusal(romeo, "get", asking(node), juliet.bare)[2] == "closed-node"


def test_discovery_shows_contacts_what_is_theirs_and_strangers_nothing(
    world: World, romeo: Client, juliet: Client
) -> None:
    publish(juliet, TUNE, payload("a"))
    publish(juliet, MOOD, payload("a"), access_model="whitelist")
    query = f"<query xmlns='{ns.DISCO_ITEMS}'/>"
    found = find(romeo.get(query, juliet.bare), "items:query")
    assert found is not None
    assert [item.get("node") for item in found] == [TUNE]
    tybalt = world.login("tybalt@localhost/street")
    assert refusal(tybalt, "get", query, juliet.bare) == ("cancel", "service-unavailable", "")


def test_a_notification_has_an_id_and_is_in_no_archive(world: World, romeo: Client, juliet: Client) -> None:
    listen(romeo, TUNE)
    publish(juliet, TUNE, payload("a"))
    message = romeo.wait_for(lambda stanza: stanza.tag == "message")
    assert event(message).message.get("id")
    assert text(message, "body") is None
    assert world.rows("SELECT * FROM archive") == world.rows("SELECT * FROM spool") == []
