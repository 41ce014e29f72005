"""The one reply store: whatever the teacher ever answered, found again by the content of the question.

It answers from a file of its own, to which every reply is appended as it comes, and from recordings, which are only
read. Recorded and live replies take the same way; nothing above knows which it got.
"""

import json
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Self

from understudy.errors import DataError
from understudy.teacher.recordings import completion, first_request, recorded_replies
from understudy.teacher.request import Body, content_key

# The key comes first on a line, so that a file of a million replies is indexed without parsing any.
_LINE = re.compile(rb'\{"key": "([0-9a-f]{64})", .*\}\n', re.DOTALL)
_SYNC_EVERY = 1.0
"""Seconds between two syncs to the disk: a killed process loses nothing, a power cut at most this much."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the endpoint answered to one request.

    Attributes:
        completion: The chat completion, as it came.
        seconds: How long it took, where that is known.
    """

    completion: Mapping[str, Any]
    seconds: float | None = None


class ReplyStore:
    """Replies by the content of their request; safe to read and append to from several threads.

    Memory holds a key and a place for each reply; the replies stay on the disk.

    Args:
        path: The store's own file (JSON lines), made when the first reply is appended.
        recordings: Pairs of OpenAI Batch files, requests and replies.

    Raises:
        DataError: A recording is missing or broken, or the own file cannot be read; on first use.
    """

    def __init__(self, path: Path, recordings: Sequence[tuple[Path, Path]] = ()) -> None:
        self.path = path
        self.recordings = list(recordings)
        self._files = [path, *(replies for _, replies in self.recordings)]
        self._readers: dict[Path, IO[bytes]] = {}
        self._writer: IO[bytes] | None = None
        self._lock = threading.RLock()
        self._synced = time.monotonic()
        self._torn = False
        self._dropped = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, body: Body) -> bool:
        return bytes.fromhex(content_key(body)) in self._places

    @property
    def dropped(self) -> int:
        """How many broken records the own file holds, torn by a crash while they were written; they are passed over."""
        len(self)  # they are counted while the file is indexed
        return self._dropped

    def get(self, body: Body) -> Reply | None:
        """The reply to a request, or None where it has not been answered yet."""
        key = bytes.fromhex(content_key(body))
        place = self._places.get(key)
        if place is None:
            return None
        record = self._read(place)
        answer = None if record is None else completion(record)
        if record is None or answer is None:  # damaged on the disk since: that one is asked again
            self._places.pop(key, None)
            return None
        return Reply(answer, record.get("seconds"))

    def append(self, body: Body, reply: Reply) -> None:
        """Keep a reply: one whole line in one write, so that a crash can tear this record but no other.

        Raises:
            DataError: The file cannot be written.
        """
        key = content_key(body)
        line = _line(key, body, reply)
        with self._lock:
            places = self._places
            end = self._write(line)
            places[bytes.fromhex(key)] = self._place(self.path, end - len(line))

    def sample(self) -> Body | None:
        """Some request that the store knows, to say in what another differs; None where it holds none."""
        for requests, _ in self.recordings:
            found = first_request(requests)
            if found is not None:
                return found
        record = self._read(next(iter(self._places.values()))) if self._places else None
        request = None if record is None else record.get("request")
        return request if isinstance(request, dict) else None

    def close(self) -> None:
        """Write everything through to the disk and let go of the files; a closed store opens again when it is used."""
        with self._lock:
            if self._writer is not None:
                os.fsync(self._writer.fileno())
                self._writer.close()
                self._writer = None
            for reader in self._readers.values():
                reader.close()
            self._readers.clear()

    @cached_property
    def _places(self) -> dict[bytes, int]:
        """Where each reply lies, by the key's 32 bytes: file and offset folded into one number, to save memory."""
        places: dict[bytes, int] = {}
        for requests, replies in self.recordings:
            for key, offset in recorded_replies(requests, replies):
                places[bytes.fromhex(key)] = self._place(replies, offset)
        self._index_own(places)
        return places

    def _index_own(self, places: dict[bytes, int]) -> None:
        offset = 0
        line = b"\n"
        try:
            with self.path.open("rb") as lines:
                for line in lines:
                    found = _LINE.fullmatch(line)
                    if found:
                        places[bytes.fromhex(found[1].decode())] = self._place(self.path, offset)
                    elif line.strip():
                        self._dropped += 1
                    offset += len(line)
        except FileNotFoundError:
            return
        except OSError as error:
            raise DataError(f"{self.path}: the reply store cannot be read ({error.strerror})") from None
        self._torn = not line.endswith(b"\n")

    def _place(self, file: Path, offset: int) -> int:
        return offset * len(self._files) + self._files.index(file)

    def _read(self, place: int) -> dict[str, Any] | None:
        """The record at a place; None where it cannot be read back."""
        offset, file = divmod(place, len(self._files))
        try:
            with self._lock:
                reader = self._reader(self._files[file])
                reader.seek(offset)
                line = reader.readline()
            record = json.loads(line.decode("utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            return None
        return record if isinstance(record, dict) else None

    def _reader(self, file: Path) -> IO[bytes]:
        if file not in self._readers:
            self._readers[file] = file.open("rb")
        return self._readers[file]

    def _write(self, line: bytes) -> int:
        """Append a line and return where it ends. A torn tail is closed off first, so that it takes no other along."""
        start = b"\n" if self._torn else b""
        try:
            if self._writer is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._writer = self.path.open("ab", buffering=0)
            self._torn = True
            if self._writer.write(start + line) != len(start + line):
                raise OSError(0, "the disk took only a part of it")
            self._torn = False
            if time.monotonic() - self._synced > _SYNC_EVERY:
                os.fsync(self._writer.fileno())
                self._synced = time.monotonic()
            return self._writer.tell()
        except OSError as error:
            raise DataError(
                f"{self.path}: a reply cannot be kept ({error.strerror}); make room or rights, then run again"
            ) from None


def _line(key: str, body: Body, reply: Reply) -> bytes:
    record = {
        "key": key,
        "request": body,
        "custom_id": key,
        "response": {"status_code": 200, "body": reply.completion},
        "error": None,
        "seconds": reply.seconds,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        return (json.dumps(record, ensure_ascii=False) + "\n").encode("utf-8")
    except UnicodeEncodeError:  # a reply cut in the middle of a character: kept as it came, in escapes
        return (json.dumps(record) + "\n").encode("ascii")
