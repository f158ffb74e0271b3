"""Compares what everybody was told and has seen with what is on the disk after a crash."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from .deeds import Change, Key, Message
from .ledger import Ledger
from .participant import Participant, Seen
from .snapshot import Row, Snapshot

# What may be wrong: the last column of the table that a run ends with.
MISSING = "acked messages missing"
UNKEPT = "messages seen, but not kept"
DOUBLED = "messages kept twice, or kept and not counted"
ORDER = "rooms seen in another order than kept"
SPOOL = "messages that will never reach their recipient"
CHANGES = {
    "roster": "acked roster changes lost",
    "affiliation": "acked affiliations lost",
    "configuration": "acked configurations lost",
    "occupancy": "occupants lost",
}
HANDLED = "sessions told less than they had been"
LOST = "sessions that could not be resumed"
UNSEEN = "messages that a session never got"
DATABASE = "damage in the database"
SERVER = "errors of the server"
RULES = (MISSING, UNKEPT, DOUBLED, ORDER, SPOOL, *CHANGES.values(), HANDLED, LOST, UNSEEN, DATABASE, SERVER)


class Fault(NamedTuple):
    """One breach of a rule."""

    rule: str
    text: str


class Inspection:
    """One round's. `absent` accounts were offline for all of it.

    `keeps_chats` says whether accounts have archives; `counts_in_order`, that nothing is kept before what the same
    client sent earlier is.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        ledger: Ledger,
        participants: list[Participant],
        absent: set[str],
        keeps_chats: bool,
        counts_in_order: bool,
    ) -> None:
        self._snapshot, self._ledger, self._participants = snapshot, ledger, participants
        self._absent, self._keeps_chats, self._counts_in_order = absent, keeps_chats, counts_in_order
        self.archived = snapshot.archived(ledger.newest)
        self._past = {room: rows[-400:] for room, rows in ledger.rooms.items()}  # more than any history has
        self._spooled = Counter(snapshot.spooled())
        self._handled = snapshot.handled()
        self._rows: dict[str, list[Row]] = defaultdict(list)
        for row in self.archived:
            self._rows[row.text].append(row)
        self._received = {seen.text for each in participants for seen in each.chats}

    def faults(self) -> Iterator[Fault]:
        """Everything that is wrong."""
        for damage in self._snapshot.damage():
            yield Fault(DATABASE, damage)
        if self._snapshot.weight(self._ledger.newest) != self._ledger.weight:
            yield Fault(DATABASE, "rows of earlier rounds have changed")
        yield from self._ghosts()
        for participant in self._participants:
            yield from (Fault(SERVER, f"{participant.jid}: {problem}") for problem in participant.problems)
            yield from self._messages(participant)
            yield from self._chats_seen(participant)
            yield from self._rooms_seen(participant)
            yield from self._counter(participant)
        yield from self._owed()
        yield from self._changes()

    def settle(self) -> None:
        """Carries over to the next round."""
        self._ledger.take(self._snapshot, self.archived)
        self._ledger.former.update(each.jid for each in self._participants)

    # What was sent

    def counted(self, participant: Participant) -> int:
        """The h of its session that is on the disk."""
        return self._handled.get(participant.sm_id, 0)

    def _safe(self, participant: Participant, position: int) -> bool:
        return participant.is_told(position) or position <= self.counted(participant)

    def _messages(self, participant: Participant) -> Iterator[Fault]:
        for position, deed in enumerate(participant.sent, 1):
            if not isinstance(deed, Message):
                continue
            safe = self._safe(participant, position)
            if safe and not deed.is_groupchat and (deed.to in self._absent or not self._keeps_chats):
                self._ledger.owed.add(deed.text)
            if deed.is_groupchat or self._keeps_chats:
                yield from self._archived_once(participant, position, deed, safe)
            h = self.counted(participant)
            if self._counts_in_order and participant.is_managed and position > h and self._is_kept(deed):
                yield Fault(DOUBLED, f"{deed.id} is kept, but h is {h}")

    def _is_kept(self, message: Message) -> bool:
        return message.text in self._rows or message.text in self._spooled

    def _archived_once(self, participant: Participant, position: int, message: Message, safe: bool) -> Iterator[Fault]:
        rows = self._rows.get(message.text, [])
        owners = {self._snapshot.numbers[message.to]}
        if not message.is_groupchat:
            owners.add(self._snapshot.numbers[participant.account])
        if len(rows) > 1:
            yield Fault(DOUBLED, f"{message.id} is in the archive {len(rows)} times")
        if safe and not rows:
            yield Fault(MISSING, f"{message.id} to {message.to} ({participant.acked} acked)")
        if rows and (rows[0].owners != owners or rows[0].sender != participant.jid):
            yield Fault(MISSING, f"{message.id} to {message.to} is in the wrong archive: {rows[0]}")

    def _ghosts(self) -> Iterator[Fault]:
        sent = {deed.text for each in self._participants for deed in each.sent if isinstance(deed, Message)}
        for text in self._rows.keys() - sent:
            yield Fault(DATABASE, f"nobody has sent {text!r}")

    def _owed(self) -> Iterator[Fault]:
        """What waits for an account is in its spool until the account has received it."""
        owed = self._ledger.owed
        owed -= self._received
        for text in owed - self._spooled.keys():
            yield Fault(SPOOL, text)
        owed &= self._spooled.keys()
        for text, count in self._spooled.items():
            if count > 1:
                yield Fault(DOUBLED, f"{text} is spooled {count} times")

    # What was seen

    def _chats_seen(self, participant: Participant) -> Iterator[Fault]:
        number = self._snapshot.numbers[participant.account]
        newest: dict[str, int] = {}
        for seen in participant.chats:
            author, count = seen.text.split(" ")[0].rpartition(".")[::2]
            if seen.is_old:
                continue
            if int(count) <= newest.get(author, 0):
                yield Fault(DOUBLED, f"{participant.jid} received {seen.text!r} again, or too late")
            newest[author] = int(count)
            if self._keeps_chats and not self._is_row(seen, self._rows.get(seen.text, []), number):
                yield Fault(UNKEPT, f"{participant.jid} has seen {seen}")

    def _is_row(self, seen: Seen, rows: list[Row], owner: int) -> bool:
        return bool(rows) and self._snapshot.seq_of(seen.stanza_id, owner) == rows[0].seq

    def _rooms_seen(self, participant: Participant) -> Iterator[Fault]:
        """Each visit is an uninterrupted part of the room's archive: history first, then what was said live."""
        for room, place in participant.places.items():
            number = self._snapshot.numbers[room]
            kept = self._kept_in(room)
            for visit in place.visits:
                seqs = [self._snapshot.seq_of(seen.stanza_id, number) for seen in visit]
                for seen, seq in zip(visit, seqs, strict=True):
                    if seq is None or kept.get(seq) != seen.text:
                        yield Fault(UNKEPT, f"{participant.jid} has seen {seen} in {room}")
                if seqs and all(seqs) and seqs != self._part(kept, seqs[0], len(seqs)):
                    yield Fault(ORDER, f"{participant.jid} in {room}")

    def _kept_in(self, room: str) -> dict[int, str]:
        owners = frozenset({self._snapshot.numbers[room]})
        now = [row for row in self.archived if row.owners == owners]
        return {row.seq: row.text for row in (*self._past[room], *now)}

    def _part(self, kept: dict[int, str], first: int | None, length: int) -> list[int]:
        seqs = list(kept)
        start = seqs.index(first) if first in kept else len(seqs)
        return seqs[start : start + length]

    # What came after the crash

    def returned(self, participant: Participant, told: int | None) -> Iterator[Fault]:
        """What is wrong with a session that was resumed: the server then said that it had handled `told` stanzas."""
        if told is None:
            yield Fault(LOST, participant.jid)
            return
        yield from (Fault(SERVER, f"{participant.jid}: {problem}") for problem in participant.problems)
        if told != self.counted(participant):
            yield Fault(HANDLED, f"{participant.jid}: told {told}, {self.counted(participant)} on the disk")
        yield from self._chats_seen(participant)
        yield from self._rooms_seen(participant)
        self._ledger.owed -= {chat.text for chat in participant.chats}
        number, seen = self._snapshot.numbers[participant.account], {chat.text for chat in participant.chats}
        for row in self.archived if participant.has_come else ():
            if number in row.owners and not row.sender.startswith(f"{participant.account}/") and row.text not in seen:
                yield Fault(UNSEEN, f"{participant.jid} never got {row.text!r}")
        for room, place in participant.places.items():
            newest = list(self._kept_in(room).values())[-1:]
            if place.is_in and place.visits[-1] and [place.visits[-1][-1].text] != newest:
                yield Fault(UNSEEN, f"{participant.jid} never got the newest message of {room}: {newest}")

    # What was changed

    def _changes(self) -> Iterator[Fault]:
        """Every setting is as the last change that was told safe left it, or a later one."""
        before, after = self._ledger.settings, self._snapshot.settings()
        possible: dict[Key, list[str | None]] = {}
        for participant in self._participants:
            for position, deed in enumerate(participant.sent, 1):
                if isinstance(deed, Change):
                    values = possible.setdefault(deed.key, [before.get(deed.key)])
                    if self._safe(participant, position):
                        values.clear()
                    values.append(deed.value)
        for key, values in possible.items():
            if after.get(key) not in values:
                yield Fault(CHANGES[key[0]], f"{key} is {after.get(key)!r}, not one of {values}")
        for key in (before.keys() | after.keys()) - possible.keys():
            if key[0] == "occupancy" and key[2] in self._ledger.former and key not in after:
                continue
            if before.get(key) != after.get(key):
                yield Fault(CHANGES[key[0]], f"{key} was {before.get(key)!r}, and is {after.get(key)!r}")

    def _counter(self, participant: Participant) -> Iterator[Fault]:
        """The h on the disk covers what was acked; and the server tells what is on the disk."""
        counted = self._handled.get(participant.sm_id)
        if participant.acked and (counted is None or counted < participant.acked):
            yield Fault(HANDLED, f"{participant.jid}: {participant.acked} acked, {counted} on the disk")
        if counted is not None and counted > len(participant.sent):
            yield Fault(HANDLED, f"{participant.jid}: {counted} on the disk, {len(participant.sent)} sent")
