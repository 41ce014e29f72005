"""ROUGE: how far an answer and a reference text share their words (Lin 2004), as the rouge-score package counts it.

Words are runs of ``a-z0-9`` in lower case, as there. Of a text in Greek or Chinese that would leave nothing. So where
less than half of a reference's letters are ``a-z``, it and its answers are cut into Unicode words instead, and scripts
without spaces into single characters.
"""

import functools
import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from understudy.scripts import UNSPACED, letters
from understudy.tasks.ngrams import n_grams

if TYPE_CHECKING:
    from nltk.stem.porter import PorterStemmer

Words = Sequence[str]
_Line = tuple[str, ...]

_LATIN = re.compile(r"[a-z0-9]+")
_UNICODE = re.compile(rf"[{UNSPACED}]|{letters(without=UNSPACED + '_')}")
_MOST_HOLDERS = 100
"""So many different lines with one word are looked at, so that the work grows with a text's length, not its square."""
_STEMMED = range(4, 61)
"""Lengths of words with an ending: what is longer is no word, and would only fill the cache."""


class Score(NamedTuple):
    """How much of the answer is right, how much of the reference is there, and the harmonic mean of both."""

    precision: float
    recall: float
    f1: float


def cutter(reference: str) -> Callable[[str], Words]:
    """What cuts a text into lower-case words, in the way that suits the script of a reference."""
    lower = reference.lower()
    latin = 2 * sum("a" <= character <= "z" for character in lower) >= sum(map(str.isalpha, lower))
    words = _LATIN if latin else _UNICODE
    return lambda text: words.findall(text.lower())


def stems(words: Words) -> Words:
    """Words without their English endings, as rouge-score stems them: those of ``a-z0-9`` with more than three."""
    return [_stem(word) if len(word) in _STEMMED and word.isascii() else word for word in words]


@functools.lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return str(_stemmer().stem(word))


@functools.cache
def _stemmer() -> "PorterStemmer":
    """Porter's stemmer (1980) with the extensions of nltk, whose import takes more than a second."""
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


def rouge_n(reference: Words, answer: Words, n: int) -> Score:
    """ROUGE-N: the n-grams that both share, each as often as it stands in both."""
    wanted, found = n_grams(reference, n), n_grams(answer, n)
    return _score((wanted & found).total(), reference=wanted.total(), answer=found.total())


def rouge_l(reference: Words, answer: Words) -> Score:
    """ROUGE-L: the longest common subsequence of words."""
    [row] = deque(_lcs_rows(reference, answer), maxlen=1)  # the last one is that of the whole answer
    return _score(row.bit_count(), reference=len(reference), answer=len(answer))


def rouge_lsum(reference: Iterable[Words], answer: Iterable[Words]) -> Score:
    """ROUGE-L of summaries: each reference sentence's longest common subsequences with all of the answer's, united.

    Args:
        reference: Its sentences; in a text these are its lines.
        answer: The same.
    """
    asked, given = [tuple(words) for words in reference], [tuple(words) for words in answer]
    wanted, found = (Counter(chain.from_iterable(sentences)) for sentences in (asked, given))
    # A word counts at most as often as it stands in either text, in however many sentences it is met again.
    unused = wanted & found
    shared = 0
    holders = _holders(given)
    for sentence in asked:
        united = _Union(sentence, holders)
        for place, word in enumerate(sentence):
            if unused[word] and place in united:
                unused[word] -= 1
                shared += 1
    return _score(shared, reference=wanted.total(), answer=found.total())


def _holders(sentences: Sequence[_Line]) -> dict[str, list[_Line]]:
    """The different sentences that each word stands in, the first so many of them."""
    holders: defaultdict[str, list[_Line]] = defaultdict(list)
    for sentence in dict.fromkeys(sentences):
        for word in set(sentence):
            if len(holders[word]) < _MOST_HOLDERS:
                holders[word].append(sentence)
    return holders


class _Union:
    """The places of a reference sentence in its longest common subsequences with any sentence of an answer.

    They are worked out as they are asked for: a place can come only of a sentence that holds its word.
    """

    def __init__(self, sentence: _Line, holders: Mapping[str, Sequence[_Line]]) -> None:
        self._sentence = sentence
        self._holders = holders
        self._tried: set[_Line] = set()
        self._places: set[int] = set()

    def __contains__(self, place: int) -> bool:
        for other in self._holders[self._sentence[place]]:
            if place in self._places:
                break
            if other not in self._tried:
                self._tried.add(other)
                self._places.update(_lcs_places(self._sentence, other))
        return place in self._places


def _score(shared: int, *, reference: int, answer: int) -> Score:
    return Score(shared / max(answer, 1), shared / max(reference, 1), 2 * shared / max(reference + answer, 1))


def _lcs_rows(reference: Words, answer: Words) -> Iterator[int]:
    """The table of longest common subsequences, one row of bits for each beginning of the answer (Hyyrö 2004).

    The number of ones among the lowest ``i`` bits of row ``j`` is the length of the longest common subsequence of the
    first ``i`` words of the reference and the first ``j`` of the answer.
    """
    places: dict[str, int] = {}
    for place, word in enumerate(reference):
        places[word] = places.get(word, 0) | 1 << place
    every = (1 << len(reference)) - 1
    zeros = every
    yield 0
    for word in answer:
        matched = zeros & places.get(word, 0)
        zeros = (zeros + matched | zeros - matched) & every
        yield every ^ zeros


def _lcs_places(reference: Words, answer: Words) -> list[int]:
    """The places in the reference of one longest common subsequence; of several, the one that rouge-score reads out."""
    rows = list(_lcs_rows(reference, answer))
    i, j = len(reference), len(answer)
    places = []
    while i and j:
        if reference[i - 1] == answer[j - 1]:
            i, j = i - 1, j - 1
            places.append(i)
        elif _ones(rows[j - 1], i) > _ones(rows[j], i - 1):
            j -= 1
        else:
            i -= 1
    return places


def _ones(row: int, lowest: int) -> int:
    return (row & (1 << lowest) - 1).bit_count()
