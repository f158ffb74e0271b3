"""Rounds of traffic and `kill -9` on one data directory, each followed by an inspection of what is left."""

import re
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from ..server import Server, Settings
from . import deeds
from .crowd import PATIENCE, Crowd, Plan
from .deeds import Change, Message
from .inspection import SERVER, SPOOL, Fault, Inspection
from .ledger import Ledger
from .participant import DOMAIN, PASSWORD, Participant
from .snapshot import Snapshot
from .traffic import Traffic

ACCOUNTS, ABSENT, UNMANAGED = 22, 2, 2  # how many there are; of them, offline in a round; without stream management
ROOMS = [f"room{number}@conference.{DOMAIN}" for number in range(3)]

#: What no line of a server's log should say.
WRONG = re.compile(r"Traceback \(most recent call last\)|Unhandled|#(error|critical)\]")

VARIATIONS: Mapping[str, Settings] = {
    "archive": {},
    "power": {"storage": {"durability": "power"}},
    "spool": {"archive": {"accounts": False}},
}


@dataclass
class Outcome:
    """What came of a round; `counts` are of deeds done, told safe, kept and seen, by words."""

    number: int
    died: str
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)


class Campaign:
    """All rounds of one variation. The same seed gives the same decisions, if not the same timing."""

    def __init__(self, directory: Path, seed: int, variation: str = "archive") -> None:
        settings = VARIATIONS[variation]
        self.server = Server(directory, settings)
        self.directory, self.seed = directory, seed
        self._keeps_chats = variation != "spool"
        # Where a read takes its time, what comes behind the stanza that waits for it overtakes it.
        self._counts_in_order = variation != "power"
        self._names = [f"c{number}" for number in range(ACCOUNTS)]
        self._owners = {room: f"{name}@{DOMAIN}" for room, name in zip(ROOMS, self._names, strict=False)}
        self._number = 0
        self._log_read = 0
        self._before: tuple[Inspection, Snapshot, list[Participant]] | None = None  # the last round
        self._late: list[Fault] = []  # faults of the last round that were found when everybody came back
        self._resumed = 0

    def prepare(self) -> None:
        """Make the accounts and the rooms."""
        self.server.add_accounts([(f"{name}@{DOMAIN}", PASSWORD) for name in self._names])
        self.server.start()
        for room, owner in self._owners.items():
            participant = Participant(owner.partition("@")[0], "owner", is_managed=False)
            participant.log_in(self.server.link())
            xml = participant.enter(room) + participant.do(deeds.accept_configuration(participant.new_id(), room))
            participant.send(xml)
            deadline = time.monotonic() + PATIENCE
            while participant.answered < len(participant.sent):
                participant.read()
                assert time.monotonic() < deadline, f"{room} could not be made"
            assert not participant.problems, participant.problems
            participant.client.close()
        self.server.stop()
        self._begin()

    def prepare_like(self, other: Path) -> None:
        """Begin with what `prepare` has made in another directory."""
        shutil.copytree(other / "var", self.directory / "var")
        self._begin()

    def _begin(self) -> None:
        snapshot = self.snapshot()
        self.ledger = Ledger(snapshot, ROOMS)
        snapshot.close()

    def close(self) -> None:
        """Let no server run on; its log stays with the rest."""
        if self.server.process is not None and self.server.is_running():
            self.server.kill()
        (self.directory / "log").write_text("".join(self.server.log))

    def snapshot(self) -> Snapshot:
        """What is on the disk now."""
        return Snapshot(self.directory / "var/fermata.db", self.directory / "snapshot")

    def round(self) -> Outcome:
        """One start, one crash and one inspection."""
        random = Random(f"{self.seed} {self._number + 1}")
        return self._inspected(*self.play(Plan.of(self._number + 1, random), random))

    def play(self, plan: Plan, random: Random) -> tuple[str, list[Participant]]:
        """A round without the inspection: how the server died, and who was there."""
        self.welcome_back()
        self._number += 1
        names = random.sample(self._names, ACCOUNTS - ABSENT)
        unmanaged = set(random.sample(names, UNMANAGED))
        participants = [Participant(name, f"r{self._number}", name not in unmanaged) for name in names]
        accounts = [f"{name}@{DOMAIN}" for name in self._names]
        crowd = Crowd(self.server, participants, Traffic(random, self._owners, accounts))
        self.server.launch(**plan.environment)
        self.server.wait_until_it_listens()
        return crowd.run(plan), participants

    def welcome_back(self) -> None:
        """Whoever was there when the server died resumes his session: nothing may be missing, nothing come twice.

        Then they all say goodbye, and the server dies once more.
        """
        if self._before is None:
            return
        (inspection, snapshot, participants), self._before = self._before, None
        self.server.start()
        for participant, told in Crowd(self.server, participants, Traffic(Random(0), {}, [])).come_back().items():
            self._late += inspection.returned(participant, told)
            self._resumed += told is not None
        self.server.kill()
        snapshot.close()

    def faults_of_the_return(self) -> list[Fault]:
        """What was wrong when everybody came back; told once."""
        found, self._late = self._late, []
        return found

    def finish(self) -> Outcome:
        """Start once more and let everybody have what waits for him; the server then stops as it should."""
        self.welcome_back()
        self._number += 1
        participants = [Participant(name, f"r{self._number}", is_managed=True) for name in self._names]
        traffic = Traffic(Random(self.seed), self._owners, [])
        self.server.start()
        crowd = Crowd(self.server, participants, traffic)
        crowd.log_in()
        crowd.gather()
        crowd.settle()
        self.server.stop()
        crowd.read_to_the_end()
        outcome = self._inspected("SIGTERM", participants)
        outcome.faults += [Fault(SPOOL, text) for text in self.ledger.owed]
        return outcome

    def inspection(self, snapshot: Snapshot, participants: list[Participant]) -> Inspection:
        """What compares that with what they know."""
        absent = {f"{name}@{DOMAIN}" for name in self._names} - {each.account for each in participants}
        return Inspection(snapshot, self.ledger, participants, absent, self._keeps_chats, self._counts_in_order)

    def _inspected(self, died: str, participants: list[Participant]) -> Outcome:
        outcome, snapshot = Outcome(self._number, died), self.snapshot()
        inspection = self.inspection(snapshot, participants)
        outcome.faults += inspection.faults()
        outcome.faults += [Fault(SERVER, line) for line in self._new_errors()]
        outcome.counts += count(participants)
        outcome.counts["messages archived"] = len(inspection.archived)
        outcome.counts["sessions resumed"], self._resumed = self._resumed, 0
        outcome.faults += self.faults_of_the_return()
        inspection.settle()
        self._before = inspection, snapshot, [each for each in participants if each.sm_id]
        return outcome

    def _new_errors(self) -> list[str]:
        lines = self.server.log[self._log_read :]
        self._log_read += len(lines)
        return [line.strip() for line in lines if WRONG.search(line)]


def count(participants: list[Participant]) -> Counter[str]:
    """How much was done, told safe and seen."""
    counts: Counter[str] = Counter()
    for participant in participants:
        counts["messages seen"] += len(participant.chats)
        counts["messages seen"] += sum(len(visit) for place in participant.places.values() for visit in place.visits)
        for position, deed in enumerate(participant.sent, 1):
            counts["stanzas sent"] += 1
            counts["stanzas acked"] += position <= participant.acked
            if participant.is_told(position):
                counts["messages acked"] += isinstance(deed, Message)
                if isinstance(deed, Change):
                    counts[f"{deed.key[0]} changes acked"] += 1
    return counts
