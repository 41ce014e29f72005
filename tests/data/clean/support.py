"""Rows to clean, and what became of them."""

from collections.abc import Iterable

from understudy.data.clean import is_rejected, kind_of_rejection
from understudy.example import Example, Source


def row(name: str, text: str, source: Source = "annotated", target: str | None = None) -> Example:
    return Example(id=name, text=text, source=source, target=target, meta={"kept": 1})


def rows(texts: Iterable[str], source: Source = "annotated") -> list[Example]:
    """A row for each text, named by its number."""
    return [row(str(number), text, source) for number, text in enumerate(texts)]


def reasons(examples: Iterable[Example]) -> list[object]:
    return [example.meta.get("rejected") for example in examples]


def kinds(examples: Iterable[Example]) -> list[str | None]:
    return [kind_of_rejection(example) if is_rejected(example) else None for example in examples]
