"""Where in a text the mentions stand that a reply lists: from strings back to characters.

Models count characters badly, so a reply is not asked for offsets: it copies each mention, in the order of the text,
and the text is read from left to right beside it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from understudy.errors import ParseError
from understudy.example import Span
from understudy.scripts import HANGUL, UNSPACED, letters
from understudy.segments import Bounds
from understudy.tasks.ngrams import n_grams
from understudy.words import quoted

_WORD = re.compile(letters(without=UNSPACED + HANGUL))
"""Letters that run on, in scripts where a name ends with its word."""
_LETTERS = re.compile(letters())
"""The same in any script."""
_COMPARED, _SEARCHED = 100, 20_000
"""So many characters of a mention are compared, and of a text searched, for the closest passage."""
_ALIKE_MARKS = ("'’‘`´", '"“”„«»', "-‐‑–—")
"""Marks that are exchanged in copying."""
_ALIKE = 0.5
"""A passage that is less like the mention helps nobody."""


def align(mentions: Sequence[tuple[str, str]], text: str) -> tuple[Span, ...]:
    """The spans of mentions in a text, sorted.

    Each mention goes to its next occurrence after those placed before it. One that is out of order goes to its free
    occurrence, where it has just one. Whole words come first: ``Iran`` is not looked for in ``Iranian`` while a whole
    ``Iran`` is to be had. A mention that stands nowhere as it was written goes to whole words that differ from it only
    in case, white space, the form of quotes and dashes, or how accents are encoded.

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
        if not mention.strip():
            raise ParseError(f"the mention {quoted(mention)} is empty; expected a name")
        start, stop = self._found(mention.strip())
        self._taken[start:stop] = b"\1" * (stop - start)
        self._end = max(self._end, stop)
        return start, stop

    def _found(self, mention: str) -> Bounds:
        stands = next(self._anywhere(mention, 0), None) is not None
        for occurrences in (self._whole_words, self._anywhere) if stands else (self._drifted,):
            following = next(occurrences(mention, self._end), None)
            if following is not None:
                return following
            free = [bounds for bounds in occurrences(mention, 0) if self._is_free(*bounds)]
            if len(free) == 1:
                return free[0]
            if free:
                raise ParseError(f"{quoted(mention)} is out of order, and could stand in any of {len(free)} places")
        raise ParseError(_taken(mention) if stands else _absence(mention, self._text))

    def _whole_words(self, mention: str, begin: int) -> Iterator[Bounds]:
        """Where a mention stands, from a place on, without beginning or ending within a word."""
        at = self._text.find(mention, begin)
        while at >= 0:
            if self._is_whole(at, at + len(mention)):
                yield at, at + len(mention)
            at = self._text.find(mention, self._within_a_word.find(0, at + 1))

    def _anywhere(self, mention: str, begin: int) -> Iterator[Bounds]:
        """Where a mention stands, from a place on, without ending within a letter."""
        at = self._text.find(mention, begin)
        while at >= 0:
            if not self._goes_on(at + len(mention)):
                yield at, at + len(mention)
            at = self._text.find(mention, at + 1)

    def _drifted(self, mention: str, begin: int) -> Iterator[Bounds]:
        """Where whole words stand, from a place on, that a mention is a free copy of."""
        if len(mention) > _COMPARED:
            return
        for found in _free_copy(mention).finditer(self._text, begin):
            if self._is_whole(*found.span()):
                yield found.span()

    def _is_whole(self, start: int, stop: int) -> bool:
        return not self._within_a_word[start] and not self._within_a_word[stop] and not self._goes_on(stop)

    def _goes_on(self, stop: int) -> bool:
        """Whether an accent, a vowel sign or the like stands here, which belongs to the letter before it."""
        return unicodedata.category(self._text[stop : stop + 1] or " ").startswith("M")

    def _is_free(self, start: int, stop: int) -> bool:
        return self._taken.find(1, start, stop) < 0


def _free_copy(mention: str) -> re.Pattern[str]:
    """What a mention may be a copy of, but for case, white space, quotes, dashes and the encoding of accents."""
    forms = {unicodedata.normalize(form, mention) for form in ("NFC", "NFD")}
    return re.compile("|".join(map(_loosely, sorted(forms))), re.IGNORECASE)


def _loosely(mention: str) -> str:
    return r"\s+".join("".join(map(_like, word)) for word in mention.split())


def _like(character: str) -> str:
    alike = next((some for some in _ALIKE_MARKS if character in some), None)
    return f"[{re.escape(alike)}]" if alike else re.escape(character)


def closest_passage(mention: str, text: str) -> str | None:
    """The passage of whole words that is most like a mention, whatever the order of its words; None if none is alike.

    Likeness is the Dice coefficient of the pairs of neighbouring characters, upper and lower case being one, and all
    white space.
    """
    mention, text = mention[:_COMPARED], text[:_SEARCHED]
    wanted = _pairs(mention)
    words = [found.span() for found in _LETTERS.finditer(text)]
    length = len(_LETTERS.findall(mention))
    best, passage = _ALIKE, None
    for size in range(max(1, length - 1), length + 2):
        for (start, _), (_, stop) in zip(words, words[size - 1 :], strict=False):
            found = _pairs(text[start:stop][: 2 * _COMPARED])
            likeness = 2 * (wanted & found).total() / max(wanted.total() + found.total(), 1)
            if likeness > best:
                best, passage = likeness, text[start:stop]
    return passage


def _pairs(text: str) -> Counter[tuple[str, ...]]:
    """The pairs of neighbouring characters, however the text is cased and spaced."""
    return n_grams(" ".join(text.casefold().split()), 2)


def _taken(mention: str) -> str:
    """Why a mention that does stand in the text has no place there."""
    return f"{quoted(mention)} is listed more often than it stands in the text, or overlaps another"


def _absence(mention: str, text: str) -> str:
    """Why a mention that does not stand in a text has no place there."""
    closest = closest_passage(mention, text)
    hint = f"the closest passage is {quoted(closest)}" if closest else "expected a copy, character for character"
    return f"{quoted(mention)} does not stand in the text; {hint}"
