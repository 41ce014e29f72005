"""Texts to extracts by logistic regression over features of sentences."""

from pathlib import Path
from typing import Any

from understudy.errors import ModelError
from understudy.progress import Progress
from understudy.students.extracts.extractor import Extractor, Lessons
from understudy.students.extracts.features import SentenceFeatures
from understudy.students.extracts.oracle import membership
from understudy.students.extracts.selection import MOST
from understudy.students.logistic import Logistic
from understudy.students.tfidf import TfIdf
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

_SCALE = "scale.safetensors"
_NEVER_VARIES = 1e-6
_FAR = 5.0
"""Spreads from the mean at which a feature is cut."""


class LinearExtractor(Extractor):
    """Whether a sentence stands in the oracle's extract, by logistic regression.

    Args:
        task: A task of texts.
        weights: The weights of words, to be learned from the training texts.
        c: Inverse strength of the regularisation.
        iterations: The most iterations over the whole training.
    """

    def __init__(self, task: Task, *, weights: TfIdf, c: float, iterations: int) -> None:
        super().__init__(task, weights)
        self._regression = Logistic(c=c, iterations=iterations, labels=2)
        self._scale: Any = None

    def count_parameters(self) -> int:
        """The weights of the regression, and the mean and spread of every feature."""
        return self._regression.count_parameters() + 2 * SentenceFeatures.size

    def write(self, folder: Path) -> None:
        """Write the weights of words, those of features, and the rule for taking sentences."""
        from safetensors.numpy import save_file

        super().write(folder)
        self._regression.write(folder)
        save_file({"scale": self._scale}, folder / _SCALE)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote.

        Raises:
            ModelError: A mean or spread is not a number, or there is not one for every feature.
        """
        import numpy as np
        from safetensors.numpy import load_file

        super().read(folder)
        self._regression.read(folder, SentenceFeatures.size)
        self._scale = load_file(folder / _SCALE)["scale"]
        if self._scale.shape != (2, SentenceFeatures.size):
            raise ModelError(f"{folder / _SCALE}: expected a mean and a spread for {SentenceFeatures.size} features")
        if not np.isfinite(self._scale).all():
            raise ModelError(f"{folder / _SCALE}: a value is not a number")

    def _learn(self, mixture: Mixture, lessons: Lessons, progress: Progress) -> int:
        """Fit the weights along the mixture."""
        import numpy as np
        from scipy.sparse import csr_matrix

        features = self._features.of(lessons.documents)
        spread = features.std(axis=0)
        self._scale = np.stack([features.mean(axis=0), np.where(spread > _NEVER_VARIES, spread, 1.0)])
        rows = csr_matrix(self._standardised(features))
        taken = membership(lessons.documents, lessons.summaries, MOST)
        targets = np.stack([~taken, taken], axis=1).astype(np.float64)
        return self._regression.fit(rows, targets, mixture, lessons.by_sentence, progress)

    def _score(self, features: Any) -> Any:
        """The logit of each sentence's being taken."""
        logits = self._regression.logits(self._standardised(features))
        return logits[:, 1] - logits[:, 0]

    def _standardised(self, features: Any) -> Any:
        """Features of mean 0 and spread 1, none of them so far out that it alone decides."""
        mean, spread = self._scale
        return ((features - mean) / spread).clip(-_FAR, _FAR)
