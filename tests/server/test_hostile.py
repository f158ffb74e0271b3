"""Bad input and worse clients: each gets the right error, and two people go on talking as if nothing were.

The invariant of every test here is `bystanders`: while the attack lasts and after it, their messages arrive.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from OpenSSL import SSL

from kit import ns
from kit.links import SocketLink, TLSLink
from kit.muc import change, create, enter, form, join, party
from kit.people import PASSWORD, Accounts, People
from kit.scram import Scram
from kit.server import Server, Settings
from kit.stanzas import error, find, quoteattr, show, text
from kit.wire import DEADLINE, Client, StreamClosed

BODY = "<body>hello</body>"


@dataclass
class Bystanders:
    """Two people who talk to each other."""

    romeo: Client
    juliet: Client
    said: int = 0

    def talk(self) -> None:
        """A message there and one back, and nothing else has come."""
        for sender, receiver in ((self.romeo, self.juliet), (self.juliet, self.romeo)):
            self.said += 1
            sender.send(f"<message type='chat' to='{receiver.jid}' id='{self.said}'>{BODY}</message>")
            receiver.expect("message", "body", id=str(self.said), from_=sender.jid)


@pytest.fixture
def bystanders(guests: People) -> Iterator[Bystanders]:
    both = Bystanders(guests.online(), guests.online())
    both.talk()
    yield both
    both.talk()


def ended(client: Client) -> str:
    """The condition of the stream error that ends the stream; "cut" if the connection ends without one."""
    try:
        error = client.wait_for(lambda element: element.tag == f"{{{ns.STREAMS}}}error")
    except AssertionError as problem:
        if isinstance(problem.__cause__, StreamClosed):
            return "cut"
        raise
    client.wait_for_end()
    return error[0].tag.split("}")[1]


def refused(client: Client, *conditions: str) -> None:
    """The stanza just sent is answered by policy-violation and the stream goes on, or it ends the stream."""
    element = client.next()
    if element.tag == "message":
        assert error(element)[1] == "policy-violation", show(element)
        client.sync()
    else:
        names = [child.tag.split("}")[1] for child in element]
        assert names[0] in {"policy-violation", *conditions}, show(element)
        client.wait_for_end()


def pour(client: Client, octets: bytes) -> None:
    """Send it, however early the server may stop reading."""
    try:
        client.link.send(octets)
    except (ConnectionError, TimeoutError):
        return


# Restricted XML (RFC 6120 §11): before and after authentication

RESTRICTED = {
    "comment": "<!-- hello -->",
    "processing instruction": "<?php echo 1 ?>",
    "doctype": "<!DOCTYPE x>",
    "entity definition": "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    "comment in a stanza": "<message to='localhost'><!-- hello --><body/></message>",
    "instruction in a stanza": "<message to='localhost'><?x?></message>",
    "undefined entity": "<message to='localhost'><body>&lol;</body></message>",
}


@pytest.mark.parametrize("logged_in", [True, False])
@pytest.mark.parametrize("xml", RESTRICTED.values(), ids=RESTRICTED.keys())
def test_restricted_xml_ends_the_stream(guests: People, bystanders: Bystanders, xml: str, logged_in: bool) -> None:
    client = guests.online() if logged_in else guests.opened()
    client.send(xml)
    assert ended(client) in {"restricted-xml", "not-well-formed"}


@pytest.mark.parametrize(
    "prolog",
    [
        "<!DOCTYPE stream>",
        "<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;'>]>",
        "<!DOCTYPE x [<!ENTITY file SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE x SYSTEM 'http://127.0.0.1:1/x.dtd'>",
        "<!-- hello -->",
        "<?xml-stylesheet href='x'?>",
    ],
    ids=["doctype", "bomb", "external entity", "external subset", "comment", "instruction"],
)
def test_restricted_xml_before_the_header_ends_the_stream(people: People, bystanders: Bystanders, prolog: str) -> None:
    client = people.connect()
    client.open_with(f"<?xml version='1.0'?>{prolog}" + client.header_text().removeprefix("<?xml version='1.0'?>"))
    assert ended(client) in {"restricted-xml", "not-well-formed", "bad-format", "cut"}


def test_an_entity_bomb_is_defused_before_it_is_lit(people: People, bystanders: Bystanders) -> None:
    levels = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
    bomb = f"<!DOCTYPE x [<!ENTITY a0 'lol'>{levels}]><stream:stream xmlns:stream='{ns.STREAMS}' to='&a11;'>"
    client = people.connect()
    client.open_with(bomb)
    assert ended(client) in {"restricted-xml", "not-well-formed", "bad-format", "cut"}


# Encodings

NOT_UTF_8 = {
    "lone continuation": b"\x80",
    "overlong slash": b"\xc0\xaf",
    "half a character": b"\xe2\x82<",
    "surrogate": b"\xed\xa0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "latin-1": b"\xfc",
    "NUL": b"\x00",
    "control character": b"\x01",
    "U+FFFE": b"\xef\xbf\xbe",
    "NUL as a reference": b"&#0;",
    "control as a reference": b"&#1;",
}


@pytest.mark.parametrize("octets", NOT_UTF_8.values(), ids=NOT_UTF_8.keys())
def test_what_is_no_text_ends_the_stream(guests: People, bystanders: Bystanders, octets: bytes) -> None:
    client = guests.online()
    client.link.send(
        b"<message type='chat' to='%s'><body>" % bystanders.juliet.jid.encode() + octets + b"</body></message>"
    )
    assert ended(client) in {"not-well-formed", "bad-format", "unsupported-encoding", "restricted-xml"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_not_supported(people: People, bystanders: Bystanders, encoding: str) -> None:
    client = people.connect()
    client.restart()
    client.link.send(client.header_text().encode(encoding))
    assert ended(client) in {"unsupported-encoding", "not-well-formed", "bad-format"}


@pytest.mark.parametrize("name", ["ISO-8859-1", "UTF-16", "US-ASCII", "KOI8-R", "no-such"])
def test_a_declared_encoding_other_than_utf_8_is_not_supported(
    people: People, bystanders: Bystanders, name: str
) -> None:
    client = people.connect()
    client.open_with(f"<?xml version='1.0' encoding='{name}'?>" + client.header_text().split("?>")[1])
    assert ended(client) in {"unsupported-encoding", "not-well-formed"}


@pytest.mark.parametrize(
    "declaration", ["<?xml version='1.0' encoding='UTF-8'?>", "<?xml version='1.0' encoding='utf-8'?>"]
)
def test_utf_8_may_be_declared(people: People, declaration: str) -> None:
    client = people.connect()
    client.open_with(declaration + client.header_text().split("?>")[1])
    client.expect_features()


# Size (specs 0.3, XEP-0478)


def test_a_stanza_of_the_allowed_size_passes(guests: People, bystanders: Bystanders) -> None:
    client = guests.online()
    body = "x" * 250_000
    client.send(f"<message type='chat' to='{bystanders.juliet.jid}'><body>{body}</body></message>")
    assert text(bystanders.juliet.expect("message", "body"), "body") == body


def test_a_stanza_that_is_too_long_is_refused(guests: People, bystanders: Bystanders) -> None:
    """It is skipped and answered, or it ends the stream; more than four times the limit always does."""
    client = guests.online()
    body = b"x" * 400_000
    pour(client, b"<message type='chat' id='big' to='%s'><body>" % bystanders.juliet.jid.encode() + body)
    pour(client, b"</body></message>")
    refused(client)


def test_a_stanza_without_end_ends_the_stream(guests: People, bystanders: Bystanders) -> None:
    client = guests.online()
    pour(client, b"<message><body>")
    for _ in range(40):
        pour(client, b"x" * 65536)
    assert ended(client) in {"policy-violation", "cut"}


def test_before_authentication_little_is_taken(people: People, bystanders: Bystanders) -> None:
    client = people.opened()
    pour(client, b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + b"A" * 100_000)
    assert ended(client) in {"policy-violation", "cut"}


def test_the_least_that_has_to_be_taken_is_taken(guests: People) -> None:
    """10,000 bytes before authentication (RFC 6120 §13.12)."""
    client = guests.opened()
    client.auth("PLAIN", (b"\0" + guests.name().encode() + b"\0").ljust(7000, b"x"))
    client.expect_failure("not-authorized")


@pytest.mark.parametrize(
    "start",
    ["<message", "<message a='", "<message><x ", "</", "<!", "<message>&"],
    ids=["start tag", "attribute", "inner tag", "end tag", "declaration", "reference"],
)
@pytest.mark.parametrize("logged_in", [True, False])
def test_a_megabyte_of_one_token_ends_the_stream(
    guests: People, bystanders: Bystanders, start: str, logged_in: bool
) -> None:
    client = guests.online() if logged_in else guests.opened()
    pour(client, start.encode() + b"a" * 1_500_000)
    assert ended(client) != "internal-server-error"


def test_a_megabyte_of_a_header_ends_the_stream(people: People, bystanders: Bystanders) -> None:
    client = people.connect()
    client.restart()
    pour(client, f"<stream:stream xmlns:stream='{ns.STREAMS}' to='localhost' x='".encode() + b"a" * 1_500_000)
    assert ended(client) != "internal-server-error"


def test_thousands_of_attributes_are_refused(guests: People, bystanders: Bystanders) -> None:
    client = guests.online()
    attributes = " ".join(f"a{number}='1'" for number in range(20_000))
    pour(client, f"<message to='localhost' {attributes}/>".encode())
    refused(client)


def test_thousands_of_namespaces_are_refused(guests: People, bystanders: Bystanders) -> None:
    client = guests.online()
    attributes = " ".join(f"xmlns:n{number}='urn:{number}'" for number in range(12_000))
    pour(client, f"<message to='localhost' {attributes}/>".encode())
    refused(client)


def test_twenty_thousand_levels_are_refused(guests: People, bystanders: Bystanders) -> None:
    client = guests.online()
    pour(client, b"<message to='localhost'>" + b"<a>" * 20_000 + b"</a>" * 20_000 + b"</message>")
    refused(client)


def test_twenty_thousand_levels_before_authentication_end_the_stream(people: People, bystanders: Bystanders) -> None:
    client = people.opened()
    pour(client, b"<message to='localhost'>" + b"<a>" * 20_000)
    assert ended(client) in {"policy-violation", "not-authorized", "cut"}


@pytest.mark.parametrize("size", [1, 5_000_000])
def test_text_between_stanzas_ends_the_stream(guests: People, bystanders: Bystanders, size: int) -> None:
    client = guests.online()
    pour(client, b"x" * size + b"<presence/>")
    assert ended(client) in {"bad-format", "not-well-formed", "policy-violation", "invalid-xml", "cut"}


def test_megabytes_of_space_between_stanzas_cost_nothing(guests: People, bystanders: Bystanders) -> None:
    client = guests.online()
    for _ in range(50):
        client.send(" " * 65536)
    client.send(f"<iq type='get' id='after' to='localhost'><ping xmlns='{ns.PING}'/></iq>")
    answer = client.next()
    if answer.tag != "iq":  # refused as too much: as good
        assert find(answer, "stream-errors:policy-violation") is not None, show(answer)


def test_a_hundred_thousand_tag_names_cost_nothing_for_good(guests: People, bystanders: Bystanders) -> None:
    client = guests.online()
    for block in range(100):
        names = "".join(f"<n{block}-{number}/>" for number in range(1000))
        client.send(f"<message type='headline' to='localhost'><x xmlns='urn:example'>{names}</x></message>")
    client.sync()


# Fragments


def test_a_session_whose_bytes_come_one_by_one(guests: People, bystanders: Bystanders) -> None:
    client = guests.online()
    stanza = f"<message type='chat' to='{bystanders.juliet.jid}' id='ü'><body>a &amp; \U0001f3b6</body></message>"
    for octet in stanza.encode():
        client.link.send(bytes([octet]))
    assert text(bystanders.juliet.expect("message", id="ü"), "body") == "a & \U0001f3b6"


def test_a_login_whose_bytes_come_one_by_one(guests: People) -> None:
    client = guests.connect()
    client.restart()
    for octet in client.header_text().encode():
        client.link.send(bytes([octet]))
    client.expect_features()
    client.authenticate(guests.name(), PASSWORD)
    client.bind()


def test_a_stanza_split_at_every_byte(guests: People, bystanders: Bystanders) -> None:
    client = guests.online()
    stanza = f"<message to='{bystanders.juliet.jid}' type='chat'><body>\u00fc&lt;</body></message>".encode()
    for cut in range(1, len(stanza)):
        client.link.send(stanza[:cut])
        client.link.send(stanza[cut:])
    for _ in range(1, len(stanza)):
        assert text(bystanders.juliet.expect("message"), "body") == "\u00fc<"


def test_a_dribbled_start_tag_costs_the_others_nothing(guests: People, bystanders: Bystanders) -> None:
    """One byte at a time, never ending: the parser must not begin anew with each (64 KB took seconds)."""
    client = guests.online()
    slowest = 0.0
    pour(client, b"<message a='")
    for _ in range(60):
        for _ in range(200):
            pour(client, b"a")
        start = time.monotonic()
        bystanders.talk()
        slowest = max(slowest, time.monotonic() - start)
    assert slowest < 1.0, f"a message and its answer took {slowest:.2f} s"
    pour(client, f"' to='localhost' type='error'/><iq type='get' id='p'><ping xmlns='{ns.PING}'/></iq>".encode())
    answer = client.next()
    assert answer.get("id") == "p" or answer.tag == f"{{{ns.STREAMS}}}error", show(answer)


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


# Slow, silent and greedy connections


def slow_server(launch: Callable[[Settings], Server], **limits: object) -> tuple[Server, People]:
    server = launch({"limits": {"failed_logins_per_minute": 0} | limits})
    return server, People(server, iter(Accounts().shared))


def talking(people: People) -> Bystanders:
    both = Bystanders(people.online(), people.online())
    both.talk()
    return both


def test_who_does_not_log_in_in_time_is_cut(launch: Callable[[Settings], Server]) -> None:
    """Slow-loris: however a connection spends its time, it has so long to log in."""
    server, people = slow_server(launch, unauthenticated_seconds=2)
    both = talking(people)
    clients = [waiting(server, start) for start in ("", "header", "half a header", "tls", "auth")]
    deadline = time.monotonic() + 2 * DEADLINE
    for client in clients:
        while client.link.receive(deadline):
            both.talk()
    both.talk()
    people.go()


def waiting(server: Server, start: str) -> Client:
    """A connection that stops halfway."""
    client = Client(server.link())
    if start == "half a header":
        client.send("<stream:stream xmlns:stream=")
    elif start == "tls":
        client.open()
        client.send(f"<starttls xmlns='{ns.TLS}'/>")
        client.expect("tls:proceed")
    elif start:
        client.open()
    if start == "auth":
        exchange = Scram("SCRAM-SHA-1", "guest7", PASSWORD)
        client.auth("SCRAM-SHA-1", exchange.first())
        client.expect_challenge()
    return client


def test_bytes_dribbled_before_login_do_not_extend_the_time(launch: Callable[[Settings], Server]) -> None:
    server, people = slow_server(launch, unauthenticated_seconds=2)
    both = talking(people)
    client = Client(server.link())
    client.open()
    deadline = time.monotonic() + 2 * DEADLINE
    try:
        while time.monotonic() < deadline and is_open(client):
            client.send(" ")
            both.talk()
    except ConnectionError:
        pass
    assert time.monotonic() < deadline
    both.talk()
    people.go()


def is_open(client: Client) -> bool:
    """Whether the server has not closed the connection; what it sends in the meantime is dropped."""
    try:
        return client.link.receive(time.monotonic() + 0.05) != b""
    except TimeoutError:
        return True


def test_a_reader_that_never_reads_is_let_go(launch: Callable[[Settings], Server]) -> None:
    """His queue is bounded; the sender and the others do not wait for him."""
    _, people = slow_server(launch, queue_stanzas=200, queue_bytes=500_000)
    both = talking(people)
    deaf = people.online()
    sender = people.online()
    body = "x" * 20_000
    for _ in range(600):
        sender.send(f"<message type='chat' to='{deaf.jid}'><body>{body}</body></message>")
    both.talk()
    sender.sync()
    both.talk()
    try:
        while deaf.link.receive(time.monotonic() + DEADLINE):
            both.talk()
    except ConnectionError:
        pass
    both.talk()
    people.go()


def test_a_deaf_occupant_does_not_stop_the_room(launch: Callable[[Settings], Server]) -> None:
    _, people = slow_server(launch, queue_stanzas=200, queue_bytes=500_000)
    room = "tea@conference.localhost"
    ann, deaf = people.online(), people.online()
    party(room, {"Ann": ann, "Deaf": deaf})
    body = "x" * 20_000
    for number in range(300):
        ann.send(f"<message type='groupchat' to='{room}' id='{number}'><body>{body}</body></message>")
        ann.wait_for(lambda stanza, id=str(number): stanza.get("id") == id)
    people.go()


def test_a_client_that_sends_without_reading_stops_only_itself(launch: Callable[[Settings], Server]) -> None:
    """Answers pile up for a client that reads none of them; the server stops reading from it, or ends it."""
    _, people = slow_server(launch, queue_stanzas=500, queue_bytes=500_000)
    both = talking(people)
    flooding = people.online()
    assert isinstance(flooding.link, SocketLink)
    flooding.link.socket.settimeout(0.2)
    ping = f"<iq type='get' id='x' to='localhost'><query xmlns='{ns.DISCO_INFO}'/></iq>".encode() * 500
    try:
        for _ in range(40):
            flooding.link.socket.sendall(ping)
    except (TimeoutError, ConnectionError):
        pass
    both.talk()
    flooding.cut()
    both.talk()
    people.go()


def test_hundreds_of_half_open_connections_leave_room_for_others(guests: People, bystanders: Bystanders) -> None:
    links = [guests.server.link() for _ in range(400)]
    for number, link in enumerate(links):
        if number % 3 == 0:
            link.send(b"<stream:stream ")
        elif number % 3 == 1:
            link.send(b"\x16\x03\x01")
    bystanders.talk()
    newcomer = guests.online()
    newcomer.sync()
    for link in links:
        link.close()


def test_half_open_tls_connections_leave_room_for_others(guests: People, bystanders: Bystanders) -> None:
    for _ in range(100):
        client = guests.opened()
        client.send(f"<starttls xmlns='{ns.TLS}'/>")
        client.expect("tls:proceed")
    bystanders.talk()
    assert guests.opened(tls=True).mechanisms


def test_connections_of_one_address_can_be_limited(launch: Callable[[Settings], Server]) -> None:
    server, people = slow_server(launch, connections_per_address=5)
    links = [SocketLink(("127.0.0.1", server.port), "127.0.0.9") for _ in range(5)]
    client = Client(SocketLink(("127.0.0.1", server.port), "127.0.0.9"))
    client.restart()
    pour(client, client.header_text().encode())
    assert ended(client) in {"policy-violation", "resource-constraint", "cut"}
    client.cut()
    other = people.online()
    other.sync()
    for link in links:
        link.close()
    people.go()


def test_rubbish_instead_of_tls_harms_nobody(guests: People, bystanders: Bystanders) -> None:
    link = SocketLink(("127.0.0.1", guests.server.direct_tls_port))
    link.send(b"GET / HTTP/1.1\r\n\r\n" + bytes(range(256)) * 10)
    deadline = time.monotonic() + DEADLINE
    while link.receive(deadline):
        pass
    link.close()


def test_a_client_of_an_old_tls_is_refused(guests: People, bystanders: Bystanders) -> None:
    client = guests.opened()
    client.send(f"<starttls xmlns='{ns.TLS}'/>")
    client.expect("tls:proceed")
    with pytest.raises((ConnectionError, SSL.Error)):
        TLSLink(client.link, version=SSL.TLS1_1_VERSION)


# Guessing passwords


def attempt(server: Server, user: str, password: str, source: str) -> tuple[str, float]:
    """The outcome of one try on a connection of its own, and how long it took to be known."""
    client = Client(SocketLink(("127.0.0.1", server.port), source))
    client.open()
    start = time.monotonic()
    client.auth("PLAIN", f"\0{user}\0{password}".encode())
    try:
        answer = client.next()
    except (StreamClosed, TimeoutError):
        return "no answer", time.monotonic() - start
    finally:
        client.cut()
    if answer.tag.endswith("}success"):
        return "success", time.monotonic() - start
    return answer[0].tag.split("}")[1], time.monotonic() - start


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
