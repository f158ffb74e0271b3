"""What waits for a session: in order, and thinned out while nobody reads."""

import pytest

from fermata.core.keeping import ARCHIVE, COPY, SPOOL
from fermata.core.pending import Pending
from fermata.xmpp import namespaces as ns
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import Payload

JULIET = JID.parse("juliet@capulet.example/balcony")
ROOM = "tea@rooms.example"


def message(number: int, archive_id: str = "", type: str = "chat") -> Payload:
    return Payload("message", f" id='{number}'><body>{number}</body></message>", ROOM, type, archive_id)


def presence(sender: str, number: int, type: str = "") -> Payload:
    return Payload("presence", f" id='{number}'/>", sender, type)


def composing(type: str = "chat", body: str = "", keep: int = COPY) -> Payload:
    return Payload("message", f" id='9'><composing xmlns='{ns.CHAT_STATES}'/>{body}</message>", ROOM, type, keep=keep)


def waiting(*payloads: Payload, is_away: bool = True) -> Pending:
    pending = Pending()
    for payload in payloads:
        pending.put(payload, JULIET, is_away)
    return pending


def ids(pending: Pending) -> list[str]:
    assert len(pending) == len(list(pending))
    assert pending.characters == sum(len(payload.rest) for payload, _ in pending)
    return [payload.rest.split("'")[1] for payload, _ in pending]


def test_what_waits_comes_out_in_order() -> None:
    pending = waiting(message(1), message(2), presence(f"{ROOM}/ann", 3))
    assert [pending.take()[0].rest.split("'")[1] for _ in range(3)] == ["1", "2", "3"]
    assert (len(pending), pending.characters) == (0, 0)
    with pytest.raises(IndexError):
        pending.take()


def test_of_each_occupant_only_the_newest_presence_waits_for_who_is_away() -> None:
    pending = waiting(
        presence(f"{ROOM}/ann", 1),
        presence(f"{ROOM}/ben", 2),
        message(3),
        presence(f"{ROOM}/ann", 4, "unavailable"),
        presence(f"{ROOM}/ann", 5),
    )
    assert ids(pending) == ["2", "3", "5"]


def test_whoever_reads_gets_every_presence() -> None:
    assert ids(waiting(presence(ROOM, 1), presence(ROOM, 2), is_away=False)) == ["1", "2"]


def test_what_waited_for_who_went_away_then_is_replaced_as_well() -> None:
    pending = waiting(presence(ROOM, 1), presence(ROOM, 2), is_away=False)
    pending.put(presence(ROOM, 3), JULIET, is_away=True)
    assert ids(pending) == ["1", "3"]


def test_presence_that_was_taken_is_not_replaced() -> None:
    pending = waiting(presence(ROOM, 1), message(2))
    pending.take()
    pending.put(presence(ROOM, 3), JULIET, is_away=True)
    assert ids(pending) == ["2", "3"]


@pytest.mark.parametrize("type", ["error", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe"])
def test_other_presence_says_something_of_its_own(type: str) -> None:
    assert ids(waiting(presence(ROOM, 1), presence(ROOM, 2, type), presence(ROOM, 3, type))) == ["1", "2", "3"]


def test_presence_to_another_address_is_another() -> None:
    pending = waiting(presence(ROOM, 1))
    pending.put(presence(ROOM, 2), JULIET.bare, is_away=True)
    assert ids(pending) == ["1", "2"]


def test_chat_states_do_not_wait_for_who_is_away() -> None:
    pending = Pending()
    assert not pending.put(composing(), JULIET, is_away=True)
    assert not pending.put(composing("groupchat", keep=0), JULIET, is_away=True)
    assert pending.put(composing(), JULIET)
    assert len(pending) == 1


@pytest.mark.parametrize(
    "payload", [composing(body="<body>hi</body>"), composing(keep=COPY | ARCHIVE), composing("error"), message(1)]
)
def test_whatever_says_more_than_a_chat_state_waits(payload: Payload) -> None:
    assert Pending().put(payload, JULIET, is_away=True)


def test_what_stands_in_the_archive_of_a_room_is_dropped_first() -> None:
    queue = [message(1, "a1", "groupchat"), message(2, "a2"), message(3), message(4, "", "groupchat")]
    pending = waiting(*queue, presence(ROOM, 5), presence(ROOM, 6), is_away=False)
    pending.thin(everything=False)
    assert ids(pending) == ["2", "3", "4", "6"]
    pending.thin(everything=True)
    assert ids(pending) == ["3", "4", "6"]


def test_so_is_what_stands_in_an_archive_and_would_not_outlive_the_session() -> None:
    kept = [message(1, "a1"), message(2, "a2"), message(3), message(4, "a4")]
    for payload, keep in zip(kept, (COPY, COPY | SPOOL, COPY, 0), strict=True):
        payload.keep = keep
    pending = waiting(*kept, is_away=False)
    pending.thin(everything=False)
    assert ids(pending) == ["2", "3", "4"], "what nobody has judged yet may be worth keeping"


def test_somebody_whose_presence_changes_all_the_time_costs_no_memory() -> None:
    pending = waiting(message(1))
    for number in range(10_000):
        pending.put(presence(ROOM, number), JULIET, is_away=True)
    assert ids(pending) == ["1", "9999"]
    assert len(pending._entries) < 100
