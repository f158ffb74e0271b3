"""Which presence in a room changed when, and which affiliation: so that who was away is told that and no more.

One number counts the changes of a room; an *epoch* names the count, so that the numbers of one room are nothing in
another one of the same address (XEP-0311, XEP-0436, XEP-0463). Each change is kept in the same step as what it is a
change of: what was told outlives the process, and no number is ever given twice.
"""

import json
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple
from zlib import crc32

from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..records import ValueRemoved, ValueSaved
from .effects import Effects

#: The extensions under which a changelog is kept: nicknames, affiliations, and who is told the numbers.
NICKS: Final = "changelog"
AFFILIATIONS: Final = "changelog of affiliations"
WATCHES: Final = "changelog watches"
SPACES: Final = (NICKS, AFFILIATIONS, WATCHES)

#: What is gone is remembered so long, and so many of them.
WEEK_SECONDS: Final = 7 * 86_400.0
MOST_GONE: Final = 5000

#: Lists of affiliations. Who may see some of them is told of no others.
KINDS: Final = {"none": 0, "outcast": 1, "member": 2, "admin": 4, "owner": 8}

_HEAD: Final = ""  # the key of what is no nickname: no nickname is empty

Kept = Mapping[str, Mapping[str, str]]  #: the values of each of `SPACES`


class Change(NamedTuple):
    """The last change of what others see under a nickname.

    `digest` stands for the presence; it is 0 once nobody is there under that name. `id_xml` tells whose it was.
    """

    seq: int
    stamp: float
    digest: int
    affiliation: str
    id_xml: str


class AffiliationChange(NamedTuple):
    """The last change of an affiliation; `kinds` are the lists that the JID has been on (bits of `KINDS`)."""

    seq: int
    kinds: int


class Unannounced(NamedTuple):
    """A change of an affiliation that nobody was told of yet; `before` is the number before it, for each list.

    `nick` is the nickname that is, or was, reserved for the JID.
    """

    bare: JID
    nick: str
    change: AffiliationChange
    before: dict[int, int]


class Watch(NamedTuple):
    """How a session is told the numbers: in which of the three ways (`versions.Marks`), and what it may see.

    `view` and `lists` (bits of `KINDS`) say so for presences and for lists of affiliations. They are what it was when
    the session was told all of it, and part of what it gives back: somebody with other rights is told everything anew.
    """

    marks: int
    view: str
    lists: int


def digest_of(presence: Payload) -> int:
    """A number that differs for different presences; never 0."""
    return crc32(presence.rest.encode()) or 1


class Changelog:
    """The changes of one room, those of nicknames in the order in which they came.

    `number` is the room's; `now` the time of the step that is being taken; `listed` the number of the last change of
    each list of affiliations; `agrees` whether the presences have been compared with it since it was loaded.
    """

    __slots__ = (
        "_split",
        "_split_of",
        "_watched",
        "affiliations",
        "affiliations_floor",
        "agrees",
        "epoch",
        "floor",
        "gone",
        "listed",
        "now",
        "number",
        "present",
        "seq",
        "unannounced",
        "watches",
    )

    def __init__(self, number: int, epoch: str) -> None:
        self.number, self.epoch = number, epoch
        self.seq = self.floor = self.affiliations_floor = 0
        self.present: dict[str, Change] = {}
        self.gone: dict[str, Change] = {}
        self.affiliations: dict[JID, AffiliationChange] = {}
        self.listed = dict.fromkeys(KINDS.values(), 0)
        self.unannounced: list[Unannounced] = []
        self.watches: dict[JID, Watch] = {}
        self.agrees = False
        self.now = self._watched = 0.0
        self._split_of: tuple[JID, ...] = ()
        self._split: tuple[tuple[JID, ...], dict[Watch, tuple[JID, ...]]] = ((), {})

    @classmethod
    def load(cls, number: int, kept: Kept) -> "Changelog | None":
        """The changelog as it was kept; None if there was none."""
        nicks = dict(kept.get(NICKS, {}))
        head = nicks.pop(_HEAD, "")
        if not head:
            return None
        epoch, floor, affiliations_floor = json.loads(head)
        log = cls(number, epoch)
        log.floor, log.affiliations_floor = floor, affiliations_floor
        changes = {nick: Change(*json.loads(text)) for nick, text in nicks.items()}
        for nick, change in sorted(changes.items(), key=lambda item: item[1]):
            (log.present if change.digest else log.gone)[nick] = change
        affiliated, watches = kept.get(AFFILIATIONS, {}), kept.get(WATCHES, {})
        affiliations = {JID.parse(bare): AffiliationChange(*json.loads(text)) for bare, text in affiliated.items()}
        log.affiliations = dict(sorted(affiliations.items(), key=lambda item: item[1]))
        log.watches = {JID.parse(jid): Watch(*json.loads(text)) for jid, text in watches.items()}
        log.listed = dict.fromkeys(KINDS.values(), affiliations_floor)
        for listed in log.affiliations.values():
            log._list(listed)
        log.seq = max(floor, *log.listed.values(), *[change.seq for change in changes.values()])
        return log

    def begin_step(self, now: float) -> None:
        """A step is taken at that time."""
        self.now = now
        if self.watches or not self._watched:
            self._watched = now

    @property
    def is_unused(self) -> bool:
        """Whether nobody can know a number any more that would be of use to him."""
        return not self.watches and self.now - self._watched > WEEK_SECONDS

    # -- what is kept

    def save_head(self, effects: Effects) -> None:
        """Records the epoch, and from where on the changes are complete."""
        self._save(effects, NICKS, _HEAD, (self.epoch, self.floor, self.affiliations_floor))

    def _save(self, effects: Effects, space: str, key: str, value: tuple[object, ...]) -> None:
        effects.records.append(ValueSaved(self.number, space, key, json.dumps(value, separators=(",", ":"))))

    def _remove(self, effects: Effects, space: str, key: str) -> None:
        effects.records.append(ValueRemoved(self.number, space, key))

    def erase(self, effects: Effects) -> None:
        """Records that nothing of it is kept."""
        for space, keys in (
            (NICKS, [_HEAD, *self.present, *self.gone]),
            (AFFILIATIONS, self.affiliations),
            (WATCHES, self.watches),
        ):
            for key in keys:
                self._remove(effects, space, key)

    # -- nicknames

    def record(self, effects: Effects, nick: str, digest: int, affiliation: str, id_xml: str) -> None:
        """What others see under a nickname has changed; `digest` 0 says that nothing is to be seen there any more."""
        self.seq += 1
        self.present.pop(nick, None)
        self.gone.pop(nick, None)
        change = Change(self.seq, self.now, digest, affiliation, id_xml)
        (self.present if digest else self.gone)[nick] = change
        self._save(effects, NICKS, nick, change)
        if not digest:
            self._forget_old(effects)

    def _forget_old(self, effects: Effects) -> None:
        floor = self.floor
        while self.gone:
            nick, change = next(iter(self.gone.items()))
            if len(self.gone) <= MOST_GONE and self.now - change.stamp <= WEEK_SECONDS:
                break
            del self.gone[nick]
            self._remove(effects, NICKS, nick)
            self.floor = change.seq
        if self.floor != floor:
            self.save_head(effects)

    def since(self, seq: int) -> list[tuple[str, Change]] | None:
        """The nicknames that have changed since that number, in order; None if that is not known any more."""
        if not self.floor <= seq <= self.seq:
            return None
        found = []
        for changes in (self.present, self.gone):
            for nick in reversed(changes):
                if changes[nick].seq <= seq:
                    break
                found.append((nick, changes[nick]))
        found.sort(key=lambda item: item[1].seq)
        return found

    # -- affiliations

    def record_affiliation(self, bare: JID, old: str, new: str, nick: str) -> None:
        """The affiliation of a JID, and of a nickname if one is reserved, has changed; to be saved."""
        last = self.affiliations.pop(bare, None)
        self.seq += 1
        kinds = KINDS[old] | KINDS[new] | (last.kinds if last is not None else 0)
        change = self.affiliations[bare] = AffiliationChange(self.seq, kinds)
        self.unannounced.append(Unannounced(bare, nick, change, dict(self.listed)))
        self._list(change)

    def _list(self, change: AffiliationChange) -> None:
        for bit in self.listed:
            if bit & change.kinds:
                self.listed[bit] = change.seq

    def save_affiliation(self, effects: Effects, bare: JID) -> None:
        """Records the last change of an affiliation."""
        change = self.affiliations.get(bare)
        if change is not None:
            self._save(effects, AFFILIATIONS, bare, change)
        if len(self.affiliations) > MOST_GONE:
            oldest = next(iter(self.affiliations))
            self.affiliations_floor = self.affiliations.pop(oldest).seq
            self._remove(effects, AFFILIATIONS, oldest)
            self.save_head(effects)

    def affiliations_since(self, seq: int, lists: int) -> list[JID] | None:
        """Who has been on one of these lists and changed since that number; None if that is not known any more."""
        if not self.affiliations_floor <= seq <= self.seq:
            return None
        return [bare for bare, change in self.affiliations.items() if change.seq > seq and change.kinds & lists]

    # -- sessions

    def watch(self, effects: Effects, session: JID, watch: Watch) -> None:
        """From now on a session is told the numbers."""
        if self.watches.get(session) != watch:
            self.watches[session] = watch
            self._split_of = ()
            self._save(effects, WATCHES, session, watch)

    def watched_by(self, sessions: Collection[JID]) -> None:
        """Nobody else is there any more who is told the numbers."""
        self.watches = {session: watch for session, watch in self.watches.items() if session in sessions}

    def unwatch(self, effects: Effects, session: JID) -> None:
        """From now on it is not."""
        if self.watches.pop(session, None) is not None:
            self._split_of = ()
            self._remove(effects, WATCHES, session)

    def split(self, sessions: tuple[JID, ...]) -> tuple[tuple[JID, ...], dict[Watch, tuple[JID, ...]]]:
        """Those that are told no numbers, and the others by how they are told them.

        The last answer is remembered: message after message goes to the same tuple of all sessions.
        """
        if sessions is not self._split_of:
            plain: list[JID] = []
            watching: dict[Watch, list[JID]] = {}
            watches = self.watches
            for session in sessions:
                watch = watches.get(session)
                if watch is None:
                    plain.append(session)
                else:
                    watching.setdefault(watch, []).append(session)
            self._split_of = sessions
            self._split = tuple(plain), {watch: tuple(who) for watch, who in watching.items()}
        return self._split
