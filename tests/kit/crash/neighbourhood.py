"""Rounds of `kill -9` on one of two servers that federate, with everybody in the same rooms from the first on.

Nobody ever enters again or leaves. Whoever loses his connection resumes his session; those on the server that lives
notice nothing and go on writing. Each round begins with the start of the server that was killed in the one before, and
once everybody has everything that was ever said, they talk until it dies again: possibly before they have.
"""

import selectors
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from ..people import PASSWORD
from ..wire import StreamClosed
from .campaign import WRONG, Outcome
from .crowd import PATIENCE, POINTS, RANDOM_INSTANT, Plan
from .deeds import Message
from .inspection import LOST, SERVER, Fault
from .neighbours import HOST, SERVICE, neighbours
from .resident import Resident
from .snapshot import Snapshot
from .survey import Survey, of_life, unseen

_LATEST = 0.8  # seconds after everything was settled
_EARLIEST = -1.0  # likewise; if it is less than 0, so many seconds after the start, settled or not
_GIVE_UP = 1.5  # likewise, if the point that was chosen is not reached
_MOST_PASSES = 40  # of a point, from the start of the process on
_MOST_SAID = 150  # stanzas in a round
_MEANWHILE = 20  # of these, while the server is dead
_WINDOW = 6  # stanzas of one resident that are not acknowledged
_FILLERS = ("", "", " häufig ☎ ", " " + "lorem ipsum " * 20)


def plan_of(number: int, random: Random) -> Plan:
    """That of a round: at a random instant in every second one, else at each of the points in turn."""
    if number % 2:
        return Plan(RANDOM_INSTANT, 0, random.uniform(_EARLIEST, _LATEST))
    return Plan(POINTS[number // 2 % len(POINTS)], random.randint(1, _MOST_PASSES), _GIVE_UP)


class Neighbourhood:
    """All rounds in which the server of `victim` dies; so many people are on each of the two.

    The same seed gives the same decisions, if not the same timing.
    """

    def __init__(self, directory: Path, seed: int, victim: str = HOST, people: int = 25, rooms: int = 4) -> None:
        self.directory, self.seed = directory, seed
        self.servers = neighbours(directory)
        self.victim, self.patience = self.servers[victim], PATIENCE
        self._number = 0
        self._rooms = [f"room{number}@{SERVICE}" for number in range(rooms)]
        self.residents = [
            Resident(
                f"{domain[0]}{number}", domain, sorted({self._rooms[each % rooms] for each in (number, number + 1)})
            )
            for domain in self.servers
            for number in range(people)
        ]
        self._settled: set[str] = set()
        self._noted = dict.fromkeys(self.residents, 0)  # how many stanzas of each are in one of these:
        self._rooms_said: dict[str, set[str]] = {room: set() for room in self._rooms}  # what is not settled
        self._chats_said: dict[str, set[str]] = {each.account: set() for each in self.residents}
        self._log_read = dict.fromkeys(self.servers, 0)
        self._found: set[Fault] = set()  # on the disks, in the last round
        self._lost: set[Resident] = set()  # whose sessions could not be resumed
        self._left = self._stanzas = self._messages = 0  # that may be sent in this round; all that were sent, archived
        self._selector = selectors.DefaultSelector()

    # The beginning and the end

    def add_accounts(self) -> None:
        """Make everybody's account."""
        for domain, server in self.servers.items():
            server.add_accounts((each.account, PASSWORD) for each in self.residents if each.domain == domain)

    def prepare(self, like: "Neighbourhood | None" = None) -> None:
        """Everybody enters his rooms; the accounts may be those that were made in another one of the same size."""
        if like is None:
            self.add_accounts()
        for domain, server in self.servers.items():
            if like is not None:
                server.copy_data(like.servers[domain])
            server.launch()
        for server in self.servers.values():
            server.wait_until_it_listens()
        for resident in self.residents:
            link = self.servers[resident.domain].link()
            resident.log_in(link)
            self._selector.register(link.socket, selectors.EVENT_READ, resident)
        for room in self._rooms:
            owner, *others = (each for each in self.residents if room in each.rooms)
            self._enter([owner], room)
            owner.accept_configuration(room)
            owner.ask()
            self._serve_until(lambda owner=owner: not owner.waiting, f"{room} could not be made")  # type: ignore[misc]
            self._enter(others, room)
        for resident in self.residents:
            resident.ask()
        self._serve_until(self._is_settled, "somebody was not acknowledged")
        self._die()

    def _enter(self, residents: list[Resident], room: str) -> None:
        for resident in residents:
            resident.enter(room)
        self._serve_until(lambda: all(each.is_in(room) for each in residents), f"somebody could not enter {room}")

    def finish(self) -> Outcome:
        """Once more everybody comes back; then both servers stop as they should."""
        outcome = Outcome(self._number + 1, "SIGTERM")
        self.victim.start()
        self._come_back(outcome)
        outcome.faults += self._settle(time.monotonic() + self.patience)
        for server in self.servers.values():
            server.stop()
        self._serve_until(lambda: not self._selector.get_map(), "a connection outlives its server")
        outcome.faults += self._inspect(outcome)
        return outcome

    def close(self) -> None:
        """Let no server run on; their logs stay with the rest."""
        for server in self.servers.values():
            server.cut_all()
            if server.process is not None and server.is_running():
                server.kill()
            (server.directory / "log").write_text("".join(server.log))

    # A round

    def round(self) -> Outcome:
        """One start, one crash and one inspection."""
        random = Random(f"{self.seed} {self._number + 1}")
        return self.play(plan_of(self._number + 1, random), random)

    def play(self, plan: Plan, random: Random) -> Outcome:
        """A round with that end."""
        self._number += 1
        self._left = _MOST_SAID
        outcome = Outcome(self._number, plan.point)
        try:
            self._live(plan, random, outcome)
        except (StreamClosed, OSError, AssertionError):
            if self.victim.is_running(0.5):
                raise
        if self.victim.is_running():
            outcome.died = RANDOM_INSTANT
        self._die()
        while self._left > 0 and self._talk(random):
            self._serve()
        outcome.faults += self._inspect(outcome)
        return outcome

    def _live(self, plan: Plan, random: Random, outcome: Outcome) -> None:
        """From the start of the server until it is dead, or about to be killed."""
        self.victim.launch(**plan.environment)
        self.victim.wait_until_it_listens()
        if plan.delay < 0:
            end = time.monotonic() - plan.delay
            self._come_back(outcome)
            self._settle(end)
            return
        self._come_back(outcome)
        outcome.faults += self._settle(time.monotonic() + self.patience)
        end = time.monotonic() + plan.delay
        while time.monotonic() < end and self.victim.is_running():
            if self._left > _MEANWHILE:
                self._talk(random)
            self._serve()

    def _come_back(self, outcome: Outcome) -> None:
        """Whoever has lost his connection resumes his session."""
        for resident in self.residents:
            if resident.is_gone and resident not in self._lost:
                link = self.victim.link()
                if resident.come_back(link):
                    self._selector.register(link.socket, selectors.EVENT_READ, resident)
                    outcome.counts["sessions resumed"] += 1
                else:
                    self._lost.add(resident)
                    outcome.faults.append(Fault(LOST, resident.jid))

    def _settle(self, end: float) -> list[Fault]:
        """Until everybody has everything that was said, the server is dead, or time is up: then that is a fault."""
        while not self._is_settled():
            if not self.victim.is_running():
                return []
            if time.monotonic() > end:
                return list(self._unsettled())
            self._serve()
        for said in (*self._rooms_said.values(), *self._chats_said.values()):
            self._settled |= said
            said.clear()
        for resident in self.residents:
            resident.forget()
        return []

    def _is_settled(self) -> bool:
        self._note()
        return not any(each.waiting or each.is_gone for each in self.residents) and not any(self._unsettled())

    def _unsettled(self) -> Iterator[Fault]:
        for resident in self.residents:
            if resident.waiting:
                yield Fault(SERVER, f"{resident.jid}: {resident.waiting} stanzas are not acknowledged")
            yield from unseen(resident, self._rooms_said, self._chats_said[resident.account])

    def _note(self) -> None:
        """What was said since the last time is to be seen by everybody."""
        for resident in self.residents:
            for deed in resident.sent[self._noted[resident] :]:
                if isinstance(deed, Message):
                    (self._rooms_said if deed.is_groupchat else self._chats_said)[deed.to].add(deed.text)
            self._noted[resident] = len(resident.sent)

    def _talk(self, random: Random) -> bool:
        """Somebody who has a connection does something; False if nobody can just now."""
        able = [each for each in self.residents if not each.is_gone and each.waiting < _WINDOW]
        if not able:
            return False
        resident = random.choice(able)
        for _ in range(random.randint(1, 3)):
            self._left -= 1
            choice = random.random()
            if choice < 0.7:
                resident.say(random.choice(resident.rooms), random.choice(_FILLERS))
            elif choice < 0.85:
                resident.write_to(random.choice([each.account for each in self.residents if each is not resident]))
            else:
                resident.show(random.choice(resident.rooms))
        resident.ask()
        return True

    def _die(self) -> None:
        """The server is gone, if it was not yet; what it wrote before that is still under way."""
        self.victim.kill()
        theirs = [each for each in self.residents if self.servers[each.domain] is self.victim]
        self._serve_until(lambda: all(each.is_gone for each in theirs), "a connection outlives the server")

    # What is left

    def _inspect(self, outcome: Outcome) -> Iterator[Fault]:
        disks = {
            domain: Snapshot(
                server.directory / "var/fermata.db", server.directory / "snapshot", is_live=server.is_running()
            )
            for domain, server in self.servers.items()
        }
        survey = Survey(disks, self.residents, self._settled)
        found, self._found = self._found, set(survey.faults())
        yield from sorted(self._found - found)  # what is on the disk stays there, and is told once
        for resident in self.residents:
            outcome.counts["messages told again"] += resident.repeats
            outcome.counts["gaps told"] += resident.gaps
            yield from of_life(resident)
        for domain, server in self.servers.items():
            lines, self._log_read[domain] = server.log[self._log_read[domain] :], len(server.log)
            yield from (Fault(SERVER, line.strip()) for line in lines if WRONG.search(line))
        stanzas = sum(len(each.sent) for each in self.residents)
        outcome.counts["stanzas sent"] = stanzas - self._stanzas
        outcome.counts["messages archived"] = survey.messages - self._messages
        self._stanzas, self._messages = stanzas, survey.messages
        for disk in disks.values():
            disk.close()

    # All connections

    def _serve(self) -> None:
        for key, _ in self._selector.select(0.01):
            key.data.read()
            if key.data.is_gone:
                self._selector.unregister(key.fileobj)

    def _serve_until(self, holds: Callable[[], bool], words: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, words
            self._serve()
