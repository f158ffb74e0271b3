"""Servers that are broken or hostile: each comes to an end that is told in words, and delivers nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface import implementer

from fermata.core.s2s.outgoing import Verify
from fermata.core.s2s.pair import Pair, Verdict
from fermata.core.s2s.trouble import Cause, Trouble
from fermata.xmpp import namespaces as ns
from fermata.xmpp.errors import StreamError
from kit.ca import Issued, self_signed
from kit.pipes import Peer, PipeEnd
from kit.servers_on_net import LIMITS, UNAUTHENTICATED_SECONDS, Net, NotingTrunk, Server, only, wrapped

OURS, THEIRS = Pair("a.example", "b.example"), Pair("b.example", "a.example")
ADDRESSES = "from='ann@a.example/x' to='ben@b.example'"
MESSAGE = f"<message {ADDRESSES}><body>hi</body></message>"
HEADER = (
    f"<stream:stream xmlns='{ns.SERVER}' xmlns:stream='{ns.STREAMS}' xmlns:db='{ns.DIALBACK}' version='1.0'"
    " from='a.example' to='b.example'>"
)
AUTH = f"<auth xmlns='{ns.SASL}' mechanism='EXTERNAL'>=</auth>"
STARTTLS = f"<stream:features><starttls xmlns='{ns.TLS}'/></stream:features>"
PROCEED = f"<proceed xmlns='{ns.TLS}'/>"


@pytest.fixture
def here(make: Callable[..., Server]) -> Server:
    return make("a.example")


@pytest.fixture
def there(make: Callable[..., Server]) -> Server:
    return make("b.example")


def trouble(net: Net) -> Trouble:
    """Why the only connection that was dialled has failed: this is told once."""
    (told,) = net.troubles
    return told


def proven(net: Net, server: Server, by: Server) -> tuple[Peer, PipeEnd, NotingTrunk]:
    """A stream to `server` on which a.example is proven to b.example, for the words of a test."""
    peer, end = net.intrude(server, by, OURS)
    peer.say(HEADER + AUTH)
    net.run(0)
    peer.say(HEADER)
    net.run(0)
    peer.heard = b""
    return peer, end, server.trunks[-1]


def everything_is_over(net: Net) -> bool:
    """Whether nothing but a listener's sweep is left to be done."""
    net.run(60)
    return len(net.clock.getDelayedCalls()) == 0


# -- those whom we connect to


def test_who_closes_at_once_is_told_of(net: Net, here: Server) -> None:
    peer = Peer()
    _, end = net.dial_to(peer, here, OURS)
    end.other.loseConnection()
    net.run()
    assert trouble(net).cause is Cause.STREAM
    assert "the connection broke" in trouble(net).text
    assert everything_is_over(net)


def test_who_says_nothing_is_told_of_in_time(net: Net, here: Server) -> None:
    peer = Peer()
    net.dial_to(peer, here, OURS)
    net.run(UNAUTHENTICATED_SECONDS - 1)
    assert net.troubles == []
    net.run(1)
    assert trouble(net).cause is Cause.SILENT
    net.run(10)
    assert peer.lost is not None
    assert everything_is_over(net)


def test_who_says_half_a_header_is_told_of_in_time(net: Net, here: Server) -> None:
    peer = Peer()
    net.dial_to(peer, here, OURS)
    peer.say(HEADER[:40])
    net.run(UNAUTHENTICATED_SECONDS)
    assert trouble(net).cause is Cause.SILENT
    assert everything_is_over(net)


@pytest.mark.parametrize("direct_tls", [True, False])
def test_who_says_nothing_of_tls_is_told_of_in_time(net: Net, here: Server, direct_tls: bool) -> None:
    peer = Peer()
    net.dial_to(peer, here, OURS, direct_tls=direct_tls)
    if not direct_tls:
        peer.say(HEADER + STARTTLS)
        net.run(0)
        peer.say(PROCEED)
    net.run(UNAUTHENTICATED_SECONDS)
    assert trouble(net).cause is Cause.NO_TLS
    assert "says nothing" in trouble(net).text
    assert everything_is_over(net)


def test_who_speaks_no_tls_where_there_should_be_is_told_of(net: Net, here: Server) -> None:
    peer = Peer()
    net.dial_to(peer, here, OURS, direct_tls=True)
    peer.say("HTTP/1.1 400 Bad Request\r\n\r\n")
    net.run()
    assert trouble(net).cause is Cause.NO_TLS
    assert everything_is_over(net)


@implementer(IOpenSSLServerConnectionCreator)
class Picky:
    """A server's TLS that accepts nobody's certificate."""

    def __init__(self, issued: Issued, version: int, directory: Path) -> None:
        self._context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self._context.set_max_proto_version(version)
        certificate, key = issued.write(directory / "picky.pem", directory / "picky.key")
        self._context.use_certificate_chain_file(str(certificate))
        self._context.use_privatekey_file(str(key))
        self._context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: False)

    def serverConnectionForTLS(self, tls: Any) -> SSL.Connection:  # noqa: N802
        return SSL.Connection(self._context, None)


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_who_refuses_our_certificate_in_the_handshake_is_told_of(
    net: Net, here: Server, certified: dict[str, Issued], tmp_path: Path, version: int
) -> None:
    """With TLS 1.3 the connecting side takes the handshake for done by then (RFC 8446 §4.4.2.4)."""
    picky = wrapped(Peer(), Picky(certified["b.example"], version, tmp_path))
    net.dial_to(picky, here, OURS, direct_tls=True)
    net.run()
    assert trouble(net).cause is Cause.NO_TLS
    assert "alert" in trouble(net).text
    assert here.trunks == []
    assert everything_is_over(net)


def test_who_hangs_up_once_it_has_seen_our_certificate_is_told_of(net: Net, here: Server, there: Server) -> None:
    peer = Peer()
    _, end = net.dial_to(wrapped(peer, there.tls.server_creator()), here, OURS, direct_tls=True)
    net.run(0)
    assert HEADER[:14].encode() in peer.heard
    end.other.loseConnection()
    net.run()
    assert trouble(net).cause is Cause.NO_TLS
    assert "certificate" in trouble(net).text


@pytest.mark.parametrize("smuggled", ["<stream:features/>", f"{HEADER}<stream:features/>", " <x/>"])
def test_what_follows_the_go_ahead_for_tls_in_the_clear_is_nobodys_word(net: Net, here: Server, smuggled: str) -> None:
    peer = Peer()
    net.dial_to(peer, here, OURS)
    peer.say(HEADER + STARTTLS)
    net.run(0)
    peer.say(PROCEED + smuggled)
    net.run()
    assert "policy-violation" in trouble(net).text
    assert everything_is_over(net)


def test_a_question_about_a_key_that_is_not_answered_fails_once(net: Net, here: Server, there: Server) -> None:
    verdicts: list[Verdict] = []
    purpose = Verify("1", "key", lambda verdict, text: verdicts.append(verdict))
    peer = Peer()
    net.dial_to(wrapped(peer, there.tls.server_creator()), here, OURS, purpose, direct_tls=True)
    net.run(0)
    peer.say(HEADER + "<stream:features/>")
    net.run(0)
    assert b"<db:verify" in peer.heard
    net.run(UNAUTHENTICATED_SECONDS)
    assert trouble(net).cause is Cause.SILENT
    assert verdicts == []
    assert everything_is_over(net)


def test_an_answered_question_ends_without_a_word_of_failure(net: Net, here: Server, there: Server) -> None:
    verdicts: list[Verdict] = []
    key = there.key("b.example", "a.example", "1")
    purpose = Verify("1", key, lambda verdict, text: verdicts.append(verdict))
    net.dial(here, OURS, purpose)
    net.run()
    assert verdicts == [Verdict.VALID]
    assert net.troubles == net.proven == here.trunks == there.trunks == []
    assert everything_is_over(net)


def test_who_is_given_up_by_the_dialler_is_gone(net: Net, here: Server, there: Server) -> None:
    _, end = net.dial(here, OURS)
    end.abortConnection()
    net.run()
    assert here.trunks == there.trunks == []
    assert everything_is_over(net)


# -- those who connect to us


def test_who_connects_and_says_nothing_is_sent_away(net: Net, there: Server) -> None:
    peer, _ = net.intrude(there)
    net.run(UNAUTHENTICATED_SECONDS + 10)
    assert b"<connection-timeout " in peer.heard
    assert peer.heard.startswith(b"<?xml")
    assert peer.lost is not None
    assert len(there.listeners) == 0
    assert everything_is_over(net)


def test_who_only_says_who_he_is_is_sent_away(net: Net, here: Server, there: Server) -> None:
    peer, _ = net.intrude(there, here, OURS)
    for _ in range(int(UNAUTHENTICATED_SECONDS)):
        peer.say(" ")
        net.run(1)
    peer.say(HEADER)
    net.run(10)
    assert peer.lost is not None
    assert there.trunks == []


@pytest.mark.parametrize("flood", [" ", "<db:verify from='a.example' to='b.example' id='1'>key</db:verify>", "<x>"])
def test_a_flood_before_proof_is_cut_off(net: Net, here: Server, there: Server, flood: str) -> None:
    peer, _ = net.intrude(there, here, OURS)
    peer.say(HEADER)
    for _ in range(200):
        peer.say(flood * (2000 // len(flood)))
        net.run(0)
    assert b"<policy-violation " in peer.heard
    net.run(10)
    assert peer.lost is not None
    assert there.trunks == []
    assert everything_is_over(net)


def test_who_asks_about_keys_and_does_not_read_the_answers_is_cut_off(net: Net, here: Server, there: Server) -> None:
    peer, end, trunk = proven(net, there, here)
    end.reads = False
    for _ in range(2000):
        peer.say("<db:verify from='a.example' to='b.example' id='1'>key</db:verify>")
        net.run(0)
        if trunk.troubles:
            break
    (told,) = trunk.troubles
    assert "you do not read" in told.text
    net.run(10)
    assert len(there.listeners) == 0


def test_half_a_stanza_is_none(net: Net, here: Server, there: Server) -> None:
    peer, end, trunk = proven(net, there, here)
    peer.say(MESSAGE + MESSAGE[:-12])
    net.run()
    assert len(trunk.taken) == 1
    end.abortConnection()
    net.run()
    assert len(trunk.taken) == 1
    assert [each.cause for each in trunk.troubles] == [Cause.STREAM]
    assert everything_is_over(net)


def test_what_is_too_large_is_refused_and_the_stream_goes_on(net: Net, here: Server, there: Server) -> None:
    peer, _, trunk = proven(net, there, here)
    peer.say(f"<message {ADDRESSES}><body>{'x' * LIMITS.stanza_bytes}</body></message>" + MESSAGE)
    net.run()
    assert trunk.refused == [("policy-violation", "ben@b.example", "ann@a.example/x")]
    assert len(trunk.taken) == 1


def test_what_is_far_too_large_is_not_borne(net: Net, here: Server, there: Server) -> None:
    peer, _, trunk = proven(net, there, here)
    peer.say(f"<message {ADDRESSES}><body>")
    for _ in range(50):
        peer.say("x" * 4000)
        net.run(0)
    assert b"<policy-violation " in peer.heard
    assert len(trunk.troubles) == 1


def test_a_malformed_address_is_refused_and_the_stream_goes_on(net: Net, here: Server, there: Server) -> None:
    peer, _, trunk = proven(net, there, here)
    peer.say("<message from='ann@a.example' to='a:b@b.example'/>" + MESSAGE)
    net.run()
    assert trunk.refused == [("jid-malformed", "b.example", "a.example")]
    assert len(trunk.taken) == 1


def test_too_large_and_from_somebody_else_is_a_forgery_all_the_same(net: Net, here: Server, there: Server) -> None:
    peer, _, trunk = proven(net, there, here)
    peer.say(f"<message from='cid@c.example' to='ben@b.example'><body>{'x' * LIMITS.stanza_bytes}</body></message>")
    net.run()
    assert trunk.refused == []
    assert b"<invalid-from " in peer.heard


@pytest.mark.parametrize(
    "forged",
    [
        "<message from='cid@c.example' to='ben@b.example'/>",
        "<message from='ann@a.example' to='room@chat.b.example'/>",
        "<message from='ann@a.example' to='cid@c.example'/>",
        "<message to='ben@b.example'/>",
        "<db:result from='c.example' to='b.example' type='valid'/>",
        "<db:verify from='c.example' to='b.example' id='1' type='valid'/>",
        "<!-- comment -->",
        "<message",
        "<x xmlns='urn:example'/>",
    ],
)
def test_a_forgery_ends_the_stream_and_only_that(net: Net, here: Server, there: Server, forged: str) -> None:
    peer, _, trunk = proven(net, there, here)
    _, _, other = proven(net, there, here)
    peer.say(MESSAGE + forged + "<" + MESSAGE + MESSAGE)
    net.run(10)
    assert len(trunk.taken) == 1
    assert len(trunk.troubles) == 1
    assert peer.lost is not None
    assert other.troubles == []
    assert len(there.listeners) == 1


@pytest.mark.parametrize("smuggled", [MESSAGE, HEADER, "<x/>"])
def test_what_follows_the_request_for_tls_in_the_clear_is_nobodys_word(net: Net, there: Server, smuggled: str) -> None:
    peer, _ = net.intrude(there)
    peer.say(HEADER + f"<starttls xmlns='{ns.TLS}'/>" + smuggled)
    net.run(10)
    assert b"<policy-violation " in peer.heard
    assert peer.lost is not None
    assert there.trunks == []


def test_a_spoofed_key_does_not_work(net: Net, make: Callable[..., Server], there: Server) -> None:
    here = make("a.example", self_signed("a.example"))
    peer, _ = net.intrude(there, here, OURS)
    peer.say(HEADER + "<db:result from='a.example' to='b.example'>spoofed</db:result>")
    net.run(10)
    assert b"type='invalid'" in peer.heard
    assert peer.lost is not None
    assert there.trunks == here.trunks == []
    assert everything_is_over(net)


def test_an_authority_that_cannot_be_asked_leaves_the_stream_unproven(
    net: Net, make: Callable[..., Server], there: Server
) -> None:
    here = make("a.example", self_signed("a.example"))
    there.verifies = False
    net.dial(here, OURS)
    net.run(10)
    assert there.trunks == here.trunks == []
    assert trouble(net).cause is Cause.AUTHENTICATION
    assert "remote-server-timeout" in trouble(net).text
    assert "nobody is there" not in trouble(net).text  # nobody has our network explored for him


def test_an_answer_for_a_connection_that_is_gone_is_too_late(
    net: Net, make: Callable[..., Server], there: Server
) -> None:
    here = make("a.example", self_signed("a.example"))
    answers: list[Callable[[Verdict, str], None]] = []
    there.verify = lambda pair, stream_id, key, answered: answers.append(answered)  # type: ignore[method-assign]
    _, end = net.dial(here, OURS)
    net.run()
    (answered,) = answers
    end.abortConnection()
    net.run()
    answered(Verdict.VALID, "")
    net.run()
    assert there.trunks == []
    assert everything_is_over(net)


# -- what goes in order


def test_what_is_proven_has_all_the_time_that_it_likes(net: Net, here: Server, there: Server) -> None:
    net.dial(here, OURS)
    net.run(100 * UNAUTHENTICATED_SECONDS)
    only(here.trunks).connection.write(MESSAGE)
    net.run()
    assert len(only(there.trunks).taken) == 1


def test_stream_management_is_for_the_trunk(net: Net, here: Server, there: Server) -> None:
    peer, _, trunk = proven(net, there, here)
    peer.say("".join(f"<{name} xmlns='{ns.SM}'/>" for name in ("enable", "r", "a", "resume")))
    net.run()
    assert trunk.managed == ["enable", "r", "a", "resume"]
    assert peer.heard == b""


def test_a_peer_that_does_not_keep_up_is_not_written_to_until_it_does(net: Net, here: Server, there: Server) -> None:
    _, end = net.dial(here, OURS)
    net.run()
    trunk = only(here.trunks)
    end.other.reads = False
    while not trunk.connection.paused:
        trunk.connection.write(MESSAGE * 100)
        net.run(0)
    assert trunk.drains == 0
    end.other.resumeProducing()
    net.run()
    assert trunk.drains > 0
    assert not trunk.connection.paused
    assert only(there.trunks).troubles == []


def test_who_closes_first_still_takes_what_was_sent(net: Net, here: Server, there: Server) -> None:
    """The other's stanzas may be under way when the stream is closed (RFC 6120 §4.4)."""
    here.offers_bidi = there.offers_bidi = True
    net.dial(here, OURS)
    net.run()
    out, in_ = only(here.trunks), only(there.trunks)
    out.connection.end(None)
    out.connection.write(MESSAGE)
    in_.connection.write("<message from='ben@b.example' to='ann@a.example'/>")
    net.run(0)
    assert len(out.taken) == 1
    assert in_.taken == []
    net.run(10)
    assert [each.text for each in out.troubles] == ["we have closed the stream"]
    assert [each.text for each in in_.troubles] == ["the other server has closed the stream"]
    assert everything_is_over(net)


def test_who_never_closes_his_stream_is_not_waited_for_long(net: Net, here: Server, there: Server) -> None:
    peer, _, trunk = proven(net, there, here)
    trunk.connection.end(None)
    trunk.connection.write("<a/>")
    net.run(1)
    assert peer.heard == b"</stream:stream>"
    assert trunk.troubles == []
    peer.say(MESSAGE)
    net.run(1)
    assert len(trunk.taken) == 1
    net.run(10)
    assert len(trunk.troubles) == 1
    assert peer.lost is not None
    assert everything_is_over(net)


def test_an_end_at_once_waits_for_nothing(net: Net, here: Server, there: Server) -> None:
    peer, _, trunk = proven(net, there, here)
    trunk.connection.end_now(StreamError("system-shutdown"))
    assert len(trunk.troubles) == 1
    peer.say(MESSAGE)
    net.run()
    assert b"<system-shutdown " in peer.heard
    assert trunk.taken == []
    trunk.connection.end_now(None)
    trunk.connection.end(None)
    assert everything_is_over(net)
    assert len(trunk.troubles) == 1


def test_the_others_stream_error_reaches_the_trunk(net: Net, here: Server, there: Server) -> None:
    peer, _, trunk = proven(net, there, here)
    error = f"<stream:error><system-shutdown xmlns='{ns.STREAM_ERRORS}'/></stream:error></stream:stream>"
    peer.say(error)
    net.run()
    assert [each.text for each in trunk.troubles] == ["the other server has closed the stream with system-shutdown"]
    assert peer.heard == b"</stream:stream>"
    assert peer.lost is not None


def test_listeners_close_all_connections_at_the_end(net: Net, here: Server, there: Server) -> None:
    peer, _, trunk = proven(net, there, here)
    other, _ = net.intrude(there)
    there.listeners.end_all(StreamError("system-shutdown"))
    net.run()
    assert b"<system-shutdown " in peer.heard
    assert b"<system-shutdown " in other.heard
    assert len(there.listeners) == 0
    assert len(trunk.troubles) == 1


# -- who sends very much at a time


def test_a_flood_does_not_hold_up_others_and_arrives_in_order(net: Net, here: Server, there: Server) -> None:
    flooding, _, flooded = proven(net, there, here)
    modest, _, heard = proven(net, there, here)
    heard.taken = flooded.taken
    flooding.say("".join(f"<message {ADDRESSES} id='{number}'/>" for number in range(1000)))
    modest.say(f"<message {ADDRESSES} id='modest'/>")
    net.run()
    taken = [str(stanza.get("id")) for stanza in flooded.taken]
    assert taken.index("modest") < 200
    taken.remove("modest")
    assert taken == [str(number) for number in range(1000)]


def test_all_of_a_flood_is_taken_from_who_closes_the_connection_behind_it(
    net: Net, here: Server, there: Server
) -> None:
    flooding, end, flooded = proven(net, there, here)
    flooding.say("".join(f"<message {ADDRESSES} id='{number}'/>" for number in range(1000)))
    net.clock.advance(0)
    end.loseConnection()
    net.run(10)
    assert len(flooded.taken) == 1000
    assert flooded.troubles != []
    assert everything_is_over(net)
