"""Texts that are too short or too long to learn from."""

from collections.abc import Iterable, Iterator

from understudy.data.clean.rejection import reject
from understudy.example import Example


def reject_by_length(examples: Iterable[Example], min_chars: int, max_chars: int) -> Iterator[Example]:
    """Reject texts of fewer than ``min_chars`` characters (but for outer white space) or of ``max_chars`` and more."""

    def reason(example: Example) -> str | None:
        if (length := len(example.text)) >= max_chars:
            return f"too long ({length:,} characters; expected fewer than clean.max_chars, {max_chars:,})"
        if (length := len(example.text.strip())) < min_chars:
            return f"too short ({length:,} characters; expected at least clean.min_chars, {min_chars:,})"
        return None

    return reject(examples, reason)
