"""Linear: logistic regression, the baseline that every engineer tries first and that is hard to beat."""

from typing import ClassVar

from understudy.students.by_form import ByForm, Model
from understudy.students.ranges import Count, Positive, PositiveInt, suited
from understudy.tasks.task import Task


class Linear(ByForm):
    """Logistic regression over TF-IDF features of texts, window features of words, or features of sentences.

    Args:
        c: Inverse strength of the regularisation; None is what suits the task: 100 for texts, because TF-IDF features
            of short texts carry little each; 10 for words; 1 for sentences.
        words: The longest word n-gram of TF-IDF.
        chars: The longest character n-gram (from 3 up) of TF-IDF; 0 for none.
        max_features: The most features of each kind.
        iterations: The most iterations of L-BFGS over the whole training, shared among the mixture's segments.
        seed: Orders the rows; being convex, the problem has one solution, and seeds agree up to rounding.
    """

    copies: ClassVar[bool] = True

    def __init__(
        self,
        *,
        c: Positive | None = None,
        words: PositiveInt = 1,
        chars: Count = 0,
        max_features: PositiveInt = 50_000,
        iterations: PositiveInt = 200,
        seed: Count = 0,
    ) -> None:
        self.c = c
        self.words = words
        self.chars = chars
        self.max_features = max_features
        self.iterations = iterations
        self.seed = seed

    def classifier(self, task: Task) -> Model:
        """TF-IDF features into logistic regression."""
        from understudy.students.labels.linear import LinearClassifier
        from understudy.students.tfidf import TfIdf

        features = TfIdf(words=self.words, chars=self.chars, max_features=self.max_features)
        return LinearClassifier(
            task, features=features, c=suited(self.c, 100.0), iterations=self.iterations, seed=self.seed
        )

    def tagger(self, task: Task) -> Model:
        """Window features of words into logistic regression, decoded as a whole."""
        from understudy.students.spans.linear import LinearTagger
        from understudy.students.spans.values import Values

        values = Values(self.max_features, fewest=2)
        return LinearTagger(task, values=values, c=suited(self.c, 10.0), iterations=self.iterations)

    def writer(self, task: Task) -> Model:
        """Features of sentences into logistic regression: the most telling are taken over."""
        from understudy.students.extracts.linear import LinearExtractor
        from understudy.students.tfidf import TfIdf

        weights = TfIdf(words=self.words, chars=self.chars, max_features=self.max_features)
        return LinearExtractor(task, weights=weights, c=suited(self.c, 1.0), iterations=self.iterations)
