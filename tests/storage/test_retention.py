"""What is deleted because of its age: all of it, nothing else, and no number of it comes again."""

from collections.abc import Callable

from fermata.core.archive_answer import Ends
from fermata.core.archive_query import Selection
from fermata.core.records import ArchiveExpired, ArchiveFloorRaised
from kit.databases import Opened, Place, message


def expire(opened: Opened, seq: int) -> None:
    opened.keep(ArchiveFloorRaised(seq), ArchiveExpired(seq))
    opened.commit()


def test_what_stands_up_to_that_place_goes_from_all_archives(opened: Opened) -> None:
    one = message(opened, owner=1)
    shared = message(opened, owner=1, other=2)
    left = message(opened, owner=2, other=1)
    opened.keep(one, shared, left)
    expire(opened, shared.seq)
    run, archive = opened.turns.run, opened.database.archive
    for owner in (1, 2):
        assert [row.seq for row in run(archive.newest(owner, 9))] == [left.seq]
        assert run(archive.ends(owner)) == Ends((left.seq, left.stamp), (left.seq, left.stamp))
        assert run(archive.held(owner, [one.seq, shared.seq, left.seq])) == {left.seq}
        assert run(archive.count(owner, Selection(0))) == 1
    assert run(archive.message(shared.seq, 1)) is None
    assert run(archive.oldest(0, 9)) == [(left.seq, left.stamp)]


def test_the_oldest_are_told_behind_a_place_and_in_order(opened: Opened) -> None:
    rows = [message(opened)._replace(stamp=float(number)) for number in range(5)]
    opened.keep(*rows)
    archive = opened.database.archive
    places = [(row.seq, row.stamp) for row in rows]
    assert opened.turns.run(archive.oldest(0, 3)) == places[:3]
    assert opened.turns.run(archive.oldest(rows[2].seq, 3)) == places[3:]


def test_no_number_comes_again_when_everything_is_gone(place: Place, open_at: Callable[[Place], Opened]) -> None:
    opened = open_at(place)
    rows = [message(opened) for _ in range(3)]
    opened.keep(*rows)
    expire(opened, rows[-1].seq)
    expire(opened, rows[0].seq)  # a floor is never lowered
    opened.database.close()
    again = open_at(place)
    assert again.turns.run(again.database.archive.newest(1, 9)) == []
    assert again.database.archive.new_seq() == rows[-1].seq + 1
