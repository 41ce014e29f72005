"""What linear and boosted extractors share: from documents to rows of sentences, and from scores to extracts."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from understudy.data.files import write_json
from understudy.data.split import spread
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students.extracts.documents import document
from understudy.students.extracts.features import SentenceFeatures
from understudy.students.extracts.selection import Selector, judged_by
from understudy.students.student import Fit
from understudy.students.tfidf import TfIdf
from understudy.tasks.free_text import as_text
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_SELECTOR = "selector.json"
_MOST = 20_000
"""Documents that are learned from of each source: a few dozen features are learned from fewer."""
_AT_ONCE = 256
"""Texts that are answered together."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What there is to learn from, as documents.

    Attributes:
        documents: The sentences of each.
        summaries: What an extract of each should be like.
        weights: How much each counts.
    """

    documents: list[list[str]]
    summaries: list[str]
    weights: list[float]

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Self:
        """These examples, cut into sentences."""
        documents = [document(example.text) for example in examples]
        return cls(documents, [as_text(example.target) for example in examples], [e.weight for e in examples])

    @property
    def lengths(self) -> list[int]:
        """How many sentences each document has."""
        return [len(sentences) for sentences in self.documents]

    def by_sentence(self, emphasis: "Floats") -> "Floats":
        """How much each sentence counts, one document after another, where examples count as much as this says."""
        import numpy as np

        return np.repeat(emphasis * self.weights, self.lengths)


class Extractor(ABC):
    """Sentences are scored by their features, and the best are taken over.

    For a task that asks for other words than the text's own, such as a translation, that is a floor: as far as copying
    comes.

    Args:
        task: A task of texts, whose headline metric decides how much is taken.
        weights: The weights of words, to be learned from the training texts.
    """

    temperature = 1.0  # what makes the confidence mean what it says is learned with the selection

    def __init__(self, task: Task, weights: TfIdf) -> None:
        self._task, self._features = task, SentenceFeatures(weights)
        self._selector: Selector

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Learn to score sentences along the mixture; validation helps to decide how much is taken."""
        mixture = mixture.thinned(_enough)
        lessons = Lessons.of(mixture.examples)
        self._features.learn(lessons.documents)
        steps = self._learn(mixture, lessons, progress)
        judged = Lessons.of(judged_by(mixture, validation))
        scores = self._scores_of(judged.documents)
        self._selector = Selector.learn(judged.documents, scores, judged.summaries, self._task)
        return Fit(steps)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """An extract of each text."""
        answers = []
        for start in range(0, len(texts), _AT_ONCE):
            documents = [document(text) for text in texts[start : start + _AT_ONCE]]
            scores = self._scores_of(documents)
            answers += [Prediction(*self._selector.take(*pair)) for pair in zip(documents, scores, strict=True)]
        return answers

    def write(self, folder: Path) -> None:
        """Write the weights of words and the rule for taking sentences; a subclass adds how they are scored."""
        self._features.save(folder)
        write_json(folder / _SELECTOR, self._selector.to_json())

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote."""
        self._features.load(folder)
        self._selector = Selector.from_json(json.loads((folder / _SELECTOR).read_text(encoding="utf-8")))

    @abstractmethod
    def count_parameters(self) -> int:
        """How many learned numbers it holds."""

    @abstractmethod
    def _learn(self, mixture: Mixture, lessons: Lessons, progress: Progress) -> int:
        """Learn to score sentences; returns the steps taken."""

    @abstractmethod
    def _score(self, features: Any) -> Any:
        """A score for each sentence, shape (sentences,), from features of shape (sentences, features)."""

    def _scores_of(self, documents: Sequence[Sequence[str]]) -> list["Floats"]:
        """The scores of the sentences of each document."""
        import numpy as np

        ends = np.cumsum([len(sentences) for sentences in documents])
        return np.split(self._score(self._features.of(documents)), ends[:-1])


def _enough(examples: Sequence[Example]) -> Sequence[Example]:
    """As many of a source's documents as are worth the time."""
    return spread(examples, _MOST)
