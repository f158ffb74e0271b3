"""The past of a room: what is shown of it on entering, and how one asks for less (XEP-0045 §7.2.13–7.2.15)."""

from datetime import UTC, datetime, timedelta

import pytest

from kit import ns
from kit.muc import bodies, configure, create, enter, party, say
from kit.stanzas import Element, find, show
from kit.wire import Client

# The past (§7.2.13–7.2.14)


def past(ann: Client, room: str, count: int = 5) -> list[Element]:
    """A room with so many messages, as they were seen."""
    create(ann, room, "Ann")
    for number in range(count):
        say(ann, room, str(number))
    return [ann.expect("message", "body") for _ in range(count)]


def test_the_past_is_what_was_seen(ann: Client, ben: Client, room: str) -> None:
    seen = past(ann, room)
    entry = enter(ben, room, "Ben")
    assert bodies(entry.history) == ["0", "1", "2", "3", "4"]
    for message, live in zip(entry.history, seen, strict=True):
        assert message.get("from") == f"{room}/Ann"
        assert message.get("id") == live.get("id")
        delay = find(message, "delay:delay")
        assert delay is not None
        assert delay.get("from") == room
        assert abs(datetime.now(UTC) - datetime.fromisoformat(delay.get("stamp", ""))) < timedelta(seconds=60)
        stamp, live_stamp = (find(each, f"sid:stanza-id[@by='{room}']") for each in (message, live))
        assert stamp is not None
        assert live_stamp is not None
        assert stamp.get("id") == live_stamp.get("id")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("maxstanzas='0'", []),
        ("maxstanzas='2'", ["3", "4"]),
        ("maxstanzas='100'", ["0", "1", "2", "3", "4"]),
        ("maxchars='0'", []),
        ("seconds='3600'", ["0", "1", "2", "3", "4"]),
        ("since='2001-01-01T00:00:00Z'", ["0", "1", "2", "3", "4"]),
        ("since='2101-01-01T00:00:00Z'", []),
        ("maxstanzas='3' seconds='3600'", ["2", "3", "4"]),
    ],
)
def test_one_may_ask_for_less_of_the_past(
    ann: Client, ben: Client, room: str, history: str, expected: list[str]
) -> None:
    past(ann, room)
    assert bodies(enter(ben, room, "Ben", history=history).history) == expected


def test_one_may_ask_for_so_many_characters(ann: Client, ben: Client, room: str) -> None:
    past(ann, room)
    whole = enter(ben, room, "Ben", history="maxchars='100000'").history
    assert bodies(whole) == ["0", "1", "2", "3", "4"]
    ben.send(f"<presence type='unavailable' to='{room}/Ben'/>")
    ben.expect("presence", type="unavailable")
    some = bodies(enter(ben, room, "Ben", history="maxchars='900'").history)
    assert 0 < len(some) < 5
    assert some == ["0", "1", "2", "3", "4"][-len(some) :]


def test_the_room_limits_its_past(ann: Client, ben: Client, room: str) -> None:
    past(ann, room)
    configure(ann, room, muc__maxhistoryfetch="2")
    assert bodies(enter(ben, room, "Ben").history) == ["3", "4"]


def test_more_than_the_limit_is_not_given(ann: Client, ben: Client, room: str) -> None:
    past(ann, room, 60)
    assert bodies(enter(ben, room, "Ben", history="maxstanzas='1000'").history) == [str(n) for n in range(10, 60)]


@pytest.mark.parametrize(
    "content",
    [f"<composing xmlns='{ns.CHAT_STATES}'/>", f"<body>off the record</body><no-store xmlns='{ns.HINTS}'/>"],
    ids=["chat state", "no-store"],
)
def test_what_is_not_kept_is_not_in_the_past(ann: Client, ben: Client, room: str, content: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message type='groupchat' to='{room}' id='c'>{content}</message>")
    ann.expect("message", id="c")
    assert enter(ben, room, "Ben").history == []


def test_messages_of_someone_who_left_are_in_the_past(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    say(ben, room, "hello")
    ben.expect("message")
    ben.send(f"<presence type='unavailable' to='{room}/Ben'/>")
    ben.expect("presence", type="unavailable")
    (message,) = enter(cat, room, "Cat").history
    assert message.get("from") == f"{room}/Ben"


def test_the_past_does_not_tell_addresses(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    say(ben, room, "hello")
    ben.expect("message")
    for message in enter(cat, room, "Cat").history:
        assert ben.bare not in show(message)
