"""What holds for every stanza (RFC 6120 §8, §10)."""

import pytest

from kit import ns
from kit.people import People
from kit.stanzas import Element, error, find, show, text
from kit.wire import Client

ROOT = "{http://www.w3.org/XML/1998/namespace}"
UNKNOWN = "<query xmlns='urn:example:unknown'/>"


# IQ (§8.2.3)


@pytest.mark.parametrize(
    "iq",
    [
        f"<iq type='get' to='localhost'><ping xmlns='{ns.PING}'/></iq>",
        f"<iq id='x' to='localhost'><ping xmlns='{ns.PING}'/></iq>",
        f"<iq id='x' type='query' to='localhost'><ping xmlns='{ns.PING}'/></iq>",
        "<iq id='x' type='get' to='localhost'/>",
        "<iq id='x' type='set' to='localhost'/>",
        f"<iq id='x' type='get' to='localhost'><ping xmlns='{ns.PING}'/><ping xmlns='{ns.PING}'/></iq>",
        "<iq id='x' type='get'/>",
    ],
    ids=["no id", "no type", "unknown type", "get of nothing", "set of nothing", "two children", "no to, no child"],
)
def test_a_request_against_the_rules_is_a_bad_request(ann: Client, iq: str) -> None:
    ann.send(iq)
    ann.expect_error("iq", "bad-request", "modify")


@pytest.mark.parametrize("to_somebody", [True, False])
def test_a_request_against_the_rules_does_not_reach_others(ann: Client, ben: Client, to_somebody: bool) -> None:
    to = ben.jid if to_somebody else ben.bare
    ann.send(f"<iq type='get' id='x' to='{to}'/>")
    ann.expect_error("iq", "bad-request", id="x")
    ben.nothing_before()


@pytest.mark.parametrize("type", ["get", "set"])
@pytest.mark.parametrize("to", ["", "localhost", "own", "other", "localhost/unknown"])
def test_an_unknown_request_is_refused_as_unavailable(ann: Client, ben: Client, type: str, to: str) -> None:
    address = {"own": ann.bare, "other": ben.bare}.get(to, to)
    reply = ann.iq(type, UNKNOWN, address or None)
    assert error(reply) == ("cancel", "service-unavailable")
    ben.nothing_before()


@pytest.mark.parametrize("type", ["result", "error"])
@pytest.mark.parametrize("to", [None, "localhost", "own", "other", "other/gone", "nobody"])
def test_an_answer_that_nobody_waits_for_is_dropped(ann: Client, ben: Client, type: str, to: str | None) -> None:
    addresses = {
        "own": ann.bare, "other": ben.bare, "other/gone": f"{ben.bare}/gone", "nobody": "nobody@localhost"
    }  # fmt: skip
    address = f"to='{addresses.get(to, to)}'" if to else ""
    inside = f"<error type='cancel'><item-not-found xmlns='{ns.STANZA_ERRORS}'/></error>" if type == "error" else ""
    ann.send(f"<iq type='{type}' id='x' {address}>{inside}</iq>")
    ann.nothing_before()
    ben.nothing_before()


def test_a_request_between_two_clients_and_its_answer(ann: Client, ben: Client) -> None:
    ann.send(f"<iq type='get' id='q1' to='{ben.jid}'>{UNKNOWN}</iq>")
    request = ben.expect("iq", "{urn:example:unknown}query", type="get", id="q1", from_=ann.jid, to=ben.jid)
    ben.send(f"<iq type='result' id='{request.get('id')}' to='{request.get('from')}'>{UNKNOWN}</iq>")
    ann.expect("iq", "{urn:example:unknown}query", type="result", id="q1", from_=ben.jid, to=ann.jid)


def test_an_error_passes_between_two_clients(ann: Client, ben: Client) -> None:
    ann.send(f"<iq type='get' id='q2' to='{ben.jid}'>{UNKNOWN}</iq>")
    ben.expect("iq", id="q2")
    ben.send(
        f"<iq type='error' id='q2' to='{ann.jid}'>"
        f"<error type='cancel'><feature-not-implemented xmlns='{ns.STANZA_ERRORS}'/></error></iq>"
    )
    ann.expect_error("iq", "feature-not-implemented", "cancel", id="q2", from_=ben.jid)


def test_an_error_comes_from_where_the_request_went(ann: Client) -> None:
    ann.send(f"<iq type='get' id='q3' to='nobody@localhost'>{UNKNOWN}</iq>")
    ann.expect_error("iq", "service-unavailable", id="q3", from_="nobody@localhost", to=ann.jid)


def test_a_request_without_to_is_answered_for_the_account(ann: Client) -> None:
    ann.send(f"<iq type='get' id='q4'>{UNKNOWN}</iq>")
    reply = ann.expect_error("iq", "service-unavailable", id="q4")
    assert reply.get("from") in (None, ann.bare), show(reply)


# Errors (§8.3)


def test_an_error_is_never_answered(ann: Client) -> None:
    refusal = f"<error type='cancel'><gone xmlns='{ns.STANZA_ERRORS}'/></error>"
    for to in ("nobody@localhost", "nobody@localhost/x", "localhost/x", "elsewhere.invalid", "@", f"{ann.bare}/gone"):
        for kind in ("message", "presence", "iq"):
            ann.send(f"<{kind} type='error' id='e' to='{to}'>{refusal}</{kind}>")
    ann.nothing_before()


@pytest.mark.parametrize("kind", ["message", "iq"])
def test_an_error_swaps_the_addresses_and_keeps_the_id(ann: Client, kind: str) -> None:
    inside, type = ("<body>hello</body>", "chat") if kind == "message" else (UNKNOWN, "get")
    ann.send(f"<{kind} type='{type}' id='keep me' to='nobody@localhost/x'>{inside}</{kind}>")
    ann.expect_error(kind, "service-unavailable", "cancel", id="keep me", from_="nobody@localhost/x", to=ann.jid)


# Addresses (§8.1.1, §10.3)


@pytest.mark.parametrize(
    "to", ["@localhost", "a@b@localhost", "ann@", "localhost/", "a b@localhost", "'", "a&b@x", "", "/"]
)
@pytest.mark.parametrize("kind", ["message", "presence", "iq"])
def test_what_is_no_address_is_malformed(ann: Client, kind: str, to: str) -> None:
    inside = {"message": "<body>hello</body>", "presence": "", "iq": f"<ping xmlns='{ns.PING}'/>"}[kind]
    type = "type='get'" if kind == "iq" else ""
    escaped = to.replace("&", "&amp;").replace("'", "&apos;")
    ann.send(f"<{kind} {type} id='m' to='{escaped}'>{inside}</{kind}>")
    ann.expect_error(kind, "jid-malformed", "modify", id="m")


def test_addresses_are_compared_in_prepared_form(ann: Client, ben: Client) -> None:
    ann.send(f"<message to='{ben.bare.upper()}/{ben.resource}'><body>hello</body></message>")
    ben.expect("message", from_=ann.jid)


@pytest.mark.parametrize("kind", ["message", "iq"])
def test_a_host_that_cannot_be_found(ann: Client, kind: str) -> None:
    inside, type = ("<body>hello</body>", "chat") if kind == "message" else (UNKNOWN, "get")
    ann.send(f"<{kind} type='{type}' id='r' to='romeo@elsewhere.invalid'>{inside}</{kind}>")
    ann.expect_error(kind, "remote-server-not-found", id="r", from_="romeo@elsewhere.invalid")


def test_a_message_without_to_goes_to_oneself(guests: People, ann: Client) -> None:
    other = guests.another(ann)
    ann.send("<message id='m' type='chat'><body>note to self</body></message>")
    other.expect("message", "body", from_=ann.jid)
    ann.expect("message", "body", from_=ann.jid)


# Kinds of stanza


def test_a_message_of_unknown_type_is_normal(ann: Client, ben: Client) -> None:
    ann.send(f"<message type='letter' to='{ben.bare}'><body>hello</body></message>")
    ben.expect("message", "body", from_=ann.jid)


def test_a_presence_of_unknown_type_is_a_bad_request(ann: Client, ben: Client) -> None:
    ann.send(f"<presence type='asleep' id='p' to='{ben.jid}'/>")
    ann.expect_error("presence", "bad-request", id="p")
    ben.nothing_before()


# Contents (§8.4, §11)


def said(ann: Client, ben: Client, content: str) -> Element:
    ann.send(f"<message to='{ben.jid}' type='chat' id='c'>{content}</message>")
    return ben.expect("message", id="c", type="chat")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("]]&gt;", "]]>"),
        ("<![CDATA[<b>&amp;</b>]]>", "<b>&amp;</b>"),
        ("line\nbreak\ttab &#13; return", "line\nbreak\ttab \r return"),
        ("  spaces  ", "  spaces  "),
        ("&quot;&apos;", "\"'"),
        ("\U0001f3b6 \u00fc \u4e2d \u0627 e\u0301", "\U0001f3b6 \u00fc \u4e2d \u0627 e\u0301"),
        ("&#x1F3B6;", "\U0001f3b6"),
        ("\ufffd\ue000", "\ufffd\ue000"),
    ],
)
def test_text_arrives_as_it_was_written(ann: Client, ben: Client, written: str, read: str) -> None:
    assert text(said(ann, ben, f"<body>{written}</body>"), "body") == read


def test_an_attribute_arrives_as_it_was_written(ann: Client, ben: Client) -> None:
    message = said(ann, ben, "<x xmlns='urn:example' a='&lt;&amp;&quot;&apos;&#10;&#9;&#13; ü'/>")
    assert message[0].get("a") == "<&\"'\n\t\r ü"


def test_payloads_of_other_namespaces_pass_unchanged(ann: Client, ben: Client) -> None:
    message = said(
        ann,
        ben,
        "<body xml:lang='en'>hi</body><p:x xmlns:p='urn:example:p' p:n='1' plain='2' xml:lang='la'>"
        "a<inner xmlns='urn:example:q'>b<p:deep/>c</inner>d<none xmlns=''/></p:x><thread parent='t'>u</thread>",
    )
    body, x, thread = [child for child in message if child.tag in ("body", "{urn:example:p}x", "thread")]
    assert body.get(f"{ROOT}lang") == "en"
    assert x.attrib == {"{urn:example:p}n": "1", "plain": "2", f"{ROOT}lang": "la"}
    inner = x[0]
    assert (x.text, inner.tag, inner.text, inner.tail) == ("a", "{urn:example:q}inner", "b", "d")
    assert (inner[0].tag, inner[0].tail) == ("{urn:example:p}deep", "c")
    assert x[1].tag == "none"
    assert thread.get("parent") == "t"


def test_attributes_of_other_namespaces_pass_on_the_stanza_itself(ann: Client, ben: Client) -> None:
    ann.send(f"<message to='{ben.jid}' xmlns:e='urn:example' e:mark='1'><body>hello</body></message>")
    assert ben.expect("message").get("{urn:example}mark") == "1"


def test_a_forwarded_message_inside_is_one_of_the_content_namespace(ann: Client, ben: Client) -> None:
    message = said(
        ann,
        ben,
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='x@y' to='z@y'>"
        "<body>told</body></message></forwarded>",
    )
    forwarded = find(message, "{urn:xmpp:forward:0}forwarded/message")
    assert forwarded is not None, show(message)
    assert text(forwarded, "body") == "told"


# Order (§10.1)


def test_stanzas_between_two_keep_their_order(ann: Client, ben: Client) -> None:
    for number in range(60):
        if number % 3 == 0:
            ann.send(f"<message to='{ben.jid}' id='{number}'><body>{number}</body></message>")
        elif number % 3 == 1:
            ann.send(f"<iq type='get' to='{ben.jid}' id='{number}'>{UNKNOWN}</iq>")
        else:
            ann.send(f"<presence to='{ben.jid}' id='{number}'/>")
    assert [ben.next().get("id") for _ in range(60)] == [str(number) for number in range(60)]


def test_answers_keep_the_order_of_the_requests(ann: Client) -> None:
    for number in range(20):
        payload = f"<ping xmlns='{ns.PING}'/>" if number % 2 else f"<query xmlns='{ns.DISCO_INFO}'/>"
        ann.send(f"<iq type='get' to='localhost' id='{number}'>{payload}</iq>")
    assert [ann.next().get("id") for _ in range(20)] == [str(number) for number in range(20)]


def test_a_message_and_a_request_sent_in_one_write_keep_their_order(ann: Client, ben: Client) -> None:
    burst = "".join(f"<message to='{ben.bare}' type='chat'><body>{number}</body></message>" for number in range(100))
    ann.send(burst + f"<iq type='get' id='last' to='{ben.jid}'>{UNKNOWN}</iq>")
    came = [ben.next() for _ in range(101)]
    assert [text(each, "body") for each in came[:100]] == [str(number) for number in range(100)]
    assert came[100].get("id") == "last"
