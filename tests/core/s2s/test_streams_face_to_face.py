"""A stream between servers, machine against machine: how it comes to carry stanzas, or why it does not."""

from itertools import product

import pytest

from fermata.core.s2s.outgoing import Verify
from fermata.core.s2s.pair import Pair, Verdict
from fermata.core.s2s.trouble import Cause
from fermata.core.s2s.wants import Ask, Restart, StartTLS, Verified
from kit.servers import FaceToFace, Place

OURS, THEIRS = Pair("a.example", "b.example"), Pair("b.example", "a.example")


def place(domain: str, *, certified: bool = False, **settings: object) -> Place:
    return Place({domain, f"chat.{domain}"}, {domain} if certified else set(), **settings)  # type: ignore[arg-type]


def cause(face: FaceToFace) -> Cause | None:
    """Why the side that opened the stream has given up."""
    return face.out.ending.trouble.cause if face.out.ending is not None else None


def nothing_is_proven(face: FaceToFace) -> bool:
    return not (face.out.sends or face.out.receives or face.in_.sends or face.in_.receives)


# -- success


def test_a_pair_is_proven_by_dialback() -> None:
    face = FaceToFace(place("a.example"), place("b.example"), OURS).run()
    assert face.out.sends == [OURS]
    assert face.out.receives == []
    assert face.in_.receives == [THEIRS]
    assert face.in_.sends == []
    assert (face.incoming.proof, face.outgoing.proof) == ("dialback", "dialback")


def test_a_pair_is_proven_by_a_certificate() -> None:
    face = FaceToFace(place("a.example", certified=True), place("b.example", certified=True), OURS).run()
    assert face.out.sends == [OURS]
    assert face.in_.receives == [THEIRS]
    assert face.asked == []
    assert len(face.in_.wanted(Restart)) == len(face.out.wanted(Restart)) == 1
    assert (face.incoming.proof, face.outgoing.proof) == ("certificate", "certificate")


@pytest.mark.parametrize(("certified", "bidi_here", "bidi_there", "direct_tls"), list(product([True, False], repeat=4)))
def test_however_a_pair_is_proven_both_sides_know_the_same(
    certified: bool, bidi_here: bool, bidi_there: bool, direct_tls: bool
) -> None:
    here = place("a.example", certified=certified, offers_bidi=bidi_here)
    there = place("b.example", certified=True, offers_bidi=bidi_there)
    face = FaceToFace(here, there, OURS, direct_tls=direct_tls).run()
    assert face.out.sends == [OURS]
    assert face.in_.receives == [THEIRS]
    both_ways = bidi_here and bidi_there
    assert face.out.receives == ([OURS] if both_ways else [])
    assert face.in_.sends == ([THEIRS] if both_ways else [])
    assert bool(face.in_.wanted(StartTLS)) is not direct_tls
    assert bool(face.asked) is not certified
    assert face.out.ending is face.in_.ending is None
    assert face.outgoing.offers_management
    assert face.outgoing.stanza_bytes == here.policy.stanza_bytes
    assert face.incoming.stanza_bytes == (there.policy.stanza_bytes if both_ways else 0)


def test_what_takes_no_tls_is_spoken_to_in_the_clear_if_that_is_allowed() -> None:
    here, there = place("a.example", require_tls=False), place("b.example", require_tls=False)
    face = FaceToFace(here, there, OURS)
    face.out.receive(
        "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='1'"
        " xmlns:db='jabber:server:dialback' from='b.example'><stream:features/>"
    )
    assert "<db:result" in face.out.said[-1]


@pytest.mark.parametrize("local", ["b.example", "chat.b.example"])
@pytest.mark.parametrize("remote", ["a.example", "chat.a.example"])
@pytest.mark.parametrize("certified", [True, False])
def test_any_domain_of_either_side_can_be_an_end(local: str, remote: str, certified: bool) -> None:
    here, there = place("a.example"), place("b.example")
    here.certified = here.domains if certified else set()
    face = FaceToFace(here, there, Pair(remote, local)).run()
    assert face.out.sends == [Pair(remote, local)]
    assert face.in_.receives == [Pair(local, remote)]


def test_stanzas_pass_once_a_pair_is_proven() -> None:
    face = FaceToFace(place("a.example"), place("b.example"), OURS).run()
    face.forge("<message from='ann@a.example' to='ben@b.example'/>")
    assert face.in_.taken == [("ben@b.example", "ann@a.example")]


def test_a_stream_that_was_opened_one_way_carries_nothing_the_other_way() -> None:
    """After dialback in one direction the other direction still needs its own (specification: XEP-0220 §2.3)."""
    face = FaceToFace(place("a.example"), place("b.example"), OURS).run()
    face.forge_back("<message from='ben@b.example' to='ann@a.example'/>")
    assert face.out.taken == []
    assert face.out.condition == "not-authorized"


@pytest.mark.parametrize("certified", [True, False])
def test_a_bidirectional_stream_carries_the_inverse_of_what_was_proven_and_nothing_else(certified: bool) -> None:
    here = place("a.example", certified=certified, offers_bidi=True)
    face = FaceToFace(here, place("b.example", offers_bidi=True), OURS).run()
    face.forge_back("<message from='ben@b.example' to='ann@a.example'/>")
    assert face.out.taken == [("ann@a.example", "ben@b.example")]
    face.forge_back("<message from='room@chat.b.example' to='ann@a.example'/>")
    assert face.out.condition == "invalid-from"


def test_a_server_without_sasl_for_us_is_shown_a_key_after_it_has_refused() -> None:
    """A certificate can turn out not to do; then dialback goes on, on the same stream (XEP-0178 §3)."""
    here, there = place("a.example", certified=True), place("b.example")
    face = FaceToFace(here, there, OURS, direct_tls=True)
    face.in_.receive(face.in_.unread.popleft())
    here.certified.clear()
    face.run()
    assert any("<failure" in said for said in face.in_.said)
    assert face.out.sends == [OURS]
    assert face.asked


def test_the_empty_identity_is_the_domain_of_the_stream() -> None:
    """XEP-0178 §3 has servers send `=`; so do some."""
    for said in ("=", "YS5leGFtcGxl"):
        face = FaceToFace(place("a.example", certified=True), place("b.example"), OURS, direct_tls=True)
        opening = face.in_.unread.popleft()
        face.in_.receive(opening)
        face.in_.receive(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>{said}</auth>")
        face.in_.receive(opening)
        assert face.in_.receives == [THEIRS]


def test_who_sends_no_identity_at_first_is_asked_for_it() -> None:
    face = FaceToFace(place("a.example", certified=True), place("b.example"), OURS, direct_tls=True)
    opening = face.in_.unread.popleft()
    face.in_.receive(opening)
    face.in_.receive("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'/>")
    assert "<challenge" in face.in_.said[-1]
    face.in_.receive("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    assert "<success" in face.in_.said[-1]
    face.in_.receive(opening)
    assert face.in_.receives == [THEIRS]


def test_a_certificate_that_proves_a_domain_saves_the_question_about_its_key() -> None:
    """Dialback without dialback (XEP-0344 §2.4): for instance for a second domain."""
    here, there = place("a.example"), place("b.example")
    here.certified = {"a.example", "chat.a.example"}
    face = FaceToFace(here, there, OURS).run()
    face.forge("<db:result from='chat.a.example' to='b.example'>anything</db:result>")
    assert face.in_.receives == [THEIRS, Pair("b.example", "chat.a.example")]
    assert face.asked == []
    assert face.incoming.proof == "certificate"


# -- verifying


@pytest.mark.parametrize(("key_of", "verdict"), [("1", Verdict.VALID), ("2", Verdict.INVALID)])
@pytest.mark.parametrize("direct_tls", [True, False])
def test_a_key_is_verified_without_anything_being_proven(key_of: str, verdict: Verdict, direct_tls: bool) -> None:
    here, there = place("b.example"), place("a.example")
    answers: list[Verdict] = []
    key = there.key("a.example", "b.example", key_of)
    purpose = Verify("1", key, lambda verdict, text: answers.append(verdict))
    face = FaceToFace(here, there, Pair("b.example", "a.example"), purpose, direct_tls=direct_tls).run()
    assert face.out.wanted(Verified) == [Verified(verdict, "")]
    assert face.out.is_over
    assert nothing_is_proven(face)


def test_a_key_can_be_verified_for_who_could_not_authenticate() -> None:
    """A server that requires certificates still says which keys are its own."""
    here, there = place("b.example"), place("a.example", requires={"b.example"})
    purpose = Verify("1", there.key("a.example", "b.example", "1"), lambda verdict, text: None)
    face = FaceToFace(here, there, Pair("b.example", "a.example"), purpose).run()
    assert face.out.verdicts == [Verdict.VALID]


def test_who_is_asked_about_a_domain_of_somebody_elses_says_so() -> None:
    here, there = place("b.example"), place("a.example")
    purpose = Verify("1", "key", lambda verdict, text: None)
    face = FaceToFace(here, there, Pair("b.example", "a.example"), purpose)
    there.domains.remove("a.example")
    face.run()
    assert face.out.verdicts == []
    assert cause(face) is Cause.HOST_UNKNOWN


# -- failure, and what is told of it


def test_a_spoofed_key_proves_nothing_and_ends_the_stream() -> None:
    face = FaceToFace(place("a.example"), place("b.example"), OURS)
    face.authority = lambda ask: Verdict.INVALID
    face.run()
    assert nothing_is_proven(face)
    assert face.in_.is_over
    assert cause(face) is Cause.AUTHENTICATION


def test_a_key_of_another_secret_is_a_spoofed_one() -> None:
    spoofer, there = place("a.example", secret="another"), place("b.example")
    face = FaceToFace(spoofer, there, OURS)
    real = place("a.example")
    face.authority = lambda ask: (
        Verdict.VALID if ask.key == real.key("a.example", "b.example", ask.stream_id) else Verdict.INVALID
    )
    face.run()
    assert nothing_is_proven(face)
    assert face.in_.is_over


def test_nothing_is_proven_while_nobody_answers() -> None:
    face = FaceToFace(place("a.example"), place("b.example"), OURS)
    face.authority = None
    face.run()
    assert face.asked
    assert nothing_is_proven(face)
    face.forge("<message from='ann@a.example' to='ben@b.example'/>")
    assert face.in_.taken == []
    assert face.in_.condition == "not-authorized"


def test_an_authority_that_cannot_be_asked_is_told_of_and_the_stream_stays() -> None:
    face = FaceToFace(place("a.example"), place("b.example"), OURS)
    face.authority = lambda ask: Verdict.ERROR
    face.run()
    assert nothing_is_proven(face)
    assert not face.in_.is_over
    assert cause(face) is Cause.AUTHENTICATION
    assert face.out.ending is not None
    assert "remote-server-timeout" in face.out.ending.trouble.text


def test_a_domain_that_is_not_there_is_told_as_such() -> None:
    there = place("b.example")
    face = FaceToFace(place("a.example"), there, Pair("a.example", "c.example")).run()
    assert face.in_.condition == "host-unknown"
    assert cause(face) is Cause.HOST_UNKNOWN
    assert nothing_is_proven(face)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("host-unknown", Cause.HOST_UNKNOWN),
        ("host-gone", Cause.HOST_UNKNOWN),
        ("not-authorized", Cause.AUTHENTICATION),
        ("policy-violation", Cause.STREAM),
        ("system-shutdown", Cause.STREAM),
        ("made-up", Cause.STREAM),
    ],
)
def test_the_others_stream_error_is_told_in_its_own_words(condition: str, expected: Cause) -> None:
    face = FaceToFace(place("a.example"), place("b.example"), OURS)
    face.in_.unread.clear()
    namespaces = "xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    streams = "urn:ietf:params:xml:ns:xmpp-streams"
    face.forge_back(
        f"<stream:stream {namespaces} version='1.0'><stream:error><{condition} xmlns='{streams}'/>"
        f"<text xmlns='{streams}'>go away</text></stream:error></stream:stream>"
    )
    assert cause(face) is expected
    assert face.out.ending is not None
    assert face.out.ending.trouble.text == f"the other server has closed the stream with {condition}: go away"


def test_who_is_blocked_is_sent_away() -> None:
    face = FaceToFace(place("a.example"), place("b.example", blocked={"a.example"}), OURS).run()
    assert face.in_.condition == "policy-violation"
    assert cause(face) is Cause.STREAM
    assert nothing_is_proven(face)


@pytest.mark.parametrize("certified", [True, False])
def test_a_required_certificate_is_the_only_proof(certified: bool) -> None:
    here = place("a.example", certified=certified)
    face = FaceToFace(here, place("b.example", requires={"a.example"}), OURS).run()
    assert face.asked == []
    assert bool(face.in_.receives) is certified
    if not certified:
        assert cause(face) is Cause.AUTHENTICATION
        assert face.out.ending is not None
        assert "not-authorized: a certificate is required" in face.out.ending.trouble.text


@pytest.mark.parametrize("direct_tls", [True, False])
def test_a_server_that_must_have_a_certificate_and_has_none_is_told_nothing(direct_tls: bool) -> None:
    here = place("a.example", certified=True, requires={"b.example"})
    face = FaceToFace(here, place("b.example"), OURS, direct_tls=direct_tls).run()
    assert nothing_is_proven(face)
    assert cause(face) is Cause.CERTIFICATE
    assert face.out.ending is not None
    assert face.out.ending.trouble.text == "the certificate does not name b.example"
    assert not any("<auth" in said or "<db:" in said for said in face.out.said)


@pytest.mark.parametrize(("require_tls", "requires"), [(True, set()), (False, {"b.example"})])
def test_a_server_without_tls_is_not_spoken_to_where_tls_is_needed(require_tls: bool, requires: set[str]) -> None:
    face = FaceToFace(place("a.example", require_tls=require_tls, requires=requires), place("b.example"), OURS)
    face.in_.unread.clear()
    face.forge_back(
        "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='1'"
        " xmlns:db='jabber:server:dialback' from='b.example'><stream:features/>"
    )
    assert cause(face) is Cause.NO_TLS
    assert len(face.out.said) == 1


def test_a_server_that_cannot_begin_tls_is_not_spoken_to_in_the_clear() -> None:
    face = FaceToFace(place("a.example", require_tls=False), place("b.example", require_tls=False), OURS)
    face.in_.receive(face.in_.unread.popleft())
    face.out.receive(face.out.unread.popleft())
    face.out.receive("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    assert cause(face) is Cause.NO_TLS


def test_a_server_that_offers_nothing_is_told_of() -> None:
    face = FaceToFace(place("a.example"), place("b.example"), OURS, direct_tls=True)
    face.in_.unread.clear()
    face.forge_back(
        "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='1'"
        " from='b.example'><stream:features/>"
    )
    assert cause(face) is Cause.AUTHENTICATION


def test_ask_carries_the_id_of_the_stream_that_tls_is_on() -> None:
    face = FaceToFace(place("a.example"), place("b.example"), OURS).run()
    (ask,) = face.in_.wanted(Ask)
    assert isinstance(ask, Ask)
    assert ask.stream_id == "stream-2"
