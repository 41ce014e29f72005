"""The index of a reply store: where each reply lies, by its key, on the disk beside the store.

It holds nothing that the store does not hold: where it is missing, out of date or damaged, it is made anew. Several
processes may read and extend it.
"""

import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

from understudy.errors import DataError

# The key comes first on a line, so that a file of a million replies is indexed without parsing any.
_LINE = re.compile(rb'\{"key": "([0-9a-f]{64})", .*\}\n', re.DOTALL)
_VERSION = 1
_ANCHOR = 4096
"""Bytes before the end of what is indexed, by whose digest a store is known again."""
_BATCH = 20_000
_WAIT = 30.0
"""Seconds for which another process may keep the index to itself."""


class StoreIndex:
    """Where the replies of one store file lie.

    Args:
        store: The store's file, JSON lines that begin with their key.
        path: The index's own file; None keeps it in a temporary one.

    Attributes:
        dropped: How many broken records the store holds, torn by a crash while they were written.
    """

    def __init__(self, store: Path, path: Path | None) -> None:
        self.store = store
        self._path = path
        self._database = self._open()
        self._known = False
        self.dropped = self._meta("dropped")

    def __len__(self) -> int:
        return self._one("SELECT COUNT(*) FROM places")

    def get(self, key: bytes) -> int | None:
        """The offset of the reply under a key; None where there is none."""
        with closing(self._database.execute("SELECT offset FROM places WHERE key = ?", (key,))) as found:
            row = found.fetchone()
        return None if row is None else row[0]

    def offsets(self) -> Iterator[int]:
        """The offsets of all replies, each key's latest, in the order of the store."""
        with closing(self._database.execute("SELECT offset FROM places ORDER BY offset")) as found:
            yield from (offset for (offset,) in found)

    def catch_up(self) -> None:
        """Take in what was appended to the store since."""
        try:
            with self.store.open("rb") as lines:
                if self._known and os.fstat(lines.fileno()).st_size == self._meta("end"):
                    return
                self._extend(lines)
                self._known = True
        except FileNotFoundError:
            if self._meta("end"):
                self._forget()
        self.dropped = self._meta("dropped")

    def rebuild(self) -> None:
        """Forget everything and read the whole store again: it is not what it was."""
        self._forget()
        self.catch_up()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _extend(self, lines: IO[bytes]) -> None:
        """Index whole lines from where the index ends; a line without its end is still being written, or torn."""
        with self._transaction():
            if not self._stands(lines):
                self._clear()
            end, dropped = self._meta("end"), self._meta("dropped")
            lines.seek(end)
            places: list[tuple[bytes, int]] = []
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                found = _LINE.fullmatch(line)
                if found:
                    places.append((bytes.fromhex(found[1].decode()), end))
                elif line.strip():
                    dropped += 1
                end += len(line)
                if len(places) >= _BATCH:
                    self._insert(places)
            self._insert(places)
            self._note("end", end)
            self._note("dropped", dropped)
            self._note("anchor", _anchor(lines, end))

    def _stands(self, lines: IO[bytes]) -> bool:
        """Whether what is indexed is still there, as far as its end tells."""
        end = self._meta("end")
        return end == 0 or self._meta("anchor") == _anchor(lines, end)

    def _insert(self, places: list[tuple[bytes, int]]) -> None:
        self._database.executemany("INSERT OR REPLACE INTO places VALUES (?, ?)", places)
        places.clear()

    def _open(self) -> sqlite3.Connection:
        """The index's database, made anew where it is damaged, and a private one where it cannot be written to."""
        name = "" if self._path is None else str(self._path)
        try:
            return _connect(name)
        except sqlite3.OperationalError:  # no rights, or another process does not let go of it
            return _connect("")
        except sqlite3.DatabaseError:  # it holds nothing that cannot be had again
            with suppress(OSError):
                Path(name).unlink()
                return _connect(name)
            return _connect("")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A block that is done whole or not at all, while other processes wait."""
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            raise DataError(
                f"{self._path}: the index of the replies cannot be written ({error}); make room, or remove it"
            ) from None

    def _forget(self) -> None:
        with self._transaction():
            self._clear()

    def _clear(self) -> None:
        self._database.execute("DELETE FROM places")
        self._database.execute("DELETE FROM meta")

    def _meta(self, name: str) -> int:
        with closing(self._database.execute("SELECT value FROM meta WHERE name = ?", (name,))) as found:
            row = found.fetchone()
        return 0 if row is None else row[0]

    def _note(self, name: str, value: int) -> None:
        self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _one(self, query: str) -> int:
        with closing(self._database.execute(query)) as found:
            count: int = found.fetchone()[0]
        return count


def _connect(name: str) -> sqlite3.Connection:
    """Open an index, new or old, to read and write."""
    database = sqlite3.connect(name, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    try:
        _prepare(database)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA synchronous = OFF")
    if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("damaged")
    if database.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
        database.executescript(
            """
            BEGIN IMMEDIATE;
            DROP TABLE IF EXISTS places;
            DROP TABLE IF EXISTS meta;
            CREATE TABLE places (key BLOB PRIMARY KEY, offset INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
            COMMIT;
            """
        )
    database.execute(f"PRAGMA user_version = {_VERSION}")  # fails where it may not be written to


def _anchor(lines: IO[bytes], end: int) -> int:
    """A digest of the bytes before a place, to know it again by."""
    start = max(0, end - _ANCHOR)
    lines.seek(start)
    digest = hashlib.blake2b(lines.read(end - start), digest_size=7).digest()
    return int.from_bytes(digest, "big")
