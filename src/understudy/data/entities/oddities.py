"""What is odd in files of entities without being a mistake: people are told of it, and decide."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from understudy.data.entities import conll
from understudy.data.entities.formats import Format
from understudy.example import Span
from understudy.scripts import HANGUL, UNSPACED, letters
from understudy.words import quoted

_IN_WORD = re.compile(letters(UNSPACED + HANGUL))
"""Letters of one word, in scripts whose names are words of their own."""
_AROUND = 15
"""So many characters are shown on either side of an entity."""


class Oddities:
    """What is odd in a file, whose texts are looked at as they are read.

    Args:
        path: The file.
        format_: What it is.
    """

    def __init__(self, path: Path, format_: Format | None) -> None:
        self._path = path
        self._format = format_
        self._cut = 0
        self._first = ""

    def look_at(self, text: str, spans: Iterable[Span]) -> None:
        """Take note of entities that begin or end inside a word, as those do whose offsets are one off."""
        for start, end, _ in spans:
            if _is_cut(text, start) or _is_cut(text, end):
                around = text[max(0, start - _AROUND) : end + _AROUND]
                self._first = self._first or f"{quoted(text[start:end])} in {quoted(around)}"
                self._cut += 1

    def told(self) -> Iterator[str]:
        """One line for each kind, once the file was read.

        Raises:
            DataError: The file cannot be read.
        """
        uneven = conll.uneven(self._path) if self._format == "conll" else None
        if uneven:
            yield uneven
        if self._cut:
            count = f"{self._cut:,} entities begin or end" if self._cut > 1 else "1 entity begins or ends"
            yield f"{self._path}: {count} inside a word, such as {self._first}; see whether offsets are one off"


def _is_cut(text: str, at: int) -> bool:
    """Whether a place in a text is inside a word."""
    return 0 < at < len(text) and _IN_WORD.fullmatch(text, at - 1, at + 1) is not None
