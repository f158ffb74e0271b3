"""Messages for those who are away (XEP-0160), with the hints of XEP-0334."""

import re

import pytest

from kit import ns
from kit.people import People
from kit.stanzas import Element, find, show, text
from kit.wire import Client


def messages(stanzas: list[Element]) -> list[Element]:
    return [stanza for stanza in stanzas if stanza.tag == "message"]


def waiting(people: People, user: str) -> list[Element]:
    """What is waiting for that account: its messages after initial presence."""
    client = people.bound(user)
    client.send("<presence/>")
    return messages(client.sync())


def leave(sender: Client, user: str, content: str = "<body>hello</body>", type: str = "chat") -> None:
    sender.send(f"<message type='{type}' id='m' to='{user}@localhost'>{content}</message>")
    sender.nothing_before()


def test_messages_wait_and_come_in_order_with_their_times(people: People, guests: People) -> None:
    ann, user = guests.online(), people.name()
    for number in range(5):
        leave(ann, user, f"<body>{number}</body>", "normal" if number % 2 else "chat")
    came = waiting(people, user)
    assert [text(message, "body") for message in came] == ["0", "1", "2", "3", "4"]
    for message in came:
        delay = find(message, "delay:delay")
        assert delay is not None, show(message)
        assert delay.get("from") == "localhost"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", delay.get("stamp", ""))


def test_a_waiting_message_is_the_one_that_was_sent(people: People, guests: People) -> None:
    ann, user = guests.online(), people.name()
    content = "<body>hello</body><thread>t</thread><x xmlns='urn:example' a='&lt;'><y/></x>"
    ann.send(f"<message type='chat' id='the id' xml:lang='la' to='{user}@localhost/gone'>{content}</message>")
    ann.sync()
    (message,) = waiting(people, user)
    assert message.get("id") == "the id"
    assert message.get("from") == ann.jid
    assert message.get("to") == f"{user}@localhost/gone"
    assert message.get("{http://www.w3.org/XML/1998/namespace}lang") == "la"
    assert text(message, "thread") == "t"
    assert find(message, "{urn:example}x[@a='<']/{urn:example}y") is not None


def test_they_come_once(people: People, guests: People) -> None:
    ann, user = guests.online(), people.name()
    leave(ann, user)
    assert len(waiting(people, user)) == 1
    assert waiting(people, user) == []


def test_they_come_before_what_is_sent_later(people: People, guests: People) -> None:
    ann, user = guests.online(), people.name()
    leave(ann, user, "<body>old</body>")
    ben = people.bound(user)
    ben.send("<presence/>")
    ann.send(f"<message type='chat' to='{user}@localhost'><body>new</body></message>")
    ann.sync()
    came = messages(ben.sync())
    assert [text(message, "body") for message in came] == ["old", "new"]


@pytest.mark.parametrize("first", ["", "<presence><priority>-1</priority></presence>"])
def test_they_wait_for_a_session_that_wants_messages(people: People, guests: People, first: str) -> None:
    ann, user = guests.online(), people.name()
    leave(ann, user)
    ben = people.bound(user)
    ben.send(first)
    assert messages(ben.sync()) == []
    ben.send("<presence/>")
    assert len(messages(ben.sync())) == 1


def test_they_are_not_for_a_session_that_says_it_is_unavailable(people: People, guests: People) -> None:
    ann, user = guests.online(), people.name()
    leave(ann, user)
    ben = people.bound(user)
    ben.send("<presence type='unavailable'/>")
    assert messages(ben.sync()) == []
    assert len(waiting(people, user)) == 1


@pytest.mark.parametrize(
    ("content", "type"),
    [
        (f"<active xmlns='{ns.CHAT_STATES}'/>", "chat"),
        (f"<composing xmlns='{ns.CHAT_STATES}'/>", "chat"),
        ("<received xmlns='urn:xmpp:receipts' id='m0'/>", "normal"),
        (f"<body>hello</body><no-store xmlns='{ns.HINTS}'/>", "chat"),
        ("<body>news</body>", "headline"),
    ],
    ids=["active", "composing", "receipt", "no-store", "headline"],
)
def test_what_is_not_worth_keeping_is_not_kept(people: People, guests: People, content: str, type: str) -> None:
    ann, user = guests.online(), people.name()
    ann.send(f"<message type='{type}' id='m' to='{user}@localhost'>{content}</message>")
    assert all(stanza.get("type") == "error" for stanza in ann.sync())
    assert waiting(people, user) == []


@pytest.mark.parametrize(
    "content",
    [
        f"<body>hello</body><active xmlns='{ns.CHAT_STATES}'/>",
        f"<body>hello</body><no-permanent-store xmlns='{ns.HINTS}'/>",
        f"<body>hello</body><no-copy xmlns='{ns.HINTS}'/>",
        "<body>hello</body><request xmlns='urn:xmpp:receipts'/>",
        "<x xmlns='jabber:x:conference' jid='tea@conference.localhost'/>",
        "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/><payload>AAAA</payload></encrypted>",
        "<reactions xmlns='urn:xmpp:reactions:0' id='m0'><reaction>\U0001f44b</reaction></reactions>",
        "<body>better</body><replace xmlns='urn:xmpp:message-correct:0' id='m0'/>",
    ],
    ids=[
        "body, state",
        "no-permanent-store",
        "no-copy",
        "wants receipt",
        "invite",
        "encrypted",
        "reaction",
        "correction",
    ],
)
def test_what_matters_is_kept(people: People, guests: People, content: str) -> None:
    ann, user = guests.online(), people.name()
    leave(ann, user, content)
    assert len(waiting(people, user)) == 1


def test_a_message_to_oneself_waits_as_well(people: People) -> None:
    ann = people.bound()
    ann.send(f"<message type='chat' to='{ann.bare}'><body>remember</body></message>")
    assert messages(ann.sync()) == []
    ann.send("<presence/>")
    assert [text(message, "body") for message in messages(ann.sync())] == ["remember"]


def test_a_message_waits_although_its_sender_is_gone(people: People, guests: People) -> None:
    ann, user = guests.online(), people.name()
    ann.send(f"<message type='chat' to='{user}@localhost'><body>bye</body></message></stream:stream>")
    ann.expect_end()
    assert [text(message, "body") for message in waiting(people, user)] == ["bye"]
