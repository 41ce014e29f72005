"""Texts to spans by logistic regression over window features of words."""

from pathlib import Path
from typing import Any

from understudy.progress import Progress
from understudy.students.logistic import Logistic
from understudy.students.spans.values import Values
from understudy.students.spans.wordwise import Lessons, WordwiseTagger
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture


class LinearTagger(WordwiseTagger):
    """Multinomial logistic regression from the values of a word's features to its tag.

    Args:
        task: A task of spans.
        values: What it sees of a word.
        c: Inverse strength of the regularisation.
        iterations: The most iterations over the whole training.
    """

    def __init__(self, task: Task, *, values: Values, c: float, iterations: int) -> None:
        super().__init__(task, values)
        self._regression = Logistic(c=c, iterations=iterations, labels=len(self._tags))

    def count_parameters(self) -> int:
        """One weight for each value and tag, and a bias for each tag."""
        return self._regression.count_parameters()

    def write(self, folder: Path) -> None:
        """Write the values of features and the weights."""
        super().write(folder)
        self._regression.write(folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote."""
        super().read(folder)
        self._regression.read(folder, self._values.size)

    def _learn(self, mixture: Mixture, lessons: Lessons, progress: Progress) -> int:
        import numpy as np

        features = self._one_hot(self._values.fit(lessons.passages))
        wanted = np.eye(len(self._tags))[lessons.tags]
        return self._regression.fit(features, wanted, mixture, lessons.by_word, progress)

    def _logits(self, numbers: Any) -> Any:
        return self._regression.logits(self._one_hot(numbers))

    def _one_hot(self, numbers: Any) -> Any:
        """A one at each known value, shape (words, values), sparse."""
        import numpy as np
        from scipy.sparse import csr_matrix

        known = numbers < self._values.size
        ends = np.cumsum(known.sum(axis=1))
        ones = np.ones(known.sum(), dtype=np.float32)
        return csr_matrix((ones, numbers[known], [0, *ends]), shape=(len(numbers), self._values.size))
