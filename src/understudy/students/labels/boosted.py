"""Texts to labels by gradient-boosted trees over TF-IDF features."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students.boosting import Boosting, Rows, Trees
from understudy.students.labels.decoder import LabelDecoder, target_distributions, weights
from understudy.students.student import Fit
from understudy.students.tfidf import TfIdf
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    from understudy.students.boosting import Floats


class BoostedClassifier:
    """TF-IDF into boosted trees.

    Args:
        task: A task of labels.
        features: What it sees of a text.
        how: How the trees are grown.
    """

    def __init__(self, task: Task, *, features: TfIdf, how: Boosting) -> None:
        self._decoder, self.temperature = LabelDecoder.of(task), 1.0
        self._features, self._rounds = features, how.rounds
        self._trees = Trees(how, labels=len(self._decoder.labels))

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Boost over the mixture's segments; validation only sets the confidence."""
        import numpy as np

        features = self._features.fit([example.text for example in mixture.examples])
        distributions = target_distributions(mixture.examples, self._decoder.labels)
        distributions = distributions * weights(mixture.examples)[:, None]

        def rows(emphasis: "Floats") -> Rows:
            counted = distributions * emphasis[:, None]
            texts, labels = np.nonzero(counted)  # an example with a soft target counts once for each of its labels
            return Rows(features[texts], labels, counted[texts, labels])

        self._trees.fit(mixture, rows, progress)
        logits = self._logits([example.text for example in validation])
        self.temperature = self._decoder.temperature_for(logits, validation)
        return Fit(steps=self._rounds)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The most probable label of each text."""
        return self._decoder.predictions(self._logits(texts), self.temperature)

    def count_parameters(self) -> int:
        """The splits (feature and threshold) and leaf values of all trees."""
        return self._trees.count_parameters()

    def write(self, folder: Path) -> None:
        """Write the vocabulary and the trees."""
        self._features.save(folder)
        self._trees.write(folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote."""
        self._features.load(folder)
        self._trees.read(folder, self._features.size)

    def _logits(self, texts: Sequence[str]) -> Any:
        """Shape (texts, labels)."""
        import numpy as np

        if not texts:
            return np.zeros((0, len(self._decoder.labels)))
        return self._trees.scores(self._features.transform(texts))
