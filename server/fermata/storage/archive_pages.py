"""Pages of an archive as SQL. A row can have two owners: each half of a statement walks the index of one of them.

Conditions that no index knows (who wrote it, when) are asked of a part of the archive at a time, so that a question
whose answer is far away keeps nobody waiting who has nothing to do with it.
"""

from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Double, Integer, Select, Text, and_, bindparam, func, or_, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from ..core.archive_query import IDS_MAX, Match, Selection
from ..host.stores import ArchivedRow
from .tables import archive

OWNER: Final = bindparam("owner", type_=BigInteger())
LIMIT: Final = bindparam("limit", type_=Integer())
PART: Final = 1_000  #: places in one part
NOWHERE: Final = -1  #: no place

_JID: Final = bindparam("jid", type_=Text())
_PREFIX: Final = bindparam("prefix", type_=Text())
_RANGE: Final = (
    archive.c.seq > bindparam("after", type_=BigInteger()),
    archive.c.seq < bindparam("before", type_=BigInteger()),
)
_TIMES: Final = (
    archive.c.stamp >= bindparam("start", type_=Double()),
    archive.c.stamp <= bindparam("end", type_=Double()),
)
_PLACES: Final = [bindparam(f"place{number}", type_=BigInteger()) for number in range(IDS_MAX)]
_OWNED: Final = or_(archive.c.owner == OWNER, archive.c.other == OWNER)
_FIELDS: Final = tuple(archive.c[field] for field in ArchivedRow._fields)

#: Those of some places where that archive has a message.
HELD: Final = select(archive.c.seq).where(archive.c.seq.in_(_PLACES), _OWNED)
#: The first message at or after a place, in whichever archive: its own place, and its time.
NEXT: Final = (
    select(archive.c.seq, archive.c.stamp)
    .where(archive.c.seq >= bindparam("place", type_=BigInteger()))
    .order_by(archive.c.seq)
    .limit(1)
)
HIGHEST: Final = select(func.max(archive.c.seq))


def places_of(seqs: tuple[int, ...]) -> dict[str, int]:
    """At most IDS_MAX places as the parameters of a statement."""
    padded = seqs + (NOWHERE,) * (IDS_MAX - len(seqs))
    return {f"place{number}": seq for number, seq in enumerate(padded)}


def parameters_of(owner: int, selection: Selection) -> dict[str, Any]:
    """What the statements below need to know."""
    jid = selection.jid or ""
    if selection.match is Match.OCCUPANT:
        prefix = f"<message from='{selection.jid.attribute}'" if selection.jid is not None else ""
    else:
        prefix = f"{jid}/"
    return {
        "owner": owner,
        "after": selection.after,
        "before": selection.before,
        "start": selection.start,
        "end": selection.end,
        "jid": jid,
        "prefix": prefix,
        "without": selection.without,
        **places_of(selection.places or ()),
    }


def page_statement(selection: Selection) -> Select[Any]:
    """The first `limit` messages of a selection, in the direction of paging; the same object for the same shape."""
    return _page(_shape(selection), selection.newest)


def count_statement(selection: Selection) -> Select[Any]:
    """How many messages a selection has."""
    return _count(_shape(selection))


@cache
def edge_statement(newest: bool) -> Select[Any]:
    """The place where a part of an archive ends, which begins at one end of a range; nothing if there is less left."""
    both = _both((archive.c.seq,), _RANGE, newest)
    return select(both.c.seq).order_by(_order(both.c.seq, newest)).limit(1).offset(PART - 1)


@cache
def end_statement(newest: bool) -> Select[Any]:
    """Place and time of the oldest or newest message of an archive."""
    both = _both((archive.c.seq, archive.c.stamp), (), newest)
    return select(both.c.seq, both.c.stamp).order_by(_order(both.c.seq, newest)).limit(LIMIT)


_Shape = tuple[Match | None, bool, bool, bool]


def _shape(selection: Selection) -> _Shape:
    is_full = selection.jid is not None and bool(selection.jid.resource)
    return selection.match, is_full, selection.places is not None, bool(selection.without)


@cache
def _page(shape: _Shape, newest: bool) -> Select[Any]:
    both = _both(_FIELDS, _conditions(shape), newest)
    return select(*(both.c[field] for field in ArchivedRow._fields)).order_by(_order(both.c.seq, newest)).limit(LIMIT)


@cache
def _count(shape: _Shape) -> Select[Any]:
    conditions = _conditions(shape)
    halves = [select(func.count().label("count")).where(half, *conditions) for half in _halves()]
    both = union_all(*halves).subquery()
    return select(func.sum(both.c.count).cast(BigInteger))


def _both(columns: tuple[Any, ...], conditions: tuple[ColumnElement[bool], ...], newest: bool) -> Any:
    # Each half walks one index and stops; a single condition with OR would sort the whole archive.
    halves = [
        select(*columns).where(half, *conditions).order_by(_order(archive.c.seq, newest)).limit(LIMIT).subquery()
        for half in _halves()
    ]
    return union_all(*(select(half) for half in halves)).subquery()


def _halves() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return archive.c.owner == OWNER, and_(archive.c.other == OWNER, archive.c.owner != OWNER)


def _order(column: Any, newest: bool) -> Any:
    return column.desc() if newest else column


def _conditions(shape: _Shape) -> tuple[ColumnElement[bool], ...]:
    match, is_full, has_places, is_without = shape
    conditions = [*_RANGE, *_TIMES]
    if has_places:
        conditions.append(archive.c.seq.in_(_PLACES))
    if is_without:
        conditions.append(archive.c.keep.op("&")(bindparam("without", type_=Integer())) == 0)
    if match is Match.EITHER:
        conditions.append(or_(_is(archive.c.sender, is_full), _is(archive.c.recipient, is_full)))
    elif match is Match.BOTH:
        conditions += [_is(archive.c.sender, is_full), _is(archive.c.recipient, is_full)]
    elif match is Match.SENDER:
        conditions.append(_is(archive.c.sender, is_full))
    elif match is Match.OCCUPANT:
        conditions.append(_begins(archive.c.xml))
    return tuple(conditions)


def _is(column: Any, is_full: bool) -> ColumnElement[bool]:
    same: ColumnElement[bool] = column == _JID
    return same if is_full else or_(same, _begins(column))


def _begins(column: Any) -> ColumnElement[bool]:
    begins: ColumnElement[bool] = func.substr(column, 1, func.length(_PREFIX)) == _PREFIX
    return begins
