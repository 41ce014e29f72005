"""Texts as pieces that make them again, and the vocabulary that a text extends by its own words."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from understudy.errors import ModelError
from understudy.example import whole
from understudy.scripts import UNSPACED
from understudy.segments import words
from understudy.students.words import UNKNOWN, Vocabulary, most_frequent

END, LINE, JOINT = 2, 3, 4
"""The numbers of the piece that ends a text, with which what is written begins too, of a line break, and of a joint."""

_END, _LINE, _JOINT = "", "\n", " "
_MARKS = [_END, _LINE, _JOINT]
_JOINED = re.compile(rf"[^\W{UNSPACED}]")
"""The beginning of a word that usually has a space before it."""
_LONGEST = 64
"""Characters of a word that are kept: no word is longer, and hostile texts are."""

_RARE = 2
"""A word must occur so often to be known: the others are what copying is learned from."""


class Reading(NamedTuple):
    """A text to write from.

    Attributes:
        ids: The number of each piece; a stranger's lies beyond the vocabulary.
        strangers: Pieces that the vocabulary lacks, in the order of their numbers.
    """

    ids: list[int]
    strangers: list[str]


class OpenVocabulary:
    """Known pieces, and for the time of one text its unknown ones (See, Liu and Manning 2017).

    Args:
        known: The pieces; the first three are the end of a text, a line break and a joint.
    """

    def __init__(self, known: Vocabulary) -> None:
        self.known = known

    @classmethod
    def of(cls, texts: Iterable[str], size: int, longest: int) -> "OpenVocabulary":
        """The most frequent pieces in the beginnings of some texts, at most ``size``."""
        found = (piece for text in texts for piece in pieces(text, longest) if piece not in _MARKS)
        return cls(Vocabulary([*_MARKS, *most_frequent(found, size, _RARE)]))

    @classmethod
    def from_json(cls, value: object) -> "OpenVocabulary":
        """The vocabulary in a model folder.

        Raises:
            ModelError: It is not a list of different pieces that begins as all such do.
        """
        known = Vocabulary.from_json(value)
        if known.words[: len(_MARKS)] != _MARKS:
            raise ModelError("the vocabulary does not begin with the end of a text, a line break and a joint")
        return cls(known)

    def read(self, text: str, longest: int) -> Reading:
        """The first pieces of a text, its strangers numbered in the order of their appearance."""
        strangers: dict[str, int] = {}
        ids = [
            number if number != UNKNOWN else len(self.known) + strangers.setdefault(piece, len(strangers))
            for piece, number in self._numbered(text, longest)
        ]
        return Reading(ids, list(strangers))

    def wanted(self, target: str, strangers: Sequence[str], longest: int) -> list[int]:
        """What is to be written of a text with these strangers; other unknown words are the unknown word."""
        numbers = {piece: number for number, piece in enumerate(strangers, start=len(self.known))}
        ids = [numbers.get(piece, number) for piece, number in self._numbered(target, longest)]
        return [*ids, END][:longest]

    def text(self, ids: Iterable[int], strangers: Sequence[str]) -> str:
        """The text that was written from one with these strangers."""
        first = len(self.known) - len(self.known.words)
        every = [*self.known.words, *strangers]
        return joined(every[number - first] for number in ids)

    def _numbered(self, text: str, longest: int) -> Iterator[tuple[str, int]]:
        return ((piece, self.known.number(piece)) for piece in pieces(text, longest))


def pieces(text: str, longest: int) -> list[str]:
    """The first words and marks of a text, each with a space before it if it does not follow the last one closely.

    The first of a text or line counts as if a space stood before it, and a word that follows a mark closely comes after
    a joint, so that a word is the same piece everywhere and can be copied to anywhere. Line breaks are pieces as well;
    other space is as good as a single one.
    """
    text = whole(text.lstrip()[: longest * _LONGEST])
    found: list[str] = []
    end = 0
    for start, stop in words(text):
        gap = text[end:start]
        if _LINE in gap:
            found.append(_LINE)
        if found and not gap and _JOINED.match(text, start):
            found.append(_JOINT)
        is_apart = gap or not found or found[-1] == _JOINT
        found.append((" " if is_apart else "") + text[start : min(stop, start + _LONGEST)])
        end = stop
    return found[:longest]


def joined(some: Iterable[str]) -> str:
    """The text that pieces make."""
    return "".join(some).replace(f"{_JOINT} ", "").replace(f"{_LINE} ", _LINE).strip()
