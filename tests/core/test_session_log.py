"""What the log of sessions comes to when it is read again."""

import pytest

from fermata.core.session_log import Replay, SavedSession
from fermata.xmpp.jid import JID

JULIET, ROMEO, ROOM = "juliet@capulet.example/balcony", "romeo@montague.example", "tea@rooms.example"
BEGUN = [["+", 1, JULIET], ["s", 1, "<presence/>", ["roster"]], ["m", 1, "id", 600, 5]]


def payload(number: int, spooled: int = 0) -> list[object]:
    return ["p", number, "message", f" id='{number}'/>", ROMEO, "chat", "", 0.0, 31, spooled, False]


def read(*lines: list[list[object]], committed: int = 0) -> list[SavedSession]:
    replay = Replay()
    for line in lines:
        replay.apply(line)
    return replay.finish(committed)


def queue(session: SavedSession) -> tuple[list[str], list[str]]:
    """The ids of what is not acknowledged and of what waits."""
    found = session.outbound.unacked(), session.pending
    unacked, pending = ([payload.rest.split("'")[1] for payload, _ in each] for each in found)
    return unacked, pending


def test_a_session_is_what_was_said_of_it_last() -> None:
    (session,) = read(
        [*BEGUN, ["d", 1, ROOM, f"{ROOM}/julie"], ["d", 1, ROMEO, ROMEO]],
        [["s", 1, "<presence><priority>1</priority></presence>", []], ["d", 1, ROOM, f"{ROOM}/juliet"]],
        [["d", 1, ROMEO, None], ["l", 1, 12.5]],
    )
    assert (session.jid, session.sm_id, session.window, session.away_since) == (JULIET, "id", 600, 12.5)
    assert session.presence == "<presence><priority>1</priority></presence>"
    assert session.wants == ()
    assert session.directed == {JID.parse(ROOM): JID.parse(f"{ROOM}/juliet")}
    assert session.outbound.acked_h == 5


def test_what_was_written_and_not_acknowledged_and_what_waits() -> None:
    (session,) = read(
        [*BEGUN, payload(1), ["o", 1, 1, None], payload(2, 7), ["o", 1, 2, ROMEO]],
        [payload(3), ["w", 1, 3, None, 0], payload(4), ["w", 1, 4, None, 0], ["q", 1], ["a", 1, 6]],
    )
    assert queue(session) == (["2", "3"], ["4"])
    assert session.outbound.acked_h == 6
    assert session.outbound.unacked()[0][0].spooled == 7
    assert session.outbound.unacked()[0][1] == ROMEO
    assert session.outbound.unacked()[1][1] == JULIET


def test_a_payload_for_two_is_one() -> None:
    other = [["+", 2, f"{JULIET}2"], ["m", 2, "other", 600, 0]]
    one, two = read([*BEGUN, *other, payload(1), ["o", 1, 1, None], ["o", 2, 1, None], ["a", 1, 6]])
    assert two.outbound.unacked()[0][0].has_arrived, "another session of the account has it"
    assert queue(one) == ([], [])


def test_a_message_knows_its_copy() -> None:
    other = [["+", 2, f"{JULIET}2"], ["m", 2, "other", 600, 0]]
    said, copy = ["o", 1, 1, None], ["o", 2, 2, None]
    one, two = read([*BEGUN, *other, payload(1), payload(2), ["c", 1, 2], said, copy], [["a", 2, 1]])
    ((message, _),) = one.outbound.unacked()
    assert message.copy is not None
    assert message.copy.has_arrived
    assert queue(two) == ([], [])


def test_a_queue_that_is_noted_again_is_not_doubled() -> None:
    noted = [payload(1), ["o", 1, 1, None], payload(2), ["w", 1, 2, None, 0]]
    (session,) = read([*BEGUN, *noted], [["m", 1, "id", 600, 5], *noted])
    assert queue(session) == (["1"], ["2"])
    (session,) = read([*BEGUN, *noted], [*BEGUN, *noted])
    assert queue(session) == (["1"], ["2"])


@pytest.mark.parametrize(("committed", "pending"), [(2, []), (3, ["1"]), (4, ["1"])])
def test_what_was_promised_is_kept_if_its_batch_is_on_disk(committed: int, pending: list[str]) -> None:
    (session,) = read([*BEGUN, payload(1), ["i", 3, 1, None, [1, 9], 0]], committed=committed)
    assert queue(session) == ([], pending)


@pytest.mark.parametrize(("taken", "pending"), [(set(), []), ({55}, ["1"]), ({54}, [])])
def test_a_place_in_the_archive_proves_it_as_well(taken: set[int], pending: list[str]) -> None:
    replay = Replay()
    replay.apply([*BEGUN, payload(1), ["i", 3, 1, None, [1], 55]])
    assert replay.witnesses == [55]
    (session,) = replay.finish(9, taken)
    assert queue(session) == ([], pending)


def test_what_has_gone_out_is_promised_no_more() -> None:
    promised = [*BEGUN, payload(1), ["i", 3, 1, None, [1], 0], payload(2), ["i", 4, 2, None, [1], 0]]
    (session,) = read(promised, [["o", 1, 1, None], ["r", 3]], committed=4)
    assert queue(session) == (["1"], ["2"])


@pytest.mark.parametrize(("committed", "is_over"), [(2, False), (3, True)])
def test_a_session_is_over_once_what_it_left_is_on_disk(committed: int, is_over: bool) -> None:
    assert (read([*BEGUN, ["e", 1, 3]], committed=committed) == []) == is_over


def test_what_is_said_of_a_session_that_is_unknown_is_nothing() -> None:
    assert read([["a", 4, 1], ["o", 4, 9, None], ["d", 4, ROOM, ROOM]]) == []


@pytest.mark.parametrize("entry", [["?", 1], ["o", 1, 77, None], ["q", 1], ["a", 1, 9], ["+", 1, "@"]])
def test_what_makes_no_sense_is_an_error(entry: list[object]) -> None:
    with pytest.raises((ValueError, LookupError)):
        read([*BEGUN, entry])
