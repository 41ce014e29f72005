"""GBDT: TF-IDF n-grams of words and characters into gradient-boosted trees (LightGBM)."""

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import Field

from understudy.errors import ModelError
from understudy.example import Example, Prediction
from understudy.extras import need
from understudy.progress import Bar, Progress
from understudy.students.labels import LabelDecoder, target_distributions, weights
from understudy.students.ranges import Count, Fraction, Positive, PositiveInt
from understudy.students.student import Fit, model_folder, reading
from understudy.students.tfidf import TfIdf
from understudy.students.trees import check_trees
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TREES = "trees.txt"
_ROWS_FOR_THREADS = 20_000
"""Below so many rows a second thread waits more than it works, and where others compute, far more."""


class GBDT:
    """Gradient-boosted trees over TF-IDF features; for mixtures, boosting goes on from segment to segment.

    Args:
        rounds: Boosting rounds over the whole training; each grows one tree a label.
        learning_rate: Shrinkage of each tree.
        leaves: The most leaves of a tree.
        feature_fraction: The share of features that a tree may look at.
        min_leaf: The fewest examples in a leaf.
        words: The longest word n-gram.
        chars: The longest character n-gram (from 3 up); 0 for none.
        max_features: The most features of each kind; boosting's cost grows with them and with the labels.
        seed: Draws the features of each tree.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    def __init__(
        self,
        *,
        rounds: PositiveInt = 100,
        learning_rate: Positive = 0.15,
        leaves: Annotated[int, Field(ge=2)] = 7,
        feature_fraction: Fraction = 0.2,
        min_leaf: Count = 3,
        words: PositiveInt = 1,
        chars: Count = 5,
        max_features: PositiveInt = 3_000,
        seed: Count = 0,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.leaves = leaves
        self.feature_fraction = feature_fraction
        self.min_leaf = min_leaf
        self.words = words
        self.chars = chars
        self.max_features = max_features
        self.seed = seed
        self._features = TfIdf(words=words, chars=chars, max_features=max_features)
        self._trees: Any = None

    def check_available(self) -> None:
        """LightGBM must be installed.

        Raises:
            MissingExtra: It is not.
        """
        need("lightgbm", "the gbdt student")

    def fit(self, mixture: Mixture, validation: Sequence[Example], task: Task, progress: Progress) -> Fit:
        """Boost over the mixture's segments; validation only sets the confidence."""
        self._task, self._decoder = task, LabelDecoder.of(task)
        features = self._features.fit([example.text for example in mixture.examples])
        segments = mixture.segments()
        rounds = _whole_rounds([segment.fraction for segment in segments], self.rounds)
        self._trees = None
        with progress.bar("gbdt", self.rounds) as bar:
            for segment, count in zip(segments, rounds, strict=True):
                if count:
                    emphasis = mixture.emphasis(segment) * weights(mixture.examples)
                    self._boost(features, mixture.examples, emphasis, count, bar)
        if self._trees is None:
            raise ModelError(f"no tree has grown in {self.rounds} rounds; expected rounds, and examples that weigh")
        check_trees(
            self._trees.model_to_string(), features.shape[1], len(self._decoder.labels)
        )  # no leaf may be infinite
        self._decoder.calibrate(self._logits([example.text for example in validation]), validation)
        return Fit(steps=self.rounds)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The most probable label of each text."""
        return self._decoder.predictions(self._logits(texts))

    def count_parameters(self) -> int:
        """The splits (feature and threshold) and leaf values of all trees."""
        leaves = sum(tree["num_leaves"] for tree in self._trees.dump_model()["tree_info"])
        return int(leaves + 2 * (leaves - self._trees.num_trees()))

    def save(self, folder: Path) -> None:
        """Write the vocabulary, the trees in LightGBM's own text, and the manifest."""
        with model_folder(folder, self, self._task, self._decoder.temperature) as part:
            self._features.save(part)
            (part / _TREES).write_text(self._trees.model_to_string(), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back a saved student.

        Raises:
            ModelError: The folder does not hold one, or its parts do not fit together.
        """
        lightgbm = need("lightgbm", "the gbdt student")
        with reading(folder) as manifest:
            student = cls(**manifest.settings)
            student._task, student._decoder = manifest.task, LabelDecoder.of(manifest.task, manifest.temperature)
            student._features.load(folder)
            trees = (folder / _TREES).read_text(encoding="utf-8")
            check_trees(trees, student._features.transform([""]).shape[1], len(student._decoder.labels))
            student._trees = lightgbm.Booster(model_str=trees)
        return student

    def _logits(self, texts: Sequence[str]) -> Any:
        """Shape (texts, labels)."""
        import numpy as np

        if not texts:
            return np.zeros((0, len(self._decoder.labels)))
        threads = 1 if len(texts) < _ROWS_FOR_THREADS else os.cpu_count() or 1
        return self._trees.predict(self._features.transform(texts), num_threads=threads, raw_score=True)

    def _boost(
        self, features: Any, examples: Sequence[Example], emphasis: "NDArray[np.float64]", rounds: int, bar: Bar
    ) -> None:
        """So many more rounds on the examples of positive emphasis, continuing from the trees there are."""
        import numpy as np

        lightgbm = need("lightgbm", "the gbdt student")
        distributions = target_distributions(examples, self._decoder.labels) * emphasis[:, None]
        rows, labels = np.nonzero(distributions)  # an example with a soft target counts once for each of its labels
        if not len(rows):
            return
        data = lightgbm.Dataset(features[rows], label=labels, weight=distributions[rows, labels])
        threads = 1 if len(rows) < _ROWS_FOR_THREADS else os.cpu_count() or 1
        self._trees = lightgbm.train(
            self._parameters() | {"num_threads": threads},
            data,
            num_boost_round=rounds,
            init_model=self._trees,
            callbacks=[lambda _: bar.advance()],
        )

    def _parameters(self) -> dict[str, Any]:
        return {
            "objective": "multiclass",
            "num_class": len(self._decoder.labels),
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "feature_fraction": self.feature_fraction,
            "min_data_in_leaf": self.min_leaf,
            "min_sum_hessian_in_leaf": 0.1,
            "lambda_l2": 1.0,
            "max_bin": 63,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbose": -1,
        }


def _whole_rounds(fractions: Sequence[float], rounds: int) -> list[int]:
    """Rounds for each segment: rounded sums, so that together they are exactly as many as asked for."""
    bounds = [round(rounds * sum(fractions[:i])) for i in range(len(fractions) + 1)]
    return [high - low for low, high in pairwise(bounds)]
