"""A database of the first release goes through all later migrations, and what was in it is still there to be used."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, insert, inspect

from fermata.core.pubsub.bookmarks import bookmark_of
from fermata.core.pubsub.config import PRIVATE
from fermata.core.pubsub.nodes import ACCOUNT, Limits, Nodes
from fermata.core.stored_xml import stanza_from
from fermata.storage import migrations
from fermata.storage.connect import connect
from fermata.storage.statements import ARCHIVE_FLOOR
from fermata.xmpp.jid import JID
from kit.databases import Opened, Place

SETUP = Path(__file__).parents[2] / "setup.cfg"
JULIET, ROMEO, TEA = JID.parse("juliet@a.example"), JID.parse("romeo@a.example"), JID.parse("tea@conference.a.example")
JULIETS, ROMEOS, TEAS, GONE = 1, 2, 3, 4
ARCHIVE_KEY = "00112233445566778899aabbccddeeff"
KEYS = {"salt": b"\0salt", "iterations": 10_000, "stored_key": b"\xffstored", "server_key": b"server\x7f"}

BOOKMARKS = "{storage:bookmarks}storage"
ROOM = f"<conference jid='{TEA}' name='Tea ☂' autojoin='1'><nick>Ju</nick></conference>"
LIST = f"<storage xmlns='storage:bookmarks'>{ROOM}<url url='http://x.example'/></storage>"

# Every table that the first migration makes, with rows such as the server of that time has written.
ROWS: dict[str, list[dict[str, Any]]] = {
    "meta": [
        {"key": "secret of archive ids", "value": ARCHIVE_KEY},
        {"key": "secret of unknown accounts", "value": "aa" * 32},
        {"key": ARCHIVE_FLOOR, "value": "90"},
    ],
    "entity": [
        {"number": JULIETS, "jid": JULIET, "stamp": 1.25},
        {"number": ROMEOS, "jid": ROMEO, "stamp": 2.5},
        {"number": TEAS, "jid": TEA, "stamp": 3.0},
        {"number": GONE, "jid": None, "stamp": 4.0},
    ],
    "credential": [{"account": JULIETS, "hash": hash, **KEYS} for hash in ("sha1", "sha256")]
    + [{"account": ROMEOS, "hash": "sha256", **KEYS}],
    "archive": [
        {"seq": 7, "stamp": 10.5, "owner": JULIETS, "other": ROMEOS, "sender": f"{ROMEO}/x", "recipient": JULIET}
        | {"keep": 3, "xml": "<message><body>Wherefore? ☂</body></message>"},
        {"seq": 8, "stamp": 11.0, "owner": TEAS, "other": None, "sender": f"{JULIET}/y", "recipient": TEA}
        | {"keep": 1, "xml": "<message><body>in the room</body></message>"},
    ],
    "spool": [{"account": ROMEOS, "seq": 5, "stamp": 12.0, "xml": "<message/>"}],
    "roster_item": [
        {"account": JULIETS, "jid": ROMEO, "name": "Rö", "subscription": "both", "ask": False, "approved": True}
        | {"groups": '["Friends", "Lovers"]', "version": 4},
        {"account": JULIETS, "jid": "nurse@a.example", "name": "", "subscription": "remove", "ask": False}
        | {"approved": False, "groups": "[]", "version": 5},
    ],
    "request": [{"account": JULIETS, "jid": "paris@b.example", "xml": "<presence type='subscribe'/>"}],
    "value": [
        {"owner": JULIETS, "space": "vcard", "key": "", "value": "<vCard/>"},
        {"owner": ROMEOS, "space": "blocking", "key": "tybalt@a.example", "value": ""},
        {"owner": JULIETS, "space": "private", "key": BOOKMARKS, "value": LIST},
        {"owner": ROMEOS, "space": "private", "key": BOOKMARKS, "value": "<storage xmlns='storage:bookmarks'/>"},
    ],
    "handled": [{"sm_id": "an-sm-id", "account": ROMEOS, "h": 4_000_000_000, "stamp": 13.0}],
    "room": [
        {"room": TEAS, "config": '{"roomname": "Tea", "membersonly": true}', "subject": "<subject>Tea</subject>"}
        | {"subject_by": f"{TEA}/Ju", "subject_stamp": 14.5, "secret": b"\0\1secret", "locked": False}
    ],
    "affiliation": [
        {"room": TEAS, "jid": JULIET, "affiliation": "owner", "nick": "Ju", "reason": ""},
        {"room": TEAS, "jid": "tybalt@a.example", "affiliation": "outcast", "nick": "", "reason": "fights"},
    ],
    "occupancy": [
        {"room": TEAS, "jid": f"{JULIET}/y", "nick": "Ju", "role": "moderator", "presence": "<presence/>"}
        | {"entered": 15.0}
    ],
    "journal": [
        {"line": 1, "room": TEAS, "stamp": 15.0, "jid": f"{JULIET}/y", "nick": "Ju", "event": "enter", "cause": ""},
        {"line": 2, "room": TEAS, "stamp": 16.0, "jid": f"{ROMEO}/x", "nick": "Ro", "event": "exit", "cause": "307"},
    ],
}


def make_first_database(place: Place) -> None:
    """As a server of the first release leaves it."""
    alembic = Config(SETUP)
    first = ScriptDirectory.from_config(alembic).get_base()
    assert first is not None
    engine = connect(place.url, "process")
    with engine.connect() as connection:
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, first)
    made = MetaData()
    made.reflect(engine)
    assert set(made.tables) - {"alembic_version"} == set(ROWS)
    with engine.connect() as connection:
        for table in made.sorted_tables:
            for row in ROWS.get(table.name, []):
                assert set(row) == set(table.columns.keys()), table.name
                connection.execute(insert(table), row)
    engine.dispose()


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def holds(found: object, expected: dict[str, Any]) -> bool:
    """Whether a named tuple has these values; later versions may have given it more."""
    values: dict[str, Any] = found._asdict()  # type: ignore[attr-defined]
    return expected.items() <= values.items()


def test_what_the_first_release_kept_is_kept_by_this_one(place: Place, open_at: Callable[[Place], Opened]) -> None:
    make_first_database(place)
    opened = open_at(place)
    database, run = opened.database, opened.turns.run

    def same(found: list[Any], table: str, *left_out: str, **where: Any) -> bool:
        expected = [row for row in ROWS[table] if where.items() <= row.items()]
        pairs = zip(found, expected, strict=True)
        return all(holds(each, without(row, *left_out, *where)) for each, row in pairs)

    assert same(run(database.accounts.credentials(JULIET)), "credential", account=JULIETS)
    assert run(database.accounts.accounts("a.example")) == [JULIET, ROMEO]
    assert [run(database.entities.number_of(jid)) for jid in (JULIET, ROMEO, TEA)] == [JULIETS, ROMEOS, TEAS]
    roster = sorted(run(database.rosters.roster(JULIETS)), key=lambda item: item.version)
    assert same(roster, "roster_item", "groups", account=JULIETS)
    assert roster[0].groups == ("Friends", "Lovers")
    assert run(database.rosters.requests(JULIETS)) == {"paris@b.example": "<presence type='subscribe'/>"}
    assert run(database.values.values(JULIETS, "vcard")) == {"": "<vCard/>"}
    assert run(database.values.values(ROMEOS, "blocking")) == {"tybalt@a.example": ""}
    assert run(database.handled.handled("an-sm-id", ROMEOS)) == 4_000_000_000
    assert same(run(database.spool.spooled(ROMEOS)), "spool", account=ROMEOS)
    for owner in (JULIETS, ROMEOS):  # one row, in the archives of both
        assert same(run(database.archive.newest(owner, 9)), "archive", "owner", "other", owner=JULIETS)
    assert same(run(database.archive.newest(TEAS, 9)), "archive", "other", owner=TEAS)
    room = run(database.rooms.room(TEA))
    assert same([room], "room", room=TEAS)
    assert (room.number, room.jid) == (TEAS, TEA)
    assert same(run(database.rooms.affiliations(TEAS)), "affiliation", room=TEAS)
    assert same(run(database.rooms.occupancies(TEAS)), "occupancy", room=TEAS)
    assert same(run(database.rooms.journal(TEAS, 9)), "journal", "line", room=TEAS)


def test_bookmarks_that_the_first_release_kept_as_private_xml_are_items_now(
    place: Place, open_at: Callable[[Place], Opened]
) -> None:
    make_first_database(place)
    opened = open_at(place)
    database, run = opened.database, opened.turns.run
    nodes = Nodes(JULIETS, JULIET, ACCOUNT, Limits(9, 9, 9_999, 9_999), run(database.nodes.nodes(JULIETS)))
    node = nodes.node("urn:xmpp:bookmarks:1")
    assert node.config == PRIVATE
    (xml,) = run(database.nodes.payloads(JULIETS, node.name, 1, 1)).values()
    bookmark = bookmark_of(TEA, stanza_from(xml))
    assert bookmark is not None
    assert bookmark[:4] == (TEA, "Tea ☂", True, "Ju")
    kept = run(database.values.value(JULIETS, "private", BOOKMARKS))
    assert kept is not None
    assert [each.get("url") for each in stanza_from(kept)] == ["http://x.example"]
    assert not run(database.nodes.nodes(ROMEOS)).nodes


def test_numbers_and_ids_of_the_first_release_go_on(place: Place, open_at: Callable[[Place], Opened]) -> None:
    make_first_database(place)
    database = open_at(place).database
    assert database.entities.new_number() > GONE
    assert database.spool.new_seq() > 5
    assert database.archive.new_seq() > 90
    # The id of the message 7 in juliet's archive under that key: clients remember it.
    assert database.archive.seq_of("FUVVgNj2ZLPkA3ZtSe7IRg", JULIETS) == 7
    assert database.secret("of unknown accounts") == b"\xaa" * 32


def test_the_upgraded_tables_are_those_of_a_new_database(place: Place, open_at: Callable[[Place], Opened]) -> None:
    make_first_database(place)
    open_at(place)
    engine = connect(place.url, place.durability)
    assert migrations.current(engine) == migrations.head()
    assert set(ROWS) <= set(inspect(engine).get_table_names())
    engine.dispose()
