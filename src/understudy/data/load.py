"""The team's files, read into examples and checked: what is wrong with them is said before anything is spent."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

from understudy.data.columns import NoColumn, cell
from understudy.data.disk_map import DiskMap
from understudy.data.entities.formats import (
    Format,
    Row,
    check_holds_entities,
    has_columns,
    is_unmarked,
    place,
    read,
    recognise,
)
from understudy.data.entities.marked import Types, renamed, unknown_types
from understudy.data.faults import Faults
from understudy.data.files import is_same, read_examples, read_rows
from understudy.errors import DataError
from understudy.example import Example, Source, Target, is_whole, target_to_json
from understudy.tasks.task import Task, types_of
from understudy.words import quoted
from understudy.words import target as shown

Repeats = Literal["refuse", "leave_out"]
"""What becomes of gold rows whose text also stands in the test set, or has two targets."""

_SHOWN = 10
"""How many types are listed that a task does not have."""
_OR = "; or set data.repeats: leave_out in the recipe, which leaves such rows of gold out"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the data files are laid out.

    Attributes:
        columns: What the columns are called, where there are any.
        format: What a file is that does not tell by itself.
        types: What the types of entities in the files are called in the task; None leaves those entities out.
        documents: Whether the sentences of a document in CoNLL columns are one text.
    """

    columns: Columns = Columns()
    format: Mapping[str, Format] = field(default_factory=dict)
    types: Types = field(default_factory=dict)
    documents: bool = False

    def format_of(self, source: Source, path: Path, task: Task) -> Format | None:
        """What a file is; None where its ending says all, since the task has no entities."""
        return self.format.get(source) or (recognise(path) if task.form == "spans" else None)


def load_examples(
    files: Mapping[Source, Path], layout: Layout, task: Task, repeats: Repeats = "refuse"
) -> Iterator[Example]:
    """Every row of the files as an example, one at a time; gold and test with their targets.

    Args:
        files: Where the gold, pool and test rows are.
        layout: How they are laid out.
        task: Reads the targets.
        repeats: Whether a gold row whose text also stands in the test set or has two targets is a mistake, or is
            given with the reason to leave it out under ``rejected`` in its meta.

    Raises:
        DataError: A file cannot be read or is empty; a row lacks a column or holds no text or no valid target; an id
            stands twice; a text of the test set also stands in gold; or gold gives a text two targets. Raised at the
            end, for all mistakes together; those that all rows share are raised at once.
    """
    if "gold" in files and "test" in files and is_same(files["gold"], files["test"]):
        raise DataError(
            f"{files['gold']}: gold and test are the same file; a test text must not be learned from: divide its rows"
        )
    faults = Faults()
    texts = _Texts(_two_targets(files["gold"], layout, task) if "gold" in files and repeats == "leave_out" else None)
    with _Ids(list(files.values())) as ids:
        for source, path in sorted(files.items(), key=lambda file: file[0] != "test"):  # it decides the leaks
            for found in _examples(source, path, layout, task, ids, texts):
                if isinstance(found, Example):
                    yield found
                else:
                    faults.add(found)
    faults.tell()


def _examples(
    source: Source, path: Path, layout: Layout, task: Task, ids: "_Ids", texts: "_Texts"
) -> Iterator[Example | DataError]:
    """The rows of one file; for one that is wrong, what is wrong with it."""
    number, strange = 0, Counter[str]()
    try:
        file = _File(source, layout.format_of(source, path, task), layout, task)
        if source != "pool":
            check_holds_entities(path, file.format)
        for number, row in file.rows(path):
            where = place(path, number)
            try:
                example = file.example(row, number)
                ids.check(example.id, path, number)
                yield texts.checked(example, where)
            except NoColumn as error:
                raise DataError(f"{where}: {error}") from None
            except _UnknownTypes as error:
                strange.update(error.types)
            except DataError as error:
                yield DataError(f"{where}: {error}")
        if number == 0:
            raise DataError(f"{path}: the file is empty; expected {source} rows")
    except DataError as error:
        yield error
    if strange:
        yield DataError(f"{path}: {_UnknownTypes(strange, task)}")


def read_labelled(path: Path, task: Task, source: Source | None = None) -> Iterator[Example]:
    """The examples in a file of a run folder that are to be learned from, one at a time: a person may have edited it.

    Their targets are as the task has them, whatever the person's order of spans was.

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
            for label in example.soft or ():
                task.read(label, example.text)
            yield replace(example, target=task.read(target_to_json(example.target), example.text))
        except DataError as error:
            raise DataError(f"{where}: {error}") from None


@dataclass(frozen=True, slots=True)
class _File:
    """What is known of a file before it is read.

    Attributes:
        source: What its rows are.
        format: What it is; None where its ending says all.
        layout: How files are laid out.
        task: Reads the targets.
    """

    source: Source
    format: Format | None
    layout: Layout
    task: Task

    @property
    def has_columns(self) -> bool:
        """Whether its columns are called as the layout says."""
        return self.format is None or has_columns(self.format)

    def rows(self, path: Path) -> Iterator[Row]:
        """The rows with their numbers; for one that cannot be read, what is wrong with it."""
        if self.format is None:
            return iter(read_rows(path))
        return read(path, self.format, text=self.layout.columns.text, documents=self.layout.documents)

    def example(self, row: Mapping[str, Any] | DataError, number: int) -> Example:
        """The example in a row."""
        if isinstance(row, DataError):
            raise row
        columns = self.layout.columns if self.has_columns else Columns()
        text = _text(row, columns)
        target = None if self.source == "pool" else self._target(row, columns, text)
        name = row.get(columns.id)
        name = f"{self.source}-{number}" if name is None else str(name)
        if not is_whole(name):
            raise DataError("the id is not valid Unicode (it holds half a character); re-export the file")
        return Example(id=name, text=text, target=target, source=self.source)

    def _target(self, row: Mapping[str, Any], columns: Columns, text: str) -> Target:
        if self.format is not None and is_unmarked(row, self.format):
            raise DataError("nobody has marked entities in this text; mark them, or leave the text out")
        value = renamed(_cell(row, columns, "target"), self.layout.types)
        strange = Counter(unknown_types(value, types_of(self.task))) if self.task.form == "spans" else None
        if strange:
            raise _UnknownTypes(strange, self.task)
        try:
            return self.task.read(value, text)
        except DataError as error:
            column = f"column {columns.target!r}: " if self.has_columns else ""
            raise DataError(f"{column}{error}") from None


def _text(row: Mapping[str, Any], columns: Columns) -> str:
    text = _cell(row, columns, "text")
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"the column {columns.text!r} holds no text (found {quoted(text)})")
    if not is_whole(text):
        raise DataError("the text is not valid Unicode (it holds half a character); re-export the file")
    return text


def _cell(row: Mapping[str, Any], columns: Columns, role: Literal["text", "target"]) -> Any:
    advice = f"set data.columns.{role} in the recipe"
    return cell(row, getattr(columns, role), advice, (columns.id, columns.text, columns.target))


class _UnknownTypes(DataError):
    """Entities are of types that the task does not have, which is told once for a file."""

    def __init__(self, types: Mapping[str, int], task: Task) -> None:
        self.types = types
        found = ", ".join(f"{quoted(type_)} ({count:,} times)" for type_, count in Counter(types).most_common(_SHOWN))
        super().__init__(
            f"entities of types that are not the task's: {found}; expected {', '.join(types_of(task))}: rename them "
            "under data.types in the recipe, or leave them out there (their type: null)"
        )


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
                f"the id {name!r} stands twice, first in {place(self._files[file], line)}; expected unique ids"
            )
        self._places.put(key, number * len(self._files) + self._files.index(path))


class _Texts:
    """The texts of test and gold, so that no text is both, or has two targets; digests, since files can be large.

    A text of the pool that is also in the test set is no mistake: it is left out and counted before it is asked about.

    Args:
        contradicted: The texts of gold with two targets, which are left out, as those of the test set are; None where
            either is a mistake.
    """

    def __init__(self, contradicted: Collection[bytes] | None) -> None:
        self._contradicted = contradicted
        self._test: dict[bytes, str] = {}
        self._gold: dict[bytes, tuple[Target | None, str, str]] = {}

    def checked(self, example: Example, where: str) -> Example:
        """The row, with a reason to leave it out where there is one."""
        from understudy.data.clean.rejection import rejected  # its package needs this module

        key = text_key(example.text)
        if example.source == "test":
            self._test[key] = where
        if example.source != "gold":
            return example
        if self._contradicted is None:
            self._refuse(example, key, where)
        elif key in self._test:
            return rejected(example, "stands in test")
        elif key in self._contradicted:
            return rejected(example, "two targets for one text")
        return example

    def _refuse(self, example: Example, key: bytes, where: str) -> None:
        """Refuse a row of gold that may not stand there."""
        if key in self._test:
            raise DataError(
                f"this text also stands in the test set ({self._test[key]}); a test text must not be learned from: "
                f"remove it from one of them{_OR}"
            )
        said = quoted(shown(example.to_json().get("target"), example.text))
        first, said_first, before = self._gold.setdefault(key, (example.target, said, where))
        if first != example.target:
            raise DataError(
                f"the target {said}, but the same text has {said_first} in {before}; expected one target for a text: "
                f"correct one of them, or remove both{_OR}"
            )


def _two_targets(path: Path, layout: Layout, task: Task) -> set[bytes]:
    """The texts of gold that have two targets; what is wrong with the file is told when it is read in earnest."""
    first: dict[bytes, Target | None] = {}
    with _Ids([path]) as ids:
        rows = (row for row in _examples("gold", path, layout, task, ids, _Texts(())) if isinstance(row, Example))
        return {key for row in rows if first.setdefault(key := text_key(row.text), row.target) != row.target}


def text_key(text: str) -> bytes:
    """What two texts share that differ at most in case and white space."""
    return _digest(folded(text))


def folded(text: str) -> str:
    """A text without what texts that count as equal may differ in: its case, and how much white space is where."""
    return " ".join(text.casefold().split())


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
