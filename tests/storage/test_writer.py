"""Group commit: tickets, release, what is gathered, what happens to steps that can't be kept."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from fermata.core.records import EntityMade, HandledSaved, Lineage, Step
from fermata.core.release import ReleaseQueue
from fermata.storage import tables
from fermata.storage.errors import StorageError
from fermata.xmpp.jid import JID
from kit.databases import UNKEEPABLE, Opened, Outbox, Place, message

ROMEO = JID.parse("romeo@a.example")


def archived(opened: Opened) -> list[str]:
    """The bodies that are in the archive, in order."""
    rows = opened.rows(select(tables.archive.c.xml).order_by(tables.archive.c.seq))
    return [xml.removeprefix("<body>").removesuffix("</body>") for (xml,) in rows]


def test_the_steps_of_a_turn_share_a_ticket(opened: Opened) -> None:
    writer = opened.database.writer
    assert writer.ticket == writer.durable
    one, two = (writer.submit(Step([message(opened)])) for _ in range(2))
    assert one == two == writer.ticket == writer.durable + 1
    opened.commit()
    assert writer.durable == one
    assert writer.submit(Step([message(opened)])) == one + 1


def test_nothing_goes_out_before_it_is_durable_and_all_of_it_in_order_after(opened: Opened) -> None:
    outbox = Outbox(opened)
    for text in "abc":
        outbox.send(opened.keep(message(opened, text)), text, text.upper())
    assert outbox.sent == []
    opened.commit()
    assert outbox.sent == ["a", "A", "b", "B", "c", "C"]
    assert archived(opened) == ["a", "b", "c"]


def test_what_keeps_nothing_goes_out_at_once_unless_something_is_before_it(opened: Opened) -> None:
    idle, busy = Outbox(opened), Outbox(opened)
    opened.commit()
    idle.send(Step([]), "typing")
    busy.send(opened.keep(message(opened)), "message")
    busy.send(Step([]), "typing")
    assert (idle.sent, busy.sent) == (["typing"], [])
    opened.commit()
    assert busy.sent == ["message", "typing"]


def test_steps_that_effects_submit_are_in_a_later_batch(opened: Opened) -> None:
    outbox = Outbox(opened)
    tickets = []
    writer = opened.database.writer
    step = opened.keep(message(opened))
    tickets.append(writer.ticket)
    queue = outbox._queue
    queue.put(writer.ticket, step, lambda: tickets.append(writer.submit(Step([message(opened)]))))
    opened.turns.until(lambda: len(tickets) == 2)
    opened.commit()
    assert tickets[1] == tickets[0] + 1 == writer.durable


def test_what_is_gathered_before_a_commit_is_in_it(opened: Opened) -> None:
    writer = opened.database.writer
    asked: list[int] = []

    def gather() -> Step:
        asked.append(writer.durable)
        return Step([HandledSaved("session", 1, 5, 1.0)])

    writer.before_commit(gather)
    writer.before_commit(lambda: None)
    assert writer.ticket == writer.durable
    opened.keep(EntityMade(1, ROMEO, 1.0))
    opened.commit()
    assert asked == [0]
    assert opened.turns.run(opened.database.handled.handled("session", 1)) == 5
    opened.keep(message(opened))
    opened.commit()
    assert asked == [0]


def test_a_read_sees_what_was_submitted_before_it(opened: Opened) -> None:
    opened.keep(EntityMade(1, ROMEO, 1.0))
    assert opened.turns.run(opened.database.entities.number_of(ROMEO)) == 1


def test_a_read_lets_nothing_out_in_the_middle_of_a_turn(
    sqlite_place: Place, open_at: Callable[[Place], Opened]
) -> None:
    opened = open_at(sqlite_place)
    outbox = Outbox(opened)
    outbox.send(opened.keep(message(opened)), "before")
    reading = opened.database.archive.newest(1, 10)
    with pytest.raises(StopIteration):
        reading.send(None)
    assert outbox.sent == []
    outbox.send(opened.keep(message(opened)), "after")
    opened.turns.end_turn()
    assert outbox.sent == ["before", "after"]


def test_a_step_that_cannot_be_kept_sinks_alone(opened: Opened) -> None:
    outbox = Outbox(opened)
    steps = [opened.keep(message(opened, text)) for text in ("a", UNKEEPABLE, "b")]
    for step, text in zip(steps, ("a", "lost", "b"), strict=True):
        outbox.send(step, text)
    opened.commit()
    assert outbox.sent == ["a", "b"]
    assert outbox.refused == [steps[1]]
    assert isinstance(steps[1].error, StorageError)
    assert archived(opened) == ["a", "b"]


def test_of_a_step_that_cannot_be_kept_nothing_is(opened: Opened) -> None:
    step = opened.keep(EntityMade(1, ROMEO, 1.0), message(opened, UNKEEPABLE))
    again = opened.keep(message(opened)._replace(seq=7), message(opened)._replace(seq=7))
    opened.commit()
    assert None not in (step.error, again.error)
    assert opened.turns.run(opened.database.entities.number_of(ROMEO)) is None
    assert archived(opened) == []


def test_a_record_of_somebody_who_was_never_made_cannot_be_kept(opened: Opened) -> None:
    step = opened.keep(HandledSaved("session", 99, 5, 1.0))
    opened.commit()
    assert isinstance(step.error, StorageError)


def test_what_builds_on_a_lost_step_is_lost(opened: Opened) -> None:
    room, other = Lineage(), Lineage()
    kept = opened.keep(message(opened, "kept"), lineage=room)
    lost = opened.keep(message(opened, UNKEEPABLE), lineage=room)
    void = opened.keep(message(opened, "void"), lineage=room)
    elsewhere = opened.keep(message(opened, "elsewhere"), lineage=other)
    opened.commit()
    later = opened.keep(message(opened, "later"), lineage=room)
    opened.commit()
    assert room.broken is not None
    assert other.broken is kept.error is elsewhere.error is None
    assert lost.error is void.error is later.error is room.broken
    assert archived(opened) == ["kept", "elsewhere"]


def test_a_lost_step_in_a_batch_voids_the_next_batch_of_its_lineage_too(opened: Opened) -> None:
    room = Lineage()
    lost = opened.keep(message(opened, UNKEEPABLE), lineage=room)
    opened.turns.end_turn()
    void = opened.keep(message(opened, "void"), lineage=room)
    opened.commit()
    assert void.error is lost.error is room.broken


def test_an_effect_that_fails_does_not_hold_up_those_behind_it(opened: Opened, capsys: object) -> None:
    outbox = Outbox(opened)
    step = opened.keep(message(opened))
    outbox._queue.put(opened.database.writer.ticket, step, lambda: outbox.sent[1])
    outbox.send(step, "behind")
    opened.commit()
    assert outbox.sent == ["behind"]


def test_closing_commits_and_releases_what_is_open(place: Place, open_at: Callable[[Place], Opened]) -> None:
    opened = open_at(place)
    outbox = Outbox(opened)
    outbox.send(opened.keep(message(opened, "a")), "a")
    opened.turns.end_turn()
    outbox.send(opened.keep(message(opened, "b")), "b")
    opened.database.close()
    assert outbox.sent == ["a", "b"]
    opened.turns.end_turn()
    with pytest.raises(StorageError, match="closed"):
        opened.keep(message(opened))
    assert archived(open_at(place)) == ["a", "b"]


def test_a_thousand_steps_over_many_turns_are_all_there_in_order(opened: Opened) -> None:
    outbox = Outbox(opened)
    for i in range(1000):
        outbox.send(opened.keep(message(opened, str(i))), str(i))
        if i % 7 == 0:
            opened.turns.end_turn()
    opened.commit()
    assert outbox.sent == archived(opened) == [str(i) for i in range(1000)]


def test_what_is_told_to_be_released_has_gone_out(opened: Opened) -> None:
    writer, told, late = opened.database.writer, [0], list[bool]()
    first, second = (ReleaseQueue(writer, lambda step: None) for _ in range(2))
    writer.released = told.append

    def go_out(ticket: int, *causes: str) -> None:
        late.append(ticket <= max(told))
        for text in causes:  # what goes out has somebody say more, and look for something in the database
            step = opened.keep(message(opened, text))
            first.put(step.ticket, step, go_out, step.ticket)
            opened.turns.run(opened.database.archive.newest(1, 1))

    step = opened.keep(message(opened))
    first.put(step.ticket, step, go_out, step.ticket)
    second.put(step.ticket, step, go_out, step.ticket, "more")
    opened.turns.until(lambda: len(late) == 3 and max(told) > step.ticket)
    assert not any(late)
