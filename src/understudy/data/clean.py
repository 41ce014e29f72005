"""What is kept out of training, each with its reason: nothing vanishes."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from understudy.data.load import text_key
from understudy.example import Example


def screen(examples: Iterable[Example], max_chars: int) -> Iterator[Example]:
    """The texts, each that is not worth the teacher's time with a reason under ``rejected`` in its meta.

    Args:
        examples: Test and pool, in order; of equal texts of the pool the first one counts. Test rows are the yardstick
            and are never left out.
        max_chars: Texts of so many characters or more are too long (2,048 in Ding et al. 2024).
    """
    seen: dict[bytes, str] = {}
    for example in examples:
        key = text_key(example.text)
        if example.source == "test":
            yield example
        elif len(example.text) >= max_chars:
            yield _rejected(example, "too long")
        elif key in seen:
            yield _rejected(example, "duplicate", of=seen[key])
        else:
            seen[key] = example.id
            yield example


def decontaminate(examples: Iterable[Example], held_out: Iterable[Example]) -> Iterator[Example]:
    """The examples, each whose text is also held out with that as the reason: what is learned cannot judge."""
    kept_back = {text_key(example.text): example.id for example in held_out}
    for example in examples:
        key = text_key(example.text)
        if key in kept_back and not is_rejected(example):
            yield _rejected(example, "stands in validation", of=kept_back[key])
        else:
            yield example


def is_rejected(example: Example) -> bool:
    """Whether an earlier stage gave a reason to leave the example out."""
    return "rejected" in example.meta


def _rejected(example: Example, reason: str, **details: object) -> Example:
    return replace(example, meta={**example.meta, "rejected": reason, **details})
