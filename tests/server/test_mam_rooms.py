"""Asking the archive of a room over real connections, while others go on talking (XEP-0313)."""

from threading import Thread

import pytest

from kit import ns
from kit.archives import bodies, page, query
from kit.muc import change, create, enter, join, party
from kit.people import People
from kit.stanzas import Element, find, text
from kit.wire import Client

_WORDS = 150


def say(client: Client, room: str, *words: str) -> None:
    for word in words:
        client.send(f"<message type='groupchat' to='{room}'><body>{word}</body></message>")


def room_id(message: Element, room: str) -> str:
    found = find(message, f"sid:stanza-id[@by='{room}']")
    assert found is not None
    return found.get("id", "")


def whole(client: Client, room: str, after: str | None) -> list[str]:
    """The ids of all messages after one."""
    ids: list[str] = []
    while True:
        found = page(client, query("<max>100</max>", after_id=after), room)
        ids += found.ids
        if found.is_complete:
            return ids
        after = found.last


def caught_up(client: Client, room: str, after: str | None) -> tuple[list[str], list[str]]:
    """Asks for everything after a message: the ids from the archive, and those of what came live meanwhile."""
    archived: list[str] = []
    live: list[str] = []
    while True:
        client.send(f"<iq type='set' id='next' to='{room}'>{query('<max>20</max>', after_id=after)}</iq>")
        while (element := client.next()).tag != "iq":
            result = find(element, "mam:result")
            if result is not None:
                archived.append(result.get("id", ""))
            elif element.tag == "message" and text(element, "body") is not None:
                live.append(room_id(element, room))
        fin = find(element, "mam:fin")
        assert fin is not None
        if fin.get("complete") == "true":
            return archived, live
        after = text(fin, "rsm:set/rsm:last")


@pytest.mark.parametrize("order", ["enter first", "ask first"])
def test_nothing_is_missing_between_the_archive_and_what_comes_live(guests: People, room: str, order: str) -> None:
    ann, ben, cat = guests.online(), guests.online(), guests.online()
    party(room, {"Ann": ann, "Ben": ben})
    say(ann, room, "seen")
    last = room_id(ann.expect("message", "body"), room)
    writers = [
        Thread(target=say, args=(client, room, *(f"{number} {'x' * 500}" for number in range(_WORDS))))
        for client in (ann, ben)
    ]
    for writer in writers:
        writer.start()
    entering = join(room, "Cat", history="maxstanzas='0'")
    if order == "enter first":
        cat.send(entering)
        archived, live = caught_up(cat, room, last)
    else:
        # What is said between the last page and the entrance must be asked for once more.
        early, _ = caught_up(cat, room, last)
        cat.send(entering)
        archived, live = caught_up(cat, room, early[-1] if early else last)
        archived = early + archived
    for writer in writers:
        writer.join()
    live += [room_id(each, room) for each in drained(ann, cat, room) if text(each, "body") is not None]
    everything = whole(cat, room, last)
    assert len(everything) == 2 * _WORDS == len(set(everything))
    assert len(live) == len(set(live))
    assert len(archived) == len(set(archived))
    assert list(dict.fromkeys(archived + live)) == everything


def drained(ann: Client, cat: Client, room: str) -> list[Element]:
    """What comes until the room has told everybody everything that was under way."""
    ann.sync(room)
    return cat.sync(room)


def test_what_was_seen_is_what_is_told_later(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    create(ann, room, "Ann")
    say(ann, room, "a", "b", "c")
    live = [ann.expect("message", "body") for _ in range(3)]
    found = page(ben, query(), room)
    assert found.ids == [room_id(each, room) for each in live]
    for seen, result in zip(live, found.results, strict=True):
        message = find(result, "forward:forwarded/message")
        assert message is not None
        assert (message.get("from"), message.get("type")) == (f"{room}/Ann", "groupchat")
        assert message.get("to") is None
        assert find(message, "user:x") is None
        assert room_id(message, room) == room_id(seen, room)
        assert find(message, "occupant:occupant-id") is not None
    (result, *_) = page(ann, query(), room).results
    assert find(result, f"forward:forwarded/message/user:x/user:item[@jid='{ann.jid}']") is not None


def test_a_banned_person_is_told_nothing(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    create(ann, room, "Ann")
    say(ann, room, "a")
    ann.expect("message", "body")
    assert bodies(page(ben, query(), room)) == ["a"]
    ann.set(change(affiliation="outcast", jid=ben.bare), room)
    assert ben.refused("set", query(), room) == ("auth", "forbidden")
    assert ben.refused("get", f"<metadata xmlns='{ns.MAM}'/>", room) == ("auth", "forbidden")


def test_history_and_archive_agree(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    create(ann, room, "Ann")
    say(ann, room, *map(str, range(5)))
    ann.sync(room)
    history = [room_id(each, room) for each in enter(ben, room, "Ben").history]
    ben.sync(room)
    assert page(ben, query(), room).ids == history
    say(ann, room, "next")
    live = room_id(ben.expect("message", "body"), room)
    assert page(ben, query(after_id=history[-1]), room).ids == [live]
