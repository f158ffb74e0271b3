"""One round of traffic: everybody logs in, enters and talks until the server is dead."""

import selectors
import time
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from fermata.storage.crash_points import VARIABLE

from .. import ns
from ..server import Server
from ..wire import StreamClosed
from . import deeds
from .participant import Participant
from .traffic import Traffic

POINTS = ("in-batch", "before-commit", "after-commit", "before-release")
RANDOM_INSTANT = "random instant"
PATIENCE = 30.0  # seconds in which whatever is waited for has to happen

_SOONEST, _LATEST = 0.05, 0.8  # seconds after the traffic has begun
_WORTH_A_CRASH = 200  # stanzas acknowledged by then, however slow the machine is
_GIVE_UP = 3.0  # likewise, if the point that was chosen is not reached
_MOST_PASSES = 100  # of a point; the first thirty or so are of people who log in and enter


class Plan(NamedTuple):
    """When a round's server is to die: `delay` seconds after the traffic has begun, or at a point before that."""

    point: str
    passes: int
    delay: float

    @classmethod
    def of(cls, number: int, random: Random) -> "Plan":
        """That of a round: at a random instant in every second one, else at each of the points in turn."""
        if number % 2:
            return cls(RANDOM_INSTANT, 0, random.uniform(_SOONEST, _LATEST))
        return cls(POINTS[number // 2 % len(POINTS)], random.randint(1, _MOST_PASSES), _GIVE_UP)

    @property
    def environment(self) -> dict[str, str]:
        return {VARIABLE: f"{self.point}:{self.passes}"} if self.passes else {}


class Crowd:
    """Everybody who is online in one round, served by one loop over all their sockets."""

    def __init__(self, server: Server, participants: list[Participant], traffic: Traffic) -> None:
        self._server, self._participants, self._traffic = server, participants, traffic
        self._selector = selectors.DefaultSelector()

    def run(self, plan: Plan) -> str:
        """Everything from the first login to the last byte that the server wrote; returns how it died."""
        try:
            self.log_in()
            self.gather()
            self._begin_to_talk()
            self._until(time.monotonic() + plan.delay, talk=True)
        except (StreamClosed, OSError, AssertionError):
            if self._server.is_running(0.5):
                raise
            self.read_to_the_end()
            return plan.point
        # Who had to be killed from outside still had its connections.
        died = RANDOM_INSTANT if self._selector.get_map() else plan.point
        self._server.kill()
        self.read_to_the_end()
        return died

    def _begin_to_talk(self) -> None:
        """Everybody talks until the server has told of a good deal that it is safe: there is something to be lost."""
        deadline, before = time.monotonic() + PATIENCE, self._acked()
        while self._acked() < before + _WORTH_A_CRASH and self._selector.get_map():
            assert time.monotonic() < deadline, "hardly anything is acknowledged"
            self._until(time.monotonic() + _SOONEST, talk=True)

    def _acked(self) -> int:
        return sum(each.acked for each in self._participants)

    def read_to_the_end(self) -> None:
        """The server is gone: what it wrote before that is still under way."""
        self._until(time.monotonic() + PATIENCE, talk=False)
        assert not self._selector.get_map(), "a connection outlives the server"
        self._selector.close()

    def log_in(self) -> None:
        """One after the other."""
        for participant in self._participants:
            link = self._server.link()
            participant.log_in(link)
            self._selector.register(link.socket, selectors.EVENT_READ, participant)

    def come_back(self) -> dict[Participant, int | None]:
        """Everybody resumes his session, takes what comes, and closes it; returns how far the server says it got."""
        told = {}
        for participant in self._participants:
            link = self._server.link()
            told[participant] = participant.come_back(link)
            if told[participant] is None:
                link.close()
            else:
                self._selector.register(link.socket, selectors.EVENT_READ, participant)
        present = [participant for participant, h in told.items() if h is not None]
        for participant in present:
            participant.send(participant.do(deeds.ping(participant.new_id())))
        self._until_all(
            present, lambda each: len(each.sent) in each.confirmed, "somebody who came back is not answered"
        )
        for participant in present:
            participant.send("</stream:stream>")
        self._until_all(present, lambda each: each.is_gone, "a stream that was closed stays open")
        self._selector.close()
        return told

    def _until_all(self, participants: list[Participant], holds: Callable[[Participant], bool], words: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not all(holds(each) for each in participants):
            assert time.monotonic() < deadline, words
            self._serve()

    def gather(self) -> None:
        """Everybody enters all rooms."""
        for participant in self._participants:
            self._traffic.begin(participant)
        deadline = time.monotonic() + PATIENCE
        while not all(each.is_settled for each in self._participants) and self._selector.get_map():
            assert time.monotonic() < deadline, "somebody could not enter the rooms"
            self._serve()

    def settle(self) -> None:
        """Everybody acknowledges what came, asks how far the server got, and waits for the answer."""
        for participant in self._participants:
            participant.acknowledge()
            participant.send(participant.do(deeds.ping(participant.new_id())) + f"<r xmlns='{ns.SM}'/>")
        deadline = time.monotonic() + PATIENCE
        while any(each.waiting for each in self._participants):
            assert time.monotonic() < deadline, "somebody is not acknowledged"
            self._serve()

    def _until(self, deadline: float, talk: bool) -> None:
        """Serves everybody until that time, or until all are gone."""
        while self._selector.get_map() and time.monotonic() < deadline:
            self._serve()
            if talk:
                for key in list(self._selector.get_map().values()):
                    self._traffic.go_on(key.data)

    def _serve(self) -> None:
        for key, _ in self._selector.select(0.01):
            key.data.read()
            if key.data.is_gone:
                self._selector.unregister(key.fileobj)
                key.data.client.cut()
