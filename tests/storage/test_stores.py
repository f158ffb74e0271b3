"""Every kind of record, from `submit` to the store that reads it, in every database."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from twisted.internet.defer import Deferred

from fermata.core.muc.config import Config
from fermata.core.pubsub.records import ItemSaved, NodeAffiliationSaved, NodeSaved, NodeSubscriptionSaved
from fermata.core.records import (
    AffiliationSaved,
    CredentialsSaved,
    EntityGone,
    EntityMade,
    HandledExpired,
    HandledSaved,
    InviteOwed,
    InviteSettled,
    Journalled,
    MessageArchived,
    MessageReplaced,
    MessageSpooled,
    OccupancyEnded,
    OccupancySaved,
    PingAnswered,
    PushRemoved,
    PushSaved,
    RequestRemoved,
    RequestSaved,
    RoomSaved,
    RosterItemRemoved,
    RosterItemSaved,
    SpoolTaken,
    ValueRemoved,
    ValueSaved,
)
from fermata.core.roster_item import RosterItem
from fermata.core.sasl.credentials import ScramKeys
from fermata.host.accounts import DISABLED
from fermata.host.stores import AffiliationRow, ArchivedRow, RecordedOccupancy, RoomRow
from fermata.storage import tables
from fermata.xmpp.jid import JID
from kit.databases import Opened, Place, message

ROMEO, JULIET = JID.parse("romeo@a.example"), JID.parse("juliet@a.example")
VERONA = JID.parse("verona@rooms.a.example")


@pytest.fixture
def romeo(opened: Opened) -> int:
    """Romeo's number."""
    return made(opened, ROMEO)


@pytest.fixture
def verona(opened: Opened) -> int:
    """The room's number."""
    number = made(opened, VERONA)
    opened.keep(room_saved(number))
    return number


def made(opened: Opened, jid: JID) -> int:
    number = opened.database.entities.new_number()
    opened.keep(EntityMade(number, jid, 1.0))
    return number


def room_saved(number: int, subject: str = "Fools") -> RoomSaved:
    return RoomSaved(number, '{"name":"Verona"}', subject, "verona@rooms.a.example/r", 2.25, b"\0secret\xff", True)


def test_an_entity_has_a_number_and_keeps_it(opened: Opened, romeo: int) -> None:
    assert opened.turns.run(opened.database.entities.number_of(ROMEO)) == romeo
    assert opened.turns.run(opened.database.entities.number_of(JULIET)) is None


def test_a_domain_gets_one_number_however_many_ask_for_it_at_once(opened: Opened) -> None:
    domain, entities, numbers = JID.parse("a.example"), opened.database.entities, list[object]()
    for _ in range(3):
        Deferred.fromCoroutine(entities.number_for(domain, 1.0)).addBoth(numbers.append)
    opened.turns.until(lambda: len(numbers) == 3)
    assert set(numbers) == {opened.turns.run(entities.number_of(domain))}
    assert opened.turns.run(entities.number_for(domain, 2.0)) == numbers[0]


def test_a_domain_keeps_its_number_over_a_restart(place: Place, open_at: Callable[[Place], Opened]) -> None:
    first = open_at(place)
    number = first.turns.run(first.database.entities.number_for(VERONA, 1.0))
    first.database.close()
    again = open_at(place)
    assert again.turns.run(again.database.entities.number_for(VERONA, 2.0)) == number


def test_credentials_are_those_saved_last(opened: Opened, romeo: int) -> None:
    old = CredentialsSaved(romeo, "sha1", b"old", 4096, b"a", b"b")
    sha1 = CredentialsSaved(romeo, "sha1", b"\0salt\xff", 10_000, b"stored", b"server")
    sha256 = sha1._replace(hash="sha256", stored_key=b"stored, too")
    opened.keep(old, sha256)
    opened.keep(sha1)
    accounts = opened.database.accounts
    assert opened.turns.run(accounts.credentials(ROMEO)) == [ScramKeys(*sha1[1:]), ScramKeys(*sha256[1:])]
    assert opened.turns.run(accounts.credentials(JULIET)) == []


def test_accounts_are_the_entities_of_a_domain_that_have_credentials(opened: Opened, romeo: int, verona: int) -> None:
    juliet, elsewhere = made(opened, JULIET), made(opened, JID.parse("romeo@b.a.example"))
    for number in (romeo, juliet, elsewhere):
        opened.keep(CredentialsSaved(number, "sha1", b"", 1, b"", b""))
    assert opened.turns.run(opened.database.accounts.accounts("a.example")) == [JULIET, ROMEO]
    assert opened.turns.run(opened.database.accounts.accounts("rooms.a.example")) == []


def test_accounts_are_disabled_as_long_as_a_value_says_so(opened: Opened, romeo: int) -> None:
    juliet = made(opened, JULIET)
    for number in (romeo, juliet):
        opened.keep(CredentialsSaved(number, "sha1", b"", 1, b"", b""))
    opened.keep(ValueSaved(romeo, DISABLED, "", ""), ValueSaved(juliet, "another space", "", ""))
    accounts = opened.database.accounts
    assert opened.turns.run(accounts.disabled("a.example")) == [ROMEO]
    assert [opened.turns.run(accounts.is_disabled(jid)) for jid in (ROMEO, JULIET)] == [True, False]
    opened.keep(ValueRemoved(romeo, DISABLED, ""))
    assert opened.turns.run(accounts.disabled("a.example")) == []
    assert not opened.turns.run(accounts.is_disabled(ROMEO))


def test_a_roster_item_is_as_it_was_saved_last_and_leaves_a_tombstone(opened: Opened, romeo: int) -> None:
    item = RosterItemSaved(romeo, "n@b.example", "Nurse ❤", "to", True, False, '["Capulet","Friends"]', 7)
    opened.keep(item._replace(name="N", version=5), item)
    opened.keep(RosterItemSaved(romeo, "t@b.example", "", "both", False, True, "[]", 8))
    rosters = opened.database.rosters
    nurse = RosterItem("n@b.example", "Nurse ❤", "to", True, False, ("Capulet", "Friends"), 7)
    tybalt = RosterItem("t@b.example", "", "both", False, True, (), 8)
    assert sorted(opened.turns.run(rosters.roster(romeo))) == [nurse, tybalt]
    opened.keep(RosterItemRemoved(romeo, "t@b.example", 9))
    tombstone = RosterItem("t@b.example", "", "remove", False, False, (), 9)
    assert sorted(opened.turns.run(rosters.roster(romeo))) == [nurse, tombstone]


def test_a_subscription_request_waits_until_it_is_removed(opened: Opened, romeo: int) -> None:
    opened.keep(
        RequestSaved(romeo, "a@b.example", "<presence/>"), RequestSaved(romeo, "b@b.example", "<presence n='1'/>")
    )
    opened.keep(RequestSaved(romeo, "b@b.example", "<presence n='2'/>"), RequestRemoved(romeo, "a@b.example"))
    assert opened.turns.run(opened.database.rosters.requests(romeo)) == {"b@b.example": "<presence n='2'/>"}


def test_values_belong_to_an_owner_and_a_space(opened: Opened, romeo: int, verona: int) -> None:
    opened.keep(
        ValueSaved(romeo, "blocking", "a", "1"),
        ValueSaved(romeo, "blocking", "b", "2"),
        ValueSaved(romeo, "vcard", "a", "3"),
        ValueSaved(verona, "blocking", "a", "4"),
        ValueRemoved(romeo, "blocking", "b"),
    )
    values = opened.database.values
    assert opened.turns.run(values.values(romeo, "blocking")) == {"a": "1"}
    assert opened.turns.run(values.value(romeo, "vcard", "a")) == "3"
    assert opened.turns.run(values.value(romeo, "vcard", "b")) is None


def test_the_spool_gives_what_was_not_taken_oldest_first(opened: Opened, romeo: int) -> None:
    spool = opened.database.spool
    waiting = [MessageSpooled(romeo, spool.new_seq(), 1.5, f"<message id='{i}'/>") for i in range(3)]
    opened.keep(*reversed(waiting))
    opened.keep(SpoolTaken(romeo, waiting[1].seq))
    assert opened.turns.run(spool.spooled(romeo)) == [waiting[0], waiting[2]]


def test_a_message_spooled_and_taken_in_one_batch_is_gone(opened: Opened, romeo: int) -> None:
    spool = opened.database.spool
    spooled = MessageSpooled(romeo, spool.new_seq(), 1.5, "<message/>")
    opened.keep(spooled, SpoolTaken(romeo, spooled.seq))
    opened.keep(SpoolTaken(romeo, 77), MessageSpooled(romeo, 77, 1.5, "<message/>"))
    assert [row.seq for row in opened.turns.run(spool.spooled(romeo))] == [77]


def test_an_archive_gives_its_newest_messages_in_order(opened: Opened) -> None:
    mine = [message(opened, str(i)) for i in range(5)]
    opened.keep(*mine, message(opened, owner=2))
    newest = opened.turns.run(opened.database.archive.newest(1, 3))
    assert newest == [ArchivedRow(row.seq, row.stamp, row.sender, row.recipient, row.keep, row.xml) for row in mine[2:]]


def test_a_message_between_two_accounts_here_is_in_both_archives(opened: Opened) -> None:
    rows = [message(opened, owner=1, other=2), message(opened, owner=2, other=1), message(opened, owner=1)]
    opened.keep(*rows, message(opened, owner=1, other=1))
    archive = opened.database.archive
    assert [row.seq for row in opened.turns.run(archive.newest(2, 10))] == [rows[0].seq, rows[1].seq]
    assert [row.seq for row in opened.turns.run(archive.newest(1, 10))] == [row.seq for row in rows] + [4]
    assert [row.seq for row in opened.turns.run(archive.newest(1, 2))] == [3, 4]


def test_a_message_of_an_archive_is_found_by_its_place(opened: Opened) -> None:
    rows = [message(opened, owner=1), message(opened, owner=2, other=1), message(opened, owner=2)]
    opened.keep(*rows)

    def found(row: MessageArchived, owner: int) -> str | None:
        archived = opened.turns.run(opened.database.archive.message(row.seq, owner))
        return None if archived is None else archived.xml

    assert [found(row, 1) for row in rows] == [rows[0].xml, rows[1].xml, None]
    assert [found(row, 2) for row in rows] == [None, rows[1].xml, rows[2].xml]
    assert opened.turns.run(opened.database.archive.message(999, 1)) is None


def test_a_replaced_message_keeps_its_place(opened: Opened) -> None:
    before, after = message(opened, owner=1), message(opened, owner=1)
    opened.keep(before)
    opened.keep(MessageReplaced("<message>1</message>", before.seq, 1))
    opened.keep(after, MessageReplaced("<message>2</message>", after.seq, 1))
    opened.keep(MessageReplaced("<message>3</message>", after.seq, 1))
    assert opened.rows(select(tables.archive).order_by(tables.archive.c.seq)) == [
        tuple(before._replace(xml="<message>1</message>")),
        tuple(after._replace(xml="<message>3</message>")),
    ]


def test_nobody_replaces_what_is_not_his_alone(opened: Opened) -> None:
    rows = [message(opened, owner=1, other=2), message(opened, owner=2)]
    opened.keep(*rows)
    opened.keep(*(MessageReplaced("<message/>", row.seq, owner) for row in rows for owner in (1, 3)))
    opened.keep(MessageReplaced("<message/>", rows[0].seq, 2))
    assert opened.rows(select(tables.archive)) == [tuple(row) for row in rows]


def test_handled_counters_belong_to_a_session_of_an_account(opened: Opened, romeo: int) -> None:
    opened.keep(HandledSaved("one", romeo, 3, 1.0), HandledSaved("two", romeo, 2**32 - 1, 1.0))
    opened.keep(HandledSaved("one", romeo, 4, 2.0))
    handled = opened.database.handled
    assert opened.turns.run(handled.handled("one", romeo)) == 4
    assert opened.turns.run(handled.handled("two", romeo)) == 2**32 - 1
    assert opened.turns.run(handled.handled("one", romeo + 1)) is None
    opened.keep(HandledExpired(1.5))
    assert opened.turns.run(handled.handled("one", romeo)) == 4
    assert opened.turns.run(handled.handled("two", romeo)) is None


def test_a_room_is_as_it_was_saved_last(opened: Opened, verona: int) -> None:
    rooms = opened.database.rooms
    opened.keep(room_saved(verona, "Wise men"))
    row = opened.turns.run(rooms.room(VERONA))
    assert row == RoomRow(verona, VERONA, *room_saved(verona, "Wise men")[1:])
    assert opened.turns.run(rooms.rooms("rooms.a.example")) == [row]
    assert opened.turns.run(rooms.rooms("a.example")) == []
    assert opened.turns.run(rooms.room(ROMEO)) is None


def test_an_affiliation_of_none_is_no_affiliation(opened: Opened, verona: int) -> None:
    opened.keep(
        AffiliationSaved(verona, "a@a.example", "owner", "", ""),
        AffiliationSaved(verona, "b@a.example", "outcast", "", "treason"),
        AffiliationSaved(verona, "c@a.example", "member", "C", ""),
    )
    opened.keep(AffiliationSaved(verona, "a@a.example", "none", "", ""))
    assert opened.turns.run(opened.database.rooms.affiliations(verona)) == [
        AffiliationRow("b@a.example", "outcast", "", "treason"),
        AffiliationRow("c@a.example", "member", "C", ""),
    ]


def test_rooms_are_found_by_who_has_an_affiliation_with_them(opened: Opened, verona: int) -> None:
    opened.keep(AffiliationSaved(verona, ROMEO, "owner", "", ""), AffiliationSaved(verona, JULIET, "outcast", "", ""))
    rooms = opened.database.rooms
    assert opened.turns.run(rooms.rooms_of(ROMEO)) == [VERONA]
    assert opened.turns.run(rooms.rooms_of(JID.parse("paris@a.example"))) == []


def test_people_in_a_room_are_counted_once_whatever_their_sessions(opened: Opened, verona: int) -> None:
    for resource, nick in (("x", "Romeo"), ("y", "Romeo"), ("z", "Benvolio")):
        opened.keep(OccupancySaved(verona, f"romeo@a.example/{resource}", nick, "visitor", "<presence/>", 1.0))
    rooms = opened.database.rooms
    assert opened.turns.run(rooms.populations(VERONA.domain)) == {VERONA: 2}
    assert opened.turns.run(rooms.populations("elsewhere.example")) == {}


def test_the_last_presence_of_an_occupant_in_a_batch_is_the_one_that_stays(opened: Opened, verona: int) -> None:
    romeo = OccupancySaved(verona, "romeo@a.example/x", "Romeo", "visitor", "<presence/>", 2.0)
    juliet = OccupancySaved(verona, "juliet@a.example/x", "Juliet", "moderator", "<presence/>", 1.0)
    opened.keep(romeo, romeo._replace(presence="<presence><show>away</show></presence>"))
    opened.keep(romeo._replace(role="participant"), juliet)
    rooms = opened.database.rooms
    assert opened.turns.run(rooms.occupancies(verona)) == [juliet, romeo._replace(role="participant")]
    opened.keep(OccupancyEnded(verona, "romeo@a.example/x"))
    assert opened.turns.run(rooms.occupancies(verona)) == [juliet]


def test_who_was_in_the_rooms_is_read_in_bulk(opened: Opened, verona: int) -> None:
    mantua_jid = JID.parse("mantua@rooms.a.example")
    mantua = made(opened, mantua_jid)
    opened.keep(
        OccupancySaved(verona, "romeo@a.example/x", "Romeo", "visitor", "<presence/>", 2.0, True),
        OccupancySaved(verona, "juliet@b.example/x", "Juliet", "visitor", "<presence/>", 1.0),
        OccupancySaved(mantua, "romeo@a.example/x", "Exile", "visitor", "<presence/>", 3.0),
        PingAnswered("juliet@b.example/x", 5.0),
        PingAnswered("juliet@b.example/x", 6.0),
        PingAnswered("paris@b.example/x", 6.0),
    )
    opened.commit()
    expected = [
        RecordedOccupancy(verona, VERONA, JID.parse("juliet@b.example/x"), "Juliet", False, True),
        RecordedOccupancy(verona, VERONA, JID.parse("romeo@a.example/x"), "Romeo", True, False),
        RecordedOccupancy(mantua, mantua_jid, JID.parse("romeo@a.example/x"), "Exile", False, False),
    ]
    assert sorted(opened.database.recorded()) == sorted(expected)
    assert opened.rows(select(tables.ping_answer.c.jid)) == [("juliet@b.example/x",)]


def test_a_room_is_deserted_if_it_should_have_gone_with_its_last_occupant(opened: Opened, verona: int) -> None:
    rooms, found = opened.database.rooms, {}
    for name, config, is_locked in (
        ("temporary", Config(persistentroom=False), False),
        ("locked", Config(), True),
        ("kept", Config(), False),
        ("used", Config(persistentroom=False), False),
        ("owed", Config(persistentroom=False), False),
    ):
        found[name] = made(opened, JID.parse(f"{name}@muc.a.example"))
        opened.keep(room_saved(found[name])._replace(config=config.json(), locked=is_locked))
    opened.keep(OccupancySaved(found["used"], "romeo@a.example/x", "Romeo", "visitor", "<presence/>", 2.0))
    opened.keep(InviteOwed(found["owed"], "romeo@a.example/x", "Romeo", True, 2.5))
    assert opened.turns.run(rooms.deserted("muc.a.example")) == ["locked@muc.a.example", "temporary@muc.a.example"]
    assert opened.turns.run(rooms.deserted("elsewhere.example")) == []


def test_invitations_are_owed_until_they_are_settled(opened: Opened, verona: int) -> None:
    romeo, juliet = (InviteOwed(verona, f"{name}@a.example/x", name, True, 2.5) for name in ("romeo", "juliet"))
    opened.keep(romeo, juliet)
    rooms = opened.database.rooms
    assert opened.turns.run(rooms.invites(VERONA.domain)) == [(VERONA, juliet), (VERONA, romeo)]
    assert opened.turns.run(rooms.invites("elsewhere.example")) == []
    opened.keep(InviteSettled(verona, romeo.jid))
    assert opened.turns.run(rooms.invites(VERONA.domain)) == [(VERONA, juliet)]


def test_a_push_registration_is_one_for_each_registrant_address_and_node(opened: Opened, verona: int) -> None:
    first = PushSaved(verona, ROMEO, f"{ROMEO}/x", "N1", "", 0, 0.0)
    opened.keep(first, first._replace(node="N2"))
    opened.keep(first._replace(options="<x/>", failures=3, failing_since=7.5))
    rooms = opened.database.rooms
    assert opened.turns.run(rooms.pushes(verona)) == [
        first._replace(options="<x/>", failures=3, failing_since=7.5),
        first._replace(node="N2"),
    ]
    assert len(opened.turns.run(rooms.all_pushes(VERONA.domain))) == 2
    assert opened.turns.run(rooms.all_pushes("elsewhere.example")) == []
    assert opened.turns.run(rooms.rooms_of(ROMEO)) == [VERONA]
    opened.keep(PushRemoved(*first[:4]), PushRemoved(*first._replace(node="N2")[:4]))
    assert opened.turns.run(rooms.all_pushes(VERONA.domain)) == []
    assert opened.turns.run(rooms.rooms_of(ROMEO)) == []


def test_a_journal_gives_its_newest_lines_in_order(opened: Opened, verona: int) -> None:
    lines = [Journalled(verona, float(i), "romeo@a.example/x", "Romeo", "enter", f"cause {i}") for i in range(4)]
    opened.keep(*lines)
    assert opened.turns.run(opened.database.rooms.journal(verona, 2)) == lines[2:]


def everything_of(opened: Opened, number: int) -> None:
    opened.keep(
        CredentialsSaved(number, "sha1", b"", 1, b"", b""),
        MessageSpooled(number, opened.database.spool.new_seq(), 1.0, "<message/>"),
        RosterItemSaved(number, "a@b.example", "", "to", False, False, "[]", 1),
        RequestSaved(number, "a@b.example", "<presence/>"),
        ValueSaved(number, "space", "key", "value"),
        HandledSaved(f"session of {number}", number, 1, 1.0),
        room_saved(number),
        AffiliationSaved(number, "a@b.example", "member", "", ""),
        OccupancySaved(number, "a@b.example/x", "A", "visitor", "<presence/>", 1.0),
        InviteOwed(number, "a@b.example/x", "A", True, 1.0),
        PushSaved(number, "a@b.example", "a@b.example/x", "N1", "", 0, 0.0),
        Journalled(number, 1.0, "a@b.example/x", "A", "enter", ""),
        NodeSaved(number, "n", "{}", "a@b.example", 1.0),
        ItemSaved(number, "n", "i", 1, 1.0, "a@b.example", 1, "<x/>"),
        NodeAffiliationSaved(number, "n", "a@b.example", "member"),
        NodeSubscriptionSaved(number, "n", "a@b.example", "subscribed", True),
    )


def count_rows(opened: Opened) -> dict[str, int]:
    tables_ = [table for table in tables.metadata.sorted_tables if table.name not in ("meta", "entity", "ping_answer")]
    return {table.name: opened.rows(select(func.count()).select_from(table))[0][0] for table in tables_}


def test_of_an_entity_that_is_gone_nothing_stays(opened: Opened, romeo: int) -> None:
    juliet = made(opened, JULIET)
    everything_of(opened, romeo)
    everything_of(opened, juliet)
    opened.keep(message(opened, owner=romeo))
    opened.commit()
    opened.keep(message(opened, owner=romeo), EntityGone(romeo), EntityMade(77, ROMEO, 2.0))
    opened.keep(message(opened, owner=juliet))
    assert set(count_rows(opened).values()) == {1}
    assert opened.turns.run(opened.database.entities.number_of(ROMEO)) == 77
    assert opened.turns.run(opened.database.accounts.credentials(ROMEO)) == []


@pytest.mark.parametrize("gone", [1, 2])
def test_a_message_stays_for_the_one_who_is_left(opened: Opened, gone: int) -> None:
    one, two = made(opened, ROMEO), made(opened, JULIET)
    kept = [message(opened, owner=one, other=two), message(opened, owner=two, other=one)]
    opened.keep(*kept, message(opened, owner=gone), message(opened, owner=gone, other=gone))
    opened.keep(EntityGone(gone))
    assert opened.turns.run(opened.database.archive.newest(gone, 10)) == []
    left = opened.turns.run(opened.database.archive.newest(3 - gone, 10))
    assert [row.seq for row in left] == [row.seq for row in kept]


def test_numbers_go_on_where_they_were_when_the_database_is_opened_again(
    place: Place, open_at: Callable[[Place], Opened]
) -> None:
    opened = open_at(place)
    number = made(opened, ROMEO)
    opened.keep(MessageSpooled(number, opened.database.spool.new_seq(), 1.0, "<message/>"))
    opened.keep(message(opened, owner=number), message(opened, owner=number))
    secret, id = opened.database.secret("of a test"), opened.database.archive.id_of(2, number)
    opened.database.close()
    database = open_at(place).database
    assert database.entities.new_number() == number + 1
    assert database.spool.new_seq() == 2
    assert database.archive.new_seq() == 3
    assert database.archive.seq_of(id, number) == 2
    assert database.secret("of a test") == secret != database.secret("of another test")


def test_a_number_never_comes_again_even_if_all_that_had_it_is_gone(
    place: Place, open_at: Callable[[Place], Opened]
) -> None:
    for expected in (1, 2):
        opened = open_at(place)
        number = made(opened, ROMEO)
        archived = message(opened, owner=number)
        assert (number, archived.seq) == (expected, expected)
        opened.keep(archived)
        opened.keep(EntityGone(number))
        opened.database.close()


def test_every_field_of_an_archived_message_is_kept(opened: Opened) -> None:
    row = MessageArchived(2**62, 1234567890.123456, 5, 6, "ä@b.example/❤", "c@d.example", 3, "<body>\U0001f339</body>")
    opened.keep(row)
    assert opened.rows(select(tables.archive)) == [tuple(row)]
