"""Who was in a room before a restart: heard of, asked gently, judged by the answer."""

from collections.abc import Callable
from itertools import count
from math import inf

import pytest

from fermata.core.muc.verification import Missed, Ping, Verdict, Verification
from fermata.xmpp.jid import JID
from kit.xml import read

TEA, WINE = JID.parse("tea@muc.a.example"), JID.parse("wine@muc.a.example")
ANN = JID.parse("ann@a.example/phone")
BOB = JID.parse("bob@b.example/tram")
START = 1000.0
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"


def verification(jitter: Callable[[], float] = lambda: 0.0) -> Verification:
    ids = count(1)
    return Verification(lambda: f"ping-{next(ids)}", jitter)


def asked(it: Verification, until: float) -> list[tuple[float, Ping]]:
    """Who was asked when, if the machine is called at the times that it wants."""
    found = []
    while (now := it.next_deadline()) <= until:
        found += [(now, each) for each in it.tick(now) if isinstance(each, Ping)]
    return found


def error(condition: str, id: str = "ping-1") -> str:
    return f"<iq type='error' id='{id}'><error type='cancel'><{condition} xmlns='{STANZAS}'/></error></iq>"


def test_nobody_is_asked_for_thirty_seconds() -> None:
    it = verification()
    it.doubt(BOB, TEA, START, is_own=False)
    assert it.next_deadline() == 1030.0
    assert it.tick(1029.9) == []
    assert it.tick(1030.0) == [Ping("ping-1", TEA, BOB)]


def test_a_domain_is_asked_ten_times_a_second_and_others_need_not_wait_for_it() -> None:
    it = verification()
    for number in range(100):
        it.doubt(JID.parse(f"p{number}@b.example/x"), TEA, START, is_own=False)
    it.doubt(JID.parse("lone@c.example/x"), TEA, START, is_own=False)
    pings = asked(it, 1050.0)
    assert [at for at, ping in pings if ping.session.domain == "c.example"] == [1030.0]
    times = [at for at, ping in pings if ping.session.domain == "b.example"]
    assert len(times) == 100
    for second in range(1030, 1050):
        assert sum(second <= at < second + 1 for at in times) <= 16  # half a second in advance
    assert times[-1] > 1038.0


def test_the_first_questions_are_spread_by_chance() -> None:
    chances = iter([0.9, 0.1, 0.0, 0.0, 0.0, 0.0])
    it = verification(lambda: next(chances))
    it.doubt(BOB, TEA, START, is_own=False)
    it.doubt(JID.parse("cat@b.example/x"), TEA, START, is_own=False)
    first, second = asked(it, 1045.0)
    assert (first[0], first[1].session.local) == (1031.0, "cat")
    assert (second[0], second[1].session.local) == (1039.0, "bob")


def test_whoever_says_something_is_here_in_all_rooms_and_is_not_asked() -> None:
    it = verification()
    it.doubt(BOB, TEA, START, is_own=False)
    it.doubt(BOB, WINE, START, is_own=False)
    assert it.unverified_since(BOB, TEA) == START
    assert it.heard(BOB) == [TEA, WINE]
    assert not it.doubts
    assert not it.unverified_since(BOB, TEA)
    assert it.next_deadline() == inf
    assert it.heard(BOB) == []


def test_somebody_in_two_rooms_is_asked_once() -> None:
    it = verification()
    it.doubt(BOB, TEA, START, is_own=False)
    it.doubt(BOB, WINE, START, is_own=False)
    assert len(asked(it, 1060.0)) == 1


def test_whoever_is_doubted_twice_is_asked_once() -> None:
    it = verification()
    for _ in range(2):
        it.doubt(BOB, TEA, START, is_own=False)
    assert len(asked(it, 1050.0)) == 1
    it.left(BOB, TEA)
    assert not it.doubts


def test_whoever_leaves_one_room_is_still_in_doubt_in_the_others() -> None:
    it = verification()
    it.doubt(BOB, TEA, START, is_own=False)
    it.doubt(BOB, WINE, START, is_own=False)
    it.left(BOB, TEA)
    assert [each.room for _, each in asked(it, 1060.0)] == [WINE]
    it.left(BOB, WINE)
    assert not it.doubts
    assert it.next_deadline() == inf


@pytest.mark.parametrize("answers_pings", [False, True])
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("<iq type='result' id='ping-1'/>", Verdict.HERE),
        (error("feature-not-implemented"), Verdict.HERE),
        (error("item-not-found"), Verdict.GONE),
        (error("recipient-unavailable"), Verdict.GONE),
        (error("gone"), Verdict.GONE),
        (error("redirect"), Verdict.GONE),
        (error("jid-malformed"), Verdict.GONE),
        (error("remote-server-not-found"), Verdict.LATER),
        (error("remote-server-timeout"), Verdict.LATER),
        (error("internal-server-error"), Verdict.LATER),
        (error("resource-constraint"), Verdict.LATER),
        (error("policy-violation"), Verdict.LATER),
        (error("not-authorized"), Verdict.LATER),
        ("<iq type='error' id='ping-1'/>", Verdict.LATER),
        ("<iq type='result' id='forged'/>", None),
        (error("item-not-found", "forged"), None),
    ],
)
def test_an_answer_is_judged_by_who_can_have_made_it(answer: str, verdict: Verdict | None, answers_pings: bool) -> None:
    it = verification()
    it.doubt(BOB, TEA, START, False, answers_pings)
    it.tick(1030.0)
    assert it.judge(BOB, read(answer)) is verdict


def test_nobody_is_gone_by_what_a_client_without_pings_would_say_as_well() -> None:
    it = verification()
    it.doubt(BOB, TEA, START, is_own=False)
    it.tick(1030.0)
    assert it.judge(BOB, read(error("service-unavailable"))) is Verdict.UNTELLABLE
    assert it.unverified_since(BOB, TEA) == START
    assert asked(it, 10_000.0) == []
    it.domain_up("b.example", False, 10_000.0)
    assert asked(it, 20_000.0) == []


def test_whoever_has_answered_a_ping_before_is_gone_when_nobody_does() -> None:
    it = verification()
    it.doubt(BOB, TEA, START, is_own=False, answers_pings=True)
    it.tick(1030.0)
    assert it.judge(BOB, read(error("service-unavailable"))) is Verdict.GONE


def test_an_answer_from_somebody_else_says_nothing() -> None:
    it = verification()
    it.doubt(BOB, TEA, START, is_own=False)
    it.tick(1030.0)
    assert it.judge(JID.parse("bob@b.example/home"), read("<iq type='result' id='ping-1'/>")) is None
    assert it.unverified_since(BOB, TEA) == START


def test_nobody_can_answer_before_he_was_asked() -> None:
    it = verification()
    it.doubt(BOB, TEA, START, is_own=False)
    assert it.judge(BOB, read("<iq type='result' id=''/>")) is None
    assert it.judge(BOB, read("<iq type='result'/>")) is None


def test_silence_removes_nobody_and_is_asked_again_ever_more_rarely() -> None:
    it = verification()
    it.doubt(BOB, TEA, START, is_own=False)
    pings = asked(it, 6000.0)
    assert [at - 1030 for at, _ in pings] == [0, 60, 180, 480, 1080, 1980, 2880, 3780, 4680]
    assert {ping.id for _, ping in pings} == {"ping-1"}
    assert it.unverified_since(BOB, TEA) == START
    assert it.judge(BOB, read("<iq type='result' id='ping-1'/>")) is Verdict.HERE


def test_a_link_that_comes_back_without_loss_proves_everybody_behind_it() -> None:
    it = verification()
    it.doubt(BOB, TEA, START, is_own=False)
    it.doubt(JID.parse("cat@c.example/x"), TEA, START, is_own=False)
    it.domain_up("b.example", True, 1010.0)
    assert list(it.doubts) == ["cat@c.example/x"]
    it.domain_up("nobody.example", True, 1010.0)


def test_after_a_link_comes_back_with_loss_everybody_behind_it_is_asked_anew() -> None:
    it = verification()
    it.doubt(BOB, TEA, START, is_own=False)
    asked(it, 1300.0)
    it.domain_up("b.example", False, 1300.0)
    assert [at for at, _ in asked(it, 1340.0)] == [1330.0]


def test_a_session_of_our_own_is_missed_after_thirty_seconds_and_never_asked() -> None:
    it = verification()
    it.doubt(ANN, TEA, START, is_own=True)
    assert it.is_awaited(ANN)
    assert it.next_deadline() == 1030.0
    assert it.tick(1030.0) == [Missed(ANN)]
    assert not it.is_awaited(ANN)
    assert it.unverified_since(ANN, TEA) == START
    it.wait_longer(ANN, 1030.0)
    assert it.is_awaited(ANN)
    assert it.tick(1059.0) == []
    assert it.tick(1060.0) == [Missed(ANN)]
    assert it.heard(ANN) == [TEA]
    assert it.tick(9999.0) == []
    assert it.next_deadline() == inf
