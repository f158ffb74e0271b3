"""`python -m bench.restart`: a rooms' server is restarted with people in its rooms. Who is in again, and when?

Two servers of one program, which federate; 80 people, half on each, in 50 rooms of the first one, 20 in each. All use
stream management: who loses his connection resumes, or logs in anew and enters again. While messages are said, the
first server is stopped in order, or killed, and started again. From the moment at which it listens one sees when each
of the 1,000 is reached again, what the others saw of him, and what he missed or got twice.
"""

import argparse
import itertools
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from federation.internet import internet
from federation.site import Site
from federation.sites import PROGRAMS, Sites
from kit import ns
from kit.people import PASSWORD
from kit.wire import Client, SocketLink, StreamClosed

ROOMS: Final = 50
PEOPLE: Final = 40  # on each server
IN_ROOM: Final = 10  # of each server
_RETRY_SECONDS: Final = 0.1
_WAIT_SECONDS: Final = 60.0  # for everybody to be back
_ARRIVAL_SECONDS: Final = 2.0  # for what was said last
_QUIET_SECONDS: Final = 10.0  # in which messages are said before, and after that


class Figures(NamedTuple):
    """`back` of the occupants, the last one after `seconds`; what was seen and got by all of them together."""

    program: str
    how: str
    back: int
    seconds: float
    leaves: int
    joins: int
    missed: int
    doubled: int


class Occupant(threading.Thread):
    """Somebody with a client, in several rooms; it runs by itself until `over`."""

    def __init__(self, site: Site, name: str, rooms: list[str]) -> None:
        super().__init__(daemon=True)
        self._site, self.name_, self.rooms = site, name, rooms
        self.jid = f"{name}@{site.domain}/bench"
        self.got: dict[str, Counter[str]] = {room: Counter() for room in rooms}
        self.first: dict[str, float] = {}  # when a room was heard first, since `reset`
        self.leaves = self.joins = 0
        self.over = threading.Event()
        self._client: Client | None = None
        self._sm_id, self._handled = "", 0
        self._lock = threading.Lock()
        self._connect()

    @property
    def nick(self) -> str:
        """Its nickname in all rooms."""
        return self.name_ + self._site.domain.split(".")[-2][:1] + self._site.domain[:1]

    def reset(self) -> None:
        """What was seen until now does not count."""
        self.first, self.leaves, self.joins = {}, 0, 0

    def say(self, room: str, body: str) -> bool:
        """Says something, if there is a connection."""
        client = self._client
        if client is None:
            return False
        try:
            with self._lock:
                client.send(f"<message to='{room}' type='groupchat' id='{body}'><body>{body}</body></message>")
        except (OSError, StreamClosed):
            return False
        return True

    def run(self) -> None:
        """See Thread."""
        while not self.over.is_set():
            client = self._client
            if client is None:
                self.over.wait(_RETRY_SECONDS)
                self._connect()
                continue
            try:
                self._take(client.next(0.25))
            except TimeoutError:
                continue
            except (StreamClosed, OSError, AssertionError):
                self._handled, self._client = client.handled, None
                client.link.close()

    def _connect(self) -> None:
        try:
            client = Client(SocketLink(self._site.client_address()), self._site.domain)
            client.open()
            client.authenticate(self.name_, PASSWORD)
            if self._sm_id and client.resume(self._sm_id, self._handled).tag == f"{{{ns.SM}}}resumed":
                self._client = client
                return
            client.bind("bench")
            self._sm_id = client.enable().get("id", "")
        except (OSError, StreamClosed, AssertionError, TimeoutError):
            return
        client.send("<presence/>")
        for room in self.rooms:
            client.send(
                f"<presence to='{room}/{self.nick}'><x xmlns='{ns.MUC}'><history maxstanzas='20'/></x></presence>"
            )
        self._client = client

    def _take(self, stanza: Element) -> None:
        room, _, nick = (stanza.get("from") or "").partition("/")
        if room not in self.got:
            return
        if stanza.tag == "message" and stanza.get("type") == "groupchat" and (body := stanza.findtext("body")):
            self.got[room][body] += 1
            if stanza.find(f"{{{ns.DELAY}}}delay") is None:
                self.first.setdefault(room, time.monotonic())
        elif stanza.tag == "presence" and nick != self.nick:
            if stanza.get("type") == "unavailable":
                self.leaves += 1
            elif stanza.get("type") is None:
                self.joins += 1


class Crowd:
    """Everybody, in all rooms."""

    def __init__(self, near: Site, far: Site) -> None:
        self.rooms = [f"room{number}@{near.place.rooms}" for number in range(ROOMS)]
        places: dict[tuple[Site, int], list[str]] = {}
        for number, room in enumerate(self.rooms):
            for site, k in itertools.product((near, far), range(IN_ROOM)):
                places.setdefault((site, (number * IN_ROOM + k) % PEOPLE), []).append(room)
        self._owner = near.bound("p59", "owner")
        for room in self.rooms:
            self._owner.send(f"<presence to='{room}/owner'><x xmlns='{ns.MUC}'/></presence>")
            self._owner.wait_for(lambda stanza: stanza.find("subject") is not None)
            submit = f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'>{_PERSISTENT}</x></query>"
            self._owner.set(submit, room)
        self.people = [
            Occupant(site, f"p{number}", rooms)
            for (site, number), rooms in track(places.items(), "people", transient=True)
        ]
        for person in self.people:
            person.start()
        self.over = threading.Event()
        self._numbers = itertools.count(1)
        self.said: dict[str, set[str]] = {room: set() for room in self.rooms}

    def leave_owner(self) -> None:
        """He has only made the rooms."""
        self._owner.close()

    def talk(self, seconds: float) -> None:
        """A message a second in each room, from whoever can."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            begun = time.monotonic()
            for room in self.rooms:
                body = f"m{next(self._numbers)}"
                if any(person.say(room, body) for person in self.people if room in person.got):
                    self.said[room].add(body)
            self.over.wait(max(0.0, begun + 1.0 - time.monotonic()))

    def reset(self) -> None:
        """What was seen until now does not count."""
        for person in self.people:
            person.reset()

    def figures(self, program: str, how: str, ready: float) -> Figures:
        """What has become of everybody since the server listens again."""
        firsts = [person.first[room] - ready for person in self.people for room in person.rooms if room in person.first]
        missed = doubled = 0
        for room in self.rooms:
            inside = [person for person in self.people if room in person.got]
            known = set().union(*(person.got[room] for person in inside))
            for person in inside:
                missed += len(known - set(person.got[room]))
                doubled += sum(count - 1 for count in person.got[room].values())
        leaves, joins = sum(person.leaves for person in self.people), sum(person.joins for person in self.people)
        return Figures(program, how, len(firsts), max(firsts, default=0.0), leaves, joins, missed, doubled)

    def is_back(self) -> bool:
        """Whether everybody was reached in all his rooms."""
        return all(len(person.first) == len(person.rooms) for person in self.people)

    def go(self) -> None:
        """The end."""
        for person in self.people:
            person.over.set()


_PERSISTENT: Final = (
    "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"
    "<field var='muc#roomconfig_persistentroom'><value>1</value></field>"
)


def measure(program: str, how: str) -> Figures:
    """One program, stopped ("restart") or killed ("kill")."""
    with TemporaryDirectory() as directory, internet(Path(directory)) as net:
        sites = Sites(net)
        try:
            near, far = sites.site(program), sites.site(f"{program}-usual-second")
            crowd = Crowd(near, far)
            crowd.leave_owner()
            crowd.talk(_QUIET_SECONDS)
            crowd.reset()
            near.stop() if how == "restart" else near.kill()
            near.start()
            ready = time.monotonic()
            crowd.reset()
            until = ready + _WAIT_SECONDS
            while not crowd.is_back() and time.monotonic() < until:
                crowd.talk(1)
            crowd.talk(_QUIET_SECONDS)
            crowd.over.wait(_ARRIVAL_SECONDS)
            crowd.go()
            return crowd.figures(program, how, ready)
        finally:
            sites.kill()


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", default=",".join(PROGRAMS), help="of: " + ", ".join(PROGRAMS))
    parser.add_argument("--how", default="restart,kill")
    options = parser.parse_args()
    table = Table("server", "what", "in again", "the last after", "leaves seen", "joins seen", "missed", "got twice")
    for program, how in itertools.product(options.servers.split(","), options.how.split(",")):
        found = measure(program, how)
        numbers = (found.leaves, found.joins, found.missed, found.doubled)
        table.add_row(program, how, f"{found.back} of 1000", f"{found.seconds:.1f} s", *map(str, numbers))
        Console().print(*found)
    Console().print(table)


if __name__ == "__main__":
    main()
