"""Questions to an archive, and the arithmetic of their pages."""

from collections.abc import Sequence
from math import inf

import pytest

from fermata.core.archive_query import FIELDS, Found, Match, Query, Selection, account_match
from fermata.core.records import MessageArchived
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from fermata.xmpp.rsm import Page
from kit.archives import query
from kit.xml import read

ROMEO = JID.parse("romeo@a.example")


def parsed(xml: str, fields: frozenset[str] = FIELDS) -> Query:
    return Query.parse(read(xml), fields)


def seq_of(id: str) -> int | None:
    return int(id) if id.isdecimal() else None


def selected(xml: str) -> Selection:
    return parsed(xml).selection(seq_of, None)


def test_a_question_without_anything_is_for_the_first_page_of_everything() -> None:
    assert parsed("<query xmlns='urn:xmpp:mam:2'/>") == Query(Page(50))
    assert selected("<query xmlns='urn:xmpp:mam:2'/>") == Selection(50)


@pytest.mark.parametrize(
    ("xml", "selection"),
    [
        (query("<max>10</max>"), Selection(10)),
        (query("<max>1000</max>"), Selection(100)),
        (query("<max>0</max>"), Selection(0)),
        (query("<max>5</max><before/>"), Selection(5, True)),
        (query("<max>5</max><before>7</before>"), Selection(5, True, before=7, named=frozenset({7}))),
        (query("<max>5</max><after>7</after>"), Selection(5, after=7, named=frozenset({7}))),
        (query("<after>7</after>", after_id="9"), Selection(50, after=9, named=frozenset({7, 9}))),
        (query("<after>9</after>", after_id="7"), Selection(50, after=9, named=frozenset({7, 9}))),
        (query("<before>9</before>", before_id="7"), Selection(50, True, before=7, named=frozenset({7, 9}))),
        (query(after_id="2", before_id="9"), Selection(50, after=2, before=9, named=frozenset({2, 9}))),
        (query(ids=["4", "2"]), Selection(2, places=(4, 2), named=frozenset({2, 4}))),
        (query("<max>1</max>", ids=["4", "2"]), Selection(1, places=(4, 2), named=frozenset({2, 4}))),
    ],
)
def test_a_page_is_a_range_of_places(xml: str, selection: Selection) -> None:
    assert selected(xml) == selection


def test_times_are_as_exact_as_they_are_told() -> None:
    asked = parsed(query(start="2027-01-15T08:00:00.123Z", end="2027-01-15T10:00:00+02:00"))
    assert asked.start == pytest.approx(1_800_000_000.1225, abs=1e-6)
    assert asked.end == pytest.approx(1_800_000_000.0005, abs=1e-6)
    assert (parsed(query()).start, parsed(query()).end) == (-inf, inf)


def test_an_id_is_of_this_archive_or_is_not_found() -> None:
    for xml in (query(after_id="x"), query(before_id="x"), query(ids=["1", "x"]), query("<after>x</after>")):
        with pytest.raises(StanzaError, match="item-not-found"):
            selected(xml)


def test_an_archive_knows_only_its_own_fields() -> None:
    asked = query(fields={"include-groupchat": "true"})
    with pytest.raises(StanzaError, match="feature-not-implemented"):
        parsed(asked)
    assert parsed(asked, FIELDS | {"include-groupchat"}) == parsed(query())._replace(groupchat=True)


def test_ones_own_bare_address_is_for_what_one_wrote_to_oneself() -> None:
    assert account_match(ROMEO, None) is None
    assert account_match(ROMEO, ROMEO) is Match.BOTH
    assert account_match(ROMEO, ROMEO.with_resource("x")) is Match.EITHER
    assert account_match(ROMEO, JID.parse("juliet@a.example")) is Match.EITHER


def rows(*sizes: int) -> list[MessageArchived]:
    return [MessageArchived(seq, 0.0, 1, None, "", "", 1, "x" * size) for seq, size in enumerate(sizes)]


def cut(selection: Selection, found: Sequence[MessageArchived]) -> tuple[list[int], bool]:
    page = Found.of(selection, found)
    return [row.seq for row in page.rows], page.is_complete


@pytest.mark.parametrize(
    ("most", "newest", "sizes", "expected"),
    [
        (3, False, (1, 1), ([0, 1], True)),
        (3, False, (1, 1, 1), ([0, 1, 2], True)),
        (3, False, (1, 1, 1, 1), ([0, 1, 2], False)),
        (3, True, (1, 1, 1, 1), ([1, 2, 3], False)),
        (3, True, (1, 1, 1), ([0, 1, 2], True)),
        (3, False, (), ([], True)),
        (3, False, (600_000, 400_000, 1), ([0, 1], False)),
        (3, True, (1, 400_000, 600_000), ([1, 2], False)),
        (3, False, (2_000_000, 1), ([0], False)),
        (3, True, (1, 2_000_000), ([1], False)),
    ],
)
def test_a_page_ends_where_it_is_full(
    most: int, newest: bool, sizes: Sequence[int], expected: tuple[list[int], bool]
) -> None:
    assert cut(Selection(most, newest), rows(*sizes)) == expected
