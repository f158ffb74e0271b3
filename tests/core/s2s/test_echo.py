"""What is in doubt where there is no stream management, and when it is not any more."""

from fermata.core.s2s.echo import Echo
from fermata.core.stream_management import ANSWER_SECONDS, WINDOW_STANZAS
from fermata.xmpp.element import Element
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import payload_of

BOB = JID.parse("bob@b.example")


def say(echo: Echo, number: int) -> None:
    for _ in range(number):
        echo.sent(payload_of(Element("message", {"from": "ann@a.example/x", "to": BOB})), BOB)


def test_an_answer_speaks_of_what_was_sent_before_the_question() -> None:
    echo = Echo()
    say(echo, 2)
    echo.ask("1", 0.0)
    say(echo, 3)
    assert echo.open_id == "1"
    echo.answered()
    assert echo.open_id == ""
    assert len(echo.unsure) == 3


def test_nothing_is_let_go_before_an_answer_can_be_expected() -> None:
    echo = Echo()
    say(echo, 2)
    echo.ask("1", 0.0)
    echo.left(2, ANSWER_SECONDS - 1)
    assert len(echo.unsure) == 2
    echo.left(2, ANSWER_SECONDS)
    assert not echo.unsure
    assert not echo.is_silent(ANSWER_SECONDS)


def test_what_was_let_go_is_not_let_go_once_more_by_a_late_answer() -> None:
    echo = Echo()
    say(echo, 2)
    echo.ask("1", 0.0)
    echo.left(2, ANSWER_SECONDS)
    say(echo, 3)
    echo.answered()
    assert len(echo.unsure) == 3


def test_who_has_answered_once_has_to_answer() -> None:
    echo = Echo()
    say(echo, 1)
    echo.ask("1", 0.0)
    echo.answered()
    say(echo, 1)
    echo.ask("2", 10.0)
    assert not echo.is_silent(10.0 + ANSWER_SECONDS - 1)
    assert echo.is_silent(10.0 + ANSWER_SECONDS)
    echo.left(2, 10.0 + ANSWER_SECONDS)
    assert len(echo.unsure) == 1


def test_nothing_is_given_up_while_an_answer_may_come() -> None:
    echo = Echo()
    say(echo, WINDOW_STANZAS - 1)
    assert not echo.is_full
    say(echo, 1)
    assert echo.is_full
    say(echo, 9 * WINDOW_STANZAS)
    assert len(echo.unsure) == 10 * WINDOW_STANZAS
    echo.ask("1", 0.0)
    echo.answered()
    assert not echo.is_full


def test_where_nothing_can_be_known_what_is_in_doubt_is_bounded() -> None:
    echo = Echo()
    echo.ask("1", 0.0)
    echo.left(0, ANSWER_SECONDS)
    say(echo, 10 * WINDOW_STANZAS)
    assert WINDOW_STANZAS <= len(echo.unsure) <= WINDOW_STANZAS + 100
    assert echo.position == 10 * WINDOW_STANZAS
    assert not echo.is_full


def test_what_is_taken_for_arrived_need_not_wait_on_disk_any_more() -> None:
    echo = Echo()
    echo.ask("1", 0.0)
    echo.left(0, ANSWER_SECONDS)
    gone: list[int] = []
    for number in range(1, 2 * WINDOW_STANZAS):
        payload = payload_of(Element("message", {"from": "ann@a.example/x"}))
        payload.spooled = number
        gone += echo.sent(payload, BOB)
    assert gone == list(range(1, 2 * WINDOW_STANZAS - len(echo.unsure)))


def test_what_has_arrived_is_known_without_an_answer_if_something_else_says_so() -> None:
    echo = Echo()
    say(echo, 2)
    echo.ask("1", 0.0)
    echo.arrived()
    assert not echo.unsure
    assert echo.open_id == ""
    assert not echo.is_silent(10 * ANSWER_SECONDS)
