"""Am I still in? When to ask a room, what the answer means, and when to enter again (XEP-0410, specification A10).

Whoever is watched is *sure* to be in as long as the room is heard. Doubt comes with a connection that was lost, an
occupant's error, a room that shuts down or is silent for long, and our own start. Then one is asked for at a time that
chance spreads, at most `PER_SECOND` of a domain. Nothing is shown to anybody before it is known.
"""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from math import inf
from typing import Final, NamedTuple

from ...xmpp.jid import JID
from .turns import Turns
from .verdict import Refusal, Standing, of_entering, of_ping

SILENCE_SECONDS: Final = 900.0  #: a room that says nothing for so long is asked
LOSS_SECONDS: Final = 60.0  #: after a connection was lost: the other side may just be starting again
LOSS_SPREAD: Final = 30.0
SOON_SECONDS: Final = 300.0
START_SPREAD: Final = 120.0  #: after our own start
ANSWER_SECONDS: Final = 30.0
_UNKNOWN_PAUSES: Final = (60.0, 120.0, 300.0, 600.0, 900.0)
_PROBABLY_PAUSE: Final = 300.0
_PROBABLY_MOST: Final = 3  #: after so many such answers in a row one enters again, which harms nobody who is in
_ENTER_PAUSES: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 900.0)
_GHOST_TRIES: Final = 3  #: so often the old nickname is tried, since who has it is probably one's own ghost


class Place(NamedTuple):
    """Somebody in a room: the full JID that is in it, and the room's bare JID."""

    who: JID
    room: JID


class Ping(NamedTuple):
    """Ask the room by a request with this id, from `place.who` to this occupant JID."""

    place: Place
    id: str
    to: JID


class Enter(NamedTuple):
    """Enter the room again, under this nickname."""

    place: Place
    nick: str


class Lost(NamedTuple):
    """There is no way back in; `condition` is the room's last word."""

    place: Place
    condition: str


class Turn(NamedTuple):
    """The room may be asked for what was missed."""

    place: Place


Want = Ping | Enter | Lost | Turn


class _Watch:
    """What is known of one place. `due` is when something has to be done about it."""

    __slots__ = ("doubted", "due", "entered", "enters", "falls", "heard", "id", "in_line", "nick", "tries")

    def __init__(self, nick: str, heard: float) -> None:
        self.nick, self.heard = nick, heard
        self.due = inf
        self.id = ""  # of the question that is not answered yet
        self.doubted = -inf  # when it last became doubtful: what was heard before that proves nothing
        self.tries = 0  # questions or entrances without success
        self.in_line = False  # it waits for its turn
        self.enters = False  # it is out, and wants to be in
        self.entered = -inf  # when it was let in again
        self.falls = 0  # so often it was out again soon after that


class Guardian:
    """All places of our people that somebody has to answer for.

    `jitter` returns a number from 0 to below 1, another one each time; `new_id` an id that nobody can guess.
    """

    def __init__(self, new_id: Callable[[], str], jitter: Callable[[], float]) -> None:
        self._new_id, self._jitter = new_id, jitter
        self._watches: dict[Place, _Watch] = {}
        self._questions: dict[str, Place] = {}
        self._due: list[tuple[float, int, Place]] = []
        self._count = 0  # tells equal times apart
        self._turns: Turns[Place | Turn] = Turns()

    def __len__(self) -> int:
        return len(self._watches)

    # -- what happens

    def watch(self, place: Place, nick: str, now: float, is_sure: bool = True) -> None:
        """Somebody is in a room, under this nickname; without being sure of it, after our own start for example."""
        before, watch = self._watches.get(place), _Watch(nick, now)
        if before is not None:
            watch.falls, watch.entered = before.falls, now if before.enters else before.entered
        self._watches[place] = watch
        watch.doubted = -inf if is_sure else now
        self._at(place, watch, now + SILENCE_SECONDS if is_sure else now + self._jitter() * START_SPREAD)

    def forget(self, place: Place) -> None:
        """He has left, or was removed by people."""
        watch = self._watches.pop(place, None)
        if watch is not None:
            self._questions.pop(watch.id, None)

    def heard(self, place: Place, now: float, nick: str = "") -> None:
        """The room has said something to him; `nick` is his own there, if it was about that."""
        watch = self._watches.get(place)
        if watch is None:
            return
        watch.heard, watch.nick = now, nick or watch.nick
        if watch.tries or watch.enters:
            self._sure(place, watch, now)

    def lost_connection(self, domain: str, now: float) -> None:
        """A connection with the server of these rooms is lost, and was not resumed."""
        for place, watch in self._watches.items():
            if place.room.domain == domain and not watch.enters:
                watch.doubted = now
                self._at(place, watch, now + LOSS_SECONDS + self._jitter() * LOSS_SPREAD)

    def suspect(self, place: Place, now: float, pause: float = 0.0) -> None:
        """Something has come that he would not get if he was in (`not-acceptable`, status 333), or soon will not be."""
        watch = self._watches.get(place)
        if watch is not None and not watch.enters:
            watch.doubted = now
            self._at(place, watch, now + pause + self._jitter())

    def fell_out(self, place: Place, nick: str, now: float, pause: float = 0.0) -> None:
        """He is out, for no reason of people's (status 332, 333), and wants to be in under this nickname.

        Who is out again soon after he was let in waits longer each time: something that the room tells him, and that
        does not reach him, may be the reason, and others see him come and go.
        """
        watch = self._watches.setdefault(place, _Watch(nick, now))
        if not watch.enters:
            watch.falls = watch.falls + 1 if now < watch.entered + SOON_SECONDS else 0
        if watch.falls:
            pause = max(pause, _pause(_ENTER_PAUSES, watch.falls - 1))
        self._questions.pop(watch.id, None)
        watch.id, watch.nick, watch.enters, watch.tries = "", nick, True, 0
        self._at(place, watch, now + pause + self._jitter())

    def answered(self, id: str, sender: JID, condition: str, now: float) -> bool:
        """An answer has come, with that error condition or, if it is empty, a result.

        False: it answers nothing that was asked here, and is somebody else's.
        """
        place = self._questions.get(id)
        if place is None or sender.bare != place.room:
            return False
        del self._questions[id]
        watch = self._watches[place]
        watch.id = ""
        standing = of_ping(condition)
        if standing is Standing.IN:
            self._sure(place, watch, now)
        elif standing is Standing.OUT or (standing is Standing.PROBABLY and watch.tries >= _PROBABLY_MOST):
            watch.enters, watch.tries = True, 0
            self._at(place, watch, now)
        else:
            self._again(place, watch, now, _PROBABLY_PAUSE if standing is Standing.PROBABLY else None)
        return True

    def refused(self, place: Place, condition: str, type: str, now: float) -> list[Want]:
        """The room has answered an entrance with an error of that condition and type."""
        watch = self._watches.get(place)
        if watch is None or not watch.enters:
            return []
        refusal = of_entering(condition, type)
        if refusal is Refusal.FINAL:
            self.forget(place)
            return [Lost(place, condition)]
        if refusal is Refusal.NICK and watch.tries > _GHOST_TRIES:
            watch.nick += "_"
        self._at(place, watch, now + _pause(_ENTER_PAUSES, watch.tries - 1) * (1 + self._jitter() / 4))
        return []

    def ask(self, place: Place, now: float, is_waited_for: bool) -> list[Want]:
        """The room is to be asked something beside this: a `Turn` says when, soon if somebody waits for it."""
        turn = Turn(place)
        return [turn] if self._turns.ask(place.room.domain, turn, now, is_waited_for) else []

    # -- time

    def next_deadline(self) -> float:
        """When to call `tick` next; infinity is never."""
        return min(self._due[0][0] if self._due else inf, self._turns.next_deadline())

    def tick(self, now: float) -> list[Want]:
        """The time has come: what is to be sent now."""
        wants: list[Want] = []
        while self._due and self._due[0][0] <= now:
            due, _, place = heappop(self._due)
            watch = self._watches.get(place)
            if watch is None or watch.due != due:
                continue
            if watch.id:
                self._questions.pop(watch.id, None)
                watch.id = ""
                self._again(place, watch, now)
            elif self._settles(place, watch, now):
                continue
            elif self._turns.ask(place.room.domain, place, now, is_waited_for=False):
                wants += self._act(place, watch, now)
            else:
                watch.due, watch.in_line = inf, True
        for turn in self._turns.given(now):
            if isinstance(turn, Turn):
                wants.append(turn)
            elif (waiting := self._watches.get(turn)) is not None and waiting.in_line:
                wants += self._act(turn, waiting, now)
        return wants

    def _settles(self, place: Place, watch: _Watch, now: float) -> bool:
        """Whether there is no reason to ask any more: the room was heard since what gave rise to doubt."""
        is_quiet = watch.heard > watch.doubted and watch.heard + SILENCE_SECONDS > now
        if watch.enters or not is_quiet:
            return False
        self._sure(place, watch, watch.heard)
        return True

    def _act(self, place: Place, watch: _Watch, now: float) -> Iterator[Want]:
        watch.in_line = False
        if self._settles(place, watch, now):
            return
        watch.tries += 1
        if watch.enters:
            # If no answer comes at all, it is tried again.
            self._at(place, watch, now + _pause(_ENTER_PAUSES, watch.tries - 1) * (1 + self._jitter() / 4))
            yield Enter(place, watch.nick)
            return
        watch.id = self._new_id()
        self._questions[watch.id] = place
        self._at(place, watch, now + ANSWER_SECONDS)
        yield Ping(place, watch.id, place.room.with_resource(watch.nick))

    def _sure(self, place: Place, watch: _Watch, heard: float) -> None:
        self._questions.pop(watch.id, None)
        watch.id, watch.tries, watch.enters = "", 0, False
        watch.heard, watch.doubted = heard, -inf
        self._at(place, watch, heard + SILENCE_SECONDS)

    def _again(self, place: Place, watch: _Watch, now: float, pause: float | None = None) -> None:
        """Nobody knows: another question, later each time, for as long as it takes."""
        pause = _pause(_UNKNOWN_PAUSES, watch.tries - 1) if pause is None else pause
        self._at(place, watch, now + pause * (1 + self._jitter() / 4))

    def _at(self, place: Place, watch: _Watch, due: float) -> None:
        watch.due, watch.in_line = due, False
        self._count += 1
        heappush(self._due, (due, self._count, place))


def _pause(pauses: tuple[float, ...], tries: int) -> float:
    return pauses[max(0, min(tries, len(pauses) - 1))]
