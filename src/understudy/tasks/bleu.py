"""BLEU and chrF: what an answer and a reference text share in n-grams, counted as sacrebleu counts it.

Both are functions of counts summed over a corpus, which is just what a tally holds. Scores lie in [0, 1]; sacrebleu
writes the same hundredfold.
"""

import re
from typing import TYPE_CHECKING

from understudy.tasks.ngrams import n_grams
from understudy.tasks.ratio import ratio

if TYPE_CHECKING:
    from understudy.tasks.task import Floats

_WORD_ORDER = 4
_CHARACTER_ORDER = 6
_RECALL_WEIGHT = 2**2
"""chrF2: recall counts for beta = 2 times as much as precision."""
BLEU_COUNTS = 2 + 2 * _WORD_ORDER
"""How many counts `bleu_counts` gives."""
CHRF_COUNTS = 3 * _CHARACTER_ORDER
"""How many counts `chrf_counts` gives."""

# The tokens of NIST's mteval-v13a: marks stand alone, but for full stops and commas between digits and for hyphens
# and apostrophes in words.
_ENTITIES = {"&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">"}
_MARKS = (
    (re.compile(r"([ -&(-+:-@/\[-`{-~])"), r" \1 "),
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)


def bleu_counts(reference: str, answer: str) -> list[int]:
    """What one pair adds to the counts of `bleu`: both lengths, then matches and n-grams of the answer by order."""
    wanted, found = _tokens(reference), _tokens(answer)
    pairs = [(n_grams(found, n), n_grams(wanted, n)) for n in range(1, _WORD_ORDER + 1)]
    matches = [(ours & theirs).total() for ours, theirs in pairs]
    return [len(found), len(wanted), *matches, *(ours.total() for ours, _ in pairs)]


def bleu(sums: "Floats") -> "Floats":
    """Corpus BLEU (Papineni et al. 2002) with exponential smoothing (Chen and Cherry 2014).

    Args:
        sums: Summed counts, shape (..., counts).
    """
    import numpy as np

    length, wanted = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2 : 2 + _WORD_ORDER], sums[..., 2 + _WORD_ORDER : BLEU_COUNTS]
    # The first order without a match counts as half a match, the next as a quarter, and so on.
    halvings = np.cumsum(matches == 0, axis=-1)
    smoothed = np.where(matches > 0, matches, 0.5**halvings)
    precision = ratio(smoothed, totals)
    with np.errstate(divide="ignore"):  # a logarithm of nothing is a score of nothing
        score = np.exp(np.log(precision).mean(axis=-1))
    brevity = np.exp(np.minimum(0.0, 1.0 - ratio(wanted, length, undefined=np.inf)))
    found: Floats = np.where(matches.any(axis=-1), brevity * score, 0.0)
    return found


def chrf_counts(reference: str, answer: str) -> list[int]:
    """What one pair adds to the counts of `chrf`: for each order, n-grams of the answer, of the reference, and of both.

    Spaces do not count.
    """
    wanted, found = "".join(reference.split()), "".join(answer.split())
    counts: list[int] = []
    for n in range(1, _CHARACTER_ORDER + 1):
        ours, theirs = n_grams(found, n), n_grams(wanted, n)
        # Where the reference is shorter than n, what the answer holds of that order is not held against it.
        counts += [ours.total() if theirs else 0, theirs.total(), (ours & theirs).total()]
    return counts


def chrf(sums: "Floats") -> "Floats":
    """Corpus chrF (Popović 2015): F2 of precision and recall, each averaged over the orders that occur.

    Args:
        sums: Summed counts, shape (..., counts).
    """
    found, wanted, matches = (sums[..., start::3] for start in range(3))
    occurs = (found > 0) & (wanted > 0)
    orders = occurs.sum(axis=-1)
    precision, recall = (ratio((ratio(matches, whole) * occurs).sum(axis=-1), orders) for whole in (found, wanted))
    return ratio((1 + _RECALL_WEIGHT) * precision * recall, _RECALL_WEIGHT * precision + recall)


def _tokens(text: str) -> list[str]:
    line = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES.items():
        line = line.replace(entity, character)
    line = f" {line} "
    for mark, apart in _MARKS:
        line = mark.sub(apart, line)
    return line.split()
