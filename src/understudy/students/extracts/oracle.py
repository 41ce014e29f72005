"""The oracle: which sentences of a document come closest to its summary, known only where the summary is."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from understudy.tasks.ngrams import n_grams
from understudy.tasks.rouge import Words, cutter, stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def oracle(sentences: Sequence[str], summary: str, most: int) -> list[int]:
    """The sentences that together have the highest ROUGE-1 and ROUGE-2, found greedily (Nallapati et al. 2017).

    The sentence that raises the sum of both F1 the most is taken, until none raises it.

    Args:
        sentences: Those of a document.
        summary: What they are compared with.
        most: So many are taken at most.

    Returns:
        Their places, in the order in which they were taken: the most telling first.
    """
    overlaps, taken, reached = _overlaps(sentences, summary), list[int](), 0.0
    while len(taken) < min(most, len(sentences)):
        raised = {
            place: sum(overlap.f1_with(place) for overlap in overlaps)
            for place in range(len(sentences))
            if place not in taken
        }
        best = max(raised, key=raised.__getitem__)
        if raised[best] <= reached:
            break
        reached = raised[best]
        taken.append(best)
        for overlap in overlaps:
            overlap.take(best)
    return taken


def membership(documents: Sequence[Sequence[str]], summaries: Sequence[str], most: int) -> "NDArray[np.bool_]":
    """Whether each sentence of these documents, one after another, is in the oracle's extract, shape (sentences,)."""
    import numpy as np

    inside: list[bool] = []
    for sentences, summary in zip(documents, summaries, strict=True):
        taken = oracle(sentences, summary, most)
        inside += [place in taken for place in range(len(sentences))]
    return np.array(inside, dtype=np.bool_)


def _overlaps(sentences: Sequence[str], summary: str) -> list["_Overlap"]:
    """The overlaps of ROUGE-1 and of ROUGE-2, over stems."""
    cut = cutter(summary)
    wanted, offered = stems(cut(summary)), [stems(cut(sentence)) for sentence in sentences]
    return [_Overlap(wanted, offered, n) for n in (1, 2)]


class _Overlap:
    """What the sentences taken so far share with the summary in runs of n words, and what one more would.

    Args:
        summary: Its words.
        sentences: The words of each.
        n: How many words a run has; none crosses the end of a sentence.
    """

    def __init__(self, summary: Words, sentences: Sequence[Words], n: int) -> None:
        self._unmet = n_grams(summary, n)
        self._sizes = [max(len(words) - n + 1, 0) for words in sentences]
        self._shared = [
            Counter({gram: count for gram, count in n_grams(words, n).items() if gram in self._unmet})
            for words in sentences
        ]
        self._wanted, self._taken, self._met = self._unmet.total(), 0, 0

    def f1_with(self, place: int) -> float:
        """The F1 with one more sentence."""
        found = self._taken + self._sizes[place]
        return 2 * (self._met + self._gain(place)) / max(self._wanted + found, 1)

    def take(self, place: int) -> None:
        """Take a sentence for good."""
        self._met += self._gain(place)
        self._taken += self._sizes[place]
        self._unmet -= self._shared[place]

    def _gain(self, place: int) -> int:
        return sum(min(count, self._unmet[gram]) for gram, count in self._shared[place].items())
