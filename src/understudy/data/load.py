"""The team's files, read into examples and checked: what is wrong with them is said before anything is spent."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from understudy.data.disk_map import DiskMap
from understudy.data.files import read_examples, read_rows
from understudy.errors import DataError
from understudy.example import Example, Source, Target, is_whole, target_to_json
from understudy.registry import unknown
from understudy.tasks.task import Task

_SHOWN = 10
"""How many mistakes are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column of the data files holds what.

    Attributes:
        text: The text.
        target: The human label, in gold and test.
        id: The row's name; where a file has no such column, rows are named by their line.
    """

    text: str = "text"
    target: str = "target"
    id: str = "id"


def load_examples(files: Mapping[Source, Path], columns: Columns, task: Task) -> Iterator[Example]:
    """Every row of the files as an example, one at a time; gold and test with their targets.

    Args:
        files: Where the gold, pool and test rows are.
        columns: What their columns are called.
        task: Reads the targets.

    Raises:
        DataError: A file cannot be read or is empty; a row lacks a column or holds no text or no valid target; an id
            stands twice; a text of the test set also stands in gold; or gold gives a text two targets. Raised at the
            end, for all mistakes together.
    """
    problems = _Problems()
    texts = _Texts()
    with _Ids(list(files.values())) as ids:
        for source, path in sorted(files.items(), key=lambda file: file[0] != "test"):  # it decides the leaks
            for found in _examples(source, path, columns, task, ids, texts):
                if isinstance(found, Example):
                    yield found
                else:
                    problems.add(found)
    problems.tell()


def _examples(
    source: Source, path: Path, columns: Columns, task: Task, ids: "_Ids", texts: "_Texts"
) -> Iterator[Example | DataError]:
    """The rows of one file; for one that is wrong, what is wrong with it."""
    number = 0
    try:
        for number, row in read_rows(path):
            where = f"{path}:{number}"
            try:
                example = _example(row, number, source, columns, task, where)
                ids.check(example.id, path, number)
                texts.check(example, where)
            except _NoColumn:  # every row would say the same
                raise
            except DataError as error:
                yield error
            else:
                yield example
        if number == 0:
            raise DataError(f"{path}: the file is empty; expected {source} rows")
    except DataError as error:
        yield error


def read_labelled(path: Path, task: Task, source: Source | None = None) -> Iterator[Example]:
    """The examples in a file of a run folder that are to be learned from, one at a time: a person may have edited it.

    Args:
        path: The file.
        task: What the targets must be valid for.
        source: Only rows from there are looked at; None takes them all.

    Raises:
        DataError: A line is no example record, or has no valid target; the file and the row's id are named.
    """
    for example in read_examples(path):
        if source not in {None, example.source}:
            continue
        where = f"{path}: the row {example.id!r}"
        if example.target is None:
            raise DataError(f"{where} has no target; give it one, or remove the row")
        try:
            for answer in (target_to_json(example.target), *(example.soft or ())):
                task.read(answer, example.text)
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
        yield example


def _example(row: Mapping[str, Any], number: int, source: Source, columns: Columns, task: Task, where: str) -> Example:
    text = _cell(row, columns.text, "text", where)
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"{where}: the column {columns.text!r} holds no text (found {text!r})")
    if not is_whole(text):
        raise DataError(f"{where}: the text is not valid Unicode (it holds half a character); re-export the file")
    target = None
    if source != "pool":
        value = _cell(row, columns.target, "target", where)
        try:
            target = task.read(value, text)
        except DataError as error:
            raise DataError(f"{where}: column {columns.target!r}: {error}") from None
    name = row.get(columns.id)
    name = f"{source}-{number}" if name is None else str(name)
    if not is_whole(name):
        raise DataError(f"{where}: the id is not valid Unicode (it holds half a character); re-export the file")
    return Example(id=name, text=text, target=target, source=source)


def _cell(row: Mapping[str, Any], column: str, role: str, where: str) -> Any:
    if column in row:
        return row[column]
    if len(row) == 1 and ";" in next(iter(row)):
        raise _NoColumn(
            f"{where}: the columns are separated by ';'; expected ',': export the file again, or convert it"
        )
    raise _NoColumn(f"{where}: {unknown('column', column, row)}; set data.columns.{role} in the recipe")


class _NoColumn(DataError):
    """The file has no such column."""


class _Problems:
    """The mistakes in all files, the first of them with their words."""

    def __init__(self) -> None:
        self._first: list[DataError] = []
        self._count = 0

    def add(self, problem: DataError) -> None:
        """Take note of one."""
        self._count += 1
        if len(self._first) < _SHOWN:
            self._first.append(problem)

    def tell(self) -> None:
        """Raise what was found: nothing, the one mistake, or a list of them."""
        if self._count == 1:
            raise self._first[0]
        if self._count:
            shown = "".join(f"\n  {problem}" for problem in self._first)
            rest = self._count - len(self._first)
            more = f"\n  and {rest:,} more" if rest else ""
            raise DataError(f"{self._count:,} mistakes in the data{shown}{more}")


class _Ids:
    """The ids of all rows, so that none stands twice; on the disk, since a pool can be large."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._places: DiskMap[int] = DiskMap()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._places.close()

    def check(self, name: str, path: Path, number: int) -> None:
        """Take note of an id; its place is kept as one number, line times files and then the file."""
        key = _digest(name)
        first = self._places.get(key)
        if first is not None:
            line, file = divmod(first, len(self._files))
            raise DataError(
                f"{path}:{number}: the id {name!r} stands twice, first in {self._files[file]}:{line}; "
                "expected unique ids"
            )
        self._places.put(key, number * len(self._files) + self._files.index(path))


class _Texts:
    """The texts of test and gold, so that no text is both, or has two targets; digests, since files can be large.

    A text of the pool that is also in the test set is no mistake: it is left out and counted before it is asked about.
    """

    def __init__(self) -> None:
        self._test: dict[bytes, str] = {}
        self._gold: dict[bytes, tuple[Target | None, str]] = {}

    def check(self, example: Example, where: str) -> None:
        key = text_key(example.text)
        if example.source == "test":
            self._test[key] = where
        elif example.source == "gold" and key in self._test:
            raise DataError(
                f"{where}: this text also stands in the test set ({self._test[key]}); "
                "a test text must not be learned from: remove it from one of them"
            )
        elif example.source == "gold":
            target, before = self._gold.setdefault(key, (example.target, where))
            if target != example.target:
                raise DataError(
                    f"{where}: the target {example.target!r}, but the same text has {target!r} in {before}; "
                    "expected one target for a text: correct one of them, or remove both"
                )


def text_key(text: str) -> bytes:
    """What two texts share that differ at most in case and white space."""
    return _digest(folded(text))


def folded(text: str) -> str:
    """A text without what texts that count as equal may differ in: its case, and how much white space is where."""
    return " ".join(text.casefold().split())


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
