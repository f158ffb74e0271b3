"""Service discovery (XEP-0030) in which every feature answers, capabilities (XEP-0115), contacts (XEP-0157)."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from kit import ns
from kit.archives import Page, bodies, query
from kit.archives import page as archive_page
from kit.commands import run
from kit.muc import change, create, enter, entered, join, party
from kit.people import PASSWORD, People, roster_of
from kit.pubsub import bookmark, items, publish
from kit.pubsub_features import PUBSUB
from kit.rejoin import ASKING, join_with, mark, missed, rejoin, resuming
from kit.server import Server, Settings
from kit.stanzas import Element, codes, find, find_all, form_fields, form_values, show, text
from kit.wire import Client

INFO = f"<query xmlns='{ns.DISCO_INFO}'/>"
ITEMS = f"<query xmlns='{ns.DISCO_ITEMS}'/>"
SERVICE = "conference.localhost"
NODES = "pubsub.localhost"
MODERATE = "urn:xmpp:message-moderate"
RETRACT = "urn:xmpp:message-retract:1"


def features(client: Client, to: str | None) -> set[str]:
    found = find_all(client.get(INFO, to), "info:query/info:feature")
    return {feature.get("var", "") for feature in found}


def identities(client: Client, to: str | None) -> set[tuple[str | None, str | None]]:
    found = find_all(client.get(INFO, to), "info:query/info:identity")
    return {(identity.get("category"), identity.get("type")) for identity in found}


# Every advertised feature answers. One exercise for each; a feature without one fails the tests below.

Exercise = Callable[[People, Client, str], None]


def asks(payload: str, type: str = "get") -> Exercise:
    """A feature that stands for a request: it is answered by a result."""

    def exercise(people: People, client: Client, to: str) -> None:
        reply = client.iq(type, payload, to)
        assert reply.get("type") == "result", show(reply)

    return exercise


def asks_without_to(payload: str) -> Exercise:
    """A feature of the server that stands for a request to one's own account."""

    def exercise(people: People, client: Client, to: str) -> None:
        client.get(payload)

    return exercise


def vcard(people: People, client: Client, to: str) -> None:
    reply = client.iq("get", f"<vCard xmlns='{ns.VCARD}'/>", to)
    if reply.get("type") == "error":
        assert find(reply, "error/errors:item-not-found") is not None, show(reply)


def own_vcard(people: People, client: Client, to: str) -> None:
    """On the server, the feature speaks of the accounts (XEP-0054 §3)."""
    vcard(people, client, client.bare)


def offline_messages(people: People, client: Client, to: str) -> None:
    user = people.name()
    client.send(f"<message type='chat' to='{user}@localhost'><body>hello</body></message>")
    client.nothing_before()
    other = people.bound(user)
    other.send("<presence/>")
    assert any(stanza.tag == "message" for stanza in other.sync())


def copies(people: People, client: Client, to: str) -> None:
    """What one client sends, another of the account sees; the first is to see none."""
    other = people.another(client)
    client.set(f"<disable xmlns='{ns.CARBONS}'/>")
    other.set(f"<enable xmlns='{ns.CARBONS}'/>")
    client.send(f"<message type='chat' to='{people.name()}@localhost'><body>hello</body></message>")
    copy = other.expect("message", "carbons:sent/forward:forwarded/message/body", from_=client.bare, type="chat")
    assert copy.get("to") == other.jid


def capabilities(people: People, client: Client, to: str) -> None:
    assert find(people.authenticated().features, "caps:c") is not None


def reporting(people: People, client: Client, to: str) -> None:
    report = f"<report xmlns='{ns.REPORTING}' reason='urn:xmpp:reporting:spam'/>"
    client.set(f"<block xmlns='{ns.BLOCKING}'><item jid='tybalt@capulet.example'>{report}</item></block>")


def one_list_of_bookmarks(people: People, client: Client, to: str) -> None:
    """However a client writes and reads them (XEP-0402 §7.3)."""
    room = f"room@{client.jid.split('@')[0]}.example"
    listed = f"<storage xmlns='storage:bookmarks'><conference jid='{room}' autojoin='1'/></storage>"
    client.set(f"<query xmlns='{ns.PRIVATE}'>{listed}</query>")
    assert list(items(client, "urn:xmpp:bookmarks:1")) == [room]
    (found,) = items(client, "storage:bookmarks").values()
    assert found is not None
    assert found[0].get("jid") == room


def one_avatar(people: People, client: Client, to: str) -> None:
    """Published, it is in the vCard too (XEP-0398)."""
    image = b"an image"
    id, data = hashlib.sha1(image).hexdigest(), base64.b64encode(image).decode()
    publish(client, "urn:xmpp:avatar:data", f"<data xmlns='urn:xmpp:avatar:data'>{data}</data>", id)
    info = f"<info id='{id}' type='image/png' bytes='{len(image)}'/>"
    publish(client, "urn:xmpp:avatar:metadata", f"<metadata xmlns='urn:xmpp:avatar:metadata'>{info}</metadata>", id)
    assert text(client.get(f"<vCard xmlns='{ns.VCARD}'/>", to), "vcard:vCard/vcard:PHOTO/vcard:BINVAL") == data


def preauthenticated_subscription(people: People, client: Client, to: str) -> None:
    execution = run(client, f"{ns.INVITE}#invite")
    token = form_values(execution.answer)["uri"][0].partition("preauth=")[2]
    other = people.online()
    other.send(f"<presence type='subscribe' to='{client.bare}'><preauth xmlns='{ns.PARS}' token='{token}'/></presence>")
    other.sync()
    assert roster_of(client)[other.bare]["subscription"] == "from"
    assert roster_of(other)[client.bare]["subscription"] == "to"


def account_stanza_ids(people: People, client: Client, to: str) -> None:
    other = people.online()
    other.send(f"<message type='chat' id='s' to='{client.bare}'><body>hello</body></message>")
    stamp = find(client.wait_for(lambda stanza: stanza.get("id") == "s"), "sid:stanza-id")
    assert stamp is not None
    assert stamp.get("by") == client.bare
    assert stamp.get("id")


def room_stanza_ids(people: People, client: Client, to: str) -> None:
    client.send(f"<message type='groupchat' id='s' to='{to}'><body>hello</body></message>")
    stamp = find(client.wait_for(lambda stanza: stanza.get("id") == "s"), "sid:stanza-id")
    assert stamp is not None
    assert stamp.get("by") == to


def stable_ids(people: People, client: Client, to: str) -> None:
    client.send(f"<message type='groupchat' id='stay the same' to='{to}'><body>hello</body></message>")
    client.wait_for(lambda stanza: stanza.get("id") == "stay the same")


def occupant_ids(people: People, client: Client, to: str) -> None:
    entry = enter(client, to, "Ann")
    assert find(entry.own, "occupant:occupant-id") is not None


def rooms_on_the_service(people: People, client: Client, to: str) -> None:
    entry = enter(client, f"exercise-{client.jid.split('@')[0]}@{to}", "Ann")
    assert "110" in entry.codes


def pages(people: People, client: Client, to: str) -> None:
    query = f"<query xmlns='{ns.DISCO_ITEMS}'><set xmlns='{ns.RSM}'><max>1</max></set></query>"
    assert find(client.get(query, to), "items:query/rsm:set/rsm:count") is not None


def registration(people: People, client: Client, to: str) -> None:
    reply = people.online().get("<query xmlns='jabber:iq:register'/>", to)
    assert "muc#register_roomnick" in form_fields(reply)


def said(client: Client, room: str) -> str:
    """The room's id of a message just said."""
    client.send(f"<message type='groupchat' to='{room}' id='to be taken back'><body>regretted</body></message>")
    stamp = find(client.wait_for(lambda stanza: stanza.get("id") == "to be taken back"), f"sid:stanza-id[@by='{room}']")
    assert stamp is not None
    return stamp.get("id", "")


def moderation(people: People, client: Client, to: str) -> None:
    """A moderator takes a message back (XEP-0425)."""
    id = said(client, to)
    retract = f"<retract xmlns='{RETRACT}'/><reason>no</reason>"
    client.set(f"<moderate xmlns='{MODERATE}:1' id='{id}'>{retract}</moderate>", to)
    client.wait_for(
        lambda stanza: find(stanza, f"{{{RETRACT}}}retract[@id='{id}']/{{{MODERATE}:1}}moderated") is not None
    )


def old_moderation(people: People, client: Client, to: str) -> None:
    """The same as clients of the older XEP-0425 ask for it."""
    id = said(client, to)
    moderate = f"<moderate xmlns='{MODERATE}:0'><retract xmlns='urn:xmpp:message-retract:0'/></moderate>"
    client.set(f"<apply-to xmlns='urn:xmpp:fasten:0' id='{id}'>{moderate}</apply-to>", to)
    client.wait_for(lambda stanza: find(stanza, f"{{urn:xmpp:fasten:0}}apply-to[@id='{id}']") is not None)


def retraction(people: People, client: Client, to: str) -> None:
    """Its author takes a message back (XEP-0424)."""
    id = said(client, to)
    client.send(f"<message type='groupchat' to='{to}' id='r'><retract xmlns='{RETRACT}' id='{id}'/></message>")
    client.wait_for(lambda stanza: find(stanza, f"{{{RETRACT}}}retract[@id='{id}']") is not None)


def tombstones(people: People, client: Client, to: str) -> None:
    """What was taken back is not told to those who come later."""
    retraction(people, client, to)
    assert not [message for message in enter(client, to, "Ann").history if text(message, "body") == "regretted"]


def self_ping(people: People, client: Client, to: str) -> None:
    client.sync(f"{to}/Ann")


def room_itself(people: People, client: Client, to: str) -> None:
    assert "110" in enter(client, to, "Ann").codes


def archive(people: People, client: Client, to: str) -> None:
    """A page of messages (XEP-0313 §4)."""
    before = drained_page(client, to, "<max>0</max>").count or 0
    write_to(client, to)
    assert drained_page(client, to, "<max>0</max>").count == before + 1


def extended_archive(people: People, client: Client, to: str) -> None:
    """Messages by their ids, flipped pages, where the archive begins and ends (XEP-0313 §7)."""
    write_to(client, to)
    write_to(client, to)
    last = drained_page(client, to, "<max>2</max><before/>", more=f"<flip-page xmlns='{ns.MAM}'/>").ids
    assert drained_page(client, to, after_id=last[1]).ids == [last[0]]
    assert drained_page(client, to, ids=last).ids == last[::-1]
    assert find(client.get(f"<metadata xmlns='{ns.MAM}'/>", to), f"mam:metadata/mam:end[@id='{last[0]}']") is not None


def archive_with_rooms(people: People, client: Client, to: str) -> None:
    room = "kept-by-accounts@conference.localhost"
    create(people.online(), room, "Owner")
    client.set(f"<prefs xmlns='{ns.JOINING}' mode='bookmarked'/>", to)
    bookmark(client, room, "Client")
    client.sync()
    enter(client, room, "Client")
    client.send(f"<message type='groupchat' id='kept' to='{room}'><body>kept</body></message>")
    client.wait_for(lambda stanza: stanza.get("id") == "kept")
    everything = drained_page(client, to, fields={"include-groupchat": "true"})
    assert "kept" in bodies(everything)
    client.set(f"<prefs xmlns='{ns.JOINING}' mode='off'/>", to)
    assert "kept" not in bodies(drained_page(client, to))


def rooms_of_the_account(people: People, client: Client, to: str) -> None:
    room = "entered-by-accounts@conference.localhost"
    create(people.online(), room, "Owner")
    client.set(f"<prefs xmlns='{ns.JOINING}' mode='bookmarked'/>", to)
    bookmark(client, room, "Client")
    client.sync()
    asked = client.get(f"<rooms xmlns='{ns.JOINING}'/>", to)[0]
    assert room in {each.get("jid") for each in asked}
    client.set(f"<prefs xmlns='{ns.JOINING}' mode='off'/>", to)
    assert client.get(f"<prefs xmlns='{ns.JOINING}'/>", to)[0].get("mode") == "off"


def archive_without_rooms(people: People, client: Client, to: str) -> None:
    assert drained_page(client, to, "<max>1</max>", fields={"include-groupchat": "false"}).count is None


def write_to(client: Client, to: str) -> None:
    """Whatever is at that address has one more message."""
    type = "groupchat" if to.endswith("@conference.localhost") else "chat"
    client.send(f"<message type='{type}' to='{to}'><body>hello</body></message>")
    client.wait_for(lambda stanza: text(stanza, "body") == "hello")


def drained_page(client: Client, to: str, *page: str, **asked: Any) -> Page:
    client.sync()
    return archive_page(client, query(*page, **asked), to)


def means(path: str, value: bool) -> Exercise:
    """A feature that states a setting of the room: the owner's form says the same."""

    def exercise(people: People, client: Client, to: str) -> None:
        form = form_values(client.get(f"<query xmlns='{ns.MUC_OWNER}'/>", to))
        assert (form[f"muc#roomconfig_{path}"] in (["1"], ["true"])) is value

    return exercise


def whois(value: str) -> Exercise:
    def exercise(people: People, client: Client, to: str) -> None:
        form = form_values(client.get(f"<query xmlns='{ns.MUC_OWNER}'/>", to))
        assert form["muc#roomconfig_whois"] == [value]

    return exercise


def push(people: People, client: Client, to: str) -> None:
    """Registered and ended again; of what is pushed, tests/services/test_muc_push.py has it all."""
    for name in ("enable", "disable"):
        client.set(f"<{name} xmlns='{ns.PUSH}' jid='{client.jid}' node='N1'/>", to)


def fast_reconnect(people: People, client: Client, to: str) -> None:
    known = mark(enter(client, to, "Ann", content=ASKING).subject)
    assert mark(enter(client, to, "Ann", content=resuming(known)).own)[0] == known[0]


def rejoining(people: People, client: Client, to: str) -> None:
    client.send(rejoin(to, "Ann"))
    client.expect("presence", "user:x", id="again", from_=f"{to}/Ann")


def history_by_id(people: People, client: Client, to: str) -> None:
    client.send(f"<message type='groupchat' id='seen' to='{to}'><body>seen</body></message>")
    stamp = find(client.wait_for(lambda stanza: stanza.get("id") == "seen"), f"sid:stanza-id[@by='{to}']")
    assert stamp is not None
    write_to(client, to)
    entry = join_with(client, to, "Ann", missed(stamp.get("id", "")))
    assert [text(message, "body") for message in entry.history] == ["hello"]


def affiliation_versions(people: People, client: Client, to: str) -> None:
    client.send(join(to, "Ann").replace("></x>", f"><mav xmlns='{ns.AFFILIATION_VERSIONS}'/></x>"))
    told = client.expect("message", "user:x/mav:mav", "user:x/user:item", from_=to)
    own = entered(client, to).own
    mavs = [find(stanza, "user:x/mav:mav") for stanza in (told, own)]
    assert [each is not None and bool(each.get("until")) for each in mavs] == [True, True]


def presence_versions(people: People, client: Client, to: str) -> None:
    version = f"<x xmlns='{ns.MUC_USER}'><version xmlns='{ns.PRESENCE_VERSIONS}' ver=''/></x>"
    own = enter(client, to, "Ann", content=version).own
    assert find(own, "user:x/presence-version:version[@ver]") is not None, show(own)


def wish_to_be_called_back(people: People, client: Client, to: str) -> None:
    """Taken, and shown to nobody; tests/server/test_back_after_a_stop.py is about what comes of it."""
    client.send(f"<presence to='{to}/Ann'><x xmlns='{ns.MUC}'><restart-notify xmlns='{ns.RESTART}'/></x></presence>")
    entry = entered(client, to)
    assert ns.RESTART not in show(entry.own)


REQUESTS: dict[str, Exercise] = {
    ns.DISCO_INFO: asks(INFO),
    ns.DISCO_ITEMS: asks(ITEMS),
    ns.PING: asks(f"<ping xmlns='{ns.PING}'/>"),
    ns.VERSION: asks(f"<query xmlns='{ns.VERSION}'/>"),
    ns.TIME: asks(f"<time xmlns='{ns.TIME}'/>"),
    ns.LAST: asks(f"<query xmlns='{ns.LAST}'/>"),
    ns.VCARD: vcard,
}
SERVER = REQUESTS | {
    ns.CAPS: capabilities,
    ns.VCARD: own_vcard,
    ns.PRIVATE: asks_without_to(f"<query xmlns='{ns.PRIVATE}'><x xmlns='urn:example'/></query>"),
    ns.BLOCKING: asks_without_to(f"<blocklist xmlns='{ns.BLOCKING}'/>"),
    "msgoffline": offline_messages,
    ns.CARBONS: copies,
    ns.COMMANDS: asks(f"<query xmlns='{ns.DISCO_ITEMS}' node='{ns.COMMANDS}'/>"),
    ns.REGISTER: asks(f"<query xmlns='{ns.REGISTER}'/>"),
    ns.REPORTING: reporting,
}
ARCHIVE = {ns.MAM: archive, ns.MAM + "#extended": extended_archive}
ACCOUNT = (
    REQUESTS
    | ARCHIVE
    | PUBSUB
    | {
        ns.SID: account_stanza_ids,
        "urn:xmpp:pep-vcard-conversion:0": one_avatar,
        "urn:xmpp:bookmarks:1#compat": one_list_of_bookmarks,
        "urn:xmpp:bookmarks:1#compat-pep": one_list_of_bookmarks,
        ns.MAM + "#groupchat-field": archive_without_rooms,
        ns.MAM + "#groupchat-available": archive_with_rooms,
        ns.JOINING: rooms_of_the_account,
        ns.REGISTER: asks(f"<query xmlns='{ns.REGISTER}'/>"),
        ns.REPORTING: reporting,
        ns.PARS: preauthenticated_subscription,
    }
)
SERVICES = REQUESTS | {ns.MUC: rooms_on_the_service, ns.RSM: pages}
ROOM = (
    REQUESTS
    | ARCHIVE
    | {
        ns.MUC: room_itself,
        ns.MUC + "#stable_id": stable_ids,
        ns.MUC + "#self-ping-optimization": self_ping,
        ns.SID: room_stanza_ids,
        ns.OCCUPANT_ID: occupant_ids,
        "jabber:iq:register": registration,
        f"{MODERATE}:0": old_moderation,
        f"{MODERATE}:1": moderation,
        ns.PUSH: push,
        ns.RESTART: wish_to_be_called_back,
        "urn:xmpp:mfr": fast_reconnect,
        ns.PRESENCE_SESSION: fast_reconnect,
        ns.PRESENCE_VERSIONS: presence_versions,
        ns.AFFILIATION_VERSIONS: affiliation_versions,
        ns.REJOIN: rejoining,
        ns.HISTORY: history_by_id,
        RETRACT: retraction,
        f"{RETRACT}#tombstone": tombstones,
        "muc_open": means("membersonly", False),
        "muc_membersonly": means("membersonly", True),
        "muc_hidden": means("publicroom", False),
        "muc_public": means("publicroom", True),
        "muc_persistent": means("persistentroom", True),
        "muc_temporary": means("persistentroom", False),
        "muc_moderated": means("moderatedroom", True),
        "muc_unmoderated": means("moderatedroom", False),
        "muc_passwordprotected": means("passwordprotectedroom", True),
        "muc_unsecured": means("passwordprotectedroom", False),
        "muc_semianonymous": whois("moderators"),
        "muc_nonanonymous": whois("anyone"),
    }
)


def exercise_all(people: People, client: Client, to: str, exercises: dict[str, Exercise]) -> set[str]:
    advertised = features(client, to)
    assert advertised <= set(exercises), f"advertised without a test: {advertised - set(exercises)}"
    for feature in sorted(advertised):
        exercises[feature](people, client, to)
    return advertised


def test_every_feature_of_the_server_answers(people: People) -> None:
    advertised = exercise_all(people, people.online(), "localhost", SERVER)
    wanted = {ns.DISCO_INFO, ns.DISCO_ITEMS, ns.PING, ns.VERSION, ns.TIME, ns.VCARD, ns.BLOCKING, "msgoffline"}
    assert advertised >= wanted


def test_every_feature_of_the_account_answers(people: People) -> None:
    client = people.online()
    assert exercise_all(people, client, client.bare, ACCOUNT) >= {ns.DISCO_INFO, ns.PING}


def test_every_feature_of_the_pubsub_service_answers(people: People) -> None:
    advertised = exercise_all(people, people.online(), NODES, REQUESTS | PUBSUB | {ns.RSM: pages})
    assert {ns.PUBSUB, f"{ns.PUBSUB}#publish", f"{ns.PUBSUB}#access-authorize"} <= advertised


def test_every_feature_of_the_room_service_answers(people: People) -> None:
    assert exercise_all(people, people.online(), SERVICE, SERVICES) >= {ns.DISCO_INFO, ns.DISCO_ITEMS, ns.MUC}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"membersonly": "1", "publicroom": "1", "persistentroom": "0"},
        {"moderatedroom": "1", "passwordprotectedroom": "1", "roomsecret": "secret", "whois": "anyone"},
    ],
    ids=["default", "members", "password"],
)
def test_every_feature_of_a_room_answers(people: People, room: str, settings: dict[str, str]) -> None:
    client = people.online()
    create(client, room, "Ann", **settings)
    advertised = exercise_all(people, client, room, ROOM)
    assert advertised >= {
        ns.MUC, ns.MUC + "#stable_id", ns.MUC + "#self-ping-optimization", ns.PING, ns.SID, ns.OCCUPANT_ID
    }  # fmt: skip
    for pair in (
        "open membersonly", "hidden public", "persistent temporary", "moderated unmoderated",
        "passwordprotected unsecured", "semianonymous nonanonymous",
    ):  # fmt: skip
        assert len(advertised & {f"muc_{word}" for word in pair.split()}) == 1, pair


# What each address is


def test_the_server_is_one_for_instant_messaging(guests: People) -> None:
    assert ("server", "im") in identities(guests.bound(), "localhost")


def test_an_account_is_registered(guests: People) -> None:
    client = guests.bound()
    assert ("account", "registered") in identities(client, None)
    assert ("account", "registered") in identities(client, client.bare)


def test_an_account_and_the_pubsub_service_are_for_publishing(guests: People) -> None:
    client = guests.bound()
    assert ("pubsub", "pep") in identities(client, None)
    assert identities(client, NODES) == {("pubsub", "service")}


def test_the_room_service_is_a_conference(guests: People) -> None:
    assert identities(guests.bound(), SERVICE) == {("conference", "text")}


def test_a_stranger_learns_nothing_of_an_account(guests: People) -> None:
    ann, ben = guests.bound(), guests.online()
    known, unknown = ann.iq("get", INFO, ben.bare), ann.iq("get", INFO, "nobody@localhost")
    if known.get("type") == "error":
        assert find(known, "error/errors:service-unavailable") is not None
        assert show(known).replace(ben.bare, "").replace(known.get("id", ""), "") == show(unknown).replace(
            "nobody@localhost", ""
        ).replace(unknown.get("id", ""), "")


def test_a_request_to_a_client_is_answered_by_it(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<iq type='get' id='d' to='{ben.jid}'>{INFO}</iq>")
    ben.expect("iq", "info:query", type="get", id="d", from_=ann.jid)


# Items and nodes


def test_the_server_lists_the_room_service(guests: People) -> None:
    items = find_all(guests.bound().get(ITEMS, "localhost"), "items:query/items:item")
    assert SERVICE in {item.get("jid") for item in items}


@pytest.mark.parametrize("to", ["localhost", SERVICE, NODES, "account", "room"])
@pytest.mark.parametrize("namespace", [ns.DISCO_INFO, ns.DISCO_ITEMS])
def test_an_unknown_node_is_not_found(guests: People, room: str, to: str, namespace: str) -> None:
    client = guests.online()
    if to == "room":
        create(client, room, "Ann")
    address = {"account": client.bare, "room": room}.get(to, to)
    query = f"<query xmlns='{namespace}' node='urn:example:nothing'/>"
    assert client.refused("get", query, address) == ("cancel", "item-not-found")


def test_a_room_lists_nothing(guests: People, room: str) -> None:
    client = guests.online()
    create(client, room, "Ann")
    assert find_all(client.get(ITEMS, room), "items:query/items:item") == []


def listed(client: Client) -> dict[str, str]:
    """The rooms that the service lists, over as many pages as there are."""
    found: dict[str, str] = {}
    after = ""
    while True:
        query = f"<query xmlns='{ns.DISCO_ITEMS}'><set xmlns='{ns.RSM}'><max>20</max>{after}</set></query>"
        reply = client.get(query, SERVICE)
        page = {item.get("jid", ""): item.get("name", "") for item in find_all(reply, "items:query/items:item")}
        last = reply.findtext("items:query/rsm:set/rsm:last", None, ns.PREFIXES)
        if not page or not last or page.keys() <= found.keys():
            return found | page
        found |= page
        after = f"<after>{last}</after>"


def test_the_service_lists_public_rooms_alone(guests: People, room: str) -> None:
    client = guests.online()
    create(client, room, "Ann", publicroom="1", roomname="Tea &amp; talk")
    create(client, f"hidden-{room}", "Ann")
    rooms = listed(client)
    assert rooms[room] == "Tea & talk"
    assert f"hidden-{room}" not in rooms


def test_the_list_of_rooms_comes_in_pages(guests: People, room: str) -> None:
    client = guests.online()
    wanted = {f"{number}-{room}" for number in range(3)}
    for each in wanted:
        create(client, each, "Ann", publicroom="1")
    query = f"<query xmlns='{ns.DISCO_ITEMS}'><set xmlns='{ns.RSM}'><max>2</max></set></query>"
    reply = client.get(query, SERVICE)
    assert len(find_all(reply, "items:query/items:item")) == 2
    page = find(reply, "items:query/rsm:set")
    assert page is not None, show(reply)
    assert int(page.findtext("rsm:count", "0", ns.PREFIXES)) >= 3
    assert wanted <= set(listed(client))


# Rooms


def test_a_room_is_described(guests: People, room: str) -> None:
    client = guests.online()
    create(client, room, "Ann", roomname="Tea", roomdesc="Talk over tea", lang="en", changesubject="1")
    client.send(f"<message type='groupchat' to='{room}'><subject>Darjeeling</subject></message>")
    client.sync(f"{room}/Ann")
    reply = client.get(INFO, room)
    identity = find(reply, "info:query/info:identity")
    assert identity is not None
    assert (identity.get("category"), identity.get("type"), identity.get("name")) == ("conference", "text", "Tea")
    form = form_values(reply)
    assert form["FORM_TYPE"] == [ns.MUC_ROOM_INFO]
    assert form["muc#roominfo_description"] == ["Talk over tea"]
    assert form["muc#roominfo_subject"] == ["Darjeeling"]
    assert form["muc#roominfo_occupants"] == ["1"]
    assert form["muc#roominfo_lang"] == ["en"]
    assert form["muc#roomconfig_changesubject"] in (["1"], ["true"])
    assert form["muc#maxhistoryfetch"] == ["50"]


def test_a_room_that_does_not_exist_is_not_found(guests: People, room: str) -> None:
    client = guests.online()
    assert client.refused("get", INFO, room) == ("cancel", "item-not-found")
    assert client.refused("get", ITEMS, room) == ("cancel", "item-not-found")


def test_a_reserved_nick_is_told_or_there_is_none(guests: People, room: str) -> None:
    client = guests.online()
    create(client, room, "Ann")
    reply = client.get(f"<query xmlns='{ns.DISCO_INFO}' node='x-roomuser-item'/>", room)
    names = {identity.get("name") for identity in find_all(reply, "info:query/info:identity")}
    assert names <= {"Ann"}


def test_a_stranger_may_not_look_at_an_occupant(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    create(ann, room, "Ann")
    reply = ben.iq("get", INFO, f"{room}/Ann")
    condition = "bad-request" if find(reply, "error/errors:bad-request") is not None else "not-acceptable"
    assert find(reply, f"error/errors:{condition}") is not None, show(reply)
    ann.nothing_before()


def test_the_number_of_occupants_follows_them(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    party(room, {"Ann": ann, "Ben": ben})
    assert form_values(ann.get(INFO, room))["muc#roominfo_occupants"] == ["2"]
    ann.set(change(nick="Ben", role="none"), room)
    gone = ben.expect("presence", type="unavailable")
    assert "307" in codes(gone)
    assert form_values(ann.get(INFO, room))["muc#roominfo_occupants"] == ["1"]


# Capabilities (XEP-0115)


def verification(query: Element) -> str:
    """The hash of a disco#info result (XEP-0115 §5.1)."""
    text = ""
    found = find_all(query, "info:identity")
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    for each in sorted((i.get("category"), i.get("type"), i.get(lang, ""), i.get("name", "")) for i in found):
        text += "/".join(part or "" for part in each) + "<"
    for feature in sorted(each.get("var", "") for each in find_all(query, "info:feature")):
        text += feature + "<"
    forms = [form_values(form) for form in find_all(query, "data:x")]
    for form in sorted(forms, key=lambda form: form["FORM_TYPE"]):
        text += form.pop("FORM_TYPE")[0] + "<"
        for var in sorted(form):
            text += var + "<" + "".join(value + "<" for value in sorted(form[var]))
    return base64.b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


def test_the_capabilities_of_the_server_are_what_it_says(guests: People) -> None:
    client = guests.authenticated()
    caps = find(client.features, "caps:c")
    assert caps is not None
    assert caps.get("hash") == "sha-1"
    client.bind()
    node = f"{caps.get('node')}#{caps.get('ver')}"
    query = find(client.get(f"<query xmlns='{ns.DISCO_INFO}' node='{node}'/>", "localhost"), "info:query")
    assert query is not None
    assert query.get("node") == node
    assert verification(query) == caps.get("ver")
    plain = find(client.get(INFO, "localhost"), "info:query")
    assert plain is not None
    assert verification(plain) == caps.get("ver")


# Contacts (XEP-0157)


def test_the_server_says_whom_to_write_to(launch: Callable[[Settings], Server]) -> None:
    server = launch({"server": {"admins": ["guest0@localhost"]}})
    client = Client(server.link())
    client.open()
    client.authenticate("guest1", PASSWORD)
    client.bind()
    form = form_values(client.get(INFO, "localhost"))
    assert form["FORM_TYPE"] == [ns.SERVER_INFO]
    assert form["admin-addresses"] == ["xmpp:guest0@localhost"]
    client.close()
