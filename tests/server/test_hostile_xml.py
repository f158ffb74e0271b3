"""Broken, forbidden and excessive XML ends its stream with the right error, and two people talk on undisturbed."""

import time

import pytest

from kit import ns
from kit.bystanders import Bystanders, ended, pour, refused
from kit.people import PASSWORD, People
from kit.stanzas import find, show, text

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


# Size (XEP-0478)


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


@pytest.mark.parametrize(
    "start",
    [b"<message>" + b"<a>" * 20_000, b"<message><body>" + b"x" * 300_000, b"<message a='" + b"a" * 20_000],
    ids=["deep", "long", "in a tag"],
)
def test_the_end_of_the_stream_inside_a_stanza_is_no_end(guests: People, bystanders: Bystanders, start: bytes) -> None:
    """What is skipped still has to be XML: the tag does not match."""
    client = guests.online()
    pour(client, start + b"</stream:stream>")
    assert ended(client) in {"not-well-formed", "policy-violation"}


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
