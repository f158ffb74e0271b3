"""XEP-0280: Message Carbons: every device of an account sees both sides of every conversation."""

from collections.abc import Callable

import pytest

from fermata.app.config_components import Components, External
from fermata.app.config_tables import Archive, Config
from fermata.xmpp.jid import JID
from kit import ns
from kit.archives import page, query
from kit.carbons import DISABLE, ENABLE, enable, expect_copy, heard, message_in
from kit.muc import create, enter
from kit.stanzas import find, find_all, show
from kit.wire import Client
from kit.world import World

ROOM = "verona@conference.localhost"
AFAR = "mantua.localhost"
PRIVATE = f"<private xmlns='{ns.CARBONS}'/>"
NO_COPY = f"<no-copy xmlns='{ns.HINTS}'/>"
IN_ROOM = f"<x xmlns='{ns.MUC_USER}'/>"


def say(client: Client, to: str, body: str, content: str = "", type: str = "chat") -> None:
    client.send(f"<message to='{to}' type='{type}' id='{body}'><body>{body}</body>{content}</message>")


@pytest.fixture
def world(worlds: Callable[[Config], World]) -> World:
    """A world in which not everybody has an account here: some are at a component."""
    return worlds(Config(components=Components(external={AFAR: External("secret")})))


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


@pytest.fixture
def balcony(world: World) -> Client:
    return world.online("juliet@localhost/balcony")


@pytest.fixture
def chamber(world: World, balcony: Client) -> Client:
    """Her second device, which wants copies; the first one does not."""
    client = world.online("juliet@localhost/chamber")
    balcony.sync()
    enable(client)
    return client


# -- asking for them (§4, §5, §9.1)


def test_a_device_has_copies_switched_on_and_off_as_often_as_it_likes(
    romeo: Client, balcony: Client, chamber: Client
) -> None:
    for payload, gets in ((ENABLE, True), (ENABLE, True), (DISABLE, False), (DISABLE, False), (ENABLE, True)):
        chamber.set(payload)
        say(romeo, balcony.jid, "hello")
        balcony.expect("message", from_=romeo.jid)
        assert heard(chamber) == ["received hello"] * gets


def test_the_result_is_empty_and_for_ones_own_account_alone(romeo: Client, balcony: Client) -> None:
    reply = balcony.set(ENABLE, balcony.bare)
    assert (len(reply), reply.get("from")) == (0, balcony.bare)
    assert len(balcony.set(ENABLE)) == 0
    for to in (romeo.bare, "nobody@localhost", "localhost"):
        assert balcony.refused("set", ENABLE, to) == ("cancel", "service-unavailable")
    assert balcony.refused("get", ENABLE) == ("cancel", "service-unavailable")
    assert balcony.refused("set", f"<sometimes xmlns='{ns.CARBONS}'/>") == ("cancel", "service-unavailable")


def test_nobody_gets_any_who_has_not_asked(romeo: Client, balcony: Client, world: World) -> None:
    chamber = world.online("juliet@localhost/chamber")
    balcony.sync()
    say(romeo, balcony.jid, "hello")
    say(balcony, romeo.jid, "hi")
    assert heard(balcony) == ["hello"]
    chamber.nothing_before()


def test_a_new_session_of_the_same_resource_has_to_ask_again(world: World, romeo: Client, balcony: Client) -> None:
    enable(world.online("juliet@localhost/chamber"))
    chamber = world.online("juliet@localhost/chamber")
    balcony.sync()
    say(romeo, balcony.jid, "hello")
    chamber.nothing_before()


def test_nothing_is_left_of_a_session_that_is_over(world: World, balcony: Client, chamber: Client) -> None:
    account = world.parts.accounts.get(JID.parse("juliet@localhost"))
    assert account is not None
    enable(world.online("juliet@localhost/balcony"))
    assert [session.resource for session in account.listening] == ["chamber", "balcony"]
    chamber.close()
    assert [session.resource for session in account.listening] == ["balcony"]


# -- what others get (§7)


def test_what_one_device_gets_the_others_see(world: World, romeo: Client, balcony: Client, chamber: Client) -> None:
    hall = world.login("juliet@localhost/hall")
    enable(hall)  # not available, and all the same
    content = "<thread>t</thread><reply xmlns='urn:example' to='a&apos;b'><body>inside</body></reply>"
    romeo.send(f"<message to='{balcony.jid}' type='chat' id='i' xml:lang='it'><body>hello</body>{content}</message>")
    original = balcony.expect("message", from_=romeo.jid, to=balcony.jid)
    for client in (chamber, hall):
        copy = expect_copy(client, "received", "hello")
        assert show(copy) == show(original), "the message, and nothing but the message"
        client.nothing_before()


def test_the_type_is_that_of_the_message(romeo: Client, balcony: Client, chamber: Client) -> None:
    for type in ("", " type='normal'", " type='chat'", " type='unheard-of'"):
        romeo.send(f"<message to='{balcony.jid}'{type}><body>hello</body></message>")
        expect_copy(chamber, "received", "hello")


def test_a_message_for_all_comes_to_each_once(world: World, romeo: Client, balcony: Client, chamber: Client) -> None:
    shy = world.online("juliet@localhost/shy", "<priority>-1</priority>")
    enable(balcony, shy)
    for client in (balcony, chamber):
        client.sync()
    say(romeo, "juliet@localhost", "hello")
    assert heard(balcony) == heard(chamber) == ["hello"]
    assert heard(shy) == ["received hello"], "nothing that is for the account is for it (RFC 6121 §8.5.2.1.1)"


def test_a_message_for_a_device_that_is_gone_is_one_for_all(romeo: Client, balcony: Client, chamber: Client) -> None:
    say(romeo, "juliet@localhost/gone", "hello")
    assert heard(balcony) == heard(chamber) == ["hello"]


def test_what_waits_for_the_account_is_seen_by_those_who_listen(world: World, romeo: Client) -> None:
    shy = world.online("juliet@localhost/shy", "<priority>-1</priority>")
    enable(shy)
    say(romeo, "juliet@localhost", "hello")
    copied = expect_copy(shy, "received", "hello")
    shy.close()
    (waiting,) = [each for each in _arrive(world, "juliet@localhost/balcony") if each.tag == "message"]
    assert find(waiting, "delay:delay") is not None
    ids = [find(message, "sid:stanza-id") for message in (copied, waiting)]
    assert len({each.get("id") for each in ids if each is not None}) == 1


@pytest.mark.parametrize("to", ["juliet@localhost", "juliet@localhost/gone"])
def test_what_would_not_wait_is_heard_by_those_who_listen(world: World, romeo: Client, to: str) -> None:
    receipt = f"<message to='{to}' type='chat' id='r'><received xmlns='{ns.RECEIPTS}' id='m'/></message>"
    romeo.send(receipt)
    romeo.expect_error("message", "service-unavailable", id="r")
    shy = world.online("juliet@localhost/shy", "<priority>-1</priority>")
    enable(shy)
    romeo.send(receipt)
    assert find(expect_copy(shy, "received"), "receipts:received") is not None
    romeo.nothing_before()
    romeo.send(f"<message to='{to}' type='headline'><body>news</body></message>")
    shy.nothing_before()


def _arrive(world: World, address: str) -> list:  # type: ignore[type-arg]
    client = world.login(address)
    client.send("<presence/>")
    return client.sync()


def test_what_is_refused_is_not_copied(romeo: Client, balcony: Client, chamber: Client) -> None:
    say(romeo, "juliet@localhost/gone", "hello", type="normal")
    romeo.expect_error("message", "service-unavailable")
    say(chamber, "nobody@localhost", "hello")
    chamber.expect_error("message", "service-unavailable")
    chamber.nothing_before()
    balcony.nothing_before()


# -- what others send (§8)


def test_what_one_device_sends_the_others_see(world: World, romeo: Client, balcony: Client, chamber: Client) -> None:
    say(balcony, romeo.bare, "hello")
    message = expect_copy(chamber, "sent", "hello")
    assert (message.get("from"), message.get("to")) == (balcony.jid, romeo.bare)
    balcony.nothing_before()
    say(chamber, romeo.jid, "hi")
    chamber.nothing_before()
    balcony.nothing_before()


def test_both_sides_have_their_copies(world: World, romeo: Client, balcony: Client, chamber: Client) -> None:
    street = world.online("romeo@localhost/street")
    enable(street)
    romeo.sync()
    say(romeo, balcony.jid, "hello")
    expect_copy(street, "sent", "hello")
    expect_copy(chamber, "received", "hello")
    assert heard(balcony) == ["hello"]
    assert heard(romeo) == heard(street) == heard(chamber) == []


@pytest.mark.parametrize(
    ("to", "seen"),
    [
        ("juliet@localhost", {"balcony": ["hello"], "chamber": ["hello"], "hall": ["sent hello"]}),
        ("juliet@localhost/chamber", {"balcony": [], "chamber": ["hello"], "hall": ["sent hello"]}),
        ("juliet@localhost/balcony", {"balcony": ["hello"], "chamber": ["sent hello"], "hall": ["sent hello"]}),
        ("", {"balcony": ["hello"], "chamber": ["hello"], "hall": ["sent hello"]}),
    ],
)
def test_a_note_to_oneself_comes_to_each_once(
    world: World, balcony: Client, chamber: Client, to: str, seen: dict[str, list[str]]
) -> None:
    hall = world.login("juliet@localhost/hall")
    enable(balcony, hall)
    address = f" to='{to}'" if to else ""
    balcony.send(f"<message type='chat'{address}><body>hello</body></message>")
    assert {client.resource: heard(client) for client in (balcony, chamber, hall)} == seen


# -- the same message everywhere (XEP-0359)


def archived(client: Client) -> list[str]:
    return page(client, query()).ids


def test_a_copy_has_the_id_of_the_archive(world: World, romeo: Client, balcony: Client, chamber: Client) -> None:
    say(romeo, balcony.jid, "hello")
    say(balcony, romeo.bare, "hi")
    say(balcony, f"mercutio@{AFAR}", "ho")
    found = []
    for name in ("received", "sent", "sent"):
        stamps = find_all(expect_copy(chamber, name), "sid:stanza-id")
        assert [each.get("by") for each in stamps] == ["juliet@localhost"]
        found.append(stamps[0].get("id"))
    received = find(balcony.expect("message", from_=romeo.jid), "sid:stanza-id")
    assert received is not None
    assert received.get("id") == found[0]
    chamber.sync()
    assert archived(chamber) == found


def test_nobody_forges_an_id_for_the_others(balcony: Client, chamber: Client) -> None:
    forged = f"<stanza-id xmlns='{ns.SID}' id='forged' by='juliet@localhost'/>"
    for to in (f"nobody@{AFAR}", "juliet@localhost/balcony"):
        say(balcony, to, "hello", forged)
        message = expect_copy(chamber, "sent", "hello")
        assert [each.get("id") for each in find_all(message, "sid:stanza-id")] != ["forged"]
        assert len(find_all(message, "sid:stanza-id")) == 1


def test_without_an_archive_there_are_copies_without_ids(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(archive=Archive(accounts=False)))
    romeo, balcony = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    chamber = world.login("juliet@localhost/chamber")
    enable(chamber)
    say(romeo, balcony.jid, "hello")
    say(balcony, romeo.jid, "hi")
    for name in ("received", "sent"):
        assert find(expect_copy(chamber, name), "sid:stanza-id") is None


# -- what is not copied (§6, §9)


@pytest.mark.parametrize("hint", [PRIVATE, NO_COPY, PRIVATE + NO_COPY])
def test_nobody_else_sees_what_is_private(romeo: Client, balcony: Client, chamber: Client, hint: str) -> None:
    say(romeo, balcony.jid, "hello", hint)
    say(balcony, romeo.jid, "hi", hint)
    chamber.nothing_before()
    for client in (balcony, romeo):
        tags = [each.tag for each in client.expect("message") if each.tag.rpartition("}")[2] in ("private", "no-copy")]
        assert len(tags) == hint.count("<"), "taking it out would be a way to manipulate delivery that nobody sees (§9)"


def test_events_and_rooms_are_not_copied(romeo: Client, balcony: Client, chamber: Client) -> None:
    for type in ("headline", "groupchat"):
        say(balcony, romeo.jid, "hello", type=type)
        say(romeo, balcony.jid, "hello", type=type)
    chamber.nothing_before()


def test_nothing_of_who_is_blocked_is_copied(romeo: Client, balcony: Client, chamber: Client) -> None:
    balcony.set(f"<block xmlns='{ns.BLOCKING}'><item jid='{romeo.bare}'/></block>")
    say(romeo, balcony.jid, "hello")
    romeo.expect_error("message", "service-unavailable")
    say(balcony, romeo.jid, "hi")
    balcony.expect_error("message", "not-acceptable")
    chamber.nothing_before()


def test_what_only_looks_like_a_copy_is_not_passed_round(romeo: Client, balcony: Client, chamber: Client) -> None:
    inside = f"<message xmlns='{ns.CLIENT}' from='nurse@localhost'><body>come</body></message>"
    forged = f"<forwarded xmlns='{ns.FORWARD}'>{inside}</forwarded>"
    romeo.send(f"<message to='{balcony.jid}' type='chat'><received xmlns='{ns.CARBONS}'>{forged}</received></message>")
    assert balcony.expect("message", from_=romeo.jid) is not None
    chamber.nothing_before()


# -- errors (§6.1, §9.3)


def test_an_error_is_seen_by_those_who_have_seen_what_it_answers(
    world: World, balcony: Client, chamber: Client
) -> None:
    say(balcony, f"nobody@{AFAR}", "hello")
    expect_copy(chamber, "sent", "hello")
    world.advance(60)
    refused = balcony.expect_error("message", "remote-server-timeout", id="hello")
    error = expect_copy(chamber, "received")
    assert show(error) == show(refused)
    chamber.nothing_before()


def test_an_error_of_a_client_is_seen_as_well_and_once(romeo: Client, balcony: Client, chamber: Client) -> None:
    say(balcony, romeo.jid, "hello")
    expect_copy(chamber, "sent", "hello")
    for _ in range(2):
        romeo.send(f"<message to='{balcony.jid}' type='error' id='hello'><error type='cancel'/></message>")
        balcony.expect("message", type="error")
    assert expect_copy(chamber, "received").get("type") == "error"
    chamber.nothing_before()


def test_other_errors_are_for_whom_they_are_for(world: World, romeo: Client, balcony: Client, chamber: Client) -> None:
    say(balcony, romeo.jid, "hello", PRIVATE)
    say(balcony, romeo.jid, "hi")
    expect_copy(chamber, "sent", "hi")
    tybalt = world.online("tybalt@localhost/square")
    for client, id in ((romeo, "hello"), (tybalt, "hi"), (romeo, "never said")):
        client.send(f"<message to='{balcony.jid}' type='error' id='{id}'><error type='cancel'/></message>")
        balcony.expect("message", type="error")
    chamber.nothing_before()


def test_an_error_that_comes_from_no_address_is_for_whom_it_is_for(balcony: Client, chamber: Client) -> None:
    say(balcony, f"nobody@{AFAR}", "hello")
    expect_copy(chamber, "sent", "hello")
    say(balcony, "@", "hello")
    balcony.expect_error("message", "jid-malformed", id="hello")
    balcony.nothing_before()
    chamber.nothing_before()


def test_a_device_that_refuses_its_copy_tells_nobody(romeo: Client, balcony: Client, chamber: Client) -> None:
    say(romeo, balcony.jid, "hello")
    expect_copy(chamber, "received", "hello")
    balcony.expect("message")
    for to in (chamber.bare, ""):
        address = f" to='{to}'" if to else ""
        chamber.send(f"<message{address} type='error' id='hello'><error type='cancel'/></message>")
    for client in (romeo, balcony, chamber):
        client.nothing_before()


# -- rooms (§6.1)


@pytest.fixture
def mercutio(world: World) -> Client:
    """The owner of a room."""
    client = world.online("mercutio@localhost/square")
    create(client, ROOM, "Mercutio")
    return client


def enters(*clients: Client, nick: str = "Juliet") -> None:
    for client in clients:
        client.sync()
        enter(client, ROOM, nick)
    for client in clients:
        client.sync()


def test_a_private_message_in_a_room_comes_to_each_who_is_there_once(
    world: World, mercutio: Client, balcony: Client, chamber: Client
) -> None:
    hall = world.online("juliet@localhost/hall")
    enable(balcony, hall)
    enters(balcony, chamber)
    mercutio.sync()
    hall.sync()
    say(mercutio, f"{ROOM}/Juliet", "psst")
    assert heard(balcony) == heard(chamber) == ["psst"]
    hall.nothing_before()


@pytest.mark.parametrize("marked", [IN_ROOM, ""])
def test_a_private_answer_is_seen_by_those_who_share_the_place(
    world: World, mercutio: Client, balcony: Client, chamber: Client, marked: str
) -> None:
    hall, cell = world.online("juliet@localhost/hall"), world.online("juliet@localhost/cell")
    enable(balcony, hall, cell)
    enters(balcony, chamber)
    enters(cell, nick="Nun")
    for client in (balcony, chamber, hall, cell):
        client.sync()
    say(balcony, f"{ROOM}/Mercutio", "psst", marked)
    message = expect_copy(chamber, "sent", "psst")
    assert (message.get("from"), message.get("to")) == (balcony.jid, f"{ROOM}/Mercutio")
    assert len(find_all(message, "user:x")) == 1
    for client in (balcony, chamber, hall, cell):
        client.nothing_before()


def test_a_private_message_that_the_room_refuses_at_once_is_seen_by_nobody(
    mercutio: Client, balcony: Client, chamber: Client
) -> None:
    enters(balcony, chamber)
    balcony.sync()
    say(balcony, f"{ROOM}/Nobody", "psst")
    balcony.expect_error("message", "item-not-found", id="psst")
    chamber.nothing_before()


def test_invitations_are_copied_in_both_directions(
    world: World, mercutio: Client, balcony: Client, chamber: Client
) -> None:
    street = world.online("mercutio@localhost/street")
    enable(street)
    shy = world.online("juliet@localhost/shy", "<priority>-1</priority>")
    enable(shy)
    balcony.sync()
    chamber.sync()
    mercutio.sync()
    mercutio.send(
        f"<message to='{ROOM}'><x xmlns='{ns.MUC_USER}'><invite to='juliet@localhost'/></x></message>"
        f"<message to='{balcony.jid}'><x xmlns='{ns.DIRECT_INVITE}' jid='{ROOM}'/></message>"
    )
    assert find(message_in(street.expect("message"), "sent"), "user:x/user:invite") is not None
    assert find(message_in(street.expect("message"), "sent"), "conference:x") is not None
    assert find(message_in(shy.expect("message"), "received"), "user:x/user:invite") is not None
    assert find(message_in(shy.expect("message"), "received"), "conference:x") is not None
    assert find(chamber.expect("message"), "user:x/user:invite") is not None
    assert find(message_in(chamber.expect("message"), "received"), "conference:x") is not None


def test_what_is_said_in_a_room_is_not_copied(world: World, mercutio: Client, balcony: Client, chamber: Client) -> None:
    enters(balcony)
    chamber.sync()
    say(balcony, ROOM, "hello", type="groupchat")
    say(mercutio, ROOM, "hi", type="groupchat")
    chamber.nothing_before()
