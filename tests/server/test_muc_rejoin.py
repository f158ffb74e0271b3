"""Coming back into a room for little: fast reconnect (XEP-0311), rejoin-if-needed, history by id."""

from collections.abc import Callable

import pytest

from kit import ns
from kit.muc import create, drain, enter, entered, join
from kit.people import People
from kit.rejoin import ASKING, mark, missed, rejoin, resuming
from kit.server import Server, Settings
from kit.stanzas import Element, codes, error, find, text
from kit.wire import Client


def leave(client: Client, address: str) -> None:
    client.send(f"<presence type='unavailable' to='{address}'/>")
    client.wait_for(lambda stanza: stanza.get("type") == "unavailable" and "110" in codes(stanza))


def self_ping(client: Client, address: str) -> str:
    reply = client.iq("get", f"<ping xmlns='{ns.PING}'/>", address)
    return "result" if reply.get("type") == "result" else error(reply)[1]


def until_oneself(client: Client) -> list[Element]:
    """The presences up to one's own, with it."""
    seen = [client.expect("presence")]
    while "110" not in codes(seen[-1]) or seen[-1].get("type") == "unavailable":
        seen.append(client.expect("presence"))
    return seen


def shown(presences: list[Element], room: str) -> list[tuple[str, str | None]]:
    return [(each.get("from", "").removeprefix(room), each.get("type")) for each in presences]


# Fast reconnect


@pytest.mark.parametrize("as_first_proposed", [False, True])
def test_whoever_comes_back_is_told_what_has_changed(
    guests: People, ann: Client, ben: Client, room: str, as_first_proposed: bool
) -> None:
    cat = guests.online()
    create(ann, room, "Ann")
    enter(cat, room, "Cat")
    entry = enter(ben, room, "Ben", content=ASKING)
    assert all(mark(each) for each in (*entry.others, entry.own, entry.subject))
    ann.send(f"<message type='groupchat' to='{room}'><body>seen</body></message>")
    known = mark(ben.expect("message", "body"))
    leave(ben, f"{room}/Ben")
    ann.send(f"<message type='groupchat' to='{room}'><body>unseen</body></message>")
    leave(cat, f"{room}/Cat")
    token = resuming(known)
    if as_first_proposed:
        token = token.replace("<presence-session ", "<presence-session-resume ").replace(" type='resume'", "")
    ben.send(join(room, "Ben", content=token))
    presences = until_oneself(ben)
    assert shown(presences, room) == [("/Cat", "unavailable"), ("/Ben", None)]
    message = ben.expect("message")
    assert text(message, "body") == "unseen"
    assert mark(message)[0] == known[0]
    assert find(ben.expect("message"), "subject") is not None


@pytest.mark.parametrize("token", [("forged", "1pAAAAAAAA"), ("", ""), ("'&lt;", "9" * 5000)])
def test_a_forged_token_brings_everything_after_a_reset(ann: Client, ben: Client, room: str, token) -> None:
    create(ann, room, "Ann")
    ben.send(join(room, "Ben", content=resuming(token)))
    assert shown(until_oneself(ben), room) == [("", "unavailable"), ("/Ann", None), ("/Ben", None)]


def test_nobody_who_was_banned_meanwhile_is_told_anything(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    known = mark(enter(ben, room, "Ben", content=ASKING).subject)
    item = f"<item jid='{ben.bare}' affiliation='outcast'/>"
    ann.set(f"<query xmlns='{ns.MUC_ADMIN}'>{item}</query>", room)
    ben.sync()
    for presence in (join(room, "Ben", content=resuming(known)), rejoin(room, "Ben", resuming(known))):
        ben.send(presence)
        ben.expect_error("presence", "forbidden", "auth")
    ben.nothing_before()


def test_a_token_is_good_after_the_process_was_killed(
    launch: Callable[[Settings], Server],
) -> None:
    server = launch({})
    room = "killed@conference.localhost"
    people = People(server, iter(["guest0", "guest1"] * 2))
    ann, ben = people.online(), people.online()
    create(ann, room, "Ann")
    known = mark(enter(ben, room, "Ben", content=ASKING).subject)
    leave(ben, f"{room}/Ben")
    ann.send(f"<presence to='{room}/Ann'><show>away</show></presence>")
    ann.send(f"<message type='groupchat' to='{room}'><body>unseen</body></message>")
    ann.wait_for(lambda stanza: text(stanza, "body") == "unseen")
    server.kill()
    server.start()
    _, ben = people.online(), people.online()
    ben.send(join(room, "Ben", content=resuming(known)))
    presences = until_oneself(ben)
    assert shown(presences, room) == [("/Ann", None), ("/Ben", None)]
    assert text(presences[0], "show") == "away"
    assert text(ben.expect("message"), "body") == "unseen"
    people.go()


# Rejoin if needed


def test_whoever_is_in_hears_it_and_nobody_else_anything(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    enter(ben, room, "Ben")
    drain(room, {"Ann": ann})
    ben.send(rejoin(room, "Ben", id="r1"))
    own = ben.expect("presence", id="r1", from_=f"{room}/Ben")
    assert codes(own) == {"110"}
    ann.nothing_before()
    ben.nothing_before()


def test_whoever_is_out_comes_in_and_learns_that_he_was_out(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message type='groupchat' id='s' to='{room}'><body>seen</body></message>")
    stamp = find(ann.wait_for(lambda stanza: stanza.get("id") == "s"), f"sid:stanza-id[@by='{room}']")
    assert stamp is not None
    ann.send(f"<message type='groupchat' to='{room}'><body>unseen</body></message>")
    ann.expect("message", "body")
    ben.send(rejoin(room, "Ben", missed(stamp.get("id", "")), id="r1"))
    out = ben.expect("presence", type="unavailable", from_=f"{room}/Ben")
    assert codes(out) == {"110", "333"}
    entry = entered(ben, room)
    assert entry.own.get("id") == "r1"
    assert find(entry.own, "rejoin:rejoined") is not None
    assert [text(message, "body") for message in entry.history] == ["unseen"]
    assert self_ping(ben, f"{room}/Ben") == "result"


def test_it_makes_no_room(ann: Client, room: str) -> None:
    ann.send(rejoin(room, "Ann"))
    ann.expect_error("presence", "item-not-found", "cancel")
    assert self_ping(ann, f"{room}/Ann") == "not-acceptable"


# Entering and leaving as ever


def test_entering_again_is_seen_by_nobody_else(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    enter(ben, room, "Ben")
    drain(room, {"Ann": ann})
    assert len(enter(ben, room, "Ben").others) == 1
    ann.nothing_before()


@pytest.mark.parametrize("to", ["", "/Ben", "/Benjamin"])
def test_whoever_leaves_is_out_by_whatever_name_he_says_it(ann: Client, ben: Client, room: str, to: str) -> None:
    create(ann, room, "Ann")
    enter(ben, room, "Ben")
    ben.send(f"<presence to='{room}/Benjamin'/>")
    ben.sync(f"{room}/Benjamin")
    leave(ben, room + to)
    assert self_ping(ben, f"{room}/Benjamin") == "not-acceptable"
    drain_until = ann.wait_for(lambda stanza: stanza.get("from") == f"{room}/Benjamin" and stanza.get("type"))
    assert drain_until.get("type") == "unavailable"
