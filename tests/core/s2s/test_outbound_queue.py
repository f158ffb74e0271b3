"""What waits for another server, and how long."""

import pytest

from fermata.core.s2s.queue import (
    GROUPCHAT_SECONDS,
    IQ_SECONDS,
    MESSAGE_SECONDS,
    PRESENCE_SECONDS,
    Allowance,
    OutboundQueue,
    Waiting,
)
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import Payload

ANN = JID.parse("ann@b.example/phone")
BOB = JID.parse("bob@b.example/desk")


def waiting(kind: str, type: str = "", to: JID = ANN, since: float = 0, sender: str = "me@a.example/x") -> Waiting:
    return Waiting(Payload(kind, f" type='{type}'/>", sender, type), to, since, True)


def entering() -> Waiting:
    inside = "><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    return Waiting(Payload("presence", inside, "me@a.example/x"), ANN, 0, True)


def queue(*entries: Waiting, most: float = 10_000) -> OutboundQueue:
    made = OutboundQueue(Allowance(most))
    for entry in entries:
        assert made.put(entry)
    return made


def drained(queue: OutboundQueue) -> list[Waiting]:
    found = []
    while (entry := queue.pop()) is not None:
        found.append(entry)
    return found


def test_stanzas_leave_in_the_order_in_which_they_came() -> None:
    entries = [waiting("message"), waiting("iq", "get"), waiting("presence"), waiting("message")]
    assert drained(queue(*entries)) == entries


def test_of_presence_only_the_latest_is_kept_behind_what_was_said_before_it() -> None:
    first, message, second = waiting("presence"), waiting("message"), waiting("presence", "unavailable")
    assert drained(queue(first, message, second)) == [message, second]


def test_who_enters_a_room_says_something_and_leaves_does_so_in_that_order() -> None:
    all_of_it = [entering(), waiting("message", "groupchat"), waiting("presence", "unavailable")]
    assert drained(queue(*all_of_it)) == all_of_it


def test_what_a_room_says_to_somebody_about_himself_is_never_replaced() -> None:
    own = "<x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>"
    said = [Waiting(Payload("presence", own, "tea@a.example/Bob", type), BOB, 0, False) for type in ("unavailable", "")]
    assert drained(queue(*said)) == said


def test_asking_the_same_again_and_refusing_the_same_again_takes_no_room() -> None:
    made = queue(*[waiting("presence", type) for type in ("probe", "unsubscribed") for _ in range(100)])
    assert len(made) == 2
    assert made.characters == len(" type='probe'/>") + len(" type='unsubscribed'/>")


@pytest.mark.parametrize("other", [waiting("presence", to=BOB), waiting("presence", sender="you@a.example/y")])
def test_presence_of_others_and_for_others_stays(other: Waiting) -> None:
    assert len(queue(waiting("presence"), other)) == 2


def test_requests_for_subscription_are_not_replaced() -> None:
    assert len(queue(waiting("presence", "subscribe"), waiting("presence"), waiting("presence", "unsubscribe"))) == 3


def test_presence_that_came_after_one_was_sent_is_new() -> None:
    made = queue(waiting("presence"))
    made.pop()
    assert made.put(waiting("presence", "unavailable"))
    assert len(made) == 1


@pytest.mark.parametrize(
    ("entry", "seconds"),
    [
        (waiting("iq", "get"), IQ_SECONDS),
        (waiting("iq", "result"), IQ_SECONDS),
        (waiting("message", "groupchat"), GROUPCHAT_SECONDS),
        (waiting("message", "chat"), MESSAGE_SECONDS),
        (waiting("message"), MESSAGE_SECONDS),
        (waiting("presence"), PRESENCE_SECONDS),
        (waiting("presence", "subscribed"), PRESENCE_SECONDS),
    ],
)
def test_each_kind_has_its_patience(entry: Waiting, seconds: float) -> None:
    made = queue(entry)
    assert made.expire(seconds - 0.001) == []
    assert made.expire(seconds) == [entry]
    assert len(made) == 0
    assert made.characters == 0


def test_what_a_room_will_not_tell_again_waits_as_long_as_it_takes() -> None:
    said, asked = waiting("message", "groupchat"), waiting("iq", "get")
    assert queue(said, asked).expire(1e9, only_iqs=True) == [asked]


def test_who_enters_a_room_is_told_as_soon_as_one_who_asks() -> None:
    enters = entering()
    made = queue(enters)
    assert made.put(waiting("presence"))
    assert made.expire(IQ_SECONDS) == [enters]
    assert len(made) == 1


def test_those_that_have_not_waited_long_enough_stay_in_order() -> None:
    early, late, last = waiting("iq", "get"), waiting("message", since=1), waiting("iq", "get", since=30)
    made = queue(early, late, last)
    assert made.expire(IQ_SECONDS) == [early]
    assert drained(made) == [late, last]


def test_what_is_too_much_is_not_kept_and_room_comes_back_with_what_leaves() -> None:
    entry = waiting("message")
    size = len(entry.payload.rest)
    made = queue(entry, most=size)
    assert not made.put(waiting("message"))
    made.pop()
    assert made.put(waiting("message"))


def test_a_replaced_presence_counts_with_its_new_size() -> None:
    made = queue(waiting("presence"))
    made.put(waiting("presence", "unavailable"))
    assert made.characters == len(" type='unavailable'/>")


def test_what_may_not_have_arrived_goes_first_even_if_that_is_too_much() -> None:
    new = waiting("message")
    made = queue(new, most=len(new.payload.rest))
    doubtful = [waiting("message"), waiting("presence")]
    made.put_first(doubtful)
    assert drained(made) == [*doubtful, new]


def test_an_older_presence_that_is_sent_again_does_not_overtake_the_newer_one() -> None:
    newer = waiting("presence", "unavailable")
    made = queue(newer)
    made.put_first([waiting("presence")])
    assert drained(made)[-1] is newer


def test_clearing_takes_all() -> None:
    entries = [waiting("message"), waiting("presence")]
    made = queue(*entries)
    assert made.clear() == entries
    assert len(made) == 0
    assert made.characters == 0


def test_what_waits_in_one_queue_is_not_there_for_another_of_the_same_allowance() -> None:
    entry = waiting("message")
    allowance = Allowance(len(entry.payload.rest))
    one, other = OutboundQueue(allowance), OutboundQueue(allowance)
    assert one.put(entry)
    assert not other.put(waiting("message"))
    one.clear()
    assert other.put(waiting("message"))
    assert (one.characters, other.characters) == (0, allowance.used)


def test_something_in_between_can_be_taken_out_once() -> None:
    first, second, third = waiting("message"), waiting("message"), waiting("message")
    made = queue(first, second, third)
    assert made.discard(second)
    assert not made.discard(second)
    assert drained(made) == [first, third]
    assert made.characters == 0
