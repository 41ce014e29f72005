"""A row that is left out of training: it stays in the stream, with the reason in its meta."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from understudy.example import Example

_QUOTED = re.compile(r"""(?<!\w)(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"):?(?!\w)""")
"""What was found, quoted as `repr` does it; an apostrophe in a word begins no quotation."""
_KIND = re.compile(r"(?:(?:not an answer|self-check): )?.*?(?=[:;]| \(|$)", re.DOTALL)
"""A reason up to its particulars: what was expected, what somebody said, how often it was asked."""
_READ = 1_000
"""Characters of a reason that are looked at."""


def is_rejected(example: Example) -> bool:
    """Whether an earlier stage gave a reason to leave the example out."""
    return "rejected" in example.meta


def kind_of_rejection(example: Example) -> str:
    """The reason to leave the example out without what is particular to it, so that many can be counted as one.

    ``not an answer: unknown label 'sports'; did you mean 'sport'?`` is of the kind ``not an answer: unknown label …``.
    """
    reason = str(example.meta.get("rejected", "no reason recorded"))
    kind = _KIND.match(_QUOTED.sub("…", reason[:_READ]))
    return kind[0] if kind and kind[0] else reason[:_READ]


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
