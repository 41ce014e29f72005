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
            stands twice; a text of the test set also stands in gold or pool; or gold gives a text two targets.
    """
    texts = _Texts()
    with _Ids(list(files.values())) as ids:
        for source, path in sorted(files.items(), key=lambda file: file[0] != "test"):  # it decides the leaks
            number = 0
            for number, row in read_rows(path):
                where = f"{path}:{number}"
                example = _example(row, number, source, columns, task, where)
                ids.check(example.id, path, number)
                texts.check(example, where)
                yield example
            if number == 0:
                raise DataError(f"{path}: the file is empty; expected {source} rows")


def read_labelled(path: Path, task: Task) -> Iterator[Example]:
    """The examples in a file of a run folder that are to be learned from, one at a time: a person may have edited it.

    Raises:
        DataError: A line is no example record, or has no valid target; the file and the row's id are named.
    """
    for example in read_examples(path):
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
    if column not in row:
        raise DataError(f"{where}: {unknown('column', column, row)}; set data.columns.{role} in the recipe")
    return row[column]


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
    """The texts of test and gold, so that no text is both, or has two targets; digests, since files can be large."""

    def __init__(self) -> None:
        self._test: dict[bytes, str] = {}
        self._gold: dict[bytes, tuple[Target | None, str]] = {}

    def check(self, example: Example, where: str) -> None:
        key = text_key(example.text)
        if example.source == "test":
            self._test[key] = where
        elif key in self._test:
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
