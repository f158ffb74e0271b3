"""`python -m bench.rebuilding`: how long rooms with occupants take to come back at a start, and what they need.

Two figures each, of time and memory: after the start, when everybody is in and nothing is in memory but who is where;
and after a stanza for every room, when all of them are. Measured in a process of its own, without a network.
"""

import argparse
import gc
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from fermata.app.config_tables import Config
from fermata.app.parts import Parts
from fermata.app.server import tune_collector
from fermata.core.muc.config import Config as RoomConfig
from fermata.core.records import EntityMade, MessageArchived, OccupancySaved, Record, RoomSaved, Step
from fermata.services.muc_rebuilding import Rebuilding
from fermata.storage.database import Database
from fermata.xmpp.jid import JID

_SERVICE: Final = "conference.localhost"
_DOMAINS: Final = 100
_BODY: Final = "It is the east, and Juliet is the sun. " * 2
_PRESENCE: Final = (
    "<presence><show>away</show><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://client.example'"
    " ver='QgayPKawpkPSDYmwT/WM94uAlu0='/><x xmlns='vcard-temp:x:update'><photo>01b87fcd030b</photo></x></presence>"
)


class Figures(NamedTuple):
    """`seconds` and `megabytes` after the start; `all_` with every room in memory. `idle_megabytes`: with no rooms."""

    rooms: int
    occupants: int
    idle_megabytes: float
    seconds: float
    megabytes: float
    all_seconds: float
    all_megabytes: float


def fill(file: Path, rooms: int, occupants: int, messages: int) -> None:
    """Makes a database with so many rooms, in each so many occupants from many servers, and messages."""
    clock = Clock()
    database = Database.open(f"sqlite:///{file}", "process", clock, clock.callLater)
    config = RoomConfig(roomname="Verona").json()
    for number in range(rooms):
        room = database.entities.new_number()
        jid = f"room{number}@{_SERVICE}"
        records: list[Record] = [
            EntityMade(room, jid, 1.0),
            RoomSaved(room, config, "Fools", f"{jid}/p0", 1.0, b"s" * 32, False),
        ]
        for place in range(occupants):
            person = f"person{number}x{place}@server{(number + place) % _DOMAINS}.example/phone.Qg4h"
            records.append(OccupancySaved(room, person, f"p{place}", "participant", _PRESENCE, float(place)))
        for _ in range(messages):
            seq, xml = (
                database.archive.new_seq(),
                f"<message from='{jid}/p0' type='groupchat'><body>{_BODY}</body></message>",
            )
            records.append(MessageArchived(seq, 1.0, room, None, "person@server0.example/x", jid, 1, xml))
        database.writer.submit(Step(records))
        clock.advance(0)
    database.close()


def measure(file: Path, rooms: int, occupants: int) -> Figures:
    """Starts on that database, in a process of its own."""
    command = [sys.executable, "-m", "bench.rebuilding", "--start", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Figures(rooms, occupants, **json.loads(done.stdout))


def start(file: Path) -> dict[str, float]:
    """Does, and looks at the clock and at its own size."""
    clock = Clock()
    database = Database.open(f"sqlite:///{file}", "process", clock, clock.callLater)

    def spawn(work: Any) -> object:
        return Deferred.fromCoroutine(work)

    parts = Parts(Config(), database, clock, spawn, lambda work: succeed(work()))
    gc.disable()  # as the server does until it is ready
    idle, began = _megabytes(), time.perf_counter()
    parts.services[Rebuilding].rebuild(database.recorded())
    clock.advance(0)
    rebuilt, size = time.perf_counter(), _megabytes()
    tune_collector()
    (service,) = parts.room_services
    for jid in list(service.recorded):
        spawn(service.rooms.fetch(JID.parse(jid)))
    assert not service.recorded
    figures = {"idle_megabytes": idle, "seconds": rebuilt - began, "megabytes": size}
    return figures | {"all_seconds": time.perf_counter() - rebuilt, "all_megabytes": _megabytes()}


def _megabytes() -> float:
    """What this process has in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    """Fills a database, starts on it, prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.rebuilding", description=__doc__)
    parser.add_argument("--rooms", type=int, default=10_000)
    parser.add_argument("--occupants", type=int, default=10, help="in each room")
    parser.add_argument("--messages", type=int, default=20, help="in the archive of each room")
    parser.add_argument("--start", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.start:
        print(json.dumps(start(arguments.start)))
        return
    with TemporaryDirectory(prefix="fermata-bench-") as directory:
        file = Path(directory) / "rooms.db"
        fill(file, arguments.rooms, arguments.occupants, arguments.messages)
        found = measure(file, arguments.rooms, arguments.rooms * arguments.occupants)
    print(f"{found.rooms} rooms, {found.occupants} occupants (the process without them: {found.idle_megabytes:.0f} MB)")
    print(f"everybody is in after    {found.seconds:6.2f} s, with {found.megabytes:4.0f} MB")
    print(f"every room was used after {found.all_seconds:5.2f} s more, with {found.all_megabytes:4.0f} MB")


if __name__ == "__main__":
    main()
