"""Gradient-boosted trees (LightGBM), grown along the course of a mixture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from understudy.errors import ModelError
from understudy.extras import need
from understudy.progress import Bar, Progress
from understudy.students.trees import check_trees
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_TREES = "trees.txt"
_ROWS_FOR_THREADS = 20_000
"""Below so many rows a second thread waits more than it works, and where others compute, far more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosting:
    """How trees are grown.

    Attributes:
        rounds: Boosting rounds over the whole training; each grows one tree a label.
        learning_rate: Shrinkage of each tree.
        leaves: The most leaves of a tree.
        feature_fraction: The share of features that a tree may look at.
        min_leaf: The fewest rows in a leaf.
        seed: Draws the features of each tree.
    """

    rounds: int
    learning_rate: float
    leaves: int
    feature_fraction: float
    min_leaf: int
    seed: int


class Rows(NamedTuple):
    """What trees are grown on in one segment of a mixture.

    Attributes:
        features: Shape (rows, features), sparse or dense.
        labels: The number of each row's label, or its relevance, shape (rows,).
        weights: How much each row counts, shape (rows,).
        groups: For ranking: how many rows in turn belong together.
    """

    features: Any
    labels: Any
    weights: Any
    groups: Any = None


class Trees:
    """Boosted trees for one objective.

    Args:
        how: How they are grown.
        labels: How many labels to tell apart; None to rank rows within their groups (LambdaRank, Burges 2010).
    """

    def __init__(self, how: Boosting, labels: int | None) -> None:
        self._how, self._labels = how, labels
        self._booster: Any = None

    def fit(self, mixture: Mixture, rows: "Callable[[Floats], Rows]", progress: Progress) -> None:
        """Boost over the mixture's segments, each going on from the trees of the one before.

        Args:
            mixture: Whose segments are learned.
            rows: From how much each of the mixture's examples counts in a segment to the rows of the segment.
            progress: Told of every round.

        Raises:
            ModelError: No tree has grown, or a leaf is no number.
        """
        segments = mixture.segments()
        rounds = _whole_rounds([segment.fraction for segment in segments], self._how.rounds)
        self._booster = None
        with progress.bar("gbdt", self._how.rounds) as bar:
            for segment, count in zip(segments, rounds, strict=True):
                if count:
                    self._boost(rows(mixture.emphasis(segment)), count, bar)
        if self._booster is None:
            raise ModelError(
                f"no tree has grown in {self._how.rounds} rounds; expected rounds, and examples that weigh"
            )
        self._check(self._booster.model_to_string(), self._booster.num_feature())  # no leaf may be infinite

    def scores(self, features: Any) -> Any:
        """Raw scores, shape (rows, labels), or (rows,) for a ranking."""
        import numpy as np

        if not features.shape[0]:
            return np.zeros((0, self._labels) if self._labels else 0)
        return self._booster.predict(features, num_threads=_threads(features.shape[0]), raw_score=True)

    def count_parameters(self) -> int:
        """The splits (feature and threshold) and leaf values of all trees."""
        leaves = sum(tree["num_leaves"] for tree in self._booster.dump_model()["tree_info"])
        return int(leaves + 2 * (leaves - self._booster.num_trees()))

    def write(self, folder: Path) -> None:
        """Write the trees in LightGBM's own text."""
        (folder / _TREES).write_text(self._booster.model_to_string(), encoding="utf-8")

    def read(self, folder: Path, features: int) -> None:
        """Read the trees back.

        Raises:
            ModelError: They are broken, or not over so many features.
        """
        text = (folder / _TREES).read_text(encoding="utf-8")
        self._check(text, features)
        self._booster = need("lightgbm", "the gbdt student").Booster(model_str=text)

    def _check(self, text: str, features: int) -> None:
        objective = "lambdarank" if self._labels is None else f"multiclass num_class:{self._labels}"
        check_trees(text, features, objective, self._labels or 1)

    def _boost(self, rows: Rows, rounds: int, bar: Bar) -> None:
        """So many more rounds, continuing from the trees there are."""
        lightgbm = need("lightgbm", "the gbdt student")
        if not rows.features.shape[0]:
            return
        data = lightgbm.Dataset(rows.features, label=rows.labels, weight=rows.weights, group=rows.groups)
        self._booster = lightgbm.train(
            self._parameters() | {"num_threads": _threads(rows.features.shape[0])},
            data,
            num_boost_round=rounds,
            init_model=self._booster,
            callbacks=[lambda _: bar.advance()],
        )

    def _parameters(self) -> dict[str, Any]:
        how = self._how
        ranking, classes = {"objective": "lambdarank"}, {"objective": "multiclass", "num_class": self._labels}
        return (ranking if self._labels is None else classes) | {
            "learning_rate": how.learning_rate,
            "num_leaves": how.leaves,
            "feature_fraction": how.feature_fraction,
            "min_data_in_leaf": how.min_leaf,
            "min_sum_hessian_in_leaf": 0.1,
            "lambda_l2": 1.0,
            "max_bin": 63,
            "seed": how.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbose": -1,
        }


def _threads(rows: int) -> int:
    """One, or 0 for as many as OpenMP gives, which is what the user may have set."""
    return 1 if rows < _ROWS_FOR_THREADS else 0


def _whole_rounds(fractions: Sequence[float], rounds: int) -> list[int]:
    """Rounds for each segment: rounded sums, so that together they are exactly as many as asked for."""
    bounds = [round(rounds * sum(fractions[:i])) for i in range(len(fractions) + 1)]
    return [high - low for low, high in pairwise(bounds)]
