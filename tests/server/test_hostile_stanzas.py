"""Stanzas that lie: about namespaces, addresses, senders and rights. Two people talk on undisturbed."""

import pytest

from kit import ns
from kit.bystanders import BODY, Bystanders, ended
from kit.muc import change, create, enter, form, join, party
from kit.people import People
from kit.stanzas import error, quoteattr, show, text
from kit.wire import StreamClosed

# Namespaces


@pytest.mark.parametrize(
    "stanza",
    [
        "<c:message xmlns:c='jabber:client' to='TO'><c:body>hello</c:body></c:message>",
        "<message to='TO' xmlns:x='urn:x' x:to='other@localhost'><body>hello</body></message>",
        "<message to='TO' xmlns:j='jabber:client' j:from='other@localhost' j:type='error'><body>hello</body></message>",
        "<message to='TO'><body xmlns='jabber:client'>hello</body></message>",
        "<message to='TO' xmlns:xml='http://www.w3.org/XML/1998/namespace'><body>hello</body></message>",
    ],
    ids=["prefixed", "foreign attribute", "prefixed attributes", "own namespace on a child", "xml declared"],
)
def test_prefixes_play_no_tricks(guests: People, bystanders: Bystanders, stanza: str) -> None:
    """Either the stanza is what it says once prefixes are resolved, or the stream ends."""
    client = guests.online()
    client.send(stanza.replace("TO", bystanders.juliet.jid))
    try:
        client.sync()
    except (StreamClosed, AssertionError):
        return
    message = bystanders.juliet.expect("message", from_=client.jid, to=bystanders.juliet.jid)
    assert message.get("type") != "error"
    assert text(message, "body") == "hello"


def test_an_undeclared_prefix_ends_the_stream(guests: People, bystanders: Bystanders) -> None:
    client = guests.online()
    client.send("<message to='localhost'><a:b/></message>")
    assert ended(client) in {"not-well-formed", "bad-namespace-prefix", "bad-format"}


@pytest.mark.parametrize("xml", ["<message to='a' to='b'/>", "<message xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>"])
def test_a_doubled_attribute_ends_the_stream(guests: People, bystanders: Bystanders, xml: str) -> None:
    client = guests.online()
    client.send(xml)
    assert ended(client) == "not-well-formed"


@pytest.mark.parametrize("xml", ["<stream:stream>", "<stream:features/>", "</message>", "</stream:error>"])
def test_elements_of_the_stream_out_of_place(guests: People, bystanders: Bystanders, xml: str) -> None:
    client = guests.online()
    client.send(xml + "</stream:stream>")
    assert ended(client) != "internal-server-error"


# Addresses, in every attribute that carries one

BAD = [
    "@",
    "a b@localhost",
    "@localhost",
    "x@",
    "a@b@c",
    "localhost/",
    "a/",
    "\u2028@x",
    "x" * 1100 + "@localhost",
    "a@" + "x" * 1100,
]
CARRIERS = {
    "message": "<message id='q' to=JID><body>hello</body></message>",
    "presence": "<presence id='q' to=JID/>",
    "subscribe": "<presence id='q' type='subscribe' to=JID/>",
    "iq": f"<iq type='get' id='q' to=JID><ping xmlns='{ns.PING}'/></iq>",
    "roster": f"<iq type='set' id='q'><query xmlns='{ns.ROSTER}'><item jid=JID/></query></iq>",
    "roster remove": (
        f"<iq type='set' id='q'><query xmlns='{ns.ROSTER}'><item jid=JID subscription='remove'/></query></iq>"
    ),
    "block": f"<iq type='set' id='q'><block xmlns='{ns.BLOCKING}'><item jid=JID/></block></iq>",
    "unblock": f"<iq type='set' id='q'><unblock xmlns='{ns.BLOCKING}'><item jid=JID/></unblock></iq>",
    "ban": (
        f"<iq type='set' id='q' to='ROOM'><query xmlns='{ns.MUC_ADMIN}'>"
        "<item affiliation='outcast' jid=JID/></query></iq>"
    ),
    "invite": f"<message id='q' to='ROOM'><x xmlns='{ns.MUC_USER}'><invite to=JID/></x></message>",
    "decline": f"<message id='q' to='ROOM'><x xmlns='{ns.MUC_USER}'><decline to=JID/></x></message>",
    "destroy": f"<iq type='set' id='q' to='ROOM'><query xmlns='{ns.MUC_OWNER}'><destroy jid=JID/></query></iq>",
    "owner": "<iq type='set' id='q' to='ROOM'>OWNER</iq>",
}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_an_invalid_address_is_refused_wherever_it_stands(
    people: People, bystanders: Bystanders, room: str, carrier: str
) -> None:
    client = people.online()
    create(client, room, "Nick")
    for bad in BAD:
        value = bad.replace("&", "&amp;").replace("<", "&lt;")
        owner = form(ns.MUC_ROOM_CONFIG, muc__roomconfig_roomowners=[value])
        stanza = CARRIERS[carrier].replace("OWNER", f"<query xmlns='{ns.MUC_OWNER}'>{owner}</query>")
        client.send(stanza.replace("JID", quoteattr(bad)).replace("ROOM", room))
        came = [stanza for stanza in client.sync(f"{room}/Nick") if stanza.get("id") == "q"]
        if carrier in ("unblock", "decline") and not came:
            continue
        assert [stanza.get("type") for stanza in came] == ["error"], (bad, [show(each) for each in came])
        assert error(came[0])[1] in {"jid-malformed", "bad-request", "not-acceptable", "item-not-found"}, bad


@pytest.mark.parametrize("bad", ["@", "a b@localhost", "localhost/", "x" * 5000])
def test_an_invalid_from_in_the_header_harms_nobody(people: People, bystanders: Bystanders, bad: str) -> None:
    client = people.connect()
    client.open_with(client.header_text(from_=bad))
    client.expect_header()
    assert client.next().tag in {f"{{{ns.STREAMS}}}features", f"{{{ns.STREAMS}}}error"}


@pytest.mark.parametrize("nick", ["", " ", "x" * 1100, "a\N{DELETE}", "\u200e"])
def test_an_invalid_nick_is_refused(guests: People, bystanders: Bystanders, room: str, nick: str) -> None:
    client = guests.online()
    client.send(join(room, nick))
    refusal = client.expect("presence", type="error")
    assert error(refusal)[1] in {"jid-malformed", "not-acceptable", "bad-request"}


# Forged elements: see also test_muc_enter and test_muc_messages


def test_a_forged_address_never_arrives(guests: People, bystanders: Bystanders) -> None:
    client = guests.online()
    for forged in (bystanders.romeo.jid, bystanders.romeo.bare, "localhost", "conference.localhost"):
        try:
            client.send(f"<message from='{forged}' to='{bystanders.juliet.jid}' id='f'>{BODY}</message>")
            client.sync()
        except (StreamClosed, AssertionError):
            client = guests.online(client.jid.split("@")[0])
    for message in bystanders.juliet.sync():
        assert message.get("from", "").startswith(client.bare), show(message)


def test_a_forged_stanza_id_of_the_receiver_is_removed(guests: People, bystanders: Bystanders) -> None:
    client, juliet = guests.online(), bystanders.juliet
    forged = f"<stanza-id xmlns='{ns.SID}' id='forged' by='{juliet.bare}'/>"
    client.send(f"<message type='chat' to='{juliet.bare}' id='f'>{BODY}{forged}</message>")
    assert "forged" not in show(juliet.expect("message", id="f"))


def test_a_forged_room_message_does_not_look_like_one(guests: People, bystanders: Bystanders, room: str) -> None:
    """Another client can imitate an invitation, but not its sender."""
    client = guests.online()
    invite = f"<x xmlns='{ns.MUC_USER}'><invite from='{bystanders.romeo.jid}'/></x>"
    client.send(f"<message to='{bystanders.juliet.jid}' id='f'>{invite}</message>")
    bystanders.juliet.expect("message", id="f", from_=client.jid)


# A stranger in a room full of rules


def test_hostile_requests_to_a_room_leave_it_as_it_was(guests: People, bystanders: Bystanders, room: str) -> None:
    party(room, {"Romeo": bystanders.romeo, "Juliet": bystanders.juliet})
    mallory = guests.online()
    gone = f"<error type='cancel'><gone xmlns='{ns.STANZA_ERRORS}'/></error>"
    for payload in (
        change(nick="Romeo", role="none"),
        change(jid=bystanders.romeo.bare, affiliation="outcast"),
        change(jid=mallory.bare, affiliation="owner"),
        f"<query xmlns='{ns.MUC_OWNER}'><destroy/></query>",
        f"<query xmlns='{ns.MUC_OWNER}'>{form(ns.MUC_ROOM_CONFIG, muc__roomconfig_membersonly='1')}</query>",
    ):
        assert mallory.iq("set", payload, room).get("type") == "error"
    for stanza in (
        f"<message type='groupchat' to='{room}'>{BODY}</message>",
        f"<message type='groupchat' to='{room}'><subject>mine</subject></message>",
        f"<message type='chat' to='{room}/Romeo'>{BODY}</message>",
        f"<presence to='{room}/Romeo'/>",
        f"<presence type='unavailable' to='{room}/Romeo'/>",
        f"<message type='error' to='{room}/Romeo'>{gone}</message>",
        f"<presence type='error' to='{room}/Romeo'>{gone}</presence>",
    ):
        mallory.send(stanza)
    mallory.sync(room)
    for nick, client in (("Romeo", bystanders.romeo), ("Juliet", bystanders.juliet)):
        client.nothing_before(f"{room}/{nick}")
    enter(mallory, room, "Mallory")
    bystanders.romeo.expect("presence", from_=f"{room}/Mallory")
    bystanders.juliet.expect("presence", from_=f"{room}/Mallory")
