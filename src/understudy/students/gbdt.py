"""GBDT: gradient-boosted trees (LightGBM) over features that need no pretraining."""

from typing import Annotated, ClassVar

from pydantic import Field

from understudy.students.boosting import Boosting
from understudy.students.by_form import ByForm, Model
from understudy.students.ranges import Count, Fraction, Positive, PositiveInt, suited
from understudy.tasks.task import Task

Leaves = Annotated[int, Field(ge=2)]

_MOST_VALUES = 50_000
"""Of each kind of window feature: boosting sees rates of tags instead of values, so that they cost it nothing."""


class GBDT(ByForm):
    """Boosted trees over TF-IDF features of texts, window features of words, or features of sentences.

    For mixtures, boosting goes on from segment to segment. A setting of None is what suits the task.

    Args:
        rounds: Boosting rounds over the whole training; each grows one tree a label (100 for texts and words, 50 for
            sentences).
        learning_rate: Shrinkage of each tree.
        leaves: The most leaves of a tree.
        feature_fraction: The share of features that a tree may look at (0.2 for texts and words, 0.5 for sentences).
        min_leaf: The fewest examples in a leaf (3 for texts, 20 for words, 50 for sentences).
        words: The longest word n-gram of TF-IDF.
        chars: The longest character n-gram (from 3 up) of TF-IDF; 0 for none.
        max_features: The most features of each kind; boosting's cost grows with them and with the labels.
        seed: Draws the features of each tree.
    """

    copies: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ("lightgbm",)

    def __init__(
        self,
        *,
        rounds: PositiveInt | None = None,
        learning_rate: Positive = 0.15,
        leaves: Leaves = 7,
        feature_fraction: Fraction | None = None,
        min_leaf: Count | None = None,
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

    def classifier(self, task: Task) -> Model:
        """TF-IDF features into boosted trees."""
        from understudy.students.labels.boosted import BoostedClassifier
        from understudy.students.tfidf import TfIdf

        features = TfIdf(words=self.words, chars=self.chars, max_features=self.max_features)
        how = self._boosting(rounds=100, feature_fraction=0.2, min_leaf=3)
        return BoostedClassifier(task, features=features, how=how)

    def tagger(self, task: Task) -> Model:
        """Window features of words into boosted trees, decoded as a whole."""
        from understudy.students.spans.boosted import BoostedTagger
        from understudy.students.spans.values import Values

        how = self._boosting(rounds=100, feature_fraction=0.2, min_leaf=20)
        return BoostedTagger(task, values=Values(_MOST_VALUES, fewest=1), how=how)

    def writer(self, task: Task) -> Model:
        """Features of sentences into a ranking: the highest are taken over."""
        from understudy.students.extracts.boosted import BoostedExtractor
        from understudy.students.tfidf import TfIdf

        weights = TfIdf(words=self.words, chars=self.chars, max_features=self.max_features)
        how = self._boosting(rounds=50, feature_fraction=0.5, min_leaf=50)
        return BoostedExtractor(task, weights=weights, how=how)

    def _boosting(self, *, rounds: int, feature_fraction: float, min_leaf: int) -> Boosting:
        """How the trees are grown, where the recipe does not say otherwise."""
        return Boosting(
            rounds=suited(self.rounds, rounds),
            learning_rate=self.learning_rate,
            leaves=self.leaves,
            feature_fraction=suited(self.feature_fraction, feature_fraction),
            min_leaf=suited(self.min_leaf, min_leaf),
            seed=self.seed,
        )
