"""Compares what residents were told and have seen with what is on the disks of both servers."""

from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest

from .inspection import CHANGES, DATABASE, DOUBLED, LOST, MISSING, ORDER, SERVER, UNSEEN, Fault
from .neighbours import HOST
from .resident import Resident
from .snapshot import Snapshot

LEFT = "leaves seen"
RULES = (MISSING, DOUBLED, ORDER, UNSEEN, CHANGES["occupancy"], LEFT, LOST, DATABASE, SERVER)


class Survey:
    """`disks` are by domain, `settled` the texts that everybody has seen by now and need not see again."""

    def __init__(self, disks: dict[str, Snapshot], residents: list[Resident], settled: set[str]) -> None:
        self._disks, self._residents, self._settled = disks, residents, settled
        self._rows = {domain: disk.archived(0) for domain, disk in disks.items()}
        self._kept = {row.text for row in self._rows[HOST]}
        self.messages = sum(map(len, self._rows.values()))
        self._archives: dict[str, dict[str, int]] = {room: {} for each in residents for room in each.rooms}
        rooms = {disks[HOST].numbers[room]: room for room in self._archives}
        for row in self._rows[HOST]:
            for owner in row.owners & rooms.keys():
                self._archives[rooms[owner]].setdefault(row.text, row.seq)
        self._occupancies = {key[1:] for key in disks[HOST].settings() if key[0] == "occupancy"}

    def faults(self) -> Iterator[Fault]:
        """Everything that is wrong."""
        for domain, disk in self._disks.items():
            yield from (Fault(DATABASE, f"{domain}: {damage}") for damage in disk.damage())
            yield from self._doubled(domain)
        for resident in self._residents:
            yield from self._acknowledged(resident)
            yield from self._places(resident)
            yield from self._in_order(resident)
        kept = {row.text for rows in self._rows.values() for row in rows}
        for text in sorted(self._settled - kept):
            yield Fault(MISSING, f"everybody has seen {text}")

    def _doubled(self, domain: str) -> Iterator[Fault]:
        """No archive has two messages of one sender with one id: the text of each begins with its id."""
        counts = Counter((row.sender, row.text, owner) for row in self._rows[domain] for owner in row.owners)
        for (sender, text, owner), count in counts.items():
            if count > 1:
                yield Fault(DOUBLED, f"{domain}: {text} of {sender} is {count} times in archive {owner}")

    def _acknowledged(self, resident: Resident) -> Iterator[Fault]:
        """What the rooms' own server has acknowledged is there; the other one may still have it in its spool."""
        if resident.domain != HOST:
            return
        for message in resident.said(resident.acked):
            if message.text not in self._kept:
                yield Fault(MISSING, f"{message.id} to {message.to} ({resident.acked} acked)")

    def _places(self, resident: Resident) -> Iterator[Fault]:
        for room in resident.rooms:
            if (room, resident.jid) not in self._occupancies:
                yield Fault(CHANGES["occupancy"], f"{resident.jid} in {room}")

    def _in_order(self, resident: Resident) -> Iterator[Fault]:
        """What it has seen of a room since all was settled is how the archive goes on, without a gap."""
        for room, seen in resident.seen.items():
            kept = self._archives[room]
            fresh = [text for text in seen if text not in self._settled]
            expected = [text for text in kept if text not in self._settled]
            if fresh != expected[: len(fresh)]:
                wrong = next(pair for pair in zip_longest(fresh, expected) if pair[0] != pair[1])
                yield Fault(ORDER, f"{resident.jid} in {room}: {wrong[0]!r} where {wrong[1]!r} should be")
            for text, id in seen.items():
                if text in kept and self._disks[HOST].seq_of(id, self._disks[HOST].numbers[room]) != kept[text]:
                    yield Fault(ORDER, f"{resident.jid} in {room}: the stanza-id of {text}")


def of_life(resident: Resident) -> Iterator[Fault]:
    """What a resident has noticed itself; told once."""
    yield from (Fault(LEFT, f"{resident.jid}: {each}") for each in resident.left)
    yield from (Fault(SERVER, f"{resident.jid}: {each}") for each in resident.problems)
    if resident.repeats and resident.domain == HOST:
        yield Fault(DOUBLED, f"{resident.jid} got {resident.repeats} messages again, in one session")
    resident.repeats = resident.gaps = 0
    resident.left.clear()
    resident.problems.clear()


def unseen(resident: Resident, said: dict[str, set[str]], chats: set[str]) -> Iterator[Fault]:
    """What it should have got by now, and has not: `said` by room, `chats` to itself."""
    for room in resident.rooms:
        missing = said[room] - resident.seen[room].keys()
        yield from (Fault(UNSEEN, f"{resident.jid} never got {text} in {room}") for text in sorted(missing))
    yield from (Fault(UNSEEN, f"{resident.jid} never got {text}") for text in sorted(chats - resident.chats.keys()))
