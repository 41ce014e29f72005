"""What of a summary stands in its article: a cheap look at how freely it was written, and whether it invents names.

The check of names is ours, after the entity precision of Nan et al. (2021), whose names a model finds. Here a name is
a run of capitalised words, not counting a sentence's first word, whose capital says nothing; a number in digits is one
too. It cannot know that ``six`` is ``6``, or that the President is Ann Lee; and where all nouns have capitals, as in
German, it takes them for names.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from understudy.scripts import letters
from understudy.segments import sentences

_NUMBER = r"\d+(?:[.,]\d+)*"
_LETTERS = letters(without=r"\d_")
_NUMBERS, _WORDS = re.compile(_NUMBER), re.compile(_LETTERS)
_TOKENS = re.compile(f"{_NUMBER}|{_LETTERS}")


def novel_bigrams(answer: Sequence[str], source: Sequence[str]) -> tuple[int, int]:
    """How many of an answer's pairs of neighbouring words its source does not have (See et al. 2017), of how many."""
    known = set(pairwise(source))
    pairs = list(pairwise(answer))
    return sum(pair not in known for pair in pairs), len(pairs)


def supported_names(answer: str, source: str) -> tuple[int, int]:
    """How many of an answer's names stand in its source, word for word in any case, of how many."""
    text = _folded(source)
    found = [_folded(name) in text for name in names(answer)]
    return sum(found), len(found)


def names(text: str) -> Iterator[str]:
    """The runs of capitalised words in each sentence after its first word, and the numbers of a text."""
    for start, end in sentences(text):
        yield from _capitalised(text[start:end])
    yield from _NUMBERS.findall(text)


def _capitalised(sentence: str) -> Iterator[str]:
    run: list[str] = []
    for before, word in pairwise(_WORDS.finditer(sentence)):
        follows_on = sentence[before.end() : word.start()].isspace()
        capital = word[0][0].isupper()
        if run and not (capital and follows_on):
            yield " ".join(run)
            run = []
        if capital:
            run.append(word[0])
    if run:
        yield " ".join(run)


def _folded(text: str) -> str:
    """A text as words in lower case, each with a space on either side, and numbers without the commas in them."""
    words = (token.replace(",", "") for token in _TOKENS.findall(text.casefold()))
    return f" {' '.join(words)} "
