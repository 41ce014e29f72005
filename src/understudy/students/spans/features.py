"""What taggers without a network see of a word: how it and its neighbours are written, each as a value of some kind.

The kinds are those of the strong feature-based recognisers of CoNLL-2003 (Zhang and Johnson 2003; Ratinov and Roth
2009), as far as they need nothing but the passage.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from understudy.segments import words

Column = tuple[str, list[str]]
"""A kind, and its value for each word in turn."""

_REACH = 2
"""So many neighbours are looked at on either side."""
_LONGEST_AFFIX = 4
_LONGEST_WORD = 64
"""Characters of a word that are looked at: no name is longer."""
_RUN = re.compile(r"(.)\1+", re.DOTALL)


class _Form(NamedTuple):
    """How a word is written.

    Attributes:
        word: As it stands.
        lower: In lower case, every digit as 0.
        shape: Capitals as X, other letters as x, digits as d, a run of them with a plus: ``McKay`` is ``XxXx+``.
    """

    word: str
    lower: str
    shape: str


_NOTHING = _Form("", "", "")
"""What stands beyond a passage's edge."""


class _Situation(NamedTuple):
    """How a word stands in its passage.

    Attributes:
        place: Whether it is the first, the second or the last word.
        case: Whether the passage is all in capitals, or a title whose words mostly begin with one.
        gaps: Whether space is on its left and on its right.
    """

    place: str
    case: str
    gaps: str


def columns(passages: Sequence[str]) -> Iterator[Column]:
    """Every kind of feature with its values for all words of some passages, in the order of the words."""
    row = _Row(passages)
    for offset in range(-_REACH, _REACH + 1):
        yield row.joined("lower", offset)
        yield row.joined("shape", offset)
    for offset in (-1, 0, 1):
        yield row.joined("word", offset)
        yield f"ending{offset:+}", [word[-3:] for word in row.joined("lower", offset)[1]]
    for length in range(1, _LONGEST_AFFIX + 1):
        yield f"prefix{length}", [form.word[:length] for form in row.forms]
        yield f"suffix{length}", [form.word[-length:] for form in row.forms]
    for first, second in pairwise(range(-_REACH, _REACH + 1)):
        yield row.joined("lower", first, second)
    for offsets in ((-1, 0), (0, 1), (-1, 0, 1)):
        yield row.joined("shape", *offsets)
    yield from row.situated()


class _Row:
    """The words of some passages in a row, with room between passages for neighbours that are not there."""

    def __init__(self, passages: Sequence[str]) -> None:
        self._spaced: list[_Form] = [_NOTHING] * _REACH
        self._places: list[int] = []
        self._situations: list[_Situation] = []
        for passage in passages:
            bounds = words(passage)
            forms = [_form(passage[start : min(end, start + _LONGEST_WORD)]) for start, end in bounds]
            self._places += range(len(self._spaced), len(self._spaced) + len(forms))
            self._spaced += [*forms, *[_NOTHING] * _REACH]
            case = _case(forms)
            self._situations += map(_Situation, _word_places(len(forms)), [case] * len(forms), _gaps(bounds))

    @cached_property
    def forms(self) -> list[_Form]:
        """How each word is written."""
        return [self._spaced[place] for place in self._places]

    def joined(self, part: str, *offsets: int) -> Column:
        """A part of the forms of each word's neighbours at these offsets, with spaces between them."""
        parts = list(map(attrgetter(part), self._spaced))
        kind = part + "".join(f"{offset:+}" for offset in offsets)
        return kind, [" ".join([parts[place + offset] for offset in offsets]) for place in self._places]

    def situated(self) -> Iterator[Column]:
        """How each word stands in its passage, by itself and beside its shape."""
        shapes = [form.shape for form in self.forms]
        for part in _Situation._fields:
            values = list(map(attrgetter(part), self._situations))
            yield part, values
            yield f"shape and {part}", list(map("{} {}".format, shapes, values))


@lru_cache(maxsize=100_000)
def _form(word: str) -> _Form:
    shape = "".join("X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c for c in word)
    lower = "".join("0" if c.isdigit() else c for c in word.lower())
    return _Form(word, lower, _RUN.sub(r"\1+", shape))


def _case(forms: Sequence[_Form]) -> str:
    """``upper`` for a passage all in capitals, ``title`` where most words begin with one, else ``plain``."""
    written = [form.word for form in forms if form.word[0].isalpha()]
    if written and all(map(str.isupper, written)):
        return "upper"
    return "title" if 2 * sum(word[0].isupper() for word in written) > len(written) else "plain"


def _word_places(count: int) -> list[str]:
    return [*("first", "second")[:count], *["middle"] * (count - 3), *["last"] * (count > 2)]


def _gaps(bounds: Sequence[tuple[int, int]]) -> list[str]:
    """For each word a mark for space before and one for space after it; the edge of a passage is like space."""
    spaces = ["_", *("_" if left[1] < right[0] else "." for left, right in pairwise(bounds)), "_"]
    return list(map("{}{}".format, spaces, spaces[1:]))[: len(bounds)]


KINDS = tuple(kind for kind, _ in columns([]))
"""The kinds, in their fixed order."""
