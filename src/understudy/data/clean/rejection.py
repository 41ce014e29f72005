"""A row that is left out of training: it stays in the stream, with the reason in its meta."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from understudy.example import Example


def is_rejected(example: Example) -> bool:
    """Whether an earlier stage gave a reason to leave the example out."""
    return "rejected" in example.meta


def rejected(example: Example, reason: str, **details: object) -> Example:
    """The same example with the reason to leave it out, and what a person would want to know beside it."""
    return replace(example, meta={**example.meta, "rejected": reason, **details})


def is_exempt(example: Example) -> bool:
    """Whether nothing is to be asked of the example: it is out already, or a test row, which is the yardstick."""
    return is_rejected(example) or example.source == "test"


def reject(examples: Iterable[Example], reason: Callable[[Example], str | None]) -> Iterator[Example]:
    """The examples, each for which there is a reason with that reason."""
    for example in examples:
        found = None if is_exempt(example) else reason(example)
        yield example if found is None else rejected(example, found)
