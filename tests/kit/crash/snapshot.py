"""What a killed server left on the disk, read without any code of the server but that for stanza-ids.

It is a copy, so that the next start finds everything as the crash left it.
"""

import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

from fermata.storage.archive_ids import ArchiveIDs

from .deeds import Settings

_BODY = re.compile(r"<body>([^<]*)</body>")

_SETTINGS = {
    "roster": "SELECT e.jid, r.jid, r.name FROM roster_item r JOIN entity e ON e.number = r.account"
    " WHERE subscription != 'remove'",
    "affiliation": "SELECT e.jid, a.jid, affiliation || ' ' || reason FROM affiliation a"
    " JOIN entity e ON e.number = a.room",
    "occupancy": "SELECT e.jid, o.jid, nick FROM occupancy o JOIN entity e ON e.number = o.room",
}


class Row(NamedTuple):
    """A message in the archives."""

    seq: int
    owners: frozenset[int]
    sender: str
    text: str


class Snapshot:
    """The database at one moment, with its write-ahead log; `is_live` is whether a server still writes to it."""

    def __init__(self, database: Path, directory: Path, is_live: bool = False) -> None:
        directory.mkdir(exist_ok=True)
        copy = directory / database.name
        self.connection = _copy_of_live(database, copy) if is_live else _copy_of_dead(database, copy)
        self.numbers: dict[str, int] = dict(self._rows("SELECT jid, number FROM entity WHERE jid IS NOT NULL"))
        ((key,),) = self._rows("SELECT value FROM meta WHERE key = 'secret of archive ids'")
        self.seq_of = ArchiveIDs(bytes.fromhex(key)).seq_of

    def close(self) -> None:
        self.connection.close()

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the file."""
        found = [str(row) for row in self._rows("PRAGMA integrity_check") if row != ("ok",)]
        return found + [str(row) for row in self._rows("PRAGMA foreign_key_check")]

    def archived(self, since: int) -> list[Row]:
        """The messages with a body that were archived after that one, in order."""
        rows = self._rows("SELECT seq, owner, other, sender, xml FROM archive WHERE seq > ? ORDER BY seq", since)
        return [
            Row(seq, frozenset({owner, other} - {None}), sender, found[1])
            for seq, owner, other, sender, xml in rows
            if (found := _BODY.search(xml))
        ]

    def weight(self, until: int) -> tuple[int, ...]:
        """How many rows there are up to that one, and a sum over them: it changes if any of them does."""
        ((*weight,),) = self._rows("SELECT count(*), total(seq), total(length(xml)) FROM archive WHERE seq <= ?", until)
        return tuple(map(int, weight))

    def spooled(self) -> list[str]:
        """What waits for anybody."""
        return [found[1] for (xml,) in self._rows("SELECT xml FROM spool") if (found := _BODY.search(xml))]

    def settings(self) -> Settings:
        """Rosters, affiliations, occupancies and descriptions."""
        settings = {
            (name, whose, whom): value for name, sql in _SETTINGS.items() for whose, whom, value in self._rows(sql)
        }
        for jid, config in self._rows("SELECT e.jid, config FROM room r JOIN entity e ON e.number = r.room"):
            settings["configuration", jid, "roomdesc"] = json.loads(config)["roomdesc"]
        return settings

    def handled(self) -> dict[str, int]:
        """How far each session got, by SM-ID."""
        return dict(self._rows("SELECT sm_id, h FROM handled"))

    def _rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters).fetchall()


def _copy_of_dead(database: Path, copy: Path) -> sqlite3.Connection:
    for suffix in ("", "-wal"):
        source = database.with_name(database.name + suffix)
        target = copy.with_name(copy.name + suffix)
        target.unlink(missing_ok=True)
        if source.exists():
            shutil.copyfile(source, target)
    return sqlite3.connect(copy)


def _copy_of_live(database: Path, copy: Path) -> sqlite3.Connection:
    for suffix in ("", "-wal", "-shm"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
    source, target = sqlite3.connect(f"file:{database}?mode=ro", uri=True), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    return target
