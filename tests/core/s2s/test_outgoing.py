"""What the opening side of a stream between servers must never believe (XEP-0220 §3.1, XEP-0288, RFC 6120 §4)."""

import pytest

from fermata.core.s2s.outgoing import Authenticate, OutgoingStream, Purpose, Verify
from fermata.core.s2s.pair import Pair, Verdict
from fermata.core.s2s.trouble import Cause
from fermata.core.s2s.wants import StartTLS
from fermata.xmpp import namespaces as ns
from kit.servers import Place, Side

PAIR = Pair("a.example", "b.example")
VALID = "<db:result from='b.example' to='a.example' type='valid'/>"
EXTERNAL = f"<mechanisms xmlns='{ns.SASL}'><mechanism>PLAIN</mechanism><mechanism>EXTERNAL</mechanism></mechanisms>"
DIALBACK = f"<dialback xmlns='{ns.DIALBACK_FEATURE}'><errors/></dialback>"
BIDI = f"<bidi xmlns='{ns.BIDI_FEATURE}'/>"
STARTTLS = f"<starttls xmlns='{ns.TLS}'/>"
PROCEED = f"<proceed xmlns='{ns.TLS}'/>"
SUCCESS, FAILURE = f"<success xmlns='{ns.SASL}'/>", f"<failure xmlns='{ns.SASL}'/>"
KEYS_ASK = Verify("7", "key", lambda verdict, text: None)
VERDICT = "<db:verify from='b.example' to='a.example' id='7' type='valid'/>"


def opened(*features: str, version: str = "1.0", id: str = "1", declares: bool = False) -> str:
    db = f" xmlns:db='{ns.DIALBACK}'"
    stated = (f" version='{version}'" if version else "") + (f" id='{id}'" if id else "") + (db if declares else "")
    header = f"<stream:stream xmlns='{ns.SERVER}' xmlns:stream='{ns.STREAMS}' from='b.example' to='a.example'{stated}>"
    return header + f"<stream:features>{''.join(features)}</stream:features>"


class Opened(Side):
    """The opening side of a stream whose peer a test speaks for; `peer` is whose certificate it was shown."""

    def __init__(self, place: Place, peer: Place, purpose: Purpose | None = None, *, is_secure: bool = True) -> None:
        super().__init__(OutgoingStream(place.policy, PAIR, purpose or Authenticate()), peer)
        if is_secure:
            self.secure()
        else:
            self.write(self.stream.opening())

    def secure(self) -> None:
        assert isinstance(self.stream, OutgoingStream)
        self.do(self.stream.secured(self.other.shown))

    def hear(self, *texts: str) -> str:
        """What it answers."""
        before = len(self.said)
        for text in texts:
            self.receive(text)
        return "".join(self.said[before:])

    @property
    def cause(self) -> Cause | None:
        return self.ending.trouble.cause if self.ending is not None else None


@pytest.fixture
def ours() -> Place:
    return Place({"a.example"}, offers_bidi=True)


@pytest.fixture
def theirs() -> Place:
    return Place({"b.example"}, certified={"b.example"})


@pytest.fixture
def stream(ours: Place, theirs: Place) -> Opened:
    return Opened(ours, theirs)


@pytest.fixture
def asking(ours: Place, theirs: Place) -> Opened:
    """One that asks about a key of somebody else's."""
    return Opened(ours, theirs, KEYS_ASK)


# -- what is said when


def test_our_header_says_whose_it_is_for_whom_and_knows_dialback(stream: Opened) -> None:
    (header,) = stream.said
    assert "from='a.example' to='b.example'" in header
    assert "xmlns:db='jabber:server:dialback'" in header
    assert "version='1.0'" in header
    assert " id=" not in header


def test_tls_comes_first(ours: Place, theirs: Place) -> None:
    stream = Opened(ours, theirs, is_secure=False)
    assert stream.hear(opened(STARTTLS, EXTERNAL, DIALBACK, BIDI)) == STARTTLS
    stream.hear(PROCEED)
    assert stream.done == [StartTLS("b.example")]


def test_bidi_is_asked_for_before_we_authenticate(stream: Opened) -> None:
    answer = stream.hear(opened(EXTERNAL, DIALBACK, BIDI))
    assert answer.startswith(f"<bidi xmlns='{ns.BIDI}'><limits ")
    assert answer.endswith(f"<auth xmlns='{ns.SASL}' mechanism='EXTERNAL'>YS5leGFtcGxl</auth>")


def test_a_certificate_that_is_refused_leaves_dialback(stream: Opened, ours: Place) -> None:
    stream.hear(opened(EXTERNAL, DIALBACK, declares=True))
    assert ours.key("a.example", "b.example", "1") in stream.hear(FAILURE)
    stream.hear(VALID)
    assert stream.sends == [PAIR]


def test_why_a_certificate_is_refused_is_told_where_there_is_no_other_way(stream: Opened) -> None:
    text = f"<text xmlns='{ns.SASL}'>it has\n expired</text>"
    stream.hear(opened(EXTERNAL), f"<failure xmlns='{ns.SASL}'><not-authorized/>{text}</failure>")
    assert stream.ending is not None
    assert stream.ending.trouble.cause is Cause.AUTHENTICATION
    assert stream.ending.trouble.text == (
        "the other server answers our certificate with not-authorized: it has expired, and offers no other way"
    )


@pytest.mark.parametrize("features", [[], [BIDI], ["<unknown xmlns='urn:example'/>"]])
def test_old_servers_offer_dialback_in_their_header(stream: Opened, features: list[str]) -> None:
    assert "<db:result" in stream.hear(opened(*features, declares=True))


@pytest.mark.parametrize("text", [opened(), opened(DIALBACK, id=""), opened(f"<mechanisms xmlns='{ns.SASL}'/>")])
def test_where_there_is_no_way_to_authenticate_it_is_told(stream: Opened, text: str) -> None:
    stream.hear(text)
    assert stream.cause is Cause.AUTHENTICATION


def test_a_server_of_before_features_is_not_waited_for(stream: Opened) -> None:
    stream.hear(opened(version=""))
    assert stream.cause is Cause.STREAM


def test_the_features_after_authentication_count(stream: Opened) -> None:
    stream.hear(opened(EXTERNAL), SUCCESS)
    assert not stream.sends
    limits = f"<limits xmlns='{ns.STREAM_LIMITS}'><max-bytes>123456</max-bytes></limits>"
    stream.hear(opened(f"<sm xmlns='{ns.SM}'/>", limits))
    assert stream.sends == [PAIR]
    assert stream.stream.offers_management
    assert stream.stream.stanza_bytes == 123_456


@pytest.mark.parametrize("text", ["", "many", "-1", "1" * 40])
def test_a_limit_that_is_none_is_none(stream: Opened, text: str) -> None:
    stream.hear(opened(f"<limits xmlns='{ns.STREAM_LIMITS}'><max-bytes>{text}</max-bytes></limits>"))
    assert stream.stream.stanza_bytes == 0


# -- what must not be believed


@pytest.mark.parametrize(
    "answer",
    [
        VALID,
        "<db:result from='b.example' to='a.example' type='error'/>",
        VERDICT,
        SUCCESS,
        FAILURE,
        PROCEED,
        f"<failure xmlns='{ns.TLS}'/>",
    ],
)
@pytest.mark.parametrize("features", [[], [EXTERNAL], [DIALBACK]])
def test_what_was_not_asked_for_proves_nothing_and_ends_the_stream(
    ours: Place, theirs: Place, answer: str, features: list[str]
) -> None:
    """Each of these is an answer to something: to what we have just said, in no more than one case."""
    stream = Opened(ours, theirs, is_secure=False)
    stream.hear(opened().partition("<stream:features>")[0] + answer)
    assert stream.condition in ("not-authorized", "bad-namespace-prefix")
    assert not stream.sends
    stream = Opened(ours, theirs)
    stream.hear(opened(*features, declares=True))
    is_answer = (answer in (SUCCESS, FAILURE)) if features == [EXTERNAL] else answer.startswith("<db:result")
    stream.hear(answer)
    assert bool(stream.condition) is not is_answer
    assert stream.sends == ([PAIR] if is_answer and answer == VALID else [])


@pytest.mark.parametrize(
    "answer",
    [
        "<db:result from='b.example' to='c.example' type='valid'/>",
        "<db:result from='c.example' to='a.example' type='valid'/>",
        "<db:result from='a.example' to='b.example' type='valid'/>",
        "<db:verify from='b.example' to='a.example' type='valid'/>",
    ],
)
def test_an_answer_to_another_question_proves_nothing_and_ends_the_stream(stream: Opened, answer: str) -> None:
    stream.hear(opened(DIALBACK, declares=True), answer)
    assert stream.condition == "not-authorized"
    assert not stream.sends


def test_a_second_answer_ends_the_stream(stream: Opened) -> None:
    stream.hear(opened(DIALBACK, declares=True), VALID)
    assert stream.sends == [PAIR]
    stream.hear(VALID)
    assert stream.condition == "not-authorized"
    assert stream.sends == [PAIR]


@pytest.mark.parametrize(
    "verdict",
    [
        "<db:verify from='b.example' to='a.example' id='8' type='valid'/>",
        "<db:verify from='b.example' to='a.example' type='valid'/>",
        "<db:verify from='c.example' to='a.example' id='7' type='valid'/>",
        "<db:verify from='b.example' to='c.example' id='7' type='valid'/>",
        VALID,
    ],
)
def test_a_verdict_on_something_else_is_none(asking: Opened, verdict: str) -> None:
    asking.hear(opened(declares=True), verdict)
    assert asking.condition == "not-authorized"
    assert asking.verdicts == []


def test_a_verdict_before_the_question_is_none(asking: Opened) -> None:
    asking.hear(opened(declares=True).partition("<stream:features>")[0] + VERDICT)
    assert asking.condition == "not-authorized"
    assert asking.verdicts == []


@pytest.mark.parametrize("kind", ["valid", "invalid", "error"])
def test_a_verdict_is_passed_on(asking: Opened, kind: str) -> None:
    asked = asking.hear(opened(declares=True))
    assert asked == "<db:verify from='a.example' to='b.example' id='7'>key</db:verify>"
    asking.hear(f"<db:verify from='b.example' to='a.example' id='7' type='{kind}'/>")
    assert asking.verdicts == [Verdict(kind)]
    assert asking.is_over


def test_who_asks_about_a_key_does_not_authenticate(asking: Opened) -> None:
    assert asking.hear(opened(EXTERNAL, DIALBACK, BIDI, declares=True)).startswith("<db:verify")


@pytest.mark.parametrize("name", ["result", "verify"])
def test_what_the_other_side_wants_proven_takes_another_connection(stream: Opened, name: str) -> None:
    """With a bidirectional stream it may ask (XEP-0288 §2.2), and is told where to go."""
    stream.hear(opened(DIALBACK, BIDI, declares=True), VALID)
    answer = stream.hear(f"<db:{name} from='c.example' to='a.example' id='1'>key</db:{name}>")
    assert answer.startswith(f"<db:{name} from='a.example' to='c.example'")
    assert "type='error'" in answer
    assert "resource-constraint" in answer
    assert not stream.is_over
    assert stream.receives == [PAIR]


@pytest.mark.parametrize("kind", ["message", "presence", "iq"])
def test_no_stanza_is_taken_before_we_are_known(stream: Opened, kind: str) -> None:
    stream.hear(opened(DIALBACK, BIDI, declares=True), f"<{kind} from='ben@b.example' to='ann@a.example'/>")
    assert stream.condition == "not-authorized"
    assert stream.taken == []


def test_features_that_come_twice_are_wrong(stream: Opened) -> None:
    stream.hear(opened(EXTERNAL), "<stream:features/>")
    assert stream.condition == "not-authorized"


def test_success_without_a_new_stream_proves_nothing(stream: Opened) -> None:
    stream.hear(opened(EXTERNAL), SUCCESS + "<stream:features/>")
    assert stream.condition
    assert stream.sends == []


# -- what a certificate is worth


def test_a_doubtful_certificate_is_no_obstacle_where_none_is_needed(ours: Place, theirs: Place) -> None:
    theirs.certified.clear()
    stream = Opened(ours, theirs)
    stream.hear(opened(EXTERNAL), SUCCESS, opened())
    assert stream.sends == [PAIR]
    assert stream.stream.proof == "dialback"


def test_nothing_is_known_of_whoever_has_no_certificate_to_show(ours: Place, theirs: Place) -> None:
    ours.require_tls = False
    stream = Opened(ours, theirs, is_secure=False)
    stream.hear(opened(DIALBACK, BIDI, declares=True), VALID)
    assert stream.sends == [PAIR]
    assert stream.receives == []
    assert stream.stream.proof == ""
