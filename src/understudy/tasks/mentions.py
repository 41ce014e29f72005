"""Where in a text the mentions stand that a reply lists: from strings back to characters.

Models count characters badly, so a reply is not asked for offsets: it copies each mention, in the order of the text,
and the text is read from left to right beside it.
"""

import re
from collections.abc import Iterator, Sequence

from understudy.errors import ParseError
from understudy.example import Span
from understudy.tasks.ngrams import n_grams
from understudy.tasks.scripts import HANGUL, UNSPACED
from understudy.words import quoted

_WORD = re.compile(rf"[^\W{UNSPACED}{HANGUL}]+")
"""Letters that run on, in scripts where a name ends with its word."""
_COMPARED, _SEARCHED = 100, 20_000
"""So many characters of a mention are compared, and of a text searched, for the closest passage."""
_ALIKE = 0.5
"""A passage that is less like the mention helps nobody."""


def align(mentions: Sequence[tuple[str, str]], text: str) -> tuple[Span, ...]:
    """The spans of mentions in a text, sorted.

    Each mention goes to its next occurrence after those placed before it. One that is out of order goes to its free
    occurrence, where it has just one. Whole words come first: ``Iran`` is not looked for in ``Iranian`` while a whole
    ``Iran`` is to be had.

    Args:
        mentions: Text and type of each, in the order in which they stand in the text.
        text: What they were copied from.

    Raises:
        ParseError: A mention is not in the text, overlaps another, or could stand in several places.
    """
    reading = _Reading(text)
    return tuple(sorted(Span(*reading.place(mention), type_) for mention, type_ in mentions))


class _Reading:
    """A text as it is read from left to right, and what of it has been marked so far."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = 0
        self._taken = bytearray(len(text))
        self._within_a_word = bytearray(len(text) + 1)
        for word in _WORD.finditer(text):
            self._within_a_word[word.start() + 1 : word.end()] = b"\1" * (len(word[0]) - 1)

    def place(self, mention: str) -> tuple[int, int]:
        """Mark a mention, and tell where it begins and ends."""
        if not mention or mention != mention.strip():
            raise ParseError(f"the mention {quoted(mention)} is empty or edged with spaces; expected the name alone")
        start = self._start(mention)
        stop = start + len(mention)
        self._taken[start:stop] = b"\1" * len(mention)
        self._end = max(self._end, stop)
        return start, stop

    def _start(self, mention: str) -> int:
        for occurrences in (self._whole_words, self._anywhere):
            following = next(occurrences(mention, self._end), None)
            if following is not None:
                return following
            free = [start for start in occurrences(mention, 0) if self._is_free(start, start + len(mention))]
            if len(free) == 1:
                return free[0]
            if free:
                raise ParseError(f"{quoted(mention)} is out of order, and could stand in any of {len(free)} places")
        raise ParseError(_absence(mention, self._text))

    def _whole_words(self, mention: str, begin: int) -> Iterator[int]:
        """Where a mention begins, from a place on, without beginning or ending within a word."""
        at = self._text.find(mention, begin)
        while at >= 0:
            if not self._within_a_word[at] and not self._within_a_word[at + len(mention)]:
                yield at
            at = self._text.find(mention, self._within_a_word.find(0, at + 1))

    def _anywhere(self, mention: str, begin: int) -> Iterator[int]:
        at = self._text.find(mention, begin)
        while at >= 0:
            yield at
            at = self._text.find(mention, at + 1)

    def _is_free(self, start: int, stop: int) -> bool:
        return self._taken.find(1, start, stop) < 0


def closest_passage(mention: str, text: str) -> str | None:
    """The passage of whole words that is most like a mention, whatever the order of its words; None if none is alike.

    Likeness is the Dice coefficient of the pairs of neighbouring characters, upper and lower case being one.
    """
    mention, text = mention[:_COMPARED], text[:_SEARCHED]
    wanted = n_grams(mention.casefold(), 2)
    words = [found.span() for found in re.finditer(r"\w+", text)]
    length = len(re.findall(r"\w+", mention))
    best, passage = _ALIKE, None
    for size in range(max(1, length - 1), length + 2):
        for (start, _), (_, stop) in zip(words, words[size - 1 :], strict=False):
            found = n_grams(text[start:stop][: 2 * _COMPARED].casefold(), 2)
            likeness = 2 * (wanted & found).total() / max(wanted.total() + found.total(), 1)
            if likeness > best:
                best, passage = likeness, text[start:stop]
    return passage


def _absence(mention: str, text: str) -> str:
    """Why a mention has no place in a text."""
    if mention in text:
        return f"{quoted(mention)} is listed more often than it stands in the text, or overlaps another"
    closest = closest_passage(mention, text)
    hint = f"the closest passage is {quoted(closest)}" if closest else "expected a copy, character for character"
    return f"{quoted(mention)} does not stand in the text; {hint}"
