"""A reply store as an archive: what lies in it, a part of it as a recording for others, and what may go."""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from understudy.data.files import replacing
from understudy.errors import DataError
from understudy.example import is_whole
from understudy.registry import unknown
from understudy.teacher.cost.spending import NO_TOKENS, Tokens, usage_tokens
from understudy.teacher.replies.recordings import URL, completion, is_answer
from understudy.teacher.replies.store import ReplyStore, lock_file

Record = Mapping[str, Any]


@dataclass(slots=True)
class Holding:
    """What a store holds of one model at one place.

    Attributes:
        model: The model asked for.
        answerer: Who answered; None where that is not known.
        replies: How many replies.
        refused: How many requests that were refused for good.
        tokens: What the replies report to have used.
        first: When the first of them came, in ISO 8601.
        last: When the last did.
    """

    model: str
    answerer: str | None
    replies: int = 0
    refused: int = 0
    tokens: Tokens = NO_TOKENS
    first: str = "9999"
    last: str = ""

    def add(self, record: Record) -> None:
        """Count a record in."""
        found = completion(record)
        self.replies += found is not None
        self.refused += found is None
        self.tokens = self.tokens.plus(usage_tokens(found) or NO_TOKENS)
        time = str(record.get("time") or "")
        self.first, self.last = min(self.first, time), max(self.last, time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which records are meant; what is None or False selects nothing and bars nothing.

    Attributes:
        model: Those of this model.
        answerer: Those that came from there.
        older_than: Those older than so many days.
        refused: Refusals alone.
        truncated: Replies alone that were cut off at the token limit, as when that has been raised since.
    """

    model: str | None = None
    answerer: str | None = None
    older_than: float | None = None
    refused: bool = False
    truncated: bool = False

    def picks(self, record: Record) -> bool:
        """Whether a record is meant."""
        request = record.get("request")
        model = request.get("model") if isinstance(request, dict) else None
        return (
            (self.model is None or model == self.model)
            and (self.answerer is None or record.get("answerer") == self.answerer)
            and (self.older_than is None or _age(record) > timedelta(days=self.older_than))
            and not (self.refused and completion(record) is not None)
            and not (self.truncated and not _truncated(record))
        )


def survey(path: Path) -> list[Holding]:
    """What a store holds, by model and place, the largest holding first.

    Raises:
        DataError: There is no such store.
    """
    held: dict[tuple[str, str | None], Holding] = {}
    for record in _records(path):
        request = record.get("request")
        model = str(request.get("model") if isinstance(request, dict) else None)
        answerer = None if record.get("answerer") is None else str(record["answerer"])
        held.setdefault((model, answerer), Holding(model, answerer)).add(record)
    return sorted(held.values(), key=lambda holding: -holding.replies)


def export(path: Path, folder: Path, selection: Selection) -> int:
    """Write a part of a store as a recording: ``requests.jsonl`` and ``replies.jsonl``, OpenAI Batch lines.

    Returns:
        How many exchanges it holds: replies, and refusals for good.

    Raises:
        DataError: There is no such store, none of that model or endpoint is in it, or the recording would take its
            place.
    """
    _check_there(path)
    if (folder / "replies.jsonl").resolve() == path.resolve():
        raise DataError(f"{folder}: the recording would take the place of the store itself; choose another folder")
    _check_known(path, selection)
    count = 0
    with replacing(folder / "requests.jsonl") as requests, replacing(folder / "replies.jsonl") as replies:
        for record in _records(path):
            if is_answer(record) and isinstance(record.get("request"), dict) and selection.picks(record):
                requests.write(_line({**_named(record), "method": "POST", "url": URL, "body": record["request"]}))
                replies.write(_line({**_named(record), "response": record["response"], "error": None}))
                count += 1
    return count


def prune(path: Path, selection: Selection, *, really: bool = True) -> tuple[int, int]:
    """Remove records from a store, and with them what is torn or superseded.

    Args:
        path: The store.
        selection: What goes.
        really: Whether to do it, or only to count.

    Returns:
        How many records stay, and how many go.

    Raises:
        DataError: There is no such store, none of that model or endpoint is in it, or another process is using it.
    """
    _check_known(path, selection)
    if not really:
        picked = [selection.picks(record) for record in _records(path)]
        return picked.count(False), picked.count(True)
    kept = gone = 0
    with _to_oneself(path), replacing(path) as out:
        for record in _records(path):
            if selection.picks(record):
                gone += 1
            else:
                kept += 1
                out.write(_line(record))
    return kept, gone


def _records(path: Path) -> Iterator[dict[str, Any]]:
    _check_there(path)
    with ReplyStore(path) as store:
        yield from store.records()


def _check_there(path: Path) -> None:
    if not path.exists():
        raise DataError(f"{path}: no reply store; expected the replies.jsonl that a run has left")


def _check_known(path: Path, selection: Selection) -> None:
    """See to it that the store, unless it is empty, holds something of the model and of the endpoint that are named.

    Raises:
        DataError: It does not.
    """
    if selection.model is None and selection.answerer is None:
        return
    holdings = survey(path)
    for kind, name, known in (
        ("model", selection.model, {held.model for held in holdings}),
        ("endpoint", selection.answerer, {held.answerer or "-" for held in holdings}),
    ):
        if name is not None and known and name not in known:
            raise DataError(f"{path}: {unknown(kind, name, sorted(known))}")


@contextmanager
def _to_oneself(path: Path) -> Iterator[None]:
    """Keep all others from appending to a store while it is written anew."""
    _check_there(path)
    try:
        lock = lock_file(path).open("a")
    except OSError as error:
        raise DataError(f"{path}: the store cannot be changed ({error.strerror}); give rights") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{path}: another process is using this store; wait until it has ended") from None
        yield


def _named(record: Record) -> dict[str, Any]:
    return {"custom_id": record["key"]}


def _line(record: Record) -> str:
    """The record as a line; half a character in it is kept in escapes."""
    line = json.dumps(record, ensure_ascii=False)
    return f"{line if is_whole(line) else json.dumps(record)}\n"


def _truncated(record: Record) -> bool:
    found = completion(record)
    return found is not None and found["choices"][0].get("finish_reason") == "length"


def _age(record: Record) -> timedelta:
    try:
        return datetime.now(UTC) - datetime.fromisoformat(str(record.get("time")))
    except (ValueError, TypeError):
        return timedelta(0)
