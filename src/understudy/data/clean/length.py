"""Texts that are too short or too long to learn from."""

from collections.abc import Iterable, Iterator

from understudy.data.clean.rejection import reject
from understudy.example import Example


def reject_by_length(examples: Iterable[Example], min_chars: int, max_chars: int) -> Iterator[Example]:
    """Reject texts of fewer than ``min_chars`` characters (but for outer white space) or of ``max_chars`` and more."""

    def reason(example: Example) -> str | None:
        if len(example.text) >= max_chars:
            return "too long"
        return "too short" if len(example.text.strip()) < min_chars else None

    return reject(examples, reason)
