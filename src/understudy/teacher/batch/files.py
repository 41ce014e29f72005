"""Batches: requests as files for OpenAI's Batch API or vLLM's ``run-batch``, and their output back into the store.

Both name a request by ``custom_id``. Ours is the content key of what is asked, so that a reply can only ever meet the
very request that it answers. All files are streamed; memory stays flat.
"""

import json
import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, Self

from understudy.data.disk_map import DiskMap
from understudy.data.files import replacing
from understudy.errors import DataError
from understudy.teacher.answer import Question, read_answer
from understudy.teacher.batch.output import ANSWER, outcome, outcome_at, output_lines, shown
from understudy.teacher.cost.ledger import Ledger, worst_case
from understudy.teacher.cost.spending import NO_TOKENS, Tokens, summed
from understudy.teacher.endpoint.dialect import Dialect
from understudy.teacher.replies.recordings import URL, named_key
from understudy.teacher.replies.store import Reply, ReplyStore
from understudy.teacher.request import Body, content_key, correction

_OURS = re.compile(r"requests-\d{4,}\.jsonl")
_PLACE = struct.Struct(">BIQII")
_NAMED = 3
"""How many lines of each kind are named; of the others there is only the count."""


@dataclass(frozen=True, slots=True)
class Exported:
    """Requests laid out for a batch.

    Attributes:
        files: The request files, in order; none where there was nothing to ask.
        requests: How many requests they hold together.
        worst: The most tokens that these can read and write.
        replaced: How many files of an earlier export they took the place of.
    """

    files: list[Path]
    requests: int = 0
    worst: Tokens = NO_TOKENS
    replaced: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What the output of a batch brought. Every line of it counts as one of the first six.

    Attributes:
        kept: Replies that are now in the store.
        refused: Requests that were refused for good, which is now in the store too.
        failed: Requests that failed in a way that may pass, or that were not reached in time; they can be sent again.
        unknown: Lines for requests that the recipe does not ask.
        repeated: Lines for requests that had an answer before, or for which another line counts.
        broken: Lines that are no reply, such as one torn at the end of a download.
        tokens: What all replies in it report to have used; None where one of them does not.
        missing: Requests that the recipe asks and that the store still does not answer.
        corrections: How many of these ask once more, since the first reply was no answer.
        named: The first lines that brought nothing, each as ``file:line: reason``.
    """

    kept: int = 0
    refused: int = 0
    failed: int = 0
    unknown: int = 0
    repeated: int = 0
    broken: int = 0
    missing: int = 0
    corrections: int = 0
    tokens: Tokens | None = NO_TOKENS
    named: tuple[str, ...] = ()


def export_batch(
    bodies: Iterable[Body],
    folder: Path,
    *,
    dialect: Dialect,
    max_tokens: int | None,
    lines: int = 50_000,
    size: int = 200 * 10**6,
) -> Exported:
    """Write requests as ``requests-0001.jsonl`` and so on, in place of those of an earlier export.

    Args:
        bodies: The requests, each only once.
        folder: Where the files go; nothing else in it is touched.
        dialect: How the endpoint is spoken to.
        max_tokens: How long a reply may become; None sets no limit.
        lines: The most requests in a file; OpenAI's limit unless told otherwise.
        size: The most bytes in a file; likewise.

    Raises:
        DataError: A request alone is larger than a file may be, or a file of that name is not from an export.
    """
    earlier = exported(folder)
    for stale in earlier:
        stale.unlink()
    spoken = (_request_line(body, dialect.spoken(body, max_tokens)) for body in bodies)
    files: list[Path] = []
    requests, worst = 0, NO_TOKENS
    for number, numbered in groupby(_numbered(spoken, lines, size), key=itemgetter(0)):
        files.append(folder / f"requests-{number:04}.jsonl")
        with replacing(files[-1]) as out:
            for _, line in numbered:
                out.write(line.text)
                requests, worst = requests + 1, worst.plus(line.worst)
    return Exported(files, requests, worst, len(earlier))


def exported(folder: Path) -> list[Path]:
    """The request files of the last export into a folder, in order.

    Raises:
        DataError: A file has the name of one, but was not written by an export.
    """
    files = sorted(path for path in folder.glob("requests-*.jsonl") if _OURS.fullmatch(path.name))
    for path in files:
        if not _is_export(path):
            raise DataError(f"{path}: not from an export of requests; move it away, or choose another folder")
    return files


def import_batch(
    files: Sequence[Path],
    questions: Iterable[Question[Any]],
    store: ReplyStore,
    ledger: Ledger | None = None,
    max_tokens: int | None = None,
) -> Imported:
    """Take the replies in output and error files into the store; to do so twice changes nothing.

    A reply that is an answer takes the place of a stored one that is none, so that what was filled in by hand can be
    mended.

    Args:
        files: Output and error files of OpenAI's Batch API or of ``vllm run-batch``, in any order.
        questions: Every question that the recipe asks, answered or not.
        store: Where replies go.
        ledger: Where it is entered what the kept replies cost; None where that was set aside when they were sent.
        max_tokens: How long a reply could become, for those that do not tell what they took.

    Raises:
        DataError: A file cannot be read, or none of its replies belongs to these requests.
    """
    with store, _Import(files, store, max_tokens) as taken:
        taken.look_through()
        try:
            for question in questions:
                taken.meet(question)
        finally:  # what is kept will never be new again
            if ledger is not None:
                taken.enter(ledger)
        return taken.result()


class _Place(NamedTuple):
    """Where the reply to a request lies, and what it is worth.

    Attributes:
        worth: As `Outcome.worth`.
        file: Which file, counted from 0.
        offset: In bytes.
        number: That of the line, counted from 1.
        lines: How many lines in all are for this request.
    """

    worth: int
    file: int
    offset: int
    number: int
    lines: int

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        return cls(*_PLACE.unpack(packed))

    def packed(self) -> bytes:
        return _PLACE.pack(*self)


class _Import:
    """An import under way: first all files are looked through, then the questions are met with what was found."""

    def __init__(self, files: Sequence[Path], store: ReplyStore, max_tokens: int | None) -> None:
        self._files = files
        self._store = store
        self._max_tokens = max_tokens
        self._places = DiskMap[bytes]()
        self._met = DiskMap[int]()
        self._whole = Counter[int]()
        self._matched = set[int]()
        self._known = 0
        self._counts = Counter[str]()
        self._named: dict[str, list[str]] = {}
        # A refusal is a request's own fault only where others are answered; else key, model or dialect are to blame.
        self._answered = False
        self._tokens: Tokens | None = NO_TOKENS
        self._fresh: Tokens | None = NO_TOKENS
        self._worst = NO_TOKENS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._places.close()
        self._met.close()

    def look_through(self) -> None:
        """Note where the best line for each custom_id lies, and what cannot be read."""
        for file, path in enumerate(self._files):
            for number, offset, line in output_lines(path):
                try:
                    said = outcome(line)
                except DataError as error:
                    self._count("broken", f"{path}:{number}: {error}")
                    continue
                self._whole[file] += 1
                self._answered |= said.worth == ANSWER
                if said.failure:
                    self._name("failed", f"{path}:{number}: {said.failure}")
                self._tokens = summed(self._tokens, said.tokens)
                self._note(said.custom_id, _Place(said.worth, file, offset, number, 1))

    def meet(self, question: Question[Any]) -> None:
        """Give a question its reply, and where that is no answer its correction another, as far as there are any.

        A question that comes twice counts once.
        """
        key = content_key(question.body)
        if self._met.get(key) is not None:
            return
        reply = self._settle(key, question.body, question)
        if reply is None or reply.completion is None:
            return
        answer = read_answer(question, reply)
        if answer.rejected is not None:
            again = correction(question.body, answer.reply or "", answer.rejected)
            if self._settle(content_key(again), again, question) is None:
                self._counts["corrections"] += 1
                self._name_unusable(key, question)

    def enter(self, ledger: Ledger) -> None:
        """Enter what the replies cost that were not in the store before."""
        requests = self._counts["kept"] + self._counts["refused"]
        if requests:
            ledger.enter_batch(self._fresh, self._worst, requests)

    def result(self) -> Imported:
        """What came of it, once every request was met.

        Raises:
            DataError: A file holds no reply to any of them.
        """
        for file, path in enumerate(self._files):
            lines = self._whole[file]
            if lines and file not in self._matched and sum(1 for _ in self._unmet(path)) == lines:
                raise DataError(
                    f"{path}: none of its {lines:,} replies is to a request of this recipe; expected the "
                    "output of requests that it exported, with the same texts, model, labels and prompt version"
                )
        unknown = self._whole.total() - self._known
        if unknown:
            self._named["unknown"] = list(islice(chain.from_iterable(map(self._unmet, self._files)), _NAMED))
        named = tuple(chain.from_iterable(self._named.values()))
        return Imported(**self._counts, unknown=unknown, tokens=self._tokens, named=named)

    def _note(self, custom_id: str, place: _Place) -> None:
        key = named_key(custom_id)
        if key is None:
            return
        before = self._place(key)
        if before is not None:
            better = place if place.worth > before.worth else before
            place = better._replace(lines=before.lines + 1)
        self._places.put(key, place.packed())

    def _settle(self, key: bytes, body: Body, question: Question[Any]) -> Reply | None:
        """The reply to a request: the stored one, or one in the files where the store has none, or only a useless one.

        The request is the question's own, or the correction of the reply to that.
        """
        self._met.put(key, 1)
        reply = self._store.find(key)
        self._answered |= reply is not None and reply.completion is not None
        place = self._place(key)
        if place is not None:
            self._matched.add(place.file)
            self._known += place.lines
            fresh = reply is None or (
                not _is_answered(question, reply) and _is_answered(question, self._reply_at(place))
            )
            self._counts["repeated"] += place.lines - fresh
            if fresh:
                reply = self._keep(key, body, place) or reply
        self._counts["missing"] += reply is None
        return reply

    def _keep(self, key: bytes, body: Body, place: _Place) -> Reply | None:
        """The reply at a place, once it is in the store; None where nothing there is worth keeping."""
        path = self._files[place.file]
        said = outcome_at(path, place.offset)
        reply = said.reply
        if reply is None or (reply.completion is None and not self._answered):
            self._counts["failed"] += 1
            return None
        try:
            self._store.keep(key, body, reply)
        except RecursionError:
            self._count("broken", f"{path}: the reply to {key.hex()} is nested too deeply to be kept")
            return None
        self._counts["kept" if reply.refused is None else "refused"] += 1
        self._fresh = summed(self._fresh, said.tokens)
        self._worst = self._worst.plus(_request_line(body, Dialect().spoken(body, self._max_tokens)).worst)
        return reply

    def _place(self, key: bytes) -> _Place | None:
        packed = self._places.get(key)
        return None if packed is None else _Place.unpacked(packed)

    def _reply_at(self, place: _Place) -> Reply | None:
        return outcome_at(self._files[place.file], place.offset).reply

    def _name_unusable(self, key: bytes, question: Question[Any]) -> None:
        """Say why the reply in the files is none that can be used, if there is one."""
        place = self._place(key)
        if place is not None and (reply := self._reply_at(place)) is not None:
            reason = shown(str(read_answer(question, reply).rejected))
            self._name("corrections", f"{self._files[place.file]}:{place.number}: {reason}")

    def _unmet(self, path: Path) -> Iterator[str]:
        """The lines of a file for requests that the recipe does not ask."""
        for number, _, line in output_lines(path):
            try:
                custom_id = outcome(line).custom_id
            except DataError:
                continue
            key = named_key(custom_id)
            if key is None or self._met.get(key) is None:
                yield f"{path}:{number}: for the request {shown(custom_id)!r}, which this recipe does not ask"

    def _count(self, kind: str, where: str) -> None:
        self._counts[kind] += 1
        self._name(kind, where)

    def _name(self, kind: str, where: str) -> None:
        named = self._named.setdefault(kind, [])
        if len(named) < _NAMED:
            named.append(where)


class _Line(NamedTuple):
    """One line of a request file, and the most tokens that its request can read and write."""

    text: str
    worst: Tokens


def _request_line(body: Body, wire: Mapping[str, Any]) -> _Line:
    line = {"custom_id": content_key(body).hex(), "method": "POST", "url": URL, "body": wire}
    payload = json.dumps(wire, ensure_ascii=False).encode("utf-8")
    return _Line(json.dumps(line, ensure_ascii=False) + "\n", worst_case(wire, payload))


def _numbered(requests: Iterable[_Line], most: int, size: int) -> Iterator[tuple[int, _Line]]:
    """Each line with the number of the file that it goes into, counted from 1."""
    number, lines, written = 1, 0, 0
    for line in requests:
        taken = len(line.text.encode("utf-8"))
        if taken > size:
            raise DataError(f"a request of {taken:,} bytes; a batch file may hold {size:,}: leave out such long texts")
        if lines == most or written + taken > size:
            number, lines, written = number + 1, 0, 0
        yield number, line
        lines, written = lines + 1, written + taken


def _is_answered(question: Question[Any], reply: Reply | None) -> bool:
    """Whether a reply is an answer to a question."""
    return reply is not None and read_answer(question, reply).rejected is None


def _is_export(path: Path) -> bool:
    """Whether a file begins as an export does."""
    start = b'{"custom_id": "'
    try:
        with path.open("rb") as file:
            line = file.read(len(start) + 64)
    except OSError:
        return False
    return line.startswith(start) and named_key(line[len(start) :].decode("ascii", "replace")) is not None
