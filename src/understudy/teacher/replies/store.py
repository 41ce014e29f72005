"""The one reply store: whatever the teacher ever answered, found again by the content of the question.

It answers from a file of its own, to which every reply is appended as it comes, and from recordings, which are only
read. Recorded and live replies take the same way; nothing above knows which it got.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Self

from understudy.data.disk_map import DiskMap
from understudy.errors import DataError
from understudy.teacher.replies.claims import Claims
from understudy.teacher.replies.index import StoreIndex
from understudy.teacher.replies.recordings import completion, first_request, recorded_replies, refusal
from understudy.teacher.request import Body, answered_key, content_key

STORE = Path("runs") / "replies.jsonl"
"""One store for all runs, wherever their folders lie: what was paid for once is found again."""
_SYNC_EVERY = 1.0
"""Seconds between two syncs to the disk: a killed process loses nothing, a power cut at most this much."""
_LOOK_EVERY = 1.0
"""Seconds between two looks at what other processes have appended."""
_UNINDEXED = 1_000
"""Own appends that are remembered before the index takes them in."""
_LONGEST = 1e9
"""Seconds that a reply can have taken; what a record says beyond that is no duration."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered to one request.

    Attributes:
        completion: The chat completion, as it came; None where the request was refused for good.
        seconds: How long it took, where that is known.
        refused: What the endpoint said in refusing it.
    """

    completion: Mapping[str, Any] | None
    seconds: float | None = None
    refused: str | None = None


class ReplyStore:
    """Replies by the content of their request; safe to read and append to from several threads and processes.

    Memory stays flat: the replies lie on the disk, and so does the index of them.

    Args:
        path: The store's own file (JSON lines), made when the first reply is appended.
        recordings: Pairs of OpenAI Batch files, requests and replies.
        answerer: Who answers, which is a part of the key of what is appended; None where that does not matter.
            What a recording holds, and what was appended without an answerer, counts for any.

    Raises:
        DataError: A recording is missing or broken, or the own file cannot be read; on first use.
    """

    def __init__(self, path: Path, recordings: Sequence[tuple[Path, Path]] = (), answerer: str | None = None) -> None:
        self.path = path
        self.recordings = list(recordings)
        self.answerer = answerer
        self._readers: dict[Path, IO[bytes]] = {}
        self._writer: IO[bytes] | None = None
        self._use: IO[bytes] | None = None
        self._claims = Claims(path.with_name(f"{path.name}.claims"))
        self._recent: dict[bytes, int] = {}
        self._lock = threading.RLock()
        self._synced = time.monotonic()
        self._looked = -_LOOK_EVERY
        self._written_to = 0
        self._known_to = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __len__(self) -> int:
        with self._lock:
            self._index.catch_up()
            return len(self._index) + len(self._recorded)

    def __contains__(self, body: Body) -> bool:
        return self.get(body) is not None

    @property
    def dropped(self) -> int:
        """How many broken records the own file holds, torn by a crash while they were written; they are passed over."""
        with self._lock:
            self._index.catch_up()
            return self._index.dropped + self._ends_torn()

    def get(self, body: Body) -> Reply | None:
        """The reply to a request, or None where it has not been answered yet."""
        return self.find(content_key(body))

    def find(self, content: bytes) -> Reply | None:
        """The reply to the request of this content key, or None where it has not been answered yet."""
        with self._lock:
            for key in dict.fromkeys((answered_key(content, self.answerer), content)):
                reply = self._own(key)
                if reply is not None:
                    return reply
            return self._from_recording(content)

    @contextmanager
    def claim(self, content: bytes) -> Iterator[bool]:
        """Keep other processes from asking a request for the time of a block; yields False where one is asking it now.

        What they have answered until then is found within the block.

        Raises:
            DataError: The store cannot be written to.
        """
        with self._claims.on(answered_key(content, self.answerer)) as free:
            if free:
                with self._lock:
                    self._look()
            yield free

    def append(self, body: Body, reply: Reply) -> None:
        """Keep a reply: one whole line in one write, so that a crash can tear this record but no other.

        Raises:
            DataError: The file cannot be written.
        """
        self.keep(content_key(body), body, reply)

    def keep(self, content: bytes, body: Body, reply: Reply) -> None:
        """Keep a reply as `append` does, to a request whose content key is known already."""
        key = answered_key(content, self.answerer)
        line = _line(key, body, reply, self.answerer)
        with self._lock:
            self._recent[key] = self._write(line) - len(line)
            if len(self._recent) >= _UNINDEXED:
                self._take_in()

    def sample(self) -> Body | None:
        """Some request that the store knows, to say in what another differs; None where it holds none."""
        for requests, _ in self.recordings:
            found = first_request(requests)
            if found is not None:
                return found
        record = next(self.records(), None)
        request = None if record is None else record.get("request")
        return request if isinstance(request, dict) else None

    def records(self) -> Iterator[dict[str, Any]]:
        """Every record of the own file, each question's latest, in the order in which they came."""
        with self._lock:
            self._index.catch_up()
        for offset in self._index.offsets():
            record = self._read(self.path, offset)
            if record is not None:
                yield record

    def close(self) -> None:
        """Write everything through to the disk and let go of the files; a closed store opens again when it is used."""
        with self._lock:
            if self._writer is not None:
                os.fsync(self._writer.fileno())
                self._take_in()
                self._writer.close()
                self._writer = None
            if self._use is not None:
                self._use.close()
                self._use = None
            for reader in self._readers.values():
                reader.close()
            self._readers.clear()
            self._claims.close()
            self._looked, self._known_to = -_LOOK_EVERY, -1
            for name in ("_index", "_recorded"):
                opened = self.__dict__.pop(name, None)
                if opened is not None:
                    opened.close()

    @cached_property
    def _index(self) -> StoreIndex:
        path = self.path.with_name(f"{self.path.name}.index") if self.path.is_file() else None
        return StoreIndex(self.path, path)

    @cached_property
    def _recorded(self) -> DiskMap[int]:
        """Where each recorded reply lies, by its content key: file and offset folded into one number."""
        places = DiskMap[int]()
        for number, (requests, replies) in enumerate(self.recordings):
            for key, offset in recorded_replies(requests, replies):
                places.put(key, offset * len(self.recordings) + number)
        return places

    def _own(self, key: bytes) -> Reply | None:
        """The reply under a key in the own file; other processes may have written it since."""
        if time.monotonic() - self._looked > _LOOK_EVERY:
            self._look()
        offset = self._recent.get(key)
        if offset is None:
            offset = self._index.get(key)
        if offset is None:
            return None
        record = self._read(self.path, offset)
        if record is None or not _is_of(key, record):
            return self._after_damage(key)
        return _reply(record)

    def _look(self) -> None:
        """Take in what other processes have appended, if they have."""
        end = self._end()
        if end != self._known_to:
            self._take_in()
            self._known_to = end
        self._looked = time.monotonic()

    def _take_in(self) -> None:
        self._index.catch_up()
        self._recent.clear()

    def _after_damage(self, key: bytes) -> Reply | None:
        """The reply after the file turned out to be another than the one that was indexed, or damaged at that place."""
        self._recent.clear()
        reader = self._readers.pop(self.path, None)
        if reader is not None:
            reader.close()  # it may be of a file that has been replaced
        self._index.rebuild()
        offset = self._index.get(key)
        record = None if offset is None else self._read(self.path, offset)
        return None if record is None or not _is_of(key, record) else _reply(record)

    def _from_recording(self, content: bytes) -> Reply | None:
        place = self._recorded.get(content) if self.recordings else None
        if place is None:
            return None
        offset, number = divmod(place, len(self.recordings))
        record = self._read(self.recordings[number][1], offset)
        return None if record is None else _reply(record)

    def _read(self, file: Path, offset: int) -> dict[str, Any] | None:
        """The record at a place; None where it cannot be read back."""
        try:
            with self._lock:
                reader = self._reader(file)
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
        try:
            writer = self._writer = self._writer or self._open_to_write()
            with _alone(writer):
                before = self._end()
                start = b"\n" if self._ends_torn() else b""
                if writer.write(start + line) != len(start + line):
                    raise OSError(0, "the disk took only a part of it")
                self._written_to = writer.tell()
            if before == self._known_to:  # nobody else has appended since the last look
                self._known_to = self._written_to
            if time.monotonic() - self._synced > _SYNC_EVERY:
                os.fsync(writer.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise DataError(
                f"{self.path}: a reply cannot be kept ({error.strerror}); make room or rights, then run again"
            ) from None
        return self._written_to

    def _open_to_write(self) -> IO[bytes]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._use = lock_file(self.path).open("ab")
        fcntl.flock(self._use, fcntl.LOCK_SH)  # many may append, but not while one writes the store anew
        if not self.path.is_file() and "_index" in self.__dict__:  # it was opened with nothing to lie beside
            self.__dict__.pop("_index").close()
            self._known_to = -1
        return self.path.open("ab", buffering=0)

    def _ends_torn(self) -> bool:
        """Whether the own file ends in the middle of a line."""
        end = self._end()
        if end in {0, self._written_to}:
            return False
        try:
            with self.path.open("rb") as file:
                file.seek(end - 1)
                return file.read(1) != b"\n"
        except OSError as error:
            raise self._unreadable(error) from None

    def _end(self) -> int:
        """The size of the own file; nothing where there is none."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: OSError) -> DataError:
        return DataError(f"{self.path}: the reply store cannot be read ({error.strerror})")


def lock_file(store: Path) -> Path:
    """The file by whose lock processes tell each other that they use a store."""
    return store.with_name(f"{store.name}.lock")


@contextmanager
def _alone(file: IO[bytes]) -> Iterator[None]:
    """Keep other processes from writing to a file."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _is_of(key: bytes, record: Mapping[str, Any]) -> bool:
    """Whether a record is the one of a key, by all that it says of itself: it may have grown together of two."""
    return all(record.get(name, key.hex()) == key.hex() for name in ("key", "custom_id"))


def _reply(record: Mapping[str, Any]) -> Reply | None:
    """The reply in a record; None where it holds none."""
    found, refused = completion(record), refusal(record)
    return None if found is None and refused is None else Reply(found, _seconds(record), refused)


def _seconds(record: Mapping[str, Any]) -> float | None:
    """How long a reply took; None where that is not recorded, or what is recorded is no duration."""
    found = record.get("seconds")
    return found if isinstance(found, int | float) and 0 <= found <= _LONGEST else None


def _line(key: bytes, body: Body, reply: Reply, answerer: str | None) -> bytes:
    """A reply as a line of the store, which is a line of OpenAI Batch output as well."""
    refused = {"status_code": 400, "body": {"error": {"message": reply.refused}}}
    record = {
        "key": key.hex(),
        "request": body,
        "answerer": answerer,
        "custom_id": key.hex(),
        "response": {"status_code": 200, "body": reply.completion} if reply.refused is None else refused,
        "error": None,
        "seconds": reply.seconds,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        return (json.dumps(record, ensure_ascii=False) + "\n").encode("utf-8")
    except UnicodeEncodeError:  # a reply cut in the middle of a character: kept as it came, in escapes
        return (json.dumps(record) + "\n").encode("ascii")
