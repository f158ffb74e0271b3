"""Effects in order, each let go when what it tells is durable (design: saved, then sent)."""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from .records import Step


class Commits(Protocol):
    """Where a queue learns what is durable: the writer."""

    durable: int

    def wait(self, queue: "ReleaseQueue") -> None:
        """Calls `queue.advance(durable)` after the next commit."""


class ReleaseQueue:
    """What one source (a session, a room) causes, let out in the order in which it was caused.

    A *ticket* is the number of the batch that holds the records of a step; an effect goes out once `durable` has
    reached its ticket and everything before it is out. An effect whose step failed is handed to `refuse` instead.
    """

    __slots__ = ("_commits", "_entries", "_refuse")

    def __init__(self, commits: Commits, refuse: Callable[[Step], None]) -> None:
        self._commits = commits
        self._refuse = refuse
        self._entries: deque[tuple[int, Step | None, Callable[..., None], tuple[Any, ...]]] = deque()

    def put(self, ticket: int, step: Step | None, effect: Callable[..., None], *arguments: Any) -> None:
        """Runs `effect(*arguments)` now if nothing stands before it, and as soon as nothing does otherwise."""
        if not self._entries:
            if ticket <= self._commits.durable and (step is None or step.error is None):
                effect(*arguments)
                return
            self._commits.wait(self)
        self._entries.append((ticket, step, effect, arguments))

    def advance(self, durable: int) -> None:
        """Everything up to the batch `durable` has been committed, or has failed for good."""
        entries = self._entries
        while entries and entries[0][0] <= durable:
            _, step, effect, arguments = entries.popleft()
            if step is not None and step.error is not None:
                self._refuse(step)
            else:
                effect(*arguments)
        if entries:
            self._commits.wait(self)

    def __len__(self) -> int:
        return len(self._entries)
