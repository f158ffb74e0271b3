"""What the accepting side of a stream between servers must never do (XEP-0178, XEP-0220 §3, XEP-0288, RFC 6120 §4)."""

import base64

import pytest

from fermata.core.s2s.incoming import IncomingStream
from fermata.core.s2s.pair import Pair, Verdict
from fermata.core.s2s.wants import Ask
from fermata.xmpp import namespaces as ns
from kit.servers import Place, Side

PAIR = Pair("b.example", "a.example")
TLS, SASL, BIDI = f"<starttls xmlns='{ns.TLS}'/>", f"xmlns='{ns.SASL}'", f"<bidi xmlns='{ns.BIDI}'/>"
RESULT = "<db:result from='a.example' to='b.example'>key</db:result>"
VALID = "<db:result from='a.example' to='b.example' type='valid'/>"


def header(to: str = "b.example", sender: str = "a.example", version: str = "1.0") -> str:
    stated = "".join(
        f" {name}='{value}'" for name, value in (("to", to), ("from", sender), ("version", version)) if value
    )
    return f"<stream:stream xmlns='{ns.SERVER}' xmlns:stream='{ns.STREAMS}' xmlns:db='{ns.DIALBACK}'{stated}>"


def auth(identity: str = "a.example") -> str:
    return f"<auth {SASL} mechanism='EXTERNAL'>{base64.b64encode(identity.encode()).decode()}</auth>"


class Accepted(Side):
    """The accepting side of a stream that a test speaks on; `peer` is whose certificate it was shown."""

    def __init__(self, place: Place, peer: Place) -> None:
        self.ids = 0
        super().__init__(IncomingStream(place.policy, self.new_id), peer)
        self.incoming: IncomingStream = self.stream  # type: ignore[assignment]

    def new_id(self) -> str:
        self.ids += 1
        return f"id-{self.ids}"

    def hear(self, *texts: str) -> str:
        """What it answers."""
        before = len(self.said)
        for text in texts:
            self.receive(text)
        return "".join(self.said[before:])

    @property
    def asked(self) -> list[Ask]:
        return [want for want in self.done if isinstance(want, Ask)]

    def answer(self, number: int, verdict: Verdict) -> str:
        before = len(self.said)
        self.do(self.incoming.answered(self.asked[number], verdict))
        return "".join(self.said[before:])


@pytest.fixture
def ours() -> Place:
    return Place({"b.example", "chat.b.example"}, offers_bidi=True)


@pytest.fixture
def theirs() -> Place:
    return Place({"a.example"})


@pytest.fixture
def clear(ours: Place, theirs: Place) -> Accepted:
    """A connection without TLS, on which nothing was said."""
    return Accepted(ours, theirs)


@pytest.fixture
def stream(clear: Accepted) -> Accepted:
    """A stream on TLS, of whom dialback alone can prove."""
    clear.incoming.secured(clear.other.shown)
    clear.hear(header())
    return clear


@pytest.fixture
def certified(clear: Accepted) -> Accepted:
    """A stream on TLS, of whom a certificate can prove."""
    clear.other.certified = {"a.example"}
    clear.incoming.secured(clear.other.shown)
    clear.hear(header())
    return clear


# -- the header


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        (header(to="c.example"), "host-unknown"),
        (header(to=""), "host-unknown"),
        (header(to="ben@b.example"), "host-unknown"),
        (header(sender="ann@a.example"), "improper-addressing"),
        (header(sender="a b"), "improper-addressing"),
        (header(sender="b.example"), "invalid-from"),
        (header(sender="chat.b.example"), "invalid-from"),
        (header(version=""), "unsupported-version"),
        (header().replace(ns.SERVER, ns.CLIENT, 1), "invalid-namespace"),
    ],
)
def test_a_wrong_header_is_answered_with_ours_and_what_is_wrong(clear: Accepted, text: str, condition: str) -> None:
    answer = clear.hear(text)
    assert clear.condition == condition
    assert answer.startswith("<?xml version='1.0'?><stream:stream ")
    assert answer.endswith("</stream:stream>")


def test_the_header_may_leave_out_whose_it_is_before_anything_is_proven(clear: Accepted) -> None:
    clear.incoming.secured(clear.other.shown)
    assert "EXTERNAL" not in clear.hear(header(sender=""))
    clear.hear(RESULT)
    assert clear.asked == [Ask(PAIR, "id-1", "key")]


def test_the_header_names_the_prefix_of_dialback(clear: Accepted) -> None:
    answer = clear.hear(header())
    assert "xmlns:db='jabber:server:dialback'" in answer
    assert "id='id-1' from='b.example' to='a.example'" in answer


# -- TLS


def test_without_tls_nothing_but_tls_is_offered(clear: Accepted) -> None:
    answer = clear.hear(header())
    assert f"<starttls xmlns='{ns.TLS}'><required/></starttls>" in answer
    assert not any(name in answer for name in ("mechanism", "dialback xmlns", "bidi", "<sm"))


def test_without_tls_no_key_is_looked_at(clear: Accepted) -> None:
    answer = clear.hear(header(), RESULT)
    assert "type='error'" in answer
    assert "policy-violation" in answer
    assert not clear.asked


def test_without_tls_nobody_is_told_which_keys_are_ours(clear: Accepted) -> None:
    answer = clear.hear(header(), "<db:verify from='a.example' to='b.example' id='1'>key</db:verify>")
    assert "type='error'" in answer
    assert "policy-violation" in answer


@pytest.mark.parametrize("text", [auth(), f"<auth {SASL} mechanism='EXTERNAL'>=</auth>"])
def test_without_tls_there_is_no_certificate(clear: Accepted, text: str) -> None:
    clear.other.certified = {"a.example"}
    assert "<invalid-mechanism/>" in clear.hear(header(), text)


def test_tls_is_begun_once(stream: Accepted) -> None:
    assert f"<failure xmlns='{ns.TLS}'/>" in stream.hear(TLS)
    assert stream.is_over


def test_what_was_asked_in_the_clear_does_not_hold_on_tls(ours: Place, theirs: Place) -> None:
    ours.require_tls = False
    stream = Accepted(ours, theirs)
    stream.hear(header(), RESULT)
    assert stream.asked
    stream.hear(TLS)
    assert stream.is_over


def test_tls_is_not_required_where_it_is_not(ours: Place, theirs: Place) -> None:
    ours.require_tls = False
    stream = Accepted(ours, theirs)
    answer = stream.hear(header())
    assert "<required/>" not in answer
    assert "<errors/>" in answer
    assert "bidi" not in answer


# -- SASL EXTERNAL


def test_external_is_offered_only_to_whom_it_will_succeed_for(stream: Accepted, ours: Place, theirs: Place) -> None:
    assert "EXTERNAL" not in stream.said[-1]
    theirs.certified = {"a.example"}
    other = Accepted(ours, theirs)
    other.incoming.secured(theirs.shown)
    assert "EXTERNAL" not in other.hear(header(sender="c.example"))


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        (auth("c.example"), "invalid-authzid"),
        (auth("ann@a.example"), "invalid-authzid"),
        (f"<auth {SASL} mechanism='EXTERNAL'>?</auth>", "incorrect-encoding"),
        (f"<auth {SASL} mechanism='EXTERNAL'>/w==</auth>", "incorrect-encoding"),
        (f"<auth {SASL} mechanism='PLAIN'>AGEAYg==</auth>", "invalid-mechanism"),
    ],
)
def test_a_certificate_does_not_prove_anything_else(certified: Accepted, text: str, condition: str) -> None:
    assert f"<{condition}/>" in certified.hear(text)
    assert not certified.incoming.is_proven
    assert not certified.is_over


def test_who_was_not_offered_external_does_not_get_in_by_it(stream: Accepted) -> None:
    assert "<not-authorized/>" in stream.hear(auth())
    assert "type='error'" not in stream.hear(RESULT)
    assert stream.asked


def test_one_may_not_try_for_ever(stream: Accepted) -> None:
    for _ in range(3):
        assert not stream.is_over
        stream.hear(auth())
    assert stream.condition == "policy-violation"


def test_an_attempt_does_not_go_on_once_something_is_asked_or_proven(certified: Accepted) -> None:
    certified.hear(f"<auth {SASL} mechanism='EXTERNAL'/>")
    certified.hear("<db:result from='a.example' to='b.example'>key</db:result>")
    assert certified.receives == [PAIR]
    certified.hear(f"<response {SASL}>=</response>")
    assert certified.condition == "not-authorized"
    assert certified.receives == [PAIR]


def test_why_a_certificate_does_not_do_is_told(stream: Accepted) -> None:
    assert "the certificate does not name a.example</text>" in stream.hear(auth())


def test_an_attempt_can_be_given_up(certified: Accepted) -> None:
    certified.hear(f"<auth {SASL} mechanism='EXTERNAL'/>")
    assert "<aborted/>" in certified.hear(f"<abort {SASL}/>")
    certified.hear(f"<response {SASL}/>")
    assert certified.condition == "not-authorized"


@pytest.mark.parametrize("changed", [header(to="chat.b.example"), header(sender="c.example"), header(sender="")])
def test_what_sasl_has_proven_holds_for_the_same_domains_alone(certified: Accepted, changed: str) -> None:
    certified.hear(auth())
    certified.hear(changed)
    assert certified.condition == "invalid-from"
    assert not certified.receives


def test_nothing_is_proven_between_success_and_the_new_header(certified: Accepted) -> None:
    assert "<success" in certified.hear(auth())
    assert not certified.receives
    certified.hear("<message from='ann@a.example' to='ben@b.example'/>")
    assert certified.condition
    assert not certified.taken


def test_one_authenticates_once(certified: Accepted) -> None:
    certified.hear(auth(), header())
    assert certified.receives == [PAIR]
    certified.hear(auth())
    assert certified.condition == "not-authorized"


# -- dialback


@pytest.mark.parametrize(
    "answer",
    [
        VALID,
        "<db:result from='a.example' to='b.example' type='invalid'/>",
        "<db:result from='a.example' to='b.example' type='error'/>",
        "<db:result from='a.example' to='b.example' type=''>key</db:result>",
        "<db:verify from='a.example' to='b.example' id='id-1' type='valid'/>",
        "<db:verify from='a.example' to='b.example' id='id-1' type='invalid'/>",
    ],
)
@pytest.mark.parametrize("is_asking", [True, False])
def test_an_unsolicited_answer_proves_nothing_and_ends_the_stream(
    stream: Accepted, answer: str, is_asking: bool
) -> None:
    """XEP-0220 §3.1: an accepting server has asked nobody over the stream that it has accepted."""
    if is_asking:
        stream.hear(RESULT)
    stream.hear(answer)
    assert stream.condition == "not-authorized"
    assert not stream.receives


def test_an_unsolicited_answer_ends_a_proven_bidirectional_stream_too(stream: Accepted) -> None:
    stream.hear(BIDI, RESULT)
    stream.answer(0, Verdict.VALID)
    stream.hear("<db:result from='c.example' to='b.example' type='valid'/>")
    assert stream.condition == "not-authorized"
    assert stream.receives == [PAIR]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("<db:result from='a.example' to='c.example'>key</db:result>", "item-not-found"),
        ("<db:result from='blocked.example' to='b.example'>key</db:result>", "policy-violation"),
        ("<db:result from='chat.b.example' to='b.example'>key</db:result>", "not-acceptable"),
        ("<db:result from='certified.example' to='b.example'>key</db:result>", "not-authorized"),
        ("<db:verify from='a.example' to='c.example' id='1'>key</db:verify>", "item-not-found"),
        ("<db:verify from='blocked.example' to='b.example' id='1'>key</db:verify>", "policy-violation"),
    ],
)
def test_what_is_not_dealt_with_is_told_and_nobody_is_asked(
    stream: Accepted, ours: Place, text: str, condition: str
) -> None:
    ours.blocked, ours.requires = {"blocked.example"}, {"certified.example"}
    answer = stream.hear(text)
    assert "type='error'" in answer
    assert f"<{condition} xmlns='{ns.STANZA_ERRORS}'/>" in answer
    assert not stream.asked
    assert not stream.is_over


def test_verifying_names_the_stream_and_the_key(stream: Accepted, ours: Place) -> None:
    key = ours.key("b.example", "a.example", "7")
    answer = stream.hear(f"<db:verify from='a.example' to='b.example' id='7'>{key}</db:verify>")
    assert answer == "<db:verify from='b.example' to='a.example' id='7' type='valid'/>"


@pytest.mark.parametrize(
    ("to", "sender", "id"),
    [("b.example", "a.example", "8"), ("b.example", "c.example", "7"), ("chat.b.example", "a.example", "7")],
)
def test_a_key_of_another_stream_or_pair_is_invalid(
    stream: Accepted, ours: Place, to: str, sender: str, id: str
) -> None:
    key = ours.key("b.example", "a.example", "7")
    answer = stream.hear(f"<db:verify from='{sender}' to='{to}' id='{id}'>{key}</db:verify>")
    assert "type='invalid'" in answer


def test_a_key_in_another_script_is_invalid(stream: Accepted) -> None:
    assert "type='invalid'" in stream.hear("<db:verify from='a.example' to='b.example' id='7'>ключ</db:verify>")


def test_several_pairs_are_proven_each_by_itself(stream: Accepted) -> None:
    other = "<db:result from='c.example' to='chat.b.example'>other</db:result>"
    stream.hear(RESULT, other)
    assert stream.asked == [Ask(PAIR, "id-1", "key"), Ask(Pair("chat.b.example", "c.example"), "id-1", "other")]
    answer = stream.answer(1, Verdict.VALID)
    assert answer == "<db:result from='chat.b.example' to='c.example' type='valid'/>"
    assert stream.receives == [Pair("chat.b.example", "c.example")]
    stream.hear("<message from='cid@c.example' to='room@chat.b.example'/>")
    assert stream.taken == [("room@chat.b.example", "cid@c.example")]
    stream.answer(0, Verdict.VALID)
    stream.hear("<message from='ann@a.example' to='ben@b.example'/>")
    assert len(stream.taken) == 2


def test_a_forged_key_for_a_second_pair_leaves_the_first(stream: Accepted) -> None:
    stream.hear(RESULT)
    stream.answer(0, Verdict.VALID)
    stream.hear("<db:result from='c.example' to='b.example'>forged</db:result>")
    assert "type='invalid'" in stream.answer(1, Verdict.INVALID)
    assert not stream.is_over
    stream.hear("<message from='cid@c.example' to='ben@b.example'/>")
    assert stream.condition == "invalid-from"
    assert not stream.taken


def test_a_forged_key_does_not_spoil_one_that_is_still_being_asked_about(stream: Accepted) -> None:
    stream.hear("<db:result from='c.example' to='b.example'>forged</db:result>", RESULT)
    stream.answer(0, Verdict.INVALID)
    assert not stream.is_over
    stream.answer(1, Verdict.VALID)
    assert stream.receives == [PAIR]


def test_two_proofs_of_the_same_pair_are_asked_about_once(stream: Accepted) -> None:
    stream.hear(RESULT)
    assert "resource-constraint" in stream.hear(RESULT)
    assert len(stream.asked) == 1
    stream.answer(0, Verdict.VALID)
    assert stream.hear(RESULT) == "<db:result from='b.example' to='a.example' type='valid'/>"
    assert stream.receives == [PAIR]
    assert len(stream.asked) == 1


def test_one_peer_cannot_have_us_ask_everybody(stream: Accepted) -> None:
    """Each question is a connection to somebody who has done nothing."""

    def result(number: int) -> str:
        return f"<db:result from='a{number}.example' to='b.example'>key</db:result>"

    answer = stream.hear(*(result(number) for number in range(20)))
    assert len(stream.asked) == 8
    assert answer.count("resource-constraint") == 12
    while not stream.is_over and len(stream.asked) < 1000:
        stream.answer(len(stream.asked) - 1, Verdict.ERROR)
        stream.hear(result(20 + len(stream.asked)))
    assert stream.condition == "policy-violation"
    assert len(stream.asked) == 64


def test_a_peer_with_very_many_domains_keeps_those_that_are_proven(stream: Accepted) -> None:
    for number in range(70):
        answer = stream.hear(f"<db:result from='a{number}.example' to='b.example'>key</db:result>")
        if len(stream.asked) > number:
            stream.answer(number, Verdict.VALID)
        else:
            assert "resource-constraint" in answer
    assert len(stream.receives) == 64
    assert not stream.is_over


@pytest.mark.parametrize(
    "text",
    [
        "<message from='ann@a.example' to='ben@b.example'/>",
        "<iq from='ann@a.example' to='b.example' type='get' id='1'/>",
        "<presence from='ann@a.example' to='ben@b.example'/>",
        "<unknown xmlns='urn:example'/>",
    ],
)
@pytest.mark.parametrize("is_asking", [True, False])
def test_no_stanza_passes_before_proof(stream: Accepted, text: str, is_asking: bool) -> None:
    if is_asking:
        stream.hear(RESULT)
    stream.hear(text)
    assert stream.condition == "not-authorized"
    assert not stream.taken


# -- both ways, stream management, the rest


def test_bidi_is_offered_on_tls_alone_and_until_something_is_proven(certified: Accepted) -> None:
    assert f"<bidi xmlns='{ns.BIDI_FEATURE}'/>" in certified.said[-1]
    answer = certified.hear(auth(), header())
    assert "bidi" not in answer
    assert f"<sm xmlns='{ns.SM}'/>" in answer


def test_bidi_after_proof_changes_nothing(stream: Accepted) -> None:
    stream.hear(RESULT)
    stream.answer(0, Verdict.VALID)
    stream.hear(BIDI)
    assert stream.condition == "policy-violation"
    assert not stream.sends


def test_bidi_in_the_clear_is_refused(clear: Accepted) -> None:
    clear.hear(header(), BIDI)
    assert clear.condition == "policy-violation"


def test_bidi_that_was_not_offered_is_refused(stream: Accepted, ours: Place, theirs: Place) -> None:
    ours.offers_bidi = False
    other = Accepted(ours, theirs)
    other.incoming.secured(theirs.shown)
    assert "bidi" not in other.hear(header())
    other.hear(BIDI)
    assert other.condition == "policy-violation"


def test_bidi_sends_nothing_before_proof(stream: Accepted) -> None:
    stream.hear(BIDI, RESULT)
    assert not stream.sends
    stream.answer(0, Verdict.INVALID)
    assert not stream.sends


def test_every_pair_of_a_bidirectional_stream_goes_both_ways(stream: Accepted) -> None:
    stream.hear(BIDI, RESULT, "<db:result from='c.example' to='chat.b.example'>other</db:result>")
    stream.answer(1, Verdict.VALID)
    assert stream.sends == stream.receives == [Pair("chat.b.example", "c.example")]


def test_a_peer_says_how_much_it_takes(stream: Accepted) -> None:
    limits = f"<limits xmlns='{ns.STREAM_LIMITS}'><max-bytes>30000</max-bytes></limits>"
    stream.hear(f"<bidi xmlns='{ns.BIDI}'>{limits}</bidi>")
    assert stream.incoming.stanza_bytes == 30_000


@pytest.mark.parametrize("name", ["enable", "resume", "r", "a"])
def test_stream_management_comes_after_proof(stream: Accepted, name: str) -> None:
    answer = stream.hear(f"<{name} xmlns='{ns.SM}'/>")
    assert answer == f"<failed xmlns='{ns.SM}'><unexpected-request xmlns='{ns.STANZA_ERRORS}'/></failed>"


def test_more_than_anybody_needs_to_say_before_proof_is_too_much(stream: Accepted) -> None:
    stream.hear(f"<db:result from='a.example' to='b.example'>{'k' * 10_000}</db:result>")
    assert stream.condition == "policy-violation"


def test_white_space_is_a_sign_of_life_and_nothing_else(stream: Accepted) -> None:
    stream.hear(" ", "\n", " \t")
    assert not stream.is_over
    stream.hear(RESULT)
    assert stream.asked


def test_on_a_stream_that_lasts_no_other_pair_is_proven(stream: Accepted) -> None:
    stream.hear(RESULT, "<db:result from='c.example' to='chat.b.example'>other</db:result>")
    stream.answer(0, Verdict.VALID)
    stream.incoming.is_complete = True
    assert "<resource-constraint" in stream.answer(1, Verdict.VALID)  # which was being asked about
    answer = stream.hear("<db:result from='d.example' to='b.example'>another</db:result>")
    assert "<resource-constraint" in answer
    assert "type='error'" in answer
    assert "type='valid'" in stream.hear(RESULT)
    assert stream.receives == [Pair("b.example", "a.example")]
    assert not stream.is_over
