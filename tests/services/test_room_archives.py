"""The archive of a room, asked through the front door (XEP-0313)."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Archive, Config
from kit import ns
from kit.archives import bodies, page, query
from kit.muc import INSTANT, configuration, create, enter, talk
from kit.stanzas import Element, find, find_all, text
from kit.wire import Client
from kit.world import World

ROOM = "tea@conference.localhost"


@pytest.fixture
def romeo(world: World) -> Client:
    """The owner of the room, who is in it."""
    romeo = world.online("romeo@localhost/orchard")
    create(romeo, ROOM, "Romeo")
    return romeo


def stanza_id(message: Element) -> str:
    found = find(message, f"sid:stanza-id[@by='{ROOM}']")
    assert found is not None
    return found.get("id", "")


def test_a_room_tells_what_was_said_in_it(world: World, romeo: Client) -> None:
    talk(romeo, ROOM, *map(str, range(7)))
    juliet = world.login("juliet@localhost/balcony")
    seen: list[str] = []
    found = page(juliet, query("<max>3</max>"), ROOM)
    while not found.is_complete:
        seen += bodies(found)
        found = page(juliet, query("<max>3</max>", after_id=found.last), ROOM)
    assert seen + bodies(found) == list("0123456")
    assert bodies(page(juliet, query("<max>2</max><before/>"), ROOM)) == ["5", "6"]
    assert page(juliet, query("<max>0</max>"), ROOM).count == 7
    assert bodies(page(juliet, query(with_=f"{ROOM}/Romeo", start="2027-01-15T08:00:00Z"), ROOM)) == list("0123456")
    assert bodies(page(juliet, query(with_=f"{ROOM}/Rome"), ROOM)) == []
    assert bodies(page(romeo, query("<max>1</max>", with_=romeo.bare), ROOM)) == ["0"]
    assert juliet.refused("set", query(with_=romeo.bare), ROOM) == ("auth", "forbidden")


def test_the_ids_of_the_archive_are_those_that_were_seen_live(romeo: Client) -> None:
    romeo.send(f"<message type='groupchat' to='{ROOM}'><body>a</body></message>")
    live = romeo.expect("message", "body")
    (result,) = page(romeo, query(), ROOM).results
    assert result.get("id") == stanza_id(live)
    message = find(result, "forward:forwarded/message")
    assert message is not None
    assert (message.get("to"), message.get("from")) == (None, f"{ROOM}/Romeo")
    assert stanza_id(message) == stanza_id(live)
    assert [each.get("id") for each in find_all(message, "occupant:occupant-id")] == [
        each.get("id") for each in find_all(live, "occupant:occupant-id")
    ]


def test_no_private_message_is_in_it(world: World, romeo: Client) -> None:
    juliet = world.online("juliet@localhost/balcony")
    enter(juliet, ROOM, "Juliet")
    romeo.sync(ROOM)
    romeo.send(f"<message type='chat' to='{ROOM}/Juliet'><body>psst</body></message>")
    juliet.expect("message", "body")
    talk(romeo, ROOM, "a")
    assert bodies(page(romeo, query(), ROOM)) == ["a"]


def test_what_was_retracted_is_not_told(world: World, romeo: Client) -> None:
    romeo.send(f"<message type='groupchat' to='{ROOM}' id='m'><body>oops</body></message>")
    id = stanza_id(romeo.expect("message", "body"))
    romeo.send(f"<message type='groupchat' to='{ROOM}' id='r'><retract xmlns='{ns.RETRACT}' id='{id}'/></message>")
    romeo.sync(ROOM)
    found = page(romeo, query(), ROOM)
    assert found.ids[0] == id
    assert bodies(found) == ["", ""]
    assert find(found.results[0], "forward:forwarded/message/retract:retracted") is not None


def test_nothing_is_missing_between_the_archive_and_what_comes_live(world: World, romeo: Client) -> None:
    """Somebody enters without history while others write, and asks for what he has missed since he was last here."""
    juliet, nurse = world.online("juliet@localhost/balcony"), world.online("nurse@localhost/kitchen")
    enter(nurse, ROOM, "Nurse")
    talk(romeo, ROOM, "seen")
    last = page(juliet, query("<max>1</max><before/>"), ROOM).last
    said = ["seen"]
    came: list[tuple[str, str]] = []

    def write(words: int) -> None:
        for _ in range(words):
            said.append(f"word {len(said)}")
            writer = (romeo, nurse)[len(said) % 2]
            writer.send(f"<message type='groupchat' to='{ROOM}'><body>{said[-1]}</body></message>")

    write(3)
    juliet.send(f"<presence to='{ROOM}/Juliet'><x xmlns='{ns.MUC}'><history maxstanzas='0'/></x></presence>")
    write(3)
    juliet.send(f"<iq type='set' id='one' to='{ROOM}'>{query('<max>4</max>', after_id=last)}</iq>")
    write(3)
    archived: list[tuple[str, str]] = []
    id = "one"
    while id:
        element = juliet.next()
        result = find(element, "mam:result")
        if result is not None:
            archived.append((result.get("id", ""), text(result, "forward:forwarded/message/body") or ""))
        elif element.tag == "message" and text(element, "body") is not None:
            came.append((stanza_id(element), text(element, "body") or ""))
        elif element.tag == "iq":
            assert element.get("id") == id
            fin = find(element, "mam:fin")
            assert fin is not None
            after = text(fin, "rsm:set/rsm:last")
            id = "" if fin.get("complete") else id + "'"
            if id:
                write(1)
                again = query("<max>4</max>", after_id=after)
                juliet.send(f'<iq type="set" id="{id}" to="{ROOM}">{again}</iq>')
    came += [
        (stanza_id(each), text(each, "body") or "") for each in juliet.sync(ROOM) if text(each, "body") is not None
    ]
    # Each comes once from each side, in order, and what is in both has the same id.
    assert [word for _, word in archived] == said[1 : len(archived) + 1]
    assert [word for _, word in came] == said[len(said) - len(came) :]
    assert set(archived) & set(came) == set(archived[len(said) - 1 - len(came) :])
    assert list(dict.fromkeys(archived + came)) == list(zip(dict(archived + came), said[1:], strict=True))


def test_a_banned_or_excluded_person_reads_nothing(world: World, romeo: Client) -> None:
    talk(romeo, ROOM, "a")
    juliet = world.login("juliet@localhost/balcony")
    assert bodies(page(juliet, query(), ROOM)) == ["a"]
    romeo.set(configuration(membersonly="1"), ROOM)
    for type, asked in (
        ("set", query()),
        ("get", f"<metadata xmlns='{ns.MAM}'/>"),
        ("get", f"<query xmlns='{ns.MAM}'/>"),
    ):
        assert juliet.refused(type, asked, ROOM) == ("auth", "forbidden")
    assert juliet.refused("set", query(), "nowhere@conference.localhost") == ("cancel", "item-not-found")


def test_an_unknown_id_is_not_found(world: World, romeo: Client) -> None:
    talk(romeo, ROOM, "a")
    [(number,)] = world.rows(f"SELECT number FROM entity WHERE jid = '{ROOM}'")
    for id in ("nonsense", world.database.archive.id_of(99, number), world.database.archive.id_of(1, number + 1)):
        assert romeo.refused("set", query(after_id=id), ROOM) == ("cancel", "item-not-found")


def test_metadata_of_a_room_name_its_first_and_last_message(world: World, romeo: Client) -> None:
    talk(romeo, ROOM, "a", "b")
    found = page(romeo, query(), ROOM).ids
    told = find_all(romeo.get(f"<metadata xmlns='{ns.MAM}'/>", ROOM), "mam:metadata/*")
    assert [each.get("id") for each in told] == found


def test_the_archive_is_there_after_a_crash(world: World, romeo: Client) -> None:
    talk(romeo, ROOM, "a", "b")
    before = page(romeo, query(), ROOM).ids
    world.crash()
    juliet = world.login("juliet@localhost/balcony")
    assert page(juliet, query(), ROOM).ids == before


def test_rooms_without_archives_have_none_to_ask(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(archive=Archive(rooms=False)))
    romeo = world.online("romeo@localhost/orchard")
    enter(romeo, ROOM, "Romeo")
    romeo.set(INSTANT, ROOM)
    talk(romeo, ROOM, "a")
    assert romeo.refused("set", query(), ROOM) == ("cancel", "service-unavailable")
    assert world.rows("SELECT count(*) FROM archive") == [(0,)]


def test_two_questions_are_answered_one_after_the_other(romeo: Client) -> None:
    talk(romeo, ROOM, "a", "b")
    romeo.send(
        f"<iq type='set' id='one' to='{ROOM}'>{query()}</iq><iq type='get' id='two' to='{ROOM}'>"
        f"<metadata xmlns='{ns.MAM}'/></iq>"
    )
    came = [romeo.next() for _ in range(4)]
    assert [each.get("id") for each in came if each.tag == "iq"] == ["one", "two"]
    assert [each.tag for each in came] == ["message", "message", "iq", "iq"]
