"""Texts to labels by a bidirectional LSTM over words that it learns itself."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.data.files import write_json
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students import worded
from understudy.students.labels.decoder import LabelDecoder
from understudy.students.student import Fit
from understudy.students.words import PADDING, Vocabulary
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture
from understudy.training.regimen import Regimen

if TYPE_CHECKING:
    from understudy.students.labels.classifying import Classifier
    from understudy.students.labels.networks import AttentiveLSTM

_WORDS = 30_000
_VOCABULARY = "vocabulary.json"


class LSTMClassifier:
    """A bidirectional LSTM with attention pooling (Yang et al. 2016).

    Args:
        task: A task of labels.
        vectors: A file of word vectors to start from, if any.
        embedding_size: Numbers in a word's vector, where no file says so.
        hidden_size: Numbers in the LSTM's state, for each direction.
        max_length: Words read of a text.
        dropout: The share of a text's numbers that is left out in training, for vectors and for the pooled text.
        word_dropout: The share of words made unknown in training.
        regimen: How it is trained.
    """

    def __init__(
        self,
        task: Task,
        *,
        vectors: Path | None,
        embedding_size: int,
        hidden_size: int,
        max_length: int,
        dropout: float,
        word_dropout: float,
        regimen: Regimen,
    ) -> None:
        self._task, self._max_length, self._regimen = task, max_length, regimen
        self._vectors, self._embedding_size, self._hidden_size = vectors, embedding_size, hidden_size
        self._dropout, self._word_dropout = dropout, word_dropout
        self._decoder, self.temperature = LabelDecoder.of(task), 1.0

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Learn from the mixture; the weights that score best on validation are kept."""
        from understudy.students.labels import classifying
        from understudy.training.loop import Optimisation, seeded

        regimen = self._regimen
        how = Optimisation.of(regimen, mixture, bf16=False)
        with seeded(regimen.seed):
            self._words = Vocabulary.of((example.text for example in mixture.examples), _WORDS)
            self._network = worded.start(self._build, self._words.words, self._vectors, self._embedding_size)
            fit = classifying.fit(self._classifier, mixture, validation, self._task, how, regimen, progress)
        self.temperature = self._classifier.temperature_for(validation)
        return fit

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The most probable label of each text."""
        return self._classifier.predict(texts, self.temperature)

    def count_parameters(self) -> int:
        """How many learned numbers there are, word vectors included."""
        from understudy.students.networks import count_parameters

        return count_parameters(self._network)

    def write(self, folder: Path) -> None:
        """Write vocabulary and weights."""
        write_json(folder / _VOCABULARY, self._words.words)
        worded.write(self._network, folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote."""
        self._words = Vocabulary.from_json(json.loads((folder / _VOCABULARY).read_text(encoding="utf-8")))
        self._network = worded.read(self._build, folder)

    def _build(self, embedding_size: int) -> "AttentiveLSTM":
        """A fresh network for the vocabulary and the task's labels."""
        from understudy.students.labels.networks import AttentiveLSTM

        return AttentiveLSTM(
            words=len(self._words),
            labels=len(self._decoder.labels),
            embedding_size=embedding_size,
            hidden_size=self._hidden_size,
            dropout=self._dropout,
            word_dropout=self._word_dropout,
        )

    @property
    def _classifier(self) -> "Classifier":
        from understudy.students.labels.classifying import Classifier

        return Classifier(self._network, self._encode, PADDING, self._decoder)

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._words.encode(text, self._max_length) for text in texts]
