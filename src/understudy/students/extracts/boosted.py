"""Texts to extracts by a boosted ranking of their sentences."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.progress import Progress
from understudy.students.boosting import Boosting, Rows, Trees
from understudy.students.extracts.extractor import Extractor, Lessons
from understudy.students.extracts.features import SentenceFeatures
from understudy.students.extracts.oracle import membership
from understudy.students.extracts.selection import MOST
from understudy.students.tfidf import TfIdf
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    from understudy.students.boosting import Floats


class BoostedExtractor(Extractor):
    """Which sentences of a document come first, by boosted trees (LambdaRank, Burges 2010).

    Args:
        task: A task of texts.
        weights: The weights of words, to be learned from the training texts.
        how: How the trees are grown.
    """

    def __init__(self, task: Task, *, weights: TfIdf, how: Boosting) -> None:
        super().__init__(task, weights)
        self._trees, self._rounds = Trees(how, labels=None), how.rounds

    def count_parameters(self) -> int:
        """The splits (feature and threshold) and leaf values of all trees."""
        return self._trees.count_parameters()

    def write(self, folder: Path) -> None:
        """Write the weights of words, the trees, and the rule for taking sentences."""
        super().write(folder)
        self._trees.write(folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote."""
        super().read(folder)
        self._trees.read(folder, SentenceFeatures.size)

    def _learn(self, mixture: Mixture, lessons: Lessons, progress: Progress) -> int:
        """Boost over the mixture's segments."""
        import numpy as np

        features = self._features.of(lessons.documents)
        relevance = membership(lessons.documents, lessons.summaries, MOST).astype(np.int64)

        def rows(emphasis: "Floats") -> Rows:
            counts = lessons.by_sentence(emphasis)
            groups = np.array(lessons.lengths)[emphasis * lessons.weights > 0]
            used = counts > 0
            return Rows(features[used], relevance[used], counts[used], groups[groups > 0])

        self._trees.fit(mixture, rows, progress)
        return self._rounds

    def _score(self, features: Any) -> Any:
        """Where each sentence stands in the ranking: higher is sooner."""
        return self._trees.scores(features)
