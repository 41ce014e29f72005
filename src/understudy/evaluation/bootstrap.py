"""Intervals and paired differences by the bootstrap, over test items and training seeds together.

Efron and Tibshirani 1993 for the percentile interval; the paired form, in which both systems are scored on the same
resampled items, is Koehn 2004. Seeds are resampled beside the items, so that an interval also covers the luck of
the training.

Where all resamples are equal, as with a few items that are all right, the bootstrap knows no doubt. Then a bound for
what was not seen stands in: that none of n items was otherwise leaves room for a share z² / (n + z²) that is
(Wilson 1927), and such items may score anything. Its test is the score test, so that interval and p-value agree.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from understudy.tasks.task import Tally

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BLOCK = 4_000_000
"""How many numbers are held at once, so that a large test set costs time and not memory."""
_Z_SQUARED = 3.841458820694124
"""The square of the normal quantile of a two-sided test at 5 %."""
ROUNDING = 1e-9
"""Scores that differ by less are equal, but for the order in which floating-point numbers were summed."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one system is than another on the same items, with its 95 % interval and two-sided p-value."""

    difference: float
    low: float
    high: float
    p_value: float

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """A metric of one system.

    Attributes:
        value: Over all items.
        resampled: Its values over the resamples, shape (rounds,).
        items: How many items it is made of, where it lies between 0 and 1; None where it is not so bounded.
    """

    value: float
    resampled: "Floats"
    items: int | None = None

    def estimate(self) -> Estimate:
        """The value with its percentile interval; where all resamples are equal, with what unseen items could make."""
        if self.items is not None and _collapsed(self.resampled):
            return Estimate(self.value, *_unseen(self.value, self.items, lowest=0.0))
        return Estimate(self.value, *_percentiles(self.resampled))

    def centred(self) -> "Distribution":
        """The same, moved so that the resamples lie around the value, for a metric that cannot go below 0.

        A metric that sums absolute values, such as a calibration error, is raised by the noise of resampling itself.
        """
        import numpy as np

        centred = np.maximum(self.resampled - (self.resampled.mean() - self.value), 0.0)
        return replace(self, resampled=centred)

    def unbounded(self) -> "Distribution":
        """The same, of a metric that does not lie between 0 and 1."""
        return replace(self, items=None)

    def minus(self, other: "Distribution") -> Difference:
        """The paired difference to another system, scored on the same resamples."""
        difference, differences = self.value - other.value, self.resampled - other.resampled
        if self.items is not None and other.items is not None and _collapsed(differences):
            p_value = math.erfc(math.sqrt(self.items * abs(difference) / 2))
            return Difference(difference, *_unseen(difference, self.items, lowest=-1.0), p_value)
        low, high = _percentiles(differences)
        rounds = len(differences)
        not_above, not_below = int((differences <= 0).sum()), int((differences >= 0).sum())
        p_value = min(1.0, 2 * (min(not_above, not_below) + 1) / (rounds + 1))
        return Difference(difference, low, high, p_value)


class Bootstrap:
    """One set of resamples of a test set, the same for every system scored on it.

    Args:
        items: How many items the test set has.
        rounds: How many resamples.
        seed: Draws them.
    """

    def __init__(self, items: int, *, rounds: int = 2000, seed: int = 0) -> None:
        self.items = items
        self.rounds = rounds
        self.seed = seed

    def distributions(self, tallies: Sequence[Tally]) -> dict[str, Distribution]:
        """The distribution of every metric of one system; those that are undefined for one of its seeds are left out.

        Metrics are taken to lie between 0 and 1; of one that does not, the distribution is `unbounded`.

        Args:
            tallies: What the system's items add, once for each training seed; metrics are averaged over seeds.
        """
        import numpy as np

        per_seed = [self._resample(tally) for tally in tallies]
        drawn = np.random.default_rng([self.seed, 1]).integers(len(tallies), size=(self.rounds, len(tallies)))
        values = [tally.scores() for tally in tallies]
        distributions = {}
        for name in values[0]:
            by_seed = np.stack([resampled[name] for resampled in per_seed])
            resampled = np.take_along_axis(by_seed, drawn.T, axis=0).mean(axis=0)
            value = float(np.mean([value[name] for value in values]))
            if not np.isnan(value):
                # A resample of which nothing can be said says nothing against the value.
                distributions[name] = Distribution(value, np.where(np.isnan(resampled), value, resampled), self.items)
        return distributions

    def _resample(self, tally: Tally) -> "dict[str, Floats]":
        import numpy as np

        blocks = [tally.metrics(weights @ tally.items) for weights in self._weights()]
        return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}

    def _weights(self) -> "Iterator[Floats]":
        """How often each item stands in each resample, in blocks of shape (some rounds, items)."""
        import numpy as np

        rng = np.random.default_rng([self.seed, 0])
        for block in blocks(self.rounds, self.items):
            rounds = block.stop - block.start
            drawn = rng.integers(self.items, size=(rounds, self.items)) + np.arange(rounds)[:, None] * self.items
            counts = np.bincount(drawn.ravel(), minlength=rounds * self.items)
            yield counts.reshape(rounds, self.items).astype(np.float64)


def blocks(rows: int, columns: int) -> Iterator[slice]:
    """Stretches of rows so long that they can be held at once."""
    step = max(1, _BLOCK // columns)
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def _collapsed(resampled: "Floats") -> bool:
    """Whether all resamples are equal, so that nothing can be learned from how they differ."""
    return bool(resampled.max() - resampled.min() < ROUNDING)


def _unseen(value: float, items: int, lowest: float) -> tuple[float, float]:
    """What a value between a lowest one and 1, which all items agree on, could be for items that were not seen."""
    share = _Z_SQUARED / (items + _Z_SQUARED)
    return value - share * (value - lowest), value + share * (1.0 - value)


def _percentiles(values: "Floats") -> tuple[float, float]:
    """The interval that leaves out a fortieth of the values on either side.

    Its ends are values themselves, not points between two, so that it leaves out zero exactly when p < 0.05.
    """
    import numpy as np

    ordered = np.sort(values)
    left_out = max(0, len(values) // 40 - 1)
    return float(ordered[left_out]), float(ordered[-1 - left_out])
