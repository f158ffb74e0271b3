"""Messages to people that come twice from another server."""

import pytest

from fermata.core.breaks import Breaks
from fermata.core.s2s.heard import Heard
from fermata.core.stored_xml import stanza_from
from fermata.core.stream_management import WINDOW_STANZAS
from fermata.xmpp.jid import JID

ANN, BOB = JID.parse("ann@a.example"), JID.parse("bob@b.example/desk")
START = 1_000_000.0
LATE = "<delay xmlns='urn:xmpp:delay' from='b.example' stamp='2026-01-01T00:00:00Z'/>"


@pytest.fixture
def heard() -> Heard:
    return Heard(START)


def said(heard: Heard, inside: str = "<body>hi</body>", id: str = "m1", type: str = "chat", now: float = START) -> bool:
    message = f"<message from='{BOB}' to='{ANN}' id='{id}' type='{type}'>{inside}</message>"
    return heard.take(stanza_from(message), ANN, BOB, now)


def test_the_same_comes_once(heard: Heard) -> None:
    assert not said(heard)
    assert said(heard)
    assert said(heard, "<body>hi</body>" + LATE)


@pytest.mark.parametrize(("inside", "id"), [("<body>hi there</body>", "m1"), ("<body>hi</body>", "m2")])
def test_another_content_or_another_id_is_another_message(heard: Heard, inside: str, id: str) -> None:
    said(heard)
    assert not said(heard, inside, id)


def test_without_an_id_nothing_is_a_repeat(heard: Heard) -> None:
    said(heard, id="")
    assert not said(heard, id="")


@pytest.mark.parametrize("type", ["groupchat", "error"])
def test_what_rooms_are_told_is_for_them_to_know(heard: Heard, type: str) -> None:
    said(heard, type=type)
    assert not said(heard, type=type)


def test_long_after_a_connection_people_may_say_the_same_again(heard: Heard) -> None:
    said(heard)
    later = START + Breaks.SECONDS + 1
    assert not said(heard, now=later)
    heard.connected(BOB.domain, later)
    assert said(heard, now=later)


def test_who_was_refused_may_try_again(heard: Heard) -> None:
    said(heard)
    heard.forget(stanza_from(f"<message from='{BOB}' to='{ANN}' id='m1'/>"))
    assert not said(heard)


def test_it_is_known_from_the_archive_after_a_crash(heard: Heard) -> None:
    kept = f"<message from='{BOB}' to='{ANN}' id='m1' type='chat'><body>hi</body></message>"
    heard.restore([kept, kept.replace("b.example", "a.example")], lambda domain: domain == "a.example")
    assert said(heard)


def test_as_much_is_known_as_can_be_under_way(heard: Heard) -> None:
    for number in range(WINDOW_STANZAS + 1):
        said(heard, id=f"m{number}")
    assert said(heard, id="m1")
    assert not said(heard, id="m0")
