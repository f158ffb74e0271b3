"""The log of sessions over a long time: it does not grow for ever, and a full disk costs nobody his session."""

from pathlib import Path

import pytest

from fermata.services import session_log
from kit import ns
from kit.full_disk import no_file_longer_than
from kit.wire import Client
from kit.world import World

RESUMED = f"{{{ns.SM}}}resumed"


class Reader:
    """A session with stream management that may be resumed."""

    def __init__(self, world: World, address: str) -> None:
        self.world, self.client = world, world.login(address)
        self.id = self.client.enable().get("id", "")
        self.client.available()

    def again(self) -> str:
        before, self.client = self.client, self.world.authenticated(self.client.jid.partition("/")[0])
        self.client.jid = before.jid
        return self.client.resume(self.id, before.handled).tag


@pytest.fixture
def juliet(world: World) -> Reader:
    return Reader(world, "juliet@localhost/balcony")


@pytest.fixture
def romeo(world: World) -> Reader:
    return Reader(world, "romeo@localhost/orchard")


def say(reader: Reader, to: Reader, text: str) -> None:
    reader.client.send(f"<message to='{to.client.jid}' type='chat'><body>{text}</body></message>")


def bodies(reader: Reader) -> list[str]:
    found = [stanza.findtext("body", "") for stanza in reader.client.sync() if stanza.tag == "message"]
    reader.client.ack()
    return found


def files(world: World) -> list[Path]:
    return sorted(world.file.parent.glob(f"sessions{world._number}/*"))


def test_it_begins_anew_when_it_has_grown(
    world: World, romeo: Reader, juliet: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_log, "_SMALLEST", 2_000)
    world.crash()
    romeo.again()
    juliet.again()
    seen = set()
    for number in range(60):
        say(romeo, juliet, f"{number}")
        assert bodies(juliet) == [f"{number}"]
        romeo.client.sync()
        romeo.client.ack()
        world.turn()
        seen |= {path.name for path in files(world)}
        assert len(files(world)) <= 2
        assert sum(path.stat().st_size for path in files(world)) < 60_000
    assert len(seen) > 3
    say(romeo, juliet, "after all that")
    world.crash()
    assert romeo.again() == juliet.again() == RESUMED
    assert "after all that" in bodies(juliet)


def test_every_moment_of_beginning_anew_is_safe(
    world: World, romeo: Reader, juliet: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one session copied in each turn, a crash finds some of them in the new file and the others in the old."""
    monkeypatch.setattr(session_log, "_SMALLEST", 3_000)
    monkeypatch.setattr(session_log, "_COPIED_AT_ONCE", 1)
    others = [Reader(world, f"nurse@localhost/{number}") for number in range(5)]
    for number in range(30):
        say(romeo, juliet, f"{number}")
        if number % 3 == 0:
            world.crash()
            romeo.again()
            juliet.again()
            assert [each.again() for each in others] == [RESUMED] * 5
        assert bodies(juliet) == [f"{number}"]
        romeo.client.sync()
        romeo.client.ack()


def test_a_full_disk_is_told_once_and_sessions_last_again_when_it_is_not_full(
    world: World, romeo: Reader, juliet: Reader
) -> None:
    (log,) = files(world)
    with no_file_longer_than(log.stat().st_size + 10):
        say(romeo, juliet, "one")
        world.turn()
        say(romeo, juliet, "two")
        world.turn()
    world.advance(11)
    assert any("log can't be written" in error for error in world.errors())
    say(romeo, juliet, "three")
    world.crash()
    romeo.again()
    assert juliet.again() == RESUMED
    assert bodies(juliet)[-1] == "three"


def test_somebody_who_tells_nothing_leaves_nothing(world: World) -> None:
    (log,) = files(world)
    size = log.stat().st_size
    client: Client = world.login("nurse@localhost")
    client.get(f"<query xmlns='{ns.ROSTER}'/>")
    client.sync()
    client.close()
    assert log.stat().st_size == size
