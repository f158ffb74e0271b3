"""Streams (RFC 6120 §4, §5): headers, features, restarts, errors, and what may come when."""

import time
from collections.abc import Callable

import pytest
from OpenSSL import SSL

from kit import ns
from kit.people import PASSWORD, People
from kit.server import Server, Settings
from kit.stanzas import find, find_all, show, text
from kit.wire import DEADLINE, Client, SocketLink, StreamClosed, TLSLink

LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def stream_error_of(client: Client) -> str:
    """The condition of the stream error that ends the stream; everything before it is dropped."""
    error = client.wait_for(lambda element: element.tag == f"{{{ns.STREAMS}}}error")
    client.expect_end()
    return error[0].tag.split("}")[1]


# Headers


def test_the_response_header_says_who_answers_and_in_which_version(people: People) -> None:
    client = people.opened()
    assert client.header["from"] == "localhost"
    assert client.header["version"] == "1.0"
    assert client.header["id"]
    assert client.header[LANG]


def test_the_response_header_is_addressed_to_the_from_of_the_client(people: People) -> None:
    client = people.connect()
    client.open(from_="juliet@localhost")
    assert client.header["to"] == "juliet@localhost"


def test_every_stream_has_an_id_of_its_own(people: People, guests: People) -> None:
    client = people.opened()
    ids = [client.header["id"], people.opened().header["id"]]
    client.start_tls()
    ids.append(client.header["id"])
    client.authenticate(guests.name(), PASSWORD)
    ids.append(client.header["id"])
    assert len(set(ids)) == 4
    assert all(len(id) >= 16 for id in ids), "an id that can be guessed"


@pytest.mark.parametrize(
    ("replaced", "conditions"),
    [
        ({"to": "elsewhere.example"}, {"host-unknown"}),
        ({"to": "not a domain"}, {"host-unknown", "improper-addressing"}),
        ({"xmlns": "jabber:unknown"}, {"invalid-namespace"}),
        ({"xmlns": "jabber:server"}, {"invalid-namespace"}),
        ({"xmlns:stream": "http://example.org/streams"}, {"invalid-namespace"}),
        ({"version": "0.9"}, {"unsupported-version"}),
        ({"version": "one"}, {"unsupported-version", "bad-format"}),
    ],
)
def test_a_wrong_header_is_refused_after_the_servers_own(
    people: People, replaced: dict[str, str], conditions: set[str]
) -> None:
    client = people.connect()
    pairs = {"xmlns": ns.CLIENT, "xmlns:stream": ns.STREAMS, "to": "localhost", "version": "1.0"} | replaced
    client.open_with("<stream:stream " + " ".join(f"{name}='{value}'" for name, value in pairs.items()) + ">")
    client.expect_header()
    assert stream_error_of(client) in conditions


@pytest.mark.parametrize(
    ("header", "conditions"),
    [
        (f"<stream:stream xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAMS}' to='localhost'>", {"unsupported-version"}),
        (
            f"<stream:brook xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAMS}' to='localhost' version='1.0'>",
            {"bad-format", "invalid-xml", "unsupported-stanza-type"},
        ),
        (f"<message xmlns='{ns.CLIENT}' to='localhost'>", {"bad-format", "invalid-xml", "invalid-namespace"}),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", {"not-well-formed", "bad-format"}),
        ("<stream:stream to='localhost' version='1.0'>", {"not-well-formed", "bad-namespace-prefix"}),
    ],
    ids=["no version", "another root", "a stanza", "HTTP", "undeclared prefix"],
)
def test_what_is_no_header_is_refused_after_the_servers_own(people: People, header: str, conditions: set[str]) -> None:
    client = people.connect()
    client.open_with(header)
    client.expect_header()
    assert stream_error_of(client) in conditions


def test_a_client_of_a_later_version_is_answered_with_ours(people: People) -> None:
    client = people.connect()
    client.open(version="2.0")
    assert client.header["version"] == "1.0"


def test_a_header_without_an_xml_declaration_is_accepted(people: People) -> None:
    client = people.connect()
    client.open_with(client.header_text().removeprefix("<?xml version='1.0'?>"))
    client.expect_features()


def test_whitespace_before_stanzas_is_no_error(guests: People) -> None:
    client = guests.online()
    client.send(" \n\t\r\n ")
    client.nothing_before()


# Features


def test_before_tls_it_is_offered_with_the_mechanisms_that_do_without(people: People) -> None:
    client = people.opened()
    assert find(client.features, "tls:starttls") is not None
    assert client.mechanisms == {"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"}


def test_inside_tls_it_is_not_offered_again(people: People) -> None:
    client = people.opened(tls=True)
    assert find(client.features, "tls:starttls") is None
    assert client.mechanisms == {"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"}
    offered = {each.get("type") for each in find_all(client.features, "cb:sasl-channel-binding/cb:channel-binding")}
    assert offered == {"tls-exporter", "tls-server-end-point"}


def test_under_tls_1_2_the_exporter_is_not_offered(people: People) -> None:
    client = people.opened()
    client.start_tls(version=SSL.TLS1_2_VERSION)
    offered = {each.get("type") for each in find_all(client.features, "cb:sasl-channel-binding/cb:channel-binding")}
    assert offered == {"tls-server-end-point"}


def test_where_nothing_can_be_bound_to_no_binding_is_offered(people: People) -> None:
    assert find(people.opened().features, "cb:sasl-channel-binding") is None


@pytest.mark.parametrize(
    "path", ["bind:bind", "sm:sm", "rosterver:ver", "pre:sub", "session:session/session:optional", "caps:c"]
)
def test_after_authentication_is_offered(guests: People, path: str) -> None:
    client = guests.authenticated()
    assert find(client.features, path) is not None, show(client.features)


def test_after_authentication_neither_tls_nor_mechanisms_are_offered(guests: People) -> None:
    client = guests.authenticated(tls=True)
    assert find(client.features, "tls:starttls") is None
    assert find(client.features, "sasl:mechanisms") is None
    assert find(client.features, "cb:sasl-channel-binding") is None


def test_the_limits_of_a_stream_are_told_and_grow_with_authentication(guests: People) -> None:
    client = guests.opened()
    assert text(client.features, "limits:limits/limits:max-bytes") == "10000"
    client.authenticate(guests.name(), PASSWORD)
    assert text(client.features, "limits:limits/limits:max-bytes") == "262144"


# TLS


def test_where_tls_is_required_nothing_else_is_offered(launch: Callable[[Settings], Server]) -> None:
    server = launch({"c2s": {"require_tls": True}})
    client = Client(server.link())
    client.open()
    assert find(client.features, "tls:starttls/tls:required") is not None
    assert client.mechanisms == set()
    client.auth("PLAIN", f"\0guest0\0{PASSWORD}".encode())
    client.expect_failure("encryption-required")
    client.start_tls()
    client.authenticate("guest0", PASSWORD)
    client.bind()
    client.close()


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_a_session_begins_over_starttls(guests: People, version: int) -> None:
    client = guests.opened()
    client.start_tls(version=version)
    client.authenticate(guests.name(), PASSWORD)
    client.bind()
    client.sync()


@pytest.mark.parametrize("alpn", [(b"xmpp-client",), ()])
def test_direct_tls_needs_no_starttls(server: Server, guests: People, alpn: tuple[bytes, ...]) -> None:
    client = Client(server.direct_tls(alpn))
    client.open()
    assert find(client.features, "tls:starttls") is None
    client.authenticate(guests.name(), PASSWORD)
    client.bind()
    client.close()


def test_direct_tls_agrees_on_the_protocol_of_clients(server: Server) -> None:
    link = server.direct_tls((b"h2", b"xmpp-client"))
    assert link.connection.get_alpn_proto_negotiated() == b"xmpp-client"
    link.close()


def test_starttls_inside_tls_fails(people: People) -> None:
    client = people.opened(tls=True)
    client.send(f"<starttls xmlns='{ns.TLS}'/>")
    client.expect("tls:failure")
    client.expect_end()


def test_starttls_after_authentication_fails(guests: People) -> None:
    client = guests.authenticated()
    client.send(f"<starttls xmlns='{ns.TLS}'/>")
    client.expect("tls:failure")
    client.expect_end()


def test_what_was_pipelined_after_starttls_never_counts(people: People, guests: People) -> None:
    """Injected plain text must not become the beginning of the protected stream (CVE-2011-0411)."""
    client = people.opened()
    injected = client.header_text() + f"<auth xmlns='{ns.SASL}' mechanism='PLAIN'>AGd1ZXN0MABzZWNyZXQ=</auth>"
    client.send(f"<starttls xmlns='{ns.TLS}'/>" + injected)
    try:
        client.expect("tls:proceed")
        client.link = TLSLink(client.link)
        client.open()
    except (AssertionError, ConnectionError, StreamClosed, SSL.Error):
        return  # refused altogether: as good
    assert client.mechanisms
    client.authenticate(guests.name(), PASSWORD)


def test_a_handshake_that_is_none_ends_the_connection(people: People) -> None:
    client = people.opened()
    client.send(f"<starttls xmlns='{ns.TLS}'/>")
    client.expect("tls:proceed")
    client.send(client.header_text())
    with pytest.raises((StreamClosed, AssertionError)):
        client.next()


# Order


@pytest.mark.parametrize(
    "stanza",
    [
        "<message to='guest0@localhost'><body>hello</body></message>",
        "<presence/>",
        f"<iq type='get' id='1'><query xmlns='{ns.ROSTER}'/></iq>",
        f"<iq type='set' id='1'><bind xmlns='{ns.BIND}'/></iq>",
        "<iq type='get' id='1'><query xmlns='jabber:iq:auth'/></iq>",
    ],
)
def test_a_stanza_before_authentication_ends_the_stream(people: People, stanza: str) -> None:
    client = people.opened()
    client.send(stanza)
    client.expect_stream_error("not-authorized")


@pytest.mark.parametrize(
    "stanza",
    ["<message to='guest0@localhost'><body>hello</body></message>", "<presence to='guest0@localhost'/>"],
)
def test_a_stanza_to_others_before_binding_ends_the_stream(guests: People, stanza: str) -> None:
    client = guests.authenticated()
    client.send(stanza)
    client.expect_stream_error("not-authorized")


def test_after_success_the_stream_has_to_begin_again(guests: People) -> None:
    client = guests.opened()
    client.plain(guests.name(), PASSWORD)
    client.send(f"<iq type='set' id='1'><bind xmlns='{ns.BIND}'/></iq>")
    client.restart()
    assert stream_error_of(client) != "internal-server-error"


def test_the_second_stream_may_come_with_the_success_not_yet_read(guests: People) -> None:
    client = guests.opened()
    octets = f"\0{guests.name()}\0{PASSWORD}".encode()
    client.auth("PLAIN", octets)
    client.send(client.header_text())
    came = b""
    while b"</stream:features>" not in came:
        came += client.link.receive(time.monotonic() + DEADLINE)
    assert came.index(b"success") < came.index(b"urn:ietf:params:xml:ns:xmpp-bind")


def test_the_second_stream_may_not_be_to_another_host(guests: People) -> None:
    client = guests.opened()
    client.plain(guests.name(), PASSWORD)
    client.open_with(client.header_text(to="elsewhere.example"))
    client.expect_header()
    assert stream_error_of(client) == "host-unknown"


def test_an_unknown_element_of_the_stream_ends_it(guests: People) -> None:
    client = guests.online()
    client.send("<surprise xmlns='urn:example:surprise'/>")
    client.expect_stream_error("unsupported-stanza-type")


def test_an_unknown_element_of_the_content_namespace_ends_the_stream(guests: People) -> None:
    client = guests.online()
    client.send("<letter to='guest0@localhost'/>")
    client.expect_stream_error("unsupported-stanza-type")


def test_a_stanza_of_another_content_namespace_ends_the_stream(guests: People) -> None:
    client = guests.online()
    client.send("<message xmlns='jabber:server' to='guest0@localhost'><body>hello</body></message>")
    assert stream_error_of(client) in {"invalid-namespace", "unsupported-stanza-type"}


def test_a_stanza_may_name_its_namespace_itself(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<message xmlns='jabber:client' to='{ben.jid}'><body>hello</body></message>")
    assert ben.expect("message", from_=ann.jid).findtext("body") == "hello"


# Addresses of the stream


@pytest.mark.parametrize("forged", ["guest9@localhost", "localhost", "guest9@localhost/phone", "@"])
def test_a_forged_from_never_gets_through(guests: People, forged: str) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<message from='{forged}' to='{ben.jid}' id='f'><body>hello</body></message>")
    try:
        ann.sync()
    except AssertionError:
        raise
    except StreamClosed:
        ben.nothing_before()
        return
    for message in ben.sync():
        assert message.get("from") == ann.jid


def test_a_forged_from_ends_the_stream_or_is_replaced(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<message from='{ben.bare}' to='{ben.jid}' id='f'><body>hello</body></message>")
    ann.send(f"<iq type='get' id='after'><ping xmlns='{ns.PING}'/></iq>")
    answer = ann.next()
    if answer.tag == "iq":
        ben.expect("message", from_=ann.jid)
    else:
        assert find(answer, "stream-errors:invalid-from") is not None, show(answer)
        ben.nothing_before()


@pytest.mark.parametrize("full", [True, False])
def test_ones_own_address_as_from_is_made_full(guests: People, full: bool) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<message from='{ann.jid if full else ann.bare}' to='{ben.jid}'><body>hello</body></message>")
    ben.expect("message", from_=ann.jid)


def test_the_language_of_the_stream_is_that_of_stanzas_which_have_none(guests: People) -> None:
    ann, ben = guests.opened(), guests.online()
    ann.plain(guests.name(), PASSWORD)
    ann.open(**{"xml:lang": "de"})
    ann.bind()
    ann.send(f"<message to='{ben.jid}'><body>Guten Tag</body></message>")
    ann.send(f"<message to='{ben.jid}' xml:lang='fr'><body>bonjour</body></message>")
    assert ben.expect("message").get(LANG) == "de"
    assert ben.expect("message").get(LANG) == "fr"


# Ends


def test_a_closed_stream_is_closed_in_return(guests: People) -> None:
    client = guests.online()
    client.send("</stream:stream>")
    client.expect_end()


def test_a_stream_closed_before_authentication_is_closed_in_return(people: People) -> None:
    client = people.opened()
    client.send("</stream:stream>")
    client.expect_end()


def test_what_was_sent_before_the_end_still_counts(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<message to='{ben.jid}'><body>goodbye</body></message></stream:stream>")
    ann.expect_end()
    assert ben.expect("message").findtext("body") == "goodbye"


def test_a_stream_error_of_the_client_ends_its_stream(guests: People) -> None:
    client = guests.online()
    client.send(f"<stream:error><undefined-condition xmlns='{ns.STREAM_ERRORS}'/></stream:error></stream:stream>")
    client.expect_end()


@pytest.mark.parametrize("broken", ["<message></presence>", "<a:message/>", "<"])
def test_broken_xml_ends_the_stream(guests: People, broken: str) -> None:
    client = guests.online()
    client.send(broken + "<message/>")
    assert stream_error_of(client) in {"not-well-formed", "bad-namespace-prefix"}


def test_a_connection_lost_in_the_middle_of_a_stanza_leaves_nothing(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<message to='{ben.jid}'><body>half")
    assert isinstance(ann.link, SocketLink)
    ann.cut()
    ben.nothing_before()
