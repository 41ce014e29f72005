"""The index of a reply store: where each reply lies, by its key, on the disk beside the store.

It holds nothing that the store does not hold: where it is missing, out of date or damaged, it is made anew. Several
processes may read and extend it.
"""

import hashlib
import os
import re
import sqlite3
from array import array
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from understudy.errors import DataError

# The key comes first on a line, so that a file of a million replies is indexed without parsing any.
_LINE = re.compile(rb'\{"key": "([0-9a-f]{64})", .*\}\n', re.DOTALL)
_VERSION = 1
_ANCHOR = 4096
"""Bytes before the end of what is indexed, by whose digest a store is known again."""
_BATCH = 20_000
"""Lines that are indexed in one go."""
_WAIT = 30.0
"""Seconds for which another process may keep the index to itself."""


class _Batch(NamedTuple):
    """Some whole lines of a store.

    Attributes:
        start: Where they begin.
        end: Where they end.
        places: The key and the offset of each record among them.
        dropped: How many of them are broken.
    """

    start: int
    end: int
    places: list[tuple[bytes, int]]
    dropped: int


class StoreIndex:
    """Where the replies of one store file lie.

    Args:
        store: The store's file, JSON lines that begin with their key.
        path: The index's own file; None keeps it in a temporary one.

    Attributes:
        dropped: How many broken records the store holds, torn by a crash while they were written.

    Raises:
        DataError: The store cannot be read, or the index not be used; on first use as well.
    """

    def __init__(self, store: Path, path: Path | None) -> None:
        self.store = store
        self._path = path
        self._database = self._open()
        self._known = False
        self._rebuilt: int | None = None
        self.dropped = self._meta("dropped")

    def __len__(self) -> int:
        with closing(self._execute("SELECT COUNT(*) FROM places")) as found:
            count: int = found.fetchone()[0]
        return count

    def get(self, key: bytes) -> int | None:
        """The offset of the reply under a key; None where there is none."""
        with closing(self._execute("SELECT offset FROM places WHERE key = ?", key)) as found:
            row = found.fetchone()
        return None if row is None else row[0]

    def offsets(self) -> Iterator[int]:
        """The offsets of all replies, each key's latest, in the order of the store."""
        with closing(self._execute("SELECT offset FROM places ORDER BY offset")) as found:
            # taken out at once, eight bytes each: no process can write to the index while another is reading it
            offsets = array("q", (offset for (offset,) in found))
        yield from offsets

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
        except OSError as error:
            raise DataError(f"{self.store}: the reply store cannot be read ({error.strerror})") from None
        self.dropped = self._meta("dropped")

    def rebuild(self) -> None:
        """Forget everything and read the whole store again, which is not what it was.

        A file is read again only once: what cannot be read back after that is damaged, and stays so.
        """
        with suppress(FileNotFoundError):
            file = self.store.stat().st_ino
            if file != self._rebuilt:
                self._forget()
                self._rebuilt = file
        self.catch_up()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _extend(self, lines: IO[bytes]) -> None:
        """Index whole lines from where the index ends.

        The lines are read outside the transactions, so that other processes have their turn, and go on from there.
        """
        if not self._stands(lines):
            with self._transaction():
                if not self._stands(lines):  # another process may have been faster
                    self._clear()
        while (batch := _batch(lines, self._meta("end"))).end > batch.start:
            with self._transaction():
                if self._meta("end") == batch.start:
                    self._insert(batch)
                    self._note("anchor", _anchor(lines, batch.end))

    def _stands(self, lines: IO[bytes]) -> bool:
        """Whether what is indexed is still there, as far as its end tells."""
        end = self._meta("end")
        return end == 0 or self._meta("anchor") == _anchor(lines, end)

    def _insert(self, batch: _Batch) -> None:
        self._database.executemany("INSERT OR REPLACE INTO places VALUES (?, ?)", batch.places)
        self._note("end", batch.end)
        self._note("dropped", self._meta("dropped") + batch.dropped)

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
                self._execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _forget(self) -> None:
        with self._transaction():
            self._clear()

    def _clear(self) -> None:
        self._execute("DELETE FROM places")
        self._execute("DELETE FROM meta")

    def _meta(self, name: str) -> int:
        with closing(self._execute("SELECT value FROM meta WHERE name = ?", name)) as found:
            row = found.fetchone()
        return 0 if row is None else row[0]

    def _note(self, name: str, value: int) -> None:
        self._execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value)

    def _execute(self, statement: str, *values: bytes | str | int) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _unusable(self, error: sqlite3.Error) -> DataError:
        return DataError(
            f"{self._path or self.store}: the index of the replies cannot be used ({error}); wait until other runs "
            "have done with it, make room, or remove it"
        )


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


def _batch(lines: IO[bytes], start: int) -> _Batch:
    """The next lines from a place on; one without its end is still being written, or torn."""
    places: list[tuple[bytes, int]] = []
    end, dropped = start, 0
    lines.seek(start)
    for line in islice(lines, _BATCH):
        if not line.endswith(b"\n"):
            break
        found = _LINE.fullmatch(line)
        if found:
            places.append((bytes.fromhex(found[1].decode()), end))
        elif line.strip():
            dropped += 1
        end += len(line)
    return _Batch(start, end, places, dropped)


def _anchor(lines: IO[bytes], end: int) -> int:
    """A digest of the bytes before a place, to know it again by."""
    start = max(0, end - _ANCHOR)
    lines.seek(start)
    digest = hashlib.blake2b(lines.read(end - start), digest_size=7).digest()
    return int.from_bytes(digest, "big")
