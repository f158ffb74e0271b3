"""What is known from the rounds before: how things stood on the disk, and what is still owed to whom."""

from .deeds import Settings
from .snapshot import Row, Snapshot


class Ledger:
    """`rooms` are the texts in each room's archive, in order; `owed` messages wait in the spool for an account.

    `former` are the full JIDs of earlier rounds: those sessions may be over by now.
    """

    def __init__(self, snapshot: Snapshot, rooms: list[str]) -> None:
        self.settings: Settings = snapshot.settings()
        self.rooms: dict[str, list[Row]] = {room: [] for room in rooms}
        self.newest = 0
        self.weight = snapshot.weight(0)
        self.owed: set[str] = set()
        self.former: set[str] = set()

    def take(self, snapshot: Snapshot, archived: list[Row]) -> None:
        """The next round starts from what is on the disk now."""
        self.settings = snapshot.settings()
        for room, rows in self.rooms.items():
            owners = frozenset({snapshot.numbers[room]})
            rows += [row for row in archived if row.owners == owners]
        if archived:
            self.newest = archived[-1].seq
        self.weight = snapshot.weight(self.newest)
