"""Two servers that federate, and the database of the one with the room goes away for a while."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from fermata.storage.remote import PATIENCE_SECONDS
from kit.crash.neighbours import HOST, ROOM, ann_and_bob_at_home, both_in_the_room, neighbours
from kit.postgresql import NoPostgreSQLError, PostgreSQL, new_database, running_server
from kit.server import Server
from kit.stanzas import Element, error, show
from kit.wire import Client

PATIENCE = 90.0
pytestmark = pytest.mark.timeout(300)
# Beyond the patience of the writer, authors are told that it was in vain.
OUTAGES = [2.0, 20.0, 40.0] if os.environ.get("FERMATA_CHAOS") else [2.0]


@pytest.fixture(scope="module")
def database() -> Iterator[PostgreSQL]:
    try:
        with running_server() as server:
            yield server
    except NoPostgreSQLError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def servers(tmp_path: Path, database: PostgreSQL) -> Iterator[dict[str, Server]]:
    url = new_database(database.url).set(drivername="postgresql+psycopg")
    made = neighbours(tmp_path, {HOST: {"storage": {"url": url.render_as_string(hide_password=False)}}})
    with ann_and_bob_at_home(made) as both:
        yield both


class Ear:
    """What somebody has seen of the room, and what of his own was refused."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.seen: list[str] = []
        self.refused: list[str] = []

    def say(self, body: str) -> None:
        self.client.send(f"<message to='{ROOM}' type='groupchat' id='{body}'><body>{body}</body></message>")

    def listen(self, seconds: float) -> None:
        """Take what comes, until nothing has come for so long."""
        with suppress(TimeoutError):
            while True:
                self._take(self.client.next(seconds))

    def listen_for(self, body: str) -> bool:
        """Take what comes, until that has been said, or was refused; whether it was said."""
        while body not in (*self.seen, *self.refused):
            self._take(self.client.next(PATIENCE))
        return body in self.seen

    def _take(self, stanza: Element) -> None:
        assert stanza.get("type") != "unavailable", f"somebody has gone: {show(stanza)}"
        if stanza.get("type") == "error":
            assert error(stanza) == ("wait", "internal-server-error")
            self.refused.append(stanza.get("id", ""))
        elif stanza.tag == "message":
            self.seen.append(stanza.findtext("body", ""))


@pytest.mark.parametrize("seconds", OUTAGES)
def test_all_is_seen_by_everybody_once_or_refused_and_nobody_goes(
    database: PostgreSQL, servers: dict[str, Server], seconds: float
) -> None:
    ann, bob = map(Ear, both_in_the_room(servers))
    database.stop("immediate")
    end, said = time.monotonic() + seconds, list[str]()
    try:
        while time.monotonic() < end:
            said += [f"a{len(said)}", f"b{len(said)}"]
            ann.say(said[-2])
            bob.say(said[-1])
            for ear in (ann, bob):
                ear.listen(seconds / 10)
        assert not ann.seen + bob.seen, "what was not saved was sent"
    finally:
        database.start()
    attempts = (f"back{number}" for number in count())
    next(each for each in attempts if ann.say(each) or ann.listen_for(each))
    bob.say("over")
    assert ann.listen_for("over")
    assert bob.listen_for("over")
    assert ann.seen == bob.seen
    # What was sent again because nothing acknowledged it is refused again, too.
    told = [*ann.seen, *set(ann.refused), *set(bob.refused)]
    outcome = [each for each in told if each[0] in "ab" and each[1:].isdigit()]
    assert sorted(outcome) == sorted(said)
    assert bool(ann.refused) == (seconds > PATIENCE_SECONDS)
