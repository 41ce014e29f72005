"""Sentences and words of a text, as the bounds of their characters: what students read and extract."""

import re
from collections.abc import Iterator

from understudy.scripts import UNSPACED, letters

Bounds = tuple[int, int]
"""Characters from the first (included) to the last (excluded)."""

_WORD = re.compile(rf"[{UNSPACED}]|{letters(UNSPACED)}|[^\w\s]")
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)|[。！？]++[」』”’）]*+|\n")
_BEFORE = re.compile(r"(?:\w\.)*\w+$")
_AFTER = re.compile(r"\s*(?P<first>\S?)")
_SEEN = 30
"""So many characters before a full stop are looked at: no abbreviation is longer."""

_ABBREVIATIONS = frozenset(
    word
    for kind in (
        "brig capt cmdr col det dr fr gen gov hon jr lt maj messrs mgr mme mr mrs ms mt prof pvt rep rev sen sgt sr st",
        "ave bros co corp cpl dept inc ltd no nos rd supt",
        "al approx cf e.g ed etc fig i.e viz vol vs",
    )
    for word in kind.split()
)
"""Words that a full stop follows in the middle of a sentence."""


def words(text: str) -> list[Bounds]:
    """Runs of letters and digits, single marks, and single characters of scripts that put no spaces between words."""
    return [match.span() for match in _WORD.finditer(text)]


def sentences(text: str) -> list[Bounds]:
    """Sentences in the order of the text, without the space around them; together they hold all that is not space.

    A sentence ends at a line's end, and at a mark such as a full stop, unless that follows an abbreviation or an
    initial, or comes before a lower-case word. In a text of tokens (``he left .``) any lonely mark ends one.
    """
    return [trimmed for bounds in _between_ends(text) if (trimmed := _trimmed(text, *bounds))]


def _between_ends(text: str) -> Iterator[Bounds]:
    start = 0
    for end in _END.finditer(text):
        if _is_end(text, end):
            yield start, end.end()
            start = end.end()
    yield start, len(text)


def _is_end(text: str, end: re.Match[str]) -> bool:
    """Whether a sentence ends with this mark."""
    mark = end.group()
    if "\n" in mark or mark[0] in "。！？":
        return True
    if end.start() == 0 or text[end.start() - 1].isspace():
        return True
    following = _AFTER.match(text, end.end())
    if following is not None and following["first"].islower():
        return False
    return mark != "." or not _is_abbreviated(text[max(0, end.start() - _SEEN) : end.start()])


def _is_abbreviated(before: str) -> bool:
    """Whether a text ends with a word that is written with a full stop: an initial, or one of a list."""
    found = _BEFORE.search(before)
    if found is None:
        return False
    word = found.group()
    initials = re.fullmatch(r"[^\W\d_](\.[^\W\d_])*", word)
    return initials is not None or word.lower() in _ABBREVIATIONS


def _trimmed(text: str, start: int, end: int) -> Bounds | None:
    """The bounds without space at either edge; None where nothing else is left."""
    part = text[start:end]
    inner = part.strip()
    if not inner:
        return None
    start += len(part) - len(part.lstrip())
    return start, start + len(inner)
