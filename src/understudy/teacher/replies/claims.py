"""Claims: which requests a process is asking, so that no other process asks and pays for the same."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from understudy.errors import DataError

_PLACE = 7
"""Bytes of a key that decide its place in the file: as many as fit an offset."""


class Claims:
    """Claims on keys, as locks of single bytes of an empty file, each at a place that its key decides.

    The locks of a process go with it, however it ends. They bar other processes alone, not other threads of this one.

    Args:
        path: The file, made with the first claim.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    @contextmanager
    def on(self, key: bytes) -> Iterator[bool]:
        """Claim a key for the time of a block; yields whether it was free.

        Raises:
            DataError: The file cannot be made or locked.
        """
        place = int.from_bytes(key[:_PLACE], "big")
        file, free = self._lock(place)
        try:
            yield free
        finally:
            if free and not file.closed:
                fcntl.lockf(file, fcntl.LOCK_UN, 1, place)

    def close(self) -> None:
        """Let go of the file, and of every claim."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _lock(self, place: int) -> tuple[IO[bytes], bool]:
        try:
            file = self._file = self._file or self._open()
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except (BlockingIOError, PermissionError):  # which of them it is depends on the system
                return file, False
        except OSError as error:
            raise DataError(
                f"{self.path}: a request cannot be claimed ({error.strerror}); give rights, then run again"
            ) from None
        return file, True

    def _open(self) -> IO[bytes]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.path.open("ab")
