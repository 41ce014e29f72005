"""Effect size: how large a difference is beside how much it varies from item to item."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from understudy.evaluation.bootstrap import ROUNDING, blocks
from understudy.tasks.task import Tally

if TYPE_CHECKING:
    from understudy.evaluation.bootstrap import Floats


def effect_size(a: Sequence[Tally], b: Sequence[Tally]) -> dict[str, float]:
    """The paired standardised difference d_z of every metric: the difference over its standard deviation between items.

    For a mean over items, such as accuracy, that is Cohen's d_z of the items' differences. For any other function of
    sums an item has no score of its own; its pseudo-value stands in, n d - (n - 1) d_i, where d is the difference on
    all n items and d_i the one without this item (the jackknife: Efron and Tibshirani 1993, chapter 11). So d_z times
    the root of n is the difference over its jackknife standard error, and a test set of about 8 / d_z² items finds such
    a difference four times in five. There are no words such as "small" or "large" for it: Cohen's 0.2, 0.5 and 0.8 are
    for two groups of people, while d_z grows with how alike two systems answer.

    A metric that is undefined for a seed of either system is left out, and so is one by which all items differ by the
    same, so that there is nothing to hold the difference against; where they do not differ at all it is 0.

    Args:
        a: What the items add for one system, once for each training seed.
        b: The same for the other one, on the same items.
    """
    import numpy as np

    if a[0].items.shape[0] < 2:
        return {}
    ours, theirs = _averaged(a), _averaged(b)
    found = {name: _standardised(ours[name] - theirs[name]) for name in ours}
    return {name: size for name, size in found.items() if np.isfinite(size)}


def _standardised(differences: "Floats") -> float:
    """The first value over the standard deviation of the pseudo-values; the others leave out one item each."""
    import numpy as np

    difference, without, items = float(differences[0]), differences[1:], len(differences) - 1
    # Where nothing is left to be counted, the item has changed nothing that is known.
    without = np.where(np.isnan(without), difference, without)
    spread = float(np.std(items * difference - (items - 1) * without, ddof=1))
    if spread <= ROUNDING:
        return 0.0 if abs(difference) <= ROUNDING else math.inf
    return difference / spread


def _averaged(tallies: Sequence[Tally]) -> "dict[str, Floats]":
    """Every metric, averaged over seeds: on all items, then without each of them; shape (1 + items,)."""
    import numpy as np

    seeds = [_with_each_left_out(tally) for tally in tallies]
    return {name: np.mean([seed[name] for seed in seeds], axis=0) for name in seeds[0]}


def _with_each_left_out(tally: Tally) -> "dict[str, Floats]":
    import numpy as np

    found = [tally.metrics(sums) for sums in _sums(tally)]
    return {name: np.concatenate([scores[name] for scores in found]) for name in found[0]}


def _sums(tally: Tally) -> "Iterator[Floats]":
    """The counts summed over all items, then over all but each of them, in blocks of shape (some items, counts)."""
    import numpy as np
    from scipy import sparse

    total = np.asarray(tally.items.sum(axis=0), dtype=np.float64)
    yield total[None]
    for rows in blocks(*tally.items.shape):
        part = tally.items[rows]
        yield total - (part.toarray() if sparse.issparse(part) else part)
