"""The lstm student: words that it learns itself, read in both directions; it needs no pretrained weights."""

from pathlib import Path
from typing import ClassVar

from understudy.data.files import digest
from understudy.students.by_form import ByForm, Model
from understudy.students.ranges import Count, Dropout, PathText, Positive, PositiveInt, suited
from understudy.students.vectors import check_vectors
from understudy.tasks.task import Task
from understudy.training.regimen import Regimen


class LSTM(ByForm):
    """A bidirectional LSTM (Hochreiter and Schmidhuber 1997) that classifies, tags or writes.

    A setting of None is what suits the task.

    Args:
        vectors: A text file of word vectors to start from (GloVe's, word2vec's or fastText's, perhaps ``.gz``); in a
            recipe, from its folder.
        embedding_size: Numbers in a word's vector, where there is no such file.
        hidden_size: Numbers in the LSTM's state, for each direction (64 for labels, else 128).
        max_length: Words read of a text (256 for labels, 400 for texts; 128 of each sentence for entities).
        epochs: Passes over all gold and distilled examples, whatever the mixture draws of them (8).
        batch_size: Examples in an optimiser step.
        learning_rate: The highest learning rate of AdamW (1e-2 for labels, 5e-3 for entities, 3e-3 for texts).
        dropout: The share of a text's numbers that is left out in training, for vectors and for the states.
        word_dropout: The share of words made unknown in training.
        seed: Decides the first weights, the order of the examples, and dropout.
    """

    packages: ClassVar[tuple[str, ...]] = ("torch",)

    def __init__(  # noqa: PLR0913 - settings, each by its name
        self,
        *,
        vectors: PathText | None = None,
        embedding_size: PositiveInt = 128,
        hidden_size: PositiveInt | None = None,
        max_length: PositiveInt | None = None,
        epochs: Positive | None = None,
        batch_size: PositiveInt = 32,
        learning_rate: Positive | None = None,
        dropout: Dropout = 0.2,
        word_dropout: Dropout = 0.1,
        seed: Count = 0,
    ) -> None:
        self.vectors = vectors
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.max_length = max_length
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.seed = seed

    def check_available(self) -> None:
        """Find out whether it can be trained here, before anything is spent on training data.

        Raises:
            MissingExtra: A package is not installed.
            ModelError: The word vectors cannot be read.
        """
        super().check_available()
        if self._vectors_file is not None:
            check_vectors(self._vectors_file)

    def fingerprint(self) -> dict[str, str]:
        """What tells the word vectors that it starts from apart from others."""
        return {} if self._vectors_file is None else {"vectors": digest(self._vectors_file)}

    def classifier(self, task: Task) -> Model:
        """Attention pooling over the states of a text, and a linear head."""
        from understudy.students.labels.lstm import LSTMClassifier

        return LSTMClassifier(
            task,
            vectors=self._vectors_file,
            embedding_size=self.embedding_size,
            hidden_size=suited(self.hidden_size, 64),
            max_length=suited(self.max_length, 256),
            dropout=self.dropout,
            word_dropout=self.word_dropout,
            regimen=self._regimen(epochs=8, learning_rate=1e-2),
        )

    def tagger(self, task: Task) -> Model:
        """Characters and words into tags that are decoded as a whole."""
        from understudy.students.spans.lstm import LSTMTagger

        return LSTMTagger(
            task,
            vectors=self._vectors_file,
            embedding_size=self.embedding_size,
            hidden_size=suited(self.hidden_size, 128),
            max_length=suited(self.max_length, 128),
            dropout=self.dropout,
            word_dropout=self.word_dropout,
            regimen=self._regimen(epochs=8, learning_rate=5e-3),
        )

    def writer(self, task: Task) -> Model:
        """A text that is written word by word, or copied from the source."""
        from understudy.students.sequences.lstm import LSTMWriter

        return LSTMWriter(
            task,
            vectors=self._vectors_file,
            embedding_size=self.embedding_size,
            hidden_size=suited(self.hidden_size, 128),
            max_length=suited(self.max_length, 400),
            dropout=self.dropout,
            word_dropout=self.word_dropout,
            regimen=self._regimen(epochs=8, learning_rate=3e-3),
        )

    @property
    def _vectors_file(self) -> Path | None:
        return None if self.vectors is None else Path(self.vectors)

    def _regimen(self, *, epochs: float, learning_rate: float) -> Regimen:
        """How it is trained, where the recipe does not say otherwise."""
        return Regimen(
            epochs=suited(self.epochs, epochs),
            batch_size=self.batch_size,
            learning_rate=suited(self.learning_rate, learning_rate),
            seed=self.seed,
        )
