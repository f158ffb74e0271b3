"""When a room is asked whether somebody is still in it, and when he enters again."""

from itertools import count

import pytest

from fermata.core.guardian.guardian import (
    ANSWER_SECONDS,
    LOSS_SECONDS,
    LOSS_SPREAD,
    SILENCE_SECONDS,
    SOON_SECONDS,
    START_SPREAD,
    Enter,
    Guardian,
    Lost,
    Ping,
    Place,
    Turn,
    Want,
)
from fermata.core.guardian.turns import PER_SECOND
from fermata.xmpp.jid import JID

ANN = JID.parse("ann@a.example/~stay.1")
TEA = JID.parse("tea@muc.b.example")
COFFEE = JID.parse("coffee@muc.c.example")
PLACE = Place(ANN, TEA)


class Watched:
    """A guardian with a clock, and one place."""

    def __init__(self, jitter: float = 0.0, is_sure: bool = True) -> None:
        self.now = 1000.0
        ids = count(1)
        self.guardian = Guardian(lambda: f"id{next(ids)}", lambda: jitter)
        self.guardian.watch(PLACE, "Ann", self.now, is_sure)

    def after(self, seconds: float) -> list[Want]:
        """All that is wanted within so many seconds."""
        until, wants = self.now + seconds, list[Want]()
        while (due := self.guardian.next_deadline()) <= until:
            self.now = max(self.now, due)
            wants += self.guardian.tick(self.now)
        self.now = until
        return wants

    def next(self, seconds: float) -> Want:
        """The first that is wanted within that time; none before that."""
        until = self.now + seconds
        while (due := self.guardian.next_deadline()) <= until:
            self.now = max(self.now, due)
            if wants := self.guardian.tick(self.now):
                (want,) = wants
                return want
        raise AssertionError("nothing was wanted")

    def asked(self, seconds: float = SILENCE_SECONDS) -> Ping:
        """The question that is asked within that time."""
        ping = self.next(seconds)
        assert isinstance(ping, Ping)
        return ping

    def answer(self, ping: Ping, condition: str = "") -> bool:
        return self.guardian.answered(ping.id, ping.to, condition, self.now)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_room_that_is_silent_for_a_quarter_of_an_hour_is_asked(watched: Watched) -> None:
    assert watched.after(SILENCE_SECONDS - 1) == []
    assert watched.asked(2) == Ping(PLACE, "id1", TEA.with_resource("Ann"))


def test_a_room_that_is_heard_is_not_asked(watched: Watched) -> None:
    for _ in range(10):
        assert watched.after(SILENCE_SECONDS - 1) == []
        watched.guardian.heard(PLACE, watched.now)


def test_after_a_lost_connection_one_waits_a_minute_and_then_asks(watched: Watched) -> None:
    watched.guardian.lost_connection(TEA.domain, watched.now)
    assert watched.after(LOSS_SECONDS - 1) == []
    assert watched.asked(2)


def test_that_wait_is_spread() -> None:
    watched = Watched(jitter=0.5)
    watched.guardian.lost_connection(TEA.domain, watched.now)
    assert watched.after(LOSS_SECONDS + LOSS_SPREAD / 2 - 1) == []
    assert watched.asked(2)


def test_a_room_that_is_heard_after_a_lost_connection_need_not_be_asked(watched: Watched) -> None:
    watched.guardian.lost_connection(TEA.domain, watched.now)
    watched.after(10)
    watched.guardian.heard(PLACE, watched.now)
    assert watched.after(SILENCE_SECONDS - 1) == []


def test_a_connection_with_others_is_nothing_to_it(watched: Watched) -> None:
    watched.guardian.lost_connection(COFFEE.domain, watched.now)
    assert watched.after(SILENCE_SECONDS - 1) == []


def test_after_our_own_start_everybody_is_asked_within_two_minutes() -> None:
    watched = Watched(jitter=0.99, is_sure=False)
    assert watched.asked(START_SPREAD)


def test_a_result_is_proof(watched: Watched) -> None:
    assert watched.answer(watched.asked())
    assert watched.after(SILENCE_SECONDS - 1) == []


@pytest.mark.parametrize("condition", ["item-not-found", "service-unavailable", "feature-not-implemented"])
def test_what_is_probably_a_yes_is_asked_again_and_only_then_no_more_believed(watched: Watched, condition: str) -> None:
    for _ in range(3):
        ping = watched.asked()
        watched.answer(ping, condition)
    (want,) = watched.after(1)
    assert want == Enter(PLACE, "Ann")


@pytest.mark.parametrize("condition", ["remote-server-timeout", "remote-server-not-found"])
def test_where_nobody_answers_who_knows_one_asks_again_for_ever(watched: Watched, condition: str) -> None:
    ping = watched.asked()
    for _ in range(20):
        watched.answer(ping, condition)
        ping = watched.asked(1000)


def test_silence_is_no_answer(watched: Watched) -> None:
    first = watched.asked()
    second = watched.asked(ANSWER_SECONDS + 60)
    assert second.id != first.id
    assert not watched.answer(first)


@pytest.mark.parametrize("condition", ["not-acceptable", "forbidden", "bad-request"])
def test_the_rooms_own_no_means_entering_again(watched: Watched, condition: str) -> None:
    watched.answer(watched.asked(), condition)
    assert watched.after(1) == [Enter(PLACE, "Ann")]


def test_an_answer_from_somebody_else_or_to_nothing_is_none(watched: Watched) -> None:
    ping = watched.asked()
    assert not watched.guardian.answered(ping.id, COFFEE.with_resource("Ann"), "not-acceptable", watched.now)
    assert not watched.guardian.answered("forged", ping.to, "not-acceptable", watched.now)
    assert watched.after(1) == []
    assert watched.answer(ping)


def test_who_was_put_out_for_no_reason_enters_again_after_a_pause(watched: Watched) -> None:
    watched.guardian.fell_out(PLACE, "Ann", watched.now, 30)
    assert watched.after(29) == []
    assert watched.after(2) == [Enter(PLACE, "Ann")]


def test_being_heard_inside_ends_entering(watched: Watched) -> None:
    watched.guardian.fell_out(PLACE, "Ann", watched.now)
    assert watched.after(1) == [Enter(PLACE, "Ann")]
    watched.guardian.heard(PLACE, watched.now, "Ann_")
    assert watched.after(SILENCE_SECONDS - 1) == []
    assert watched.asked(2).to == TEA.with_resource("Ann_")


def test_without_an_answer_one_enters_again_ever_more_rarely(watched: Watched) -> None:
    watched.guardian.fell_out(PLACE, "Ann", watched.now)
    assert len(watched.after(31)) == 2
    assert len(watched.after(3600)) in range(6, 10)


@pytest.mark.parametrize("condition", ["forbidden", "registration-required", "not-authorized", "gone"])
def test_what_people_have_decided_is_the_end(watched: Watched, condition: str) -> None:
    watched.guardian.fell_out(PLACE, "Ann", watched.now)
    watched.after(1)
    assert watched.guardian.refused(PLACE, condition, "auth", watched.now) == [Lost(PLACE, condition)]
    assert len(watched.guardian) == 0
    assert watched.after(10_000) == []


def test_what_will_pass_is_not(watched: Watched) -> None:
    watched.guardian.fell_out(PLACE, "Ann", watched.now)
    watched.after(1)
    assert watched.guardian.refused(PLACE, "not-allowed", "wait", watched.now) == []
    assert watched.after(31) == [Enter(PLACE, "Ann")]


def test_ones_own_ghost_is_given_time_before_another_nickname_is_tried(watched: Watched) -> None:
    watched.guardian.fell_out(PLACE, "Ann", watched.now)
    nicks = []
    for _ in range(5):
        want = watched.next(2000)
        assert isinstance(want, Enter)
        nicks.append(want.nick)
        watched.guardian.refused(PLACE, "conflict", "cancel", watched.now)
    assert nicks[:3] == ["Ann"] * 3
    assert nicks[-1] == "Ann_"


def test_who_has_left_is_forgotten(watched: Watched) -> None:
    ping = watched.asked()
    watched.guardian.forget(PLACE)
    assert not watched.answer(ping)
    assert watched.after(10_000) == []


def test_a_refusal_of_what_was_not_asked_is_ignored(watched: Watched) -> None:
    assert watched.guardian.refused(PLACE, "forbidden", "auth", watched.now) == []
    assert len(watched.guardian) == 1


def test_very_many_at_one_domain_take_turns() -> None:
    watched = Watched(is_sure=False)
    for number in range(199):
        watched.guardian.watch(Place(JID.parse(f"u{number}@a.example/~stay.1"), TEA), "Ann", watched.now, False)
    first = len(watched.after(1))
    assert first <= PER_SECOND + 1
    assert first + len(watched.after(10)) == 200


def test_others_are_not_held_up_by_them() -> None:
    watched = Watched(is_sure=False)
    for number in range(199):
        watched.guardian.watch(Place(JID.parse(f"u{number}@a.example/~stay.1"), TEA), "Ann", watched.now, False)
    watched.guardian.watch(Place(ANN, COFFEE), "Ann", watched.now, False)
    assert any(isinstance(want, Ping) and want.place.room == COFFEE for want in watched.after(1))


def test_what_a_client_waits_for_goes_before_questions_that_nobody_waits_for() -> None:
    guardian = Guardian(lambda: "id", lambda: 0.0)
    for number in range(5):
        guardian.watch(Place(ANN, JID.parse(f"room{number}@muc.b.example")), "Ann", 1000.0, is_sure=False)
    assert len(guardian.tick(1000.0)) == 1
    assert guardian.ask(PLACE, 1000.0, is_waited_for=True) == []
    assert guardian.tick(1000.0 + 1 / PER_SECOND) == [Turn(PLACE)]


def test_who_is_heard_while_he_waits_for_his_turn_is_not_asked_for() -> None:
    guardian = Guardian(lambda: "id", lambda: 0.0)
    places = [Place(ANN, JID.parse(f"room{number}@muc.b.example")) for number in range(3)]
    for place in places:
        guardian.watch(place, "Ann", 1000.0, is_sure=False)
    (first,) = guardian.tick(1000.0)
    assert isinstance(first, Ping)
    for place in places:
        guardian.heard(place, 1000.01)
    assert [want for number in range(1, 5) for want in guardian.tick(1000.0 + number)] == []


def test_who_is_put_out_again_and_again_waits_longer_each_time() -> None:
    watched = Watched()
    pauses = []
    for _ in range(8):
        watched.guardian.fell_out(PLACE, "Ann", watched.now)
        before = watched.now
        assert watched.next(1000) == Enter(PLACE, "Ann")
        pauses.append(watched.now - before)
        watched.guardian.watch(PLACE, "Ann", watched.now)
    assert pauses == [0, 30, 60, 120, 300, 600, 900, 900]
    watched.now += SOON_SECONDS
    watched.guardian.fell_out(PLACE, "Ann", watched.now)
    assert watched.next(1) == Enter(PLACE, "Ann")


def test_a_word_that_one_is_out_counts_once() -> None:
    watched = Watched()
    watched.guardian.fell_out(PLACE, "Ann", watched.now)
    watched.next(1)
    watched.guardian.watch(PLACE, "Ann", watched.now)
    for _ in range(5):
        watched.guardian.fell_out(PLACE, "Ann", watched.now)
    before = watched.now
    watched.next(31)
    assert watched.now == before + 30
