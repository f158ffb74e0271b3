"""What is said in rooms while nobody hears it reaches the account's archive in the end (docs/design/0006)."""

from dataclasses import replace

import pytest

from fermata.app.config_tables import Config
from fermata.core.standin.room_archive import asks
from fermata.xmpp.element import Element
from kit.archives import bodies, page, query
from kit.federated import FederatedWorld, Universe
from kit.muc import create, enter
from kit.pubsub import bookmark
from kit.stanzas import codes, find, text
from kit.wire import Client

ROOM = "tea@conference.b.example"
A, B = "a.example", "b.example"
HOURS = 2 * 3600.0
MANY = 130  # more than the room tells whoever enters


@pytest.fixture
def there(universe: Universe) -> FederatedWorld:
    """A server that forgets who was in a room when it crashes, and puts out whoever is out of reach."""
    config = Config()
    return universe.server(B, replace(config, stay=replace(config.stay, journal=False, limbo=False)))


@pytest.fixture
def bob(there: FederatedWorld) -> Client:
    client = there.online("bob@b.example/desk")
    create(client, ROOM, "Bob", persistentroom="1")
    return client


@pytest.fixture
def ann(here: FederatedWorld, bob: Client) -> Client:
    """Her account is in the room, and has heard what was said before."""
    client = here.online("ann@a.example/phone")
    bookmark(client, ROOM, "Ann")
    bob.expect("presence", from_=f"{ROOM}/Ann")
    say(bob, "before")
    here.advance(5)
    return client


def say(client: Client, *said: str) -> None:
    for body in said:
        client.send(f"<message to='{ROOM}' type='groupchat' id='{body}'><body>{body}</body></message>")
    client.sync(ROOM)


def archive(client: Client) -> list[str | None]:
    """All that was said in rooms."""
    found, after = list[str | None](), ""
    while True:
        got = page(client, query(f"<max>100</max>{after}", fields={"include-groupchat": "true"}))
        found += bodies(got)
        if got.is_complete:
            return found
        after = f"<after>{got.last}</after>"


def many(first: int, last: int) -> list[str]:
    return [f"m{number}" for number in range(first, last)]


def after(server: FederatedWorld, seconds: int, client: Client) -> list[Element]:
    """What has come to a client that answers the whole time."""
    came: list[Element] = []
    for _ in range(seconds // 10):
        server.advance(10)
        came += client.sync()
    return came


def comes_again(there: FederatedWorld) -> Client:
    """The room's owner, after a crash of its server."""
    there.crash()
    bob = there.online("bob@b.example/desk")
    enter(bob, ROOM, "Bob")
    return bob


def hears_nothing_more_after(server: FederatedWorld, last: str) -> None:
    """From the stanza on that this describes, what rooms say does not arrive; that stanza does."""
    rooms, is_deaf = server.parts.standing_in._rooms, False
    heard = rooms._heard

    def hear(holder: object, stand_in: object, stanza: Element, *more: object) -> None:
        nonlocal is_deaf
        if not is_deaf:
            heard(holder, stand_in, stanza, *more)  # type: ignore[arg-type]
        is_deaf = is_deaf or last in codes(stanza)

    rooms._heard = hear  # type: ignore[assignment, method-assign]


def test_dying_between_the_entrance_and_the_history_loses_nothing(
    here: FederatedWorld, there: FederatedWorld, ann: Client, bob: Client
) -> None:
    here.die()
    bob = comes_again(there)
    here.universe.clock.rightNow += HOURS
    bob = there.online("bob@b.example/desk2")
    enter(bob, ROOM, "Bob")
    said = many(0, MANY)
    say(bob, *said)
    here.rise()
    hears_nothing_more_after(here, "110")
    here.advance(200)
    ann = here.online("ann@a.example/phone")
    assert archive(ann) == ["before"]
    here.crash()
    here.advance(200)
    ann = here.online("ann@a.example/phone")
    assert archive(ann) == ["before", *said]


def test_what_a_room_says_first_after_a_start_does_not_hide_what_was_missed(
    here: FederatedWorld, there: FederatedWorld, ann: Client, bob: Client
) -> None:
    # The room thinks that she is in, and never learns that somebody was away.
    here.die()
    said = many(0, 30)
    there.parts.federating.federation.links.listeners.clear()
    say(bob, *said)
    here.universe.clock.rightNow += HOURS
    here.rise()
    say(bob, "after")
    here.advance(300)
    ann = here.online("ann@a.example/phone")
    assert archive(ann) == ["before", *said, "after"]


def test_more_than_a_history_tells_is_read_in_the_rooms_archive(
    universe: Universe, here: FederatedWorld, there: FederatedWorld, ann: Client, bob: Client
) -> None:
    tablet = here.login("ann@a.example/tablet")
    id = tablet.enable().get("id", "")
    tablet.available()
    tablet.sync()
    enter(tablet, ROOM, "Ann")
    handled = tablet.handled
    here.die()
    bob = comes_again(there)
    said = many(0, MANY)
    say(bob, *said)
    here.rise()
    tablet = here.authenticated("ann@a.example")
    tablet.resume(id, handled)
    came = after(here, 300, tablet)
    say(bob, "after")
    told = [each for each in (*came, *after(here, 10, tablet)) if each.tag == "message" and text(each, "body")]
    assert [text(each, "body") for each in told] == [*said, "after"]
    assert all(find(each, "delay:delay") is not None for each in told[:-1])
    assert archive(here.online("ann@a.example/phone")) == ["before", *said, "after"]
    ids = {find(each, "{urn:xmpp:sid:0}stanza-id[@by='%s']" % ROOM).get("id") for each in told}  # type: ignore[union-attr]
    assert ids >= set(page(bob, query("<max>100</max><before/>"), ROOM).ids)
    assert len(ids) == MANY + 1


def test_a_room_here_is_read_too(universe: Universe, here: FederatedWorld) -> None:
    """A death between the room's commit and the account's."""
    room = "tea@conference.a.example"
    ben = here.online("ben@a.example/desk")
    create(ben, room, "Ben", persistentroom="1")
    ann = here.online("ann@a.example/phone")
    bookmark(ann, room, "Ann")
    here.advance(5)
    hears_nothing_more_after(here, "333")
    rooms = here.parts.standing_in._rooms
    for body in ("heard", "missed"):
        ben.send(f"<message to='{room}' type='groupchat' id='{body}'><body>{body}</body></message>")
        ben.sync(room)
        rooms._heard = lambda *all: None  # type: ignore[assignment, method-assign]
    here.crash()
    here.advance(200)
    assert archive(here.online("ann@a.example/phone")) == ["heard", "missed"]


def test_a_room_here_where_nothing_was_said_for_long_is_not_read(
    here: FederatedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all accounts of a server are in its rooms, a start would cost very much."""
    ben = here.online("ben@a.example/desk")
    rooms = [f"{name}@conference.a.example" for name in ("quiet", "busy")]
    ann = here.online("ann@a.example/phone")
    for room in rooms:
        create(ben, room, "Ben", persistentroom="1")
        bookmark(ann, room, "Ann")
    here.advance(5)
    for room in rooms:
        ben.send(f"<message to='{room}' type='groupchat' id='1'><body>hello</body></message>")
        here.advance(100)
    here.crash()
    asked = list[str]()
    monkeypatch.setattr(
        "fermata.core.standin.repair.asks", lambda me, room, *more: asked.append(room) or asks(me, room, *more)
    )
    here.advance(200)
    assert asked == rooms[1:]
