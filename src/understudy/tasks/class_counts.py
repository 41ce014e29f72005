"""Precision, recall and F1, from how often each class was answered, rightly or not."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from understudy.tasks.ratio import ratio

if TYPE_CHECKING:
    from understudy.tasks.task import Floats


class ClassCounts(NamedTuple):
    """Counts of each class, each of shape (..., classes).

    Attributes:
        right: How often it was answered rightly.
        answered: How often it was answered.
        truth: How often it was the right answer.
    """

    right: "Floats"
    answered: "Floats"
    truth: "Floats"

    @classmethod
    def of(cls, sums: "Floats", classes: int) -> "ClassCounts":
        """The counts that stand first among summed ones, all of a kind together."""
        return cls(*(sums[..., kind * classes : (kind + 1) * classes] for kind in range(3)))

    def scores(self) -> "dict[str, Floats]":
        """Precision, recall and F1 of each class; 0 where there is nothing to divide by."""
        return {
            "precision": ratio(self.right, self.answered),
            "recall": ratio(self.right, self.truth),
            "f1": ratio(2 * self.right, self.answered + self.truth),
        }

    def together(self) -> "ClassCounts":
        """All classes as one, each count of shape (...)."""
        return ClassCounts(*(counts.sum(axis=-1) for counts in self))

    def macro_f1(self) -> "Floats":
        """The mean F1 of the classes that occur, in gold or in answers, as scikit-learn and seqeval count them."""
        import numpy as np

        f1 = ratio(2 * self.right, self.answered + self.truth, undefined=math.nan)
        occurs = ~np.isnan(f1)
        mean: Floats = np.where(occurs, f1, 0.0).sum(axis=-1) / np.maximum(occurs.sum(axis=-1), 1)
        return mean

    def by_class(self, names: Iterable[str]) -> dict[str, dict[str, float]]:
        """Scores and support of each class, as JSON."""
        scores = self.scores()
        return {
            name: {**{score: float(values[place]) for score, values in scores.items()}, "support": int(truth)}
            for place, (name, truth) in enumerate(zip(names, self.truth, strict=True))
        }
