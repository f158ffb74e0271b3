"""XEP-0313: Message Archive Management, for accounts."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Archive, Config
from fermata.core.records import MessageArchived, Step
from kit import ns
from kit.archives import Page, bodies, page, query
from kit.stanzas import find, find_all, form_fields, show
from kit.wire import Client
from kit.world import World


def write(client: Client, to: str, *words: str, type: str = "chat") -> None:
    """Sends messages, and lets them arrive."""
    for word in words:
        client.send(f"<message to='{to}' type='{type}' id='{word}'><body>{word}</body></message>")
    client.sync()


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


@pytest.fixture
def juliet(world: World) -> Client:
    return world.online("juliet@localhost/balcony")


def test_both_find_what_was_said_between_them(romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, "a", "b")
    juliet.sync()
    write(juliet, romeo.jid, "c")
    romeo.sync()
    for client in (romeo, juliet):
        found = page(client, query())
        assert bodies(found) == ["a", "b", "c"]
        assert found.is_complete
        assert all(each.get("to") == client.jid and each.get("from") == client.bare for each in found.messages)
        assert (found.first, found.last) == (found.ids[0], found.ids[-1])


def test_a_result_is_the_message_as_it_was_with_its_time(romeo: Client, juliet: Client) -> None:
    romeo.send(
        f"<message to='{juliet.bare}' type='chat' id='x' xml:lang='it'><body>A &lt;b&gt; &amp; 'c'</body>"
        "<thing xmlns='urn:x'><message xmlns='jabber:client'><body>inner</body></message></thing></message>"
    )
    live = juliet.expect("message", "body")
    (result,) = page(juliet, query(queryid="q&1")).results
    assert result.get("queryid") == "q&1"
    stanza_id = find(live, f"sid:stanza-id[@by='{juliet.bare}']")
    assert stanza_id is not None
    assert result.get("id") == stanza_id.get("id")
    delay, message = find(result, "forward:forwarded/delay:delay"), find(result, "forward:forwarded/message")
    assert delay is not None
    assert message is not None
    assert delay.get("stamp") == "2027-01-15T08:00:00.000Z"
    live.remove(stanza_id)
    assert show(message) == show(live)


def test_it_is_found_after_a_crash(world: World, romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, "a")
    before = page(romeo, query())
    world.crash()
    after = page(world.login("romeo@localhost/later"), query())
    assert (after.ids, bodies(after)) == (before.ids, ["a"])


def test_results_go_to_the_session_that_asks_and_to_no_archive(world: World, romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, "a", "b")
    other = world.online("romeo@localhost/study")
    other.sync()
    romeo.sync()
    page(romeo, query())
    other.nothing_before()
    assert bodies(page(other, query())) == ["a", "b"]
    assert world.rows("SELECT count(*) FROM archive") == [(2,)]
    assert world.rows("SELECT count(*) FROM spool") == [(0,)]


def test_results_that_were_not_acknowledged_go_to_nobody_else(world: World, romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, "a", "b")
    asking = world.login("romeo@localhost/study")
    asking.send(f"<enable xmlns='{ns.SM}'/>")
    asking.next()
    asking.send(f"<iq type='set' id='q'>{query()}</iq>")
    romeo.sync()
    asking.cut()
    world.advance(3600)
    romeo.nothing_before()
    assert world.rows("SELECT count(*) FROM spool") == [(0,)]


def test_the_end_of_the_page_comes_after_its_messages(romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, *map(str, range(5)))
    romeo.send(f"<iq type='set' id='one'>{query()}</iq><iq type='set' id='two'>{query('<max>2</max>')}</iq>")
    came = [romeo.next() for _ in range(9)]
    assert [each.tag for each in came] == ["message"] * 5 + ["iq"] + ["message"] * 2 + ["iq"]


def words(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_pages_lead_through_the_whole_archive_forwards(romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, *words(7))
    seen: list[str] = []
    found = page(romeo, query("<max>3</max>"))
    while True:
        seen += bodies(found)
        if found.is_complete:
            break
        found = page(romeo, query(f"<max>3</max><after>{found.last}</after>"))
    assert seen == words(7)


def test_pages_lead_through_the_whole_archive_backwards(romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, *words(7))
    pages = [page(romeo, query("<max>3</max><before/>"))]
    while not pages[-1].is_complete:
        pages.append(page(romeo, query(f"<max>3</max><before>{pages[-1].first}</before>")))
    assert [bodies(each) for each in pages] == [["4", "5", "6"], ["1", "2", "3"], ["0"]]


def test_a_page_that_ends_with_the_archive_is_complete(romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, *words(4))
    assert page(romeo, query("<max>4</max>")).is_complete
    assert page(romeo, query("<max>4</max><before/>")).is_complete
    assert not page(romeo, query("<max>3</max>")).is_complete
    assert not page(romeo, query("<max>3</max><before/>")).is_complete


def test_a_flipped_page_is_sent_the_other_way_round_and_is_the_same_page(romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, *words(4))
    plain = page(romeo, query("<max>3</max><before/>"))
    flipped = page(romeo, query("<max>3</max><before/>", more=f"<flip-page xmlns='{ns.MAM}'/>"))
    assert bodies(flipped) == ["3", "2", "1"]
    assert (flipped.first, flipped.last) == (plain.first, plain.last)


def test_a_page_without_a_size_has_fifty_messages_and_none_has_more_than_a_hundred(
    romeo: Client, juliet: Client
) -> None:
    write(romeo, juliet.bare, *words(120))
    assert len(page(romeo, query()).results) == 50
    assert len(page(romeo, query("<max>1000</max>")).results) == 100


def test_a_page_of_long_messages_is_short(romeo: Client, juliet: Client) -> None:
    for number in range(8):
        romeo.send(f"<message to='{juliet.bare}' type='chat'><body>{str(number) * 200_000}</body></message>")
        romeo.nothing_before()
    found = page(romeo, query())
    assert not found.is_complete
    assert [body[0] for body in bodies(found)] == ["0", "1", "2", "3"]
    last = page(romeo, query("<before/>"))
    assert [body[0] for body in bodies(last)] == ["4", "5", "6", "7"]


def test_no_message_at_all_may_be_asked_for_to_count_them(romeo: Client, juliet: Client) -> None:
    assert page(romeo, query("<max>0</max>")) == Page([], None, None, 0, True)
    write(romeo, juliet.bare, *words(3))
    write(romeo, romeo.bare, "note")
    assert page(romeo, query("<max>0</max>")).count == 4
    assert page(romeo, query("<max>0</max>", with_=romeo.bare)).count == 1
    assert not page(romeo, query("<max>0</max>")).is_complete


def test_an_empty_archive_gives_an_empty_page(romeo: Client) -> None:
    assert page(romeo, query()) == Page([], None, None, None, True)


def test_a_bare_address_stands_for_every_resource_and_a_full_one_for_itself(
    world: World, romeo: Client, juliet: Client
) -> None:
    nurse, other = world.online("nurse@localhost/kitchen"), world.online("juliet@localhost/chamber")
    write(romeo, juliet.jid, "a")
    write(romeo, nurse.bare, "b")
    write(other, romeo.bare, "c")
    write(romeo, juliet.bare, "d")
    romeo.sync()

    def with_(jid: str, *more: str) -> list[str]:
        return bodies(page(romeo, query(*more, with_=jid)))

    assert with_(juliet.bare) == ["a", "c", "d"]
    assert with_(juliet.bare, "<max>2</max><before/>") == ["c", "d"]
    assert with_(juliet.jid) == ["a"]
    assert with_(other.jid) == ["c"]
    assert with_("nurse@localhost") == ["b"]
    assert with_("localhost") == []
    assert with_("tybalt@localhost") == []


def far_from(world: World, account: int, count: int) -> None:
    """So many messages come in between."""
    new_seq, stamp = world.database.archive.new_seq, world.clock.seconds()
    row = MessageArchived(0, stamp, account, None, "romeo@localhost/x", "nurse@localhost", 1, "<message/>")
    world.database.writer.submit(Step([row._replace(seq=new_seq()) for _ in range(count)]))
    world.turn()


def test_what_is_far_away_is_found_while_others_are_served(world: World, romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, "far")
    ((number,),) = world.rows("SELECT number FROM entity WHERE jid = 'romeo@localhost'")
    far_from(world, number, 2500)
    asked = query("<before/>", with_=juliet.bare)
    romeo.send(f"<iq type='set' id='far' to='{romeo.bare}'>{asked}</iq><iq type='set' id='near'>{query()}</iq>")
    came = [romeo.next() for _ in range(53)]
    ends = [number for number, each in enumerate(came) if each.tag == "iq"]
    # One message of far away and fifty near ones, each page before its own end, whichever comes first.
    assert [came[number].get("id") for number in ends] in (["near", "far"], ["far", "near"])
    assert ends in ([50, 52], [1, 52])


def test_nobody_asks_many_long_questions_at_once(world: World, romeo: Client, juliet: Client) -> None:
    ((number,),) = world.rows("SELECT number FROM entity WHERE jid = 'romeo@localhost'")
    far_from(world, number, 1500)
    asked = query(with_=juliet.bare)
    romeo.send("".join(f"<iq type='set' id='{each}'>{asked}</iq>" for each in range(12)))
    answers = {each.get("id"): each.get("type") for each in (romeo.next() for _ in range(12))}
    assert [answers[str(each)] for each in range(12)] == ["result"] * 10 + ["error"] * 2
    assert bodies(page(romeo, asked)) == []


def test_ones_own_address_stands_for_what_one_wrote_to_oneself(romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, "a")
    write(romeo, romeo.bare, "b")
    assert bodies(page(romeo, query(with_=romeo.bare))) == ["b"]


def test_one_can_ask_for_a_time(world: World, romeo: Client, juliet: Client) -> None:
    for word in ("a", "b", "c", "d"):
        write(romeo, juliet.bare, word)
        world.advance(7200)
    # They came at 8, 10, 12 and 14 o'clock.
    at = "2027-01-15T{}:00:00Z".format
    assert bodies(page(romeo, query(start=at(10)))) == ["b", "c", "d"]
    assert bodies(page(romeo, query(end=at(10)))) == ["a", "b"]
    assert bodies(page(romeo, query(start=at(10), end=at(12)))) == ["b", "c"]
    assert bodies(page(romeo, query("<max>1</max><before/>", start=at(10), end=at(12)))) == ["c"]
    assert bodies(page(romeo, query(start=at(20)))) == []


def test_one_can_ask_by_id(romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, *words(6))
    all = page(romeo, query()).ids
    assert bodies(page(romeo, query(after_id=all[3]))) == ["4", "5"]
    assert bodies(page(romeo, query(before_id=all[2]))) == ["0", "1"]
    assert bodies(page(romeo, query(after_id=all[1], before_id=all[4]))) == ["2", "3"]
    assert bodies(page(romeo, query(ids=[all[4], all[1], all[4]]))) == ["1", "4"]
    assert bodies(page(romeo, query(f"<max>1</max><before>{all[4]}</before>", after_id=all[0]))) == ["3"]
    assert bodies(page(romeo, query(ids=[all[4], all[1]], before_id=all[2]))) == ["1"]


def test_an_id_that_is_not_there_is_not_found(world: World, romeo: Client, juliet: Client) -> None:
    write(romeo, juliet.bare, "a", "b")
    juliet.sync()
    mine, hers = page(romeo, query()).ids, page(juliet, query()).ids
    number = world.rows("SELECT number FROM entity WHERE jid = 'romeo@localhost'")[0][0]
    purged = world.database.archive.id_of(99, number)
    for id in (hers[0], "nonsense", "é", purged):
        for asked in (
            query(after_id=id),
            query(before_id=id),
            query(ids=[mine[0], id]),
            query(f"<after>{id}</after>"),
            query(f"<before>{id}</before>"),
            query(f"<max>0</max><after>{id}</after>"),
        ):
            assert romeo.refused("set", asked) == ("cancel", "item-not-found"), asked


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        (query(fields={"urn:x": "?"}), "feature-not-implemented"),
        (query(queryid="x" * 1001), "bad-request"),
        (query("<index>1</index>"), "feature-not-implemented"),
        (query(with_="@"), "bad-request"),
        (query(start="yesterday"), "bad-request"),
        (query(start="2027"), "bad-request"),
        (query(end=""), "bad-request"),
        (query(fields={"include-groupchat": "perhaps"}), "bad-request"),
        (query(fields={"start": ["2027-01-15T08:00:00Z"] * 2}), "bad-request"),
        (query("<after>a</after><before/>"), "bad-request"),
        (query("<max>-1</max>"), "bad-request"),
        (query("<max>some</max>"), "bad-request"),
        (query(form_type="urn:x"), "bad-request"),
        (f"<query xmlns='{ns.MAM}'><x xmlns='{ns.DATA}' type='form'/></query>", "bad-request"),
        (query(ids=[str(number) for number in range(101)]), "resource-constraint"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(romeo: Client, asked: str, condition: str) -> None:
    assert romeo.refused("set", asked)[1] == condition


@pytest.mark.parametrize("value", ["true", "0"])
def test_there_is_nothing_of_rooms_to_be_left_out(romeo: Client, juliet: Client, value: str) -> None:
    write(romeo, juliet.bare, "a")
    assert bodies(page(romeo, query(fields={"include-groupchat": value}))) == ["a"]


def test_the_form_says_which_fields_there_are(romeo: Client) -> None:
    result = romeo.get(f"<query xmlns='{ns.MAM}'/>")
    fields = form_fields(result)
    assert set(fields) == {
        "FORM_TYPE",
        *("with", "start", "end", "before-id", "after-id", "ids", "include-groupchat"),
    }
    assert {var: field.get("type") for var, field in fields.items()} == {
        "FORM_TYPE": "hidden",
        "with": "jid-single",
        **dict.fromkeys(("start", "end", "before-id", "after-id"), "text-single"),
        "ids": "list-multi",
        "include-groupchat": "boolean",
    }
    assert find(fields["ids"], "validate:validate[@datatype='xs:string']/validate:open") is not None
    assert not find_all(result, ".//data:required")


def test_metadata_say_where_the_archive_begins_and_ends(world: World, romeo: Client, juliet: Client) -> None:
    asked = f"<metadata xmlns='{ns.MAM}'/>"
    (empty,) = find_all(romeo.get(asked), "mam:metadata")
    assert not len(empty)
    write(romeo, juliet.bare, "a")
    world.advance(60)
    write(juliet, romeo.bare, "b")
    romeo.sync()
    first, last = page(romeo, query()).ids
    (told,) = find_all(romeo.get(asked), "mam:metadata")
    assert [dict(each.attrib) for each in told] == [
        {"id": first, "timestamp": "2027-01-15T08:00:00.000Z"},
        {"id": last, "timestamp": "2027-01-15T08:01:00.000Z"},
    ]


@pytest.mark.parametrize(
    ("type", "payload"), [("set", query()), ("get", query()), ("get", f"<metadata xmlns='{ns.MAM}'/>")]
)
@pytest.mark.parametrize("to", ["juliet@localhost", "localhost"])
def test_nobody_asks_the_archive_of_another(romeo: Client, juliet: Client, type: str, payload: str, to: str) -> None:
    assert romeo.refused(type, payload, to) == ("cancel", "service-unavailable")


def features(client: Client) -> set[str]:
    info = client.get(f"<query xmlns='{ns.DISCO_INFO}'/>", client.bare)
    return {each.get("var", "") for each in find_all(info, "info:query/info:feature")}


MAM_FEATURES = {ns.MAM, ns.MAM + "#extended", ns.MAM + "#groupchat-field"}


def test_archives_are_advertised_by_the_account(romeo: Client) -> None:
    assert features(romeo) >= MAM_FEATURES | {ns.SID}


def test_archives_that_are_switched_off_are_not_there(worlds: Callable[[Config], World]) -> None:
    romeo = worlds(Config(archive=Archive(accounts=False))).login("romeo@localhost/orchard")
    assert not features(romeo) & (MAM_FEATURES | {ns.SID})
    for type, payload in (("set", query()), ("get", query()), ("get", f"<metadata xmlns='{ns.MAM}'/>")):
        assert romeo.refused(type, payload) == ("cancel", "service-unavailable")
