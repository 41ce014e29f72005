"""Entities as tags of tokens, in the schemes that people write them in: IO, IOB1, BIO2, BIOES, BILOU, BMES."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

from understudy.errors import DataError
from understudy.example import Span
from understudy.segments import Bounds, words
from understudy.words import quoted

Scheme = Literal["bio2", "iob1", "bioes"]
"""How tags are written: each entity begins with B; or only where it follows another of its type; or B to E, or S."""

BARE = "IO without I-"
"""Tags that are O or a type, with no letter before it."""

_PREFIXED = re.compile("[BIMELSU]-.+")
_TOKEN = re.compile("[^ \n]+")
_BEGINS, _ENDS = "BSU", "ELSU"
"""The letters that an entity always begins or ends with, over all schemes: no letter means two things."""
_MOST_TAGS = 1_000
"""Different tags in a file; more are rather no tags."""
_EXPECTED = "expected O, and tags such as B-PER, in the last column of every line"


class Survey:
    """What the tags of a whole file tell of their scheme."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}
        self._letters: set[tuple[str, bool]] = set()

    def add(self, tags: Sequence[str], line: int) -> None:
        """Take note of the tags of a sentence that begins on this line.

        Raises:
            DataError: There are too many different ones; the message begins with a line.
        """
        for number, (before, tag) in enumerate(pairwise(("O", *tags)), start=line):
            self._lines.setdefault(tag, number)
            self._letters.add((tag[0], before[1:] == tag[1:]))
            if len(self._lines) > _MOST_TAGS:
                raise DataError(f"{number}: more than {_MOST_TAGS:,} tags, such as {quoted(tag)}; {_EXPECTED}")

    def scheme(self) -> str:
        """The scheme's name, or `BARE`.

        Where several fit, the plainest is named: IO where there is no B, BIO2 where every entity begins with B. BIO
        stands for entities that begin now as in BIO2, now as in IOB1. The name is for people: all are read alike.

        Raises:
            DataError: These are no tags, or tags with and without a letter before the type; the message begins with
                the line.
        """
        bare = [tag for tag in self._lines if tag != "O" and not _PREFIXED.fullmatch(tag)]
        if not bare:
            return self._named()
        if "O" not in self._lines or len(bare) < len(self._lines) - 1:
            raise DataError(f"{self._lines[bare[0]]}: {quoted(bare[0])} is no tag; {_EXPECTED}")
        return BARE

    def _named(self) -> str:
        letters = {letter for letter, _ in self._letters}
        for name, telling in (("BILOU", "LU"), ("BMES", "M"), ("BIOES", "ES")):
            if letters & set(telling):
                return name
        if "B" not in letters:
            return "IO"
        if ("I", False) not in self._letters:
            return "BIO2"
        return "BIO" if ("B", False) in self._letters else "IOB1"


def spans_of(tokens: Iterable[str], tags: Iterable[str], bare: bool) -> list[Span]:
    """The entities in tokens that stand in a text with single spaces between them.

    Tags are read as conlleval reads them (Tjong Kim Sang and De Meulder 2003), which is right in each scheme, and makes
    something of sequences that are legal in none: an entity begins with B, S or U, and with any tag after O, after
    another type or after an entity's end.

    Args:
        tokens: The tokens.
        tags: A tag for each.
        bare: Whether a tag is the type itself, or O.
    """
    found: list[Span] = []
    start, going_on = 0, ""
    for token, tag in zip(tokens, tags, strict=True):
        end = start + len(token)
        letter, type_ = ("I", tag) if bare and tag != "O" else (tag[0], tag[2:])
        if type_ and type_ == going_on and letter not in _BEGINS:
            found[-1] = found[-1]._replace(end=end)
        elif type_:
            found.append(Span(start, end, type_))
        going_on = "" if letter in _ENDS else type_
        start = end + 1
    return found


def tagged(text: str, spans: Sequence[Span], scheme: Scheme, *, tokenised: bool = False) -> Iterator[tuple[str, str]]:
    """The tokens of a text with their tags; a token is cut where an entity begins or ends within it.

    Args:
        text: The text.
        spans: The entities in it, in order, none over another.
        scheme: How the tags are written.
        tokenised: Whether the tokens are what stands between spaces and line ends, rather than words and marks.
    """
    whole = [token.span() for token in _TOKEN.finditer(text)] if tokenised else words(text)
    tokens, begins = list(_cut(whole, spans)), [span.start for span in spans]
    owners = [bisect_right(begins, start) - 1 for start, _ in tokens]
    within = [
        owner if owner >= 0 and start < spans[owner].end else None
        for owner, (start, _) in zip(owners, tokens, strict=True)
    ]
    for (start, end), before, owner, after in zip(tokens, (None, *within), within, (*within[1:], None), strict=False):
        if owner is None:
            yield text[start:end], "O"
        else:
            follows = before is not None and before != owner and spans[before].type == spans[owner].type
            letter = _letter(scheme, before != owner, after != owner, follows)
            yield text[start:end], f"{letter}-{spans[owner].type}"


def _letter(scheme: Scheme, first: bool, last: bool, follows: bool) -> str:
    """What stands before the type of a token.

    Args:
        scheme: How tags are written.
        first: Whether the token is its entity's first.
        last: Whether it is its last.
        follows: Whether it is the first right after another entity of the same type.
    """
    if scheme == "iob1":
        return "B" if follows else "I"
    if scheme == "bioes" and last:
        return "S" if first else "E"
    return "B" if first else "I"


def _cut(tokens: Iterable[Bounds], spans: Iterable[Span]) -> Iterator[Bounds]:
    """The tokens of a text, cut where an entity begins or ends."""
    edges = sorted({edge for start, end, _ in spans for edge in (start, end)})
    for start, end in tokens:
        inner = edges[bisect_right(edges, start) : bisect_left(edges, end)]
        yield from pairwise((start, *inner, end))
