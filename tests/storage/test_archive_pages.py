"""Pages of archives: what is found, in which order, and by which index."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from fermata.core.archive_answer import Ends
from fermata.core.archive_query import Match, Selection
from fermata.core.records import EntityGone, MessageArchived
from fermata.storage import archive_pages
from fermata.xmpp.jid import JID
from kit.databases import Opened, Place

ROMEO, JULIET, NURSE = 1, 2, 3
ORCHARD, BALCONY = "romeo@a.example/orchard", "juliet@a.example/balcony"
ROOM = "verona@rooms.a.example"
EVERYTHING = Selection(100)


def said(
    opened: Opened,
    owner: int,
    other: int | None = None,
    stamp: float = 1.5,
    sender: str = ORCHARD,
    recipient: str = "juliet@a.example",
    xml: str = "<message/>",
) -> MessageArchived:
    seq = opened.database.archive.new_seq()
    return MessageArchived(seq, stamp, owner, other, sender, recipient, 1, xml)


def found(opened: Opened, owner: int, selection: Selection, limit: int = 100) -> list[int]:
    return [row.seq for row in opened.turns.run(opened.database.archive.page(owner, selection, limit))]


def counted(opened: Opened, owner: int, selection: Selection) -> int:
    return opened.turns.run(opened.database.archive.count(owner, selection))


def both_ways(opened: Opened, owner: int, selection: Selection) -> list[int]:
    """What is found, which must not depend on the direction, nor on how it is counted."""
    forwards = found(opened, owner, selection)
    assert found(opened, owner, selection._replace(newest=True)) == forwards
    assert counted(opened, owner, selection) == len(forwards)
    for limit in (1, 2):
        assert found(opened, owner, selection, limit) == forwards[:limit]
        assert found(opened, owner, selection._replace(newest=True), limit) == forwards[-limit:]
    return forwards


def test_a_message_is_in_the_archives_of_both_its_owners_and_in_no_other(opened: Opened) -> None:
    opened.keep(said(opened, JULIET, ROMEO), said(opened, ROMEO, JULIET), said(opened, ROMEO), said(opened, NURSE))
    assert both_ways(opened, ROMEO, EVERYTHING) == [1, 2, 3]
    assert both_ways(opened, JULIET, EVERYTHING) == [1, 2]
    assert both_ways(opened, NURSE, EVERYTHING) == [4]
    assert both_ways(opened, 99, EVERYTHING) == []


def test_a_range_leaves_both_its_ends_out(opened: Opened) -> None:
    opened.keep(*(said(opened, ROMEO, JULIET if number % 2 else None) for number in range(6)))
    assert both_ways(opened, ROMEO, EVERYTHING._replace(after=2)) == [3, 4, 5, 6]
    assert both_ways(opened, ROMEO, EVERYTHING._replace(before=3)) == [1, 2]
    assert both_ways(opened, ROMEO, EVERYTHING._replace(after=2, before=5)) == [3, 4]
    assert both_ways(opened, JULIET, EVERYTHING._replace(after=2, before=6)) == [4]
    assert both_ways(opened, ROMEO, EVERYTHING._replace(after=5, before=2)) == []


def test_only_some_places_may_be_in_question(opened: Opened) -> None:
    opened.keep(*(said(opened, ROMEO, JULIET if number % 2 else None) for number in range(6)))
    assert both_ways(opened, ROMEO, EVERYTHING._replace(places=(5, 2, 99))) == [2, 5]
    assert both_ways(opened, JULIET, EVERYTHING._replace(places=(5, 2))) == [2]
    assert both_ways(opened, ROMEO, EVERYTHING._replace(places=(5, 2), after=2)) == [5]


def test_those_who_wrote_and_were_written_to_are_told_apart(opened: Opened) -> None:
    opened.keep(
        said(opened, ROMEO, JULIET),
        said(opened, ROMEO, JULIET, sender=BALCONY, recipient=ORCHARD),
        said(opened, ROMEO, sender="juliet@a.example.net/x", recipient="romeo@a.example"),
        said(opened, ROMEO, recipient="romeo@a.example"),
        said(opened, ROMEO, recipient=ORCHARD),
        said(opened, ROMEO, sender="verona@rooms.a.example/%_", recipient=ORCHARD),
    )

    def with_(jid: str, match: Match = Match.EITHER) -> list[int]:
        return both_ways(opened, ROMEO, EVERYTHING._replace(match=match, jid=JID.parse(jid)))

    assert with_("juliet@a.example") == [1, 2]
    assert with_(BALCONY) == [2]
    assert with_("juliet@a.example/balcon") == []
    assert with_("romeo@a.example") == [1, 2, 3, 4, 5, 6]
    assert with_("romeo@a.example", Match.BOTH) == [4, 5]
    assert with_("romeo@a.example", Match.SENDER) == [1, 4, 5]
    assert with_("a.example") == []
    assert with_("verona@rooms.a.example") == [6]
    assert with_("verona@rooms.a.example/%_") == [6]
    assert with_("verona@rooms.a.example/xy") == []


def test_an_occupant_is_known_by_how_the_message_begins(opened: Opened) -> None:
    opened.keep(
        said(opened, ROMEO, xml=f"<message from='{ROOM}/R&apos;o' type='groupchat'/>"),
        said(opened, ROMEO, xml=f"<message from='{ROOM}/R' type='groupchat'/>"),
        said(opened, ROMEO, xml=f"<message from='{ROOM}/Ro' type='groupchat'/>"),
    )

    def of(nick: str) -> list[int]:
        jid = JID.parse(f"{ROOM}/{nick}")
        return both_ways(opened, ROMEO, EVERYTHING._replace(match=Match.OCCUPANT, jid=jid))

    assert [of(nick) for nick in ("R'o", "R", "Ro", "r")] == [[1], [2], [3], []]


def test_a_time_has_both_its_ends_in_it_though_the_clock_was_set_back(opened: Opened) -> None:
    stamps = [1e9, 1e9 + 10_000, 1e9 + 9_000, 1e9 + 20_000, 1e9 + 30_000]
    opened.keep(*(said(opened, ROMEO, JULIET if number % 2 else None, stamp) for number, stamp in enumerate(stamps)))

    def at(start: float = -math.inf, end: float = math.inf) -> list[int]:
        return both_ways(opened, ROMEO, EVERYTHING._replace(start=start, end=end))

    assert at(start=1e9 + 9_000) == [2, 3, 4, 5]
    assert at(start=1e9 + 9_500) == [2, 4, 5]
    assert at(end=1e9 + 9_000) == [1, 3]
    assert at(start=1e9 + 9_000, end=1e9 + 20_000) == [2, 3, 4]
    assert at(start=2e9) == []
    assert at(end=1.0) == []


def test_nothing_is_found_in_an_empty_database(opened: Opened) -> None:
    assert both_ways(opened, ROMEO, EVERYTHING._replace(start=1.0, end=2.0)) == []
    assert opened.turns.run(opened.database.archive.ends(ROMEO)) is None
    assert opened.turns.run(opened.database.archive.held(ROMEO, {1, 2})) == frozenset()


def test_what_is_far_away_is_found_in_parts(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = 0
    turn = opened.database.archive._next_turn

    def counting() -> Any:
        nonlocal parts
        parts += 1
        return turn()

    monkeypatch.setattr(opened.database.archive, "_next_turn", counting)
    rare = {0, 1500, 2999}
    opened.keep(
        *(
            said(opened, ROMEO, JULIET if number % 2 else None, recipient="nurse@a.example" if number in rare else "x")
            for number in range(3000)
        )
    )
    nurse = EVERYTHING._replace(match=Match.EITHER, jid=JID.parse("nurse@a.example"))
    assert both_ways(opened, ROMEO, nurse) == [1, 1501, 3000]
    parts = 0
    assert found(opened, ROMEO, nurse) == [1, 1501, 3000]
    assert parts == 3
    parts = 0
    assert found(opened, ROMEO, nurse._replace(newest=True), 1) == [3000]
    assert parts == 1
    assert found(opened, ROMEO, nurse, 2) == [1, 1501]
    assert counted(opened, ROMEO, EVERYTHING) == 3000


def test_the_ends_of_an_archive(opened: Opened) -> None:
    opened.keep(
        said(opened, NURSE, stamp=1.0),
        said(opened, JULIET, ROMEO, stamp=2.0),
        said(opened, ROMEO, stamp=3.0),
        said(opened, ROMEO, JULIET, stamp=4.0),
    )
    archive = opened.database.archive
    assert opened.turns.run(archive.ends(ROMEO)) == Ends((2, 2.0), (4, 4.0))
    assert opened.turns.run(archive.ends(NURSE)) == Ends((1, 1.0), (1, 1.0))


def test_an_archive_knows_which_messages_it_has(opened: Opened) -> None:
    opened.keep(said(opened, JULIET, ROMEO), said(opened, NURSE), *(said(opened, ROMEO) for _ in range(150)))
    archive = opened.database.archive
    assert opened.turns.run(archive.held(ROMEO, {1, 2, 3, 999})) == {1, 3}
    assert opened.turns.run(archive.held(ROMEO, range(1, 200))) == {1, *range(3, 153)}


def test_what_was_erased_is_in_no_page(opened: Opened) -> None:
    opened.keep(said(opened, JULIET, ROMEO), said(opened, JULIET))
    opened.keep(EntityGone(JULIET))
    assert both_ways(opened, JULIET, EVERYTHING) == []
    assert both_ways(opened, ROMEO, EVERYTHING) == [1]


def test_every_page_walks_an_index_and_sorts_no_more_than_it_shows(
    sqlite_place: Place, open_at: Callable[[Place], Opened]
) -> None:
    opened = open_at(sqlite_place)
    engine = opened.database._engine
    somebody = JID.parse("juliet@a.example")
    for newest in (False, True):
        for match in (None, *Match):
            selection = Selection(10, newest, match=match, jid=somebody if match else None)
            statements = [
                archive_pages.page_statement(selection),
                archive_pages.edge_statement(newest),
                archive_pages.end_statement(newest),
                archive_pages.count_statement(selection),
            ]
            parameters = archive_pages.parameters_of(1, selection) | {"limit": 10}
            for statement in statements:
                compiled = statement.compile(dialect=engine.dialect)
                values = tuple(parameters.get(name, 0) for name in compiled.positiontup or ())
                with engine.connect() as connection:
                    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values).all()
                steps = [row[3] for row in plan]
                touched = [step for step in steps if " archive" in step]
                assert len(touched) == 2, steps
                assert all("USING" in step and "INDEX" in step and step.startswith("SEARCH") for step in touched), steps
                # What is sorted is what the halves have found, never what an index was walked for.
                assert all("B-TREE" not in after for step, after in pairwise(steps) if step in touched), steps
