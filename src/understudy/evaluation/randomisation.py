"""Approximate randomisation: how often chance alone would make two systems differ as much (Noreen 1989).

If two systems are equally good, the answers to an item might as well be the other one's. That holds for any metric:
Yeh 2000 tests precision, recall and F1 so, whose values are no means over items.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from understudy.evaluation.bootstrap import ROUNDING, blocks
from understudy.tasks.task import Tally

if TYPE_CHECKING:
    from understudy.evaluation.bootstrap import Floats


def randomisation_p(a: Sequence[Tally], b: Sequence[Tally], *, rounds: int = 2000, seed: int = 0) -> dict[str, float]:
    """The two-sided p-value of every metric; one that is undefined for a seed of either system is left out.

    In each round a coin decides for every item whether the systems swap their answers to it. With several seeds it is
    the item that is swapped, in all seeds at once: the answers of one system to one item are alike, and would pass for
    more evidence than they are. Metrics are averaged over seeds, as in the bootstrap. A system of fewer seeds is
    repeated until both have as many. p counts the observed difference itself as one round, so that it is never 0.

    Args:
        a: What the items add for one system, once for each training seed.
        b: The same for the other one, on the same items.
        rounds: How often coins are tossed.
        seed: Tosses them.
    """
    import numpy as np

    pairs, items = _paired(a, b), a[0].items.shape[0]
    rng = np.random.default_rng(seed)
    tosses = (
        (rng.random((block.stop - block.start, items)) < 0.5).astype(np.float64) for block in blocks(rounds, items)
    )
    drawn = [_differences(pairs, swaps) for swaps in tosses]
    observed = _differences(pairs, np.zeros((1, items)))
    return {
        name: _p_value(float(value), np.concatenate([differences[name] for differences in drawn]))
        for name, [value] in observed.items()
        if not np.isnan(value)
    }


def _paired(a: Sequence[Tally], b: Sequence[Tally]) -> list[tuple[Tally, Tally]]:
    """A seed of each system, each seed of one system as often as its others."""
    return [(a[place % len(a)], b[place % len(b)]) for place in range(math.lcm(len(a), len(b)))]


def _differences(pairs: Sequence[tuple[Tally, Tally]], swaps: "Floats") -> "dict[str, Floats]":
    """How much better the first system is in each round, by every metric, averaged over seeds.

    Args:
        pairs: A seed of each system.
        swaps: 1 where an item's answers are swapped, else 0; shape (rounds, items).
    """
    import numpy as np

    kept = 1.0 - swaps
    scores = [
        (
            first.metrics(kept @ first.items + swaps @ second.items),
            second.metrics(swaps @ first.items + kept @ second.items),
        )
        for first, second in pairs
    ]
    return {name: np.mean([ours[name] - theirs[name] for ours, theirs in scores], axis=0) for name in scores[0][0]}


def _p_value(observed: float, drawn: "Floats") -> float:
    import numpy as np

    # A round of which nothing can be said says nothing against chance: it counts as one that reached the difference.
    below = int((np.abs(drawn) < abs(observed) - ROUNDING).sum())
    return (1 + len(drawn) - below) / (len(drawn) + 1)
