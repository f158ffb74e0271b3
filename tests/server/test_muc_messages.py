"""Messages in rooms: to all, to one, the subject, the past, invitations, voice (XEP-0045 §7.4–7.13, §8.1, §8.6)."""

import pytest

from kit import ns
from kit.muc import bodies, change, create, drain, enter, party, say
from kit.people import People
from kit.stanzas import find, find_all, show, text
from kit.wire import Client

# To everybody (§7.4)


def test_a_message_reaches_everybody_and_its_author(ann: Client, ben: Client, cat: Client, room: str) -> None:
    people = {"Ann": ann, "Ben": ben, "Cat": cat}
    party(room, people)
    say(ben, room, "hello", id="the id")
    ids = set()
    for client in people.values():
        message = client.expect("message", type="groupchat", from_=f"{room}/Ben", to=client.jid, id="the id")
        assert text(message, "body") == "hello"
        assert find(message, "delay:delay") is None
        stamps = find_all(message, "sid:stanza-id")
        assert [stamp.get("by") for stamp in stamps if stamp.get("by") == room] == [room]
        ids.add(next(stamp.get("id") for stamp in stamps if stamp.get("by") == room))
        assert len(find_all(message, "occupant:occupant-id")) == 1
        client.nothing_before(f"{room}/{next(nick for nick, each in people.items() if each is client)}")
    assert len(ids) == 1


def test_every_message_has_an_id_of_its_own(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    for _ in range(3):
        say(ann, room, "same", id="same")
    stamps = [find(ann.expect("message", "body"), "sid:stanza-id") for _ in range(3)]
    assert len({stamp.get("id") for stamp in stamps if stamp is not None}) == 3


def test_messages_come_in_one_order_to_all(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    for number in range(20):
        say(ann if number % 2 else ben, room, str(number))
    orders = [bodies([client.next() for _ in range(20)]) for client in (ann, ben)]
    assert orders[0] == orders[1]
    assert sorted(map(str, orders[0]), key=int) == [str(number) for number in range(20)]


def test_what_a_message_contains_arrives(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(
        f"<message type='groupchat' to='{room}' id='m' xml:lang='la'><body>salve</body><thread>t</thread>"
        f"<origin-id xmlns='{ns.SID}' id='mine'/><x xmlns='urn:example' a='1'><y/>text</x></message>"
    )
    message = ann.expect("message", "{urn:example}x/{urn:example}y", "thread", id="m")
    assert message.get("{http://www.w3.org/XML/1998/namespace}lang") == "la"
    origin = find(message, "sid:origin-id")
    assert origin is not None
    assert origin.get("id") == "mine"


def test_forged_elements_are_taken_out_of_messages(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(
        f"<message type='groupchat' to='{room}'><body>hello</body>"
        f"<stanza-id xmlns='{ns.SID}' id='forged' by='{room}'/>"
        f"<occupant-id xmlns='{ns.OCCUPANT_ID}' id='forged'/>"
        f"<x xmlns='{ns.MUC_USER}'><status code='104'/><item affiliation='owner' role='moderator'/></x>"
        "<hats xmlns='urn:xmpp:hats:0'><hat uri='urn:example:boss' title='Boss'/></hats>"
        "<note xmlns='urn:x-fermata:history:0'/></message>"
    )
    message = ann.expect("message", "body", from_=f"{room}/Ben")
    assert "forged" not in show(message)
    assert find(message, "user:x") is None
    assert find(message, "{urn:xmpp:hats:0}hats") is None
    assert find(message, "{urn:x-fermata:history:0}note") is None


def test_a_stanza_id_of_somebody_else_stays(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(
        f"<message type='groupchat' to='{room}'><body>hello</body>"
        f"<stanza-id xmlns='{ns.SID}' id='theirs' by='other@x.example'/></message>"
    )
    stamps = find_all(ann.expect("message"), "sid:stanza-id")
    assert ("other@x.example", "theirs") in {(stamp.get("by"), stamp.get("id")) for stamp in stamps}


@pytest.mark.parametrize("exists", [True, False])
def test_who_is_not_in_the_room_cannot_write_to_it(ann: Client, ben: Client, room: str, exists: bool) -> None:
    if exists:
        create(ann, room, "Ann")
    say(ben, room, "hello", id="m")
    stanza = ben.expect("message", type="error", id="m", from_=room)
    allowed = ["not-acceptable"] if exists else ["not-acceptable", "item-not-found"]
    assert any(find(stanza, f"error/errors:{each}") is not None for each in allowed), show(stanza)
    problem = stanza.find("error")
    assert problem is not None
    assert problem.get("type") == "cancel"
    if exists:
        ann.nothing_before(f"{room}/Ann")


def test_another_session_of_an_occupant_is_not_in_the_room(guests: People, ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    desk = guests.another(ann)
    say(desk, room, "hello", id="m")
    desk.expect_error("message", "not-acceptable", "cancel", id="m")


def test_without_voice_one_cannot_write(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, moderatedroom="1")
    say(ben, room, "hello", id="m")
    ben.expect_error("message", "forbidden", "auth", id="m", from_=room)
    ann.nothing_before(f"{room}/Ann")
    ann.set(change(nick="Ben", role="participant"), room)
    drain(room, {"Ann": ann, "Ben": ben})
    say(ben, room, "now", id="n")
    ann.expect("message", id="n")


@pytest.mark.parametrize("type", ["chat", "normal", "headline"])
def test_other_messages_to_the_room_are_not_shown(ann: Client, ben: Client, room: str, type: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<message type='{type}' to='{room}' id='m'><body>hello</body></message>")
    assert all(stanza.get("type") == "error" for stanza in ben.sync(f"{room}/Ben"))
    ann.nothing_before(f"{room}/Ann")


# The subject (§8.1)


def test_a_moderator_sets_the_subject(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<message type='groupchat' to='{room}' id='s'><subject>tea &amp; talk</subject></message>")
    for client in (ann, ben):
        message = client.expect("message", type="groupchat", from_=f"{room}/Ann", id="s")
        assert text(message, "subject") == "tea & talk"
    entry = enter(cat, room, "Cat")
    assert text(entry.subject, "subject") == "tea & talk"
    assert entry.subject.get("from") == f"{room}/Ann"
    assert entry.history == []


@pytest.mark.parametrize("allowed", [True, False])
def test_a_participant_sets_the_subject_if_he_may(ann: Client, ben: Client, room: str, allowed: bool) -> None:
    party(room, {"Ann": ann, "Ben": ben}, changesubject="1" if allowed else "0")
    ben.send(f"<message type='groupchat' to='{room}' id='s'><subject>coffee</subject></message>")
    if allowed:
        assert text(ann.expect("message", from_=f"{room}/Ben"), "subject") == "coffee"
    else:
        ben.expect_error("message", "forbidden", "auth", id="s")
        ann.nothing_before(f"{room}/Ann")


def test_a_visitor_never_sets_the_subject(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, changesubject="1", moderatedroom="1")
    ben.send(f"<message type='groupchat' to='{room}' id='s'><subject>coffee</subject></message>")
    ben.expect_error("message", "forbidden", "auth", id="s")


@pytest.mark.parametrize("beside", ["<body>with words</body>", "<thread>t</thread>"])
def test_a_subject_beside_words_is_an_ordinary_message(
    ann: Client, ben: Client, cat: Client, room: str, beside: str
) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<message type='groupchat' to='{room}' id='s'><subject>no subject</subject>{beside}</message>")
    ann.expect("message", "subject", id="s", from_=f"{room}/Ben")
    assert text(enter(cat, room, "Cat").subject, "subject") == ""


def test_the_subject_can_be_taken_away(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    for subject in ("<subject>tea</subject>", "<subject/>"):
        ann.send(f"<message type='groupchat' to='{room}'>{subject}</message>")
        ann.expect("message", "subject")
    assert text(enter(ben, room, "Ben").subject, "subject") == ""
