"""Copies and time: sessions that are away, that come back, that end; a process that is killed (XEP-0280, XEP-0198)."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Archive, Config, Limits
from fermata.xmpp.jid import JID
from kit import ns
from kit.carbons import DISABLE, ENABLE, enable, heard
from kit.managed import Managed
from kit.wire import Client
from kit.world import World

WINDOW = 7200
RESUMED = f"{{{ns.SM}}}resumed"


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


@pytest.fixture
def phone(world: World, romeo: Client) -> Managed:
    """The device to which he writes."""
    return Managed(world, "juliet@localhost/phone")


@pytest.fixture
def tablet(world: World, phone: Managed) -> Managed:
    """The one that gets copies."""
    return wants(Managed(world, "juliet@localhost/tablet"), phone)


def wants(device: Managed, *others: Managed) -> Managed:
    """It wants copies; nothing is left to read by anybody."""
    enable(device.client)
    for each in (device, *others):
        each.client.sync()
        each.client.ack()
    return device


def say(client: Client, to: Managed, *texts: str) -> None:
    for text in texts:
        client.send(f"<message to='{to.client.jid}' type='chat' id='{text}'><body>{text}</body></message>")


def acks(device: Managed) -> list[str]:
    """What a client hears, and says that it has."""
    found = heard(device.client)
    device.client.ack()
    return found


# -- sessions that are away


def test_what_was_copied_meanwhile_waits(world: World, romeo: Client, phone: Managed, tablet: Managed) -> None:
    say(romeo, phone, "one")
    tablet.client.cut()
    say(romeo, phone, "two")
    say(phone.client, phone, "three")
    assert tablet.again().tag == RESUMED
    say(romeo, phone, "four")
    assert heard(tablet.client) == ["received one", "received two", "sent three", "received four"]


def test_a_chat_state_is_worth_nothing_later(world: World, romeo: Client, phone: Managed, tablet: Managed) -> None:
    state = f"<message to='{phone.client.jid}' type='chat' id='i'><composing xmlns='{ns.CHAT_STATES}'/></message>"
    romeo.send(state)
    assert heard(tablet.client) == ["received i"]
    tablet.client.cut()
    romeo.send(state)
    tablet.again()
    assert heard(tablet.client) == []


def test_too_many_copies_are_left_to_the_archive(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(limits=Limits(queue_stanzas=20)))
    romeo, phone = world.online("romeo@localhost/orchard"), Managed(world, "juliet@localhost/phone")
    tablet = wants(Managed(world, "juliet@localhost/tablet"), phone)
    tablet.client.cut()
    for number in range(60):
        say(romeo, phone, str(number))
        acks(phone)
    world.advance(1)
    assert tablet.again().tag == RESUMED, "nobody loses his session for copies"
    assert heard(tablet.client) == [f"received {number}" for number in range(41, 60)]


# -- the process


@pytest.mark.parametrize(("payload", "gets"), [(ENABLE, True), (DISABLE, False)])
def test_whether_they_are_wanted_is_known_after_a_crash(
    world: World, romeo: Client, phone: Managed, tablet: Managed, payload: str, gets: bool
) -> None:
    tablet.client.set(payload)
    for _ in range(2):
        world.crash()
        phone.again()
        assert tablet.again().tag == RESUMED
        say(phone.client, phone, "note")
        assert heard(tablet.client) == ["sent note"] * gets


def test_copies_come_after_a_crash_and_once(world: World, romeo: Client, phone: Managed, tablet: Managed) -> None:
    say(romeo, phone, "one")
    assert acks(tablet) == ["received one"]
    say(romeo, phone, "two")
    handled = tablet.client.handled
    tablet.client.cut()
    say(romeo, phone, "three")
    say(phone.client, phone, "four")
    world.crash()
    tablet.again(handled)
    assert heard(tablet.client) == ["received two", "received three", "sent four"]


def test_what_is_committed_is_copied_though_nobody_was_told_before_the_crash(
    world: World, romeo: Client, phone: Managed, tablet: Managed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fermata.services.messages.hand_out", lambda copies: None)
    monkeypatch.setattr(type(world.parts.messages), "_hand_out", lambda *arguments: None)
    world.parts.lasting.log.released = lambda durable: None  # type: ignore[method-assign]
    say(romeo, phone, "one")
    monkeypatch.undo()
    world.crash()
    phone.again()
    tablet.again()
    assert heard(phone.client) == ["one"]
    assert heard(tablet.client) == ["received one"]


# -- sessions that end


def test_a_copy_that_arrived_is_the_message_that_arrived(
    world: World, romeo: Client, phone: Managed, tablet: Managed
) -> None:
    phone.client.cut()
    world.advance(10)
    tablet.again()
    say(romeo, phone, "one")
    assert acks(tablet) == ["received one"]
    world.advance(WINDOW - 5)
    tablet.again()
    assert acks(tablet) == [], "the phone's session is over, and nobody needs the message again"
    late = world.login("juliet@localhost/late")
    late.send("<presence/>")
    assert heard(late) == []


def test_so_it_is_with_a_note_to_oneself(world: World, phone: Managed, tablet: Managed) -> None:
    laptop = world.login("juliet@localhost/laptop")
    phone.client.cut()
    world.advance(10)
    say(laptop, phone, "note")
    tablet.again()
    assert acks(tablet) == ["sent note"]
    world.advance(WINDOW - 5)
    tablet.again()
    assert acks(tablet) == []


def test_so_it_is_after_a_crash(world: World, romeo: Client, phone: Managed, tablet: Managed) -> None:
    phone.client.cut()
    say(romeo, phone, "one")
    assert acks(tablet) == ["received one"]
    tablet.client.sync()
    world.crash()
    tablet.again()
    say(world.online("romeo@localhost/orchard"), phone, "two")
    assert acks(tablet) == ["received two"]
    world.advance(10)
    tablet.again()
    world.advance(WINDOW - 5)
    assert world.parts.sessions.get(JID.parse(phone.client.jid)) is None
    tablet.again()
    assert acks(tablet) == []


def test_a_copy_under_way_is_not_doubled(world: World, romeo: Client, phone: Managed, tablet: Managed) -> None:
    phone.client.cut()
    world.advance(10)
    tablet.again()
    tablet.client.cut()
    say(romeo, phone, "one")
    world.advance(WINDOW - 5)
    assert world.rows("SELECT count(*) FROM spool") == [(1,)], "until somebody has it"
    tablet.again()
    assert acks(tablet) == ["received one"]
    world.turn()
    assert world.rows("SELECT count(*) FROM spool") == [(0,)]


def test_copies_are_dropped_at_the_end_and_messages_are_not(
    world: World, romeo: Client, phone: Managed, tablet: Managed
) -> None:
    for device in (phone, tablet):
        device.client.cut()
    say(romeo, phone, "one")
    world.advance(WINDOW + 5)
    late = world.login("juliet@localhost/late")
    late.send("<presence/>")
    assert heard(late) == ["one"]


def test_copies_alone_are_nothing_to_be_kept(world: World, romeo: Client, phone: Managed, tablet: Managed) -> None:
    tablet.client.cut()
    say(romeo, phone, "one")
    say(phone.client, phone, "two")
    assert acks(phone) == ["one", "two"]
    world.advance(10)
    phone.again()
    world.advance(WINDOW - 5)
    phone.again()
    assert acks(phone) == []
    assert world.rows("SELECT count(*) FROM spool") == [(0,)]


def test_without_an_archive_the_spool_lets_go_of_what_arrived_as_a_copy(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(archive=Archive(accounts=False)))
    romeo, phone = Managed(world, "romeo@localhost/orchard"), Managed(world, "juliet@localhost/phone")
    tablet = wants(Managed(world, "juliet@localhost/tablet"), phone)
    phone.client.cut()
    say(romeo.client, phone, "one")
    assert world.rows("SELECT count(*) FROM spool") == [(1,)]
    assert acks(tablet) == ["received one"]
    world.turn()
    assert world.rows("SELECT count(*) FROM spool") == [(0,)]
    assert phone.again().tag == RESUMED
    assert heard(phone.client) == ["one"]


def test_what_waits_for_a_device_that_wants_messages_waits_though_another_has_a_copy(world: World) -> None:
    shy = wants(Managed(world, "juliet@localhost/shy", "<priority>-1</priority>"))
    romeo = Managed(world, "romeo@localhost/orchard")
    romeo.client.send("<message to='juliet@localhost' type='chat'><body>one</body></message>")
    assert acks(shy) == ["received one"]
    world.crash()
    bold = world.login("juliet@localhost/bold")
    bold.send("<presence/>")
    assert heard(bold) == ["one"]
