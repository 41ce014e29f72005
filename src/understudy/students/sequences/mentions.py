"""Entities as a line of text, ``Ada Smith | PER ; Rome | LOC``, and back."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from understudy.example import Span
from understudy.segments import Bounds, words

_BETWEEN, _TYPE = " ; ", " | "
_NOTHING = "none"
"""Stands for no entity, and for the type of a passage that looks like one and is none."""

_ALIKE = str.maketrans(";|", ",/")
"""Marks that mean something in a line; in a mention these stand for them."""


def are_readable(names: Sequence[str], written: Sequence[str]) -> bool:
    """Whether types can go by these names: each can be told from the others, and from what else stands in a line.

    Args:
        names: One for each type.
        written: What a model makes of each when it writes it.
    """
    plain = [_plain(name) for name in names]
    are_different = len({*plain, _NOTHING}) == len(names) + 1
    return are_different and plain == [_plain(name) for name in written] and not {*"".join(names)} & {";", "|"}


def render(spans: Iterable[Span], text: str, names: Mapping[str, str]) -> str:
    """The line that says which entities stand in a text.

    An entity's words may stand in the text before it, where they name none; that is said as well: ``May | none ; May |
    PER``.

    Args:
        spans: Of whole words, in the order of the text, none over another.
        text: Where they stand.
        names: What each type is called.
    """
    return _BETWEEN.join(_items(spans, text, names)) or _NOTHING


def found(line: str, text: str, names: Mapping[str, str]) -> list[Span]:
    """The entities of a line in a text: whole words, from left to right, whatever their case, accents and spacing.

    A model that writes freely may write anything: what does not stand in the text is dropped, and so is what bears the
    name of no type.
    """
    types = {_plain(name): type_ for type_, name in names.items()}
    letters = _Letters(text)
    spans, place = [], 0
    for item in line.split(_BETWEEN.strip()):
        mention, _, name = map(_plain, item.rpartition(_TYPE.strip()))
        at = next(letters.places(mention, place), None)
        if at is not None and name in types:
            place = at + len(mention)
            spans.append(Span(*letters.bounds(at, place), types[name]))
        elif at is not None and name == _NOTHING:
            place = at + 1
    return spans


class _Letters:
    """A text as mentions are looked for in it: its words in plain letters, one after the other.

    Args:
        text: The text as it stands.
    """

    def __init__(self, text: str) -> None:
        self._letters = ""
        self._starts: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        for start, end in words(text):
            self._starts[len(self._letters)] = start
            self._letters += _plain(text[start:end])
            self._ends[len(self._letters)] = end

    def places(self, mention: str, first: int) -> Iterator[int]:
        """Where whole words make up a mention, from a place on; nowhere if it has no letter."""
        for place in self._starts if mention else ():
            if place >= first and self._letters.startswith(mention, place) and place + len(mention) in self._ends:
                yield place

    def bounds(self, first: int, last: int) -> Bounds:
        """The characters of the text that some letters stand for."""
        return self._starts[first], self._ends[last]


def _items(spans: Iterable[Span], text: str, names: Mapping[str, str]) -> Iterator[str]:
    """Each mention with what it is, and before it those that look like it and are none."""
    letters, last = _Letters(text), 0
    for start, end, type_ in spans:
        mention = _plain(text[start:end])
        for place in letters.places(mention, last):
            is_meant = letters.bounds(place, place + len(mention)) == (start, end)
            yield f"{text[start:end].translate(_ALIKE)}{_TYPE}{names[type_] if is_meant else _NOTHING}"
            if is_meant:
                last = place + len(mention)
                break


def _plain(text: str) -> str:
    """The letters and marks of a text, without what a tokenizer may not see: case, accents and spacing."""
    return "".join(_plain_word(text[start:end]) for start, end in words(text)).translate(_ALIKE)


def _plain_word(word: str) -> str:
    apart = unicodedata.normalize("NFD", word.casefold())
    return "".join(letter for letter in apart if unicodedata.category(letter) != "Mn") or word
