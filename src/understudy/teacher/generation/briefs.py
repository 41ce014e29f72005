"""Briefs: what each text is to be written for, out of targets that exist or out of a balanced design."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from understudy.data.files import read_rows
from understudy.data.load import Columns
from understudy.errors import DataError
from understudy.example import Example, Target
from understudy.registry import unknown
from understudy.tasks.task import Task
from understudy.teacher.generation.design import Attribute, design


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What one request asks a text for.

    Attributes:
        target: What the text shall become; None where the teacher is asked for that once it is written.
        text: The text that the target was taken from, which entity spans point into.
        attributes: Further properties of the text, by name.
        origin: The id of the row that the target was taken from, if it was.
    """

    target: Target | None = None
    text: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    origin: str | None = None


def of_design(attributes: Sequence[Attribute], labels: Iterable[str], requests: int, seed: int) -> Iterator[Brief]:
    """Briefs for every label alike, spread over the attributes; without labels, for texts whose target is open."""
    for label, values in design(attributes, list(labels), requests, seed):
        yield Brief(target=label, attributes=values)


def of_examples(examples: Iterable[Example]) -> Iterator[Brief]:
    """A brief for the target of each example that has one."""
    for example in examples:
        if example.target is not None:
            yield Brief(target=example.target, text=example.text, origin=example.id)


def of_file(path: Path, columns: Columns, task: Task) -> Iterator[Brief]:
    """A brief for the target in each row of a data file, which needs no text unless targets point into it.

    Raises:
        DataError: The file cannot be read, or a row has no valid target.
    """
    for number, row in read_rows(path):
        if columns.target not in row:
            raise DataError(f"{path}:{number}: {unknown('column', columns.target, row)}; set data.columns.target")
        text, name = row.get(columns.text), row.get(columns.id)
        text = text if isinstance(text, str) else ""
        try:
            target = task.read(row[columns.target], text)
        except DataError as error:
            raise DataError(f"{path}:{number}: column {columns.target!r}: {error}") from None
        yield Brief(target=target, text=text, origin=f"{path.stem}-{number}" if name is None else str(name))


def repeated(briefs: Callable[[], Iterable[Brief]], requests: int) -> Iterator[Brief]:
    """So many briefs: the first ones, or all of them again and again.

    Args:
        briefs: Gives all of them, each time that it is called.
        requests: How many.

    Raises:
        DataError: There are none.
    """
    rounds = itertools.chain.from_iterable(_at_least_one(briefs()) for _ in itertools.count())
    return itertools.islice(rounds, requests)


def spread(briefs: Iterable[Brief], attributes: Sequence[Attribute], requests: int, seed: int) -> Iterator[Brief]:
    """At most so many briefs, each with a value for each attribute."""
    for brief, (_, values) in zip(briefs, design(attributes, (), requests, seed), strict=False):
        yield replace(brief, attributes=values)


def _at_least_one(briefs: Iterable[Brief]) -> Iterator[Brief]:
    empty = True
    for brief in briefs:
        empty = False
        yield brief
    if empty:
        raise DataError("there is no target to write texts for; expected rows with targets in gold, or a file of them")
