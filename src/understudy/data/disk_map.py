"""A map on the disk: for what has to be remembered of every row, when there may be a million of them."""

import sqlite3
from contextlib import closing
from typing import Generic, Self, TypeVar

V = TypeVar("V", int, bytes)

_BATCH = 50_000
"""Writes kept in memory before they go to the disk together."""


class DiskMap(Generic[V]):
    """From byte strings to whole numbers of 64 bits, or to byte strings, in a temporary file; memory stays flat.

    Safe to use from one thread at a time.
    """

    def __init__(self) -> None:
        # an empty name is a private temporary file, which SQLite keeps in memory while it is small
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA cache_size = -16384")
        self._database.execute("CREATE TABLE map (key BLOB PRIMARY KEY, value NOT NULL) WITHOUT ROWID")
        self._recent: dict[bytes, V] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __len__(self) -> int:
        self._flush()
        with closing(self._database.execute("SELECT COUNT(*) FROM map")) as found:
            count: int = found.fetchone()[0]
        return count

    def get(self, key: bytes) -> V | None:
        """The value under a key; None where there is none."""
        if key in self._recent:
            return self._recent[key]
        with closing(self._database.execute("SELECT value FROM map WHERE key = ?", (key,))) as found:
            row = found.fetchone()
        return None if row is None else row[0]

    def put(self, key: bytes, value: V) -> None:
        """Set the value under a key."""
        self._recent[key] = value
        if len(self._recent) >= _BATCH:
            self._flush()

    def setdefault(self, key: bytes, value: V) -> V:
        """The value under a key, which is this one where there was none."""
        found = self.get(key)
        if found is not None:
            return found
        self.put(key, value)
        return value

    def close(self) -> None:
        """Let go of the file."""
        self._recent.clear()
        self._database.close()

    def _flush(self) -> None:
        if self._recent:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO map VALUES (?, ?)", self._recent.items())
            self._database.execute("COMMIT")
            self._recent.clear()
