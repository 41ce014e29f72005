"""ROUGE: how far an answer and a reference text share their words (Lin 2004), as the rouge-score package counts it.

Words are runs of ``a-z0-9`` in lower case, without stemming, as there. Of a text in Greek or Chinese that would leave
nothing. So where less than half of a reference's letters are ``a-z``, it and its answers are cut into Unicode words
instead, and scripts without spaces into single characters.
"""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from understudy.tasks.ngrams import n_grams
from understudy.tasks.scripts import MARKS, UNSPACED

Words = Sequence[str]

_LATIN = re.compile(r"[a-z0-9]+")
_UNICODE = re.compile(rf"[{UNSPACED}]|(?:[^\W_{UNSPACED}]|[{MARKS}])+")


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
    reference, answer = [list(words) for words in reference], [list(words) for words in answer]
    wanted, found = (Counter(word for words in sentences for word in words) for sentences in (reference, answer))
    # A word counts at most as often as it stands in either text, in however many sentences it is met again.
    unused = wanted & found
    shared = 0
    for sentence in reference:
        for place in sorted(set().union(*(_lcs_places(sentence, other) for other in answer))):
            if unused[sentence[place]]:
                unused[sentence[place]] -= 1
                shared += 1
    return _score(shared, reference=wanted.total(), answer=found.total())


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
