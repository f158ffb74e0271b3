"""Whose turn it is, where only so much can be done at a time, and one party shall not take it all."""

from collections import Counter, OrderedDict, deque

from twisted.internet.defer import Deferred


class Turns:
    """At most `most` have their turn at a time, and at most `most_of_one` of them belong to one party.

    Parties that wait are served by turns, each in the order in which it came.
    """

    def __init__(self, most: float, most_of_one: int) -> None:
        self.most, self.most_of_one = most, most_of_one
        self._under_way: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[Deferred[None]]] = OrderedDict()

    def begin(self, party: str) -> Deferred[None]:
        """Fires when it is that party's turn; then `end` is to be called. Cancelling it gives the place up."""
        turn: Deferred[None] = Deferred(lambda turn: self._give_up(party, turn))
        if self._is_free(party):
            self._under_way[party] += 1
            turn.callback(None)
        else:
            self._waiting.setdefault(party, deque()).append(turn)
        return turn

    def end(self, party: str) -> None:
        """The turn of one of that party is over."""
        self._under_way[party] -= 1
        if not self._under_way[party]:
            del self._under_way[party]
        following = next((each for each in self._waiting if self._is_free(each)), None)
        if following is not None:
            waiting = self._waiting.pop(following)
            turn = waiting.popleft()
            if waiting:
                self._waiting[following] = waiting  # behind the others
            self._under_way[following] += 1
            turn.callback(None)

    def _is_free(self, party: str) -> bool:
        return self._under_way.total() < self.most and self._under_way[party] < self.most_of_one

    def _give_up(self, party: str, turn: Deferred[None]) -> None:
        waiting = self._waiting[party]
        waiting.remove(turn)
        if not waiting:
            del self._waiting[party]
