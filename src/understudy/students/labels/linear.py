"""Texts to labels by logistic regression over TF-IDF features."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students.labels.decoder import LabelDecoder, target_distributions, weights
from understudy.students.logistic import Logistic
from understudy.students.student import Fit
from understudy.students.tfidf import TfIdf
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture


class LinearClassifier:
    """TF-IDF into multinomial logistic regression.

    Args:
        task: A task of labels.
        features: What it sees of a text.
        c: Inverse strength of the regularisation.
        iterations: The most iterations over the whole training.
        seed: Orders the rows; being convex, the problem has one solution, and seeds agree up to rounding.
    """

    def __init__(self, task: Task, *, features: TfIdf, c: float, iterations: int, seed: int) -> None:
        self._decoder, self.temperature = LabelDecoder.of(task), 1.0
        self._features, self._seed = features, seed
        self._regression = Logistic(c=c, iterations=iterations, labels=len(self._decoder.labels))

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Learn from the mixture; validation only sets the confidence."""
        import numpy as np

        order = np.random.default_rng(self._seed).permutation(len(mixture.examples))
        examples = [mixture.examples[i] for i in order]
        features = self._features.fit([example.text for example in examples])
        targets = target_distributions(examples, self._decoder.labels).astype(np.float64)
        counts = weights(examples)
        steps = self._regression.fit(features, targets, mixture, lambda emphasis: emphasis[order] * counts, progress)
        logits = self._logits([example.text for example in validation])
        self.temperature = self._decoder.temperature_for(logits, validation)
        return Fit(steps=steps)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The most probable label of each text."""
        return self._decoder.predictions(self._logits(texts), self.temperature)

    def count_parameters(self) -> int:
        """One weight for each feature and label, and a bias for each label."""
        return self._regression.count_parameters()

    def write(self, folder: Path) -> None:
        """Write the vocabulary and the weights."""
        self._features.save(folder)
        self._regression.write(folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote."""
        self._features.load(folder)
        self._regression.read(folder, self._features.size)

    def _logits(self, texts: Sequence[str]) -> Any:
        """Shape (texts, labels)."""
        import numpy as np

        if not texts:
            return np.zeros((0, len(self._decoder.labels)), dtype=np.float32)
        return self._regression.logits(self._features.transform(texts))
