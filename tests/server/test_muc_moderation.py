"""Retraction and moderation of messages in a room (XEP-0424, XEP-0425)."""

import pytest

from kit import ns
from kit.muc import create, drain, enter, party
from kit.people import People
from kit.stanzas import Element, find, show, text
from kit.wire import Client

NEW = f"<moderate xmlns='{ns.MODERATE}' id='%s'><retract xmlns='{ns.RETRACT}'/><reason>spam</reason></moderate>"
OLD = (
    f"<apply-to xmlns='{ns.FASTEN}' id='%s'><moderate xmlns='{ns.MODERATE_0}'>"
    f"<retract xmlns='{ns.RETRACT_0}'/><reason>spam</reason></moderate></apply-to>"
)
FORMS = pytest.mark.parametrize("form", [NEW, OLD], ids=["version 0.3", "version 0.2"])
# A room that tells no history has to look the message up in its archive.
ROOMS = pytest.mark.parametrize("history", ["50", "0"], ids=["live", "archived"])


def attribute(element: Element, path: str, name: str) -> str:
    found = find(element, path)
    assert found is not None, show(element)
    return found.get(name, "")


def said(client: Client, room: str, body: str, others: list[Client]) -> str:
    """The stanza-id of what a client says in a room; everybody has read it."""
    client.send(f"<message to='{room}' type='groupchat' id='{body}'><body>{body}</body></message>")
    for each in (client, *others):
        message = each.expect("message", "body", type="groupchat")
    return attribute(message, "sid:stanza-id", "id")


def meet(guests: People, room: str, history: str) -> tuple[Client, Client, Client]:
    ann, ben, cat = guests.online(), guests.online(), guests.online()
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat}, muc__maxhistoryfetch=history)
    return ann, ben, cat


@FORMS
@ROOMS
def test_a_moderator_retracts_a_message(guests: People, room: str, form: str, history: str) -> None:
    ann, ben, cat = meet(guests, room, history)
    id = said(ben, room, "buy my tea", [ann, cat])
    ann.send(f"<iq type='set' id='m' to='{room}'>{form % id}</iq>")
    for client in (ann, ben, cat):
        told = client.expect("message", "sid:stanza-id", type="groupchat", from_=room)
        assert attribute(told, "retract:retract", "id") == id
        assert attribute(told, "retract:retract/moderate:moderated", "by") == f"{room}/Ann"
        assert attribute(told, "retract:retract/moderate:moderated/occupant:occupant-id", "id")
        assert text(told, "retract:retract/retract:reason") == "spam"
        assert attribute(told, "fasten:apply-to", "id") == id
        assert find(told, "fasten:apply-to/moderate-0:moderated/retract-0:retract") is not None
    ann.expect("iq", type="result", id="m")


@ROOMS
def test_only_moderators_do_and_only_what_was_said(guests: People, room: str, history: str) -> None:
    ann, ben, cat = meet(guests, room, history)
    id = said(ben, room, "tea", [ann, cat])
    assert cat.refused("set", NEW % id, room) == ("auth", "forbidden")
    assert ann.refused("set", NEW % "nothing", room) == ("cancel", "item-not-found")
    other = id[:-2] + ("Q" if id[-2] != "Q" else "g") + id[-1]
    assert ann.refused("set", NEW % other, room) == ("cancel", "item-not-found")
    empty = f"<moderate xmlns='{ns.MODERATE}' id='{id}'/>"
    assert ann.refused("set", empty, room) == ("modify", "bad-request")
    drain(room, {"Ann": ann, "Cat": cat})
    ben.nothing_before(f"{room}/Ben")


def test_an_id_of_another_room_is_unknown(guests: People, room: str) -> None:
    ann = guests.online()
    create(ann, room, "Ann")
    create(ann, f"other-{room}", "Ann")
    id = said(ann, f"other-{room}", "tea", [])
    assert ann.refused("set", NEW % id, room) == ("cancel", "item-not-found")


def test_what_was_moderated_is_told_to_nobody_who_comes_later(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    party(room, {"Ann": ann, "Ben": ben})
    said(ben, room, "one", [ann])
    id = said(ben, room, "two", [ann])
    said(ben, room, "three", [ann])
    ann.send(f"<iq type='set' id='m' to='{room}'>{NEW % id}</iq>")
    drain(room, {"Ann": ann})
    assert [text(each, "body") for each in enter(guests.online(), room, "Dan").history] == ["one", "three"]


def test_an_author_retracts_his_message(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    party(room, {"Ann": ann, "Ben": ben})
    id, other = said(ben, room, "oops", [ann]), said(ann, room, "hello", [ben])
    for each in (id, other):
        retraction = f"<retract xmlns='{ns.RETRACT}' id='{each}'/>"
        ben.send(f"<message to='{room}' type='groupchat' id='r'>{retraction}</message>")
        for client in (ann, ben):
            client.expect("message", "retract:retract", "sid:stanza-id", from_=f"{room}/Ben", type="groupchat")
    # The other one was not his.
    assert [text(each, "body") for each in enter(guests.online(), room, "Dan").history] == ["hello"]


def test_nobody_makes_others_believe_that_he_moderates(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    party(room, {"Ann": ann, "Ben": ben})
    forged = f"<moderated xmlns='{ns.MODERATE}' by='{room}/Ann'/>"
    ben.send(f"<message to='{room}' type='groupchat'><body>x</body>{forged}</message>")
    message = ann.expect("message", "body", type="groupchat")
    assert find(message, "moderate:moderated") is None
