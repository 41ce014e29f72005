"""The lstm student: words that it learns itself, read in both directions; it needs no pretrained weights."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from understudy.data.files import write_json
from understudy.example import Example, Prediction
from understudy.extras import need
from understudy.progress import Progress
from understudy.students.labels import LabelDecoder, labels_of
from understudy.students.ranges import Count, Dropout, Positive, PositiveInt
from understudy.students.student import Fit, model_folder, reading
from understudy.students.words import PADDING, Vocabulary
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    from understudy.students.networks import LSTMClassifier

_WORDS = 30_000
_WEIGHTS = "model.safetensors"
_VOCABULARY = "vocabulary.json"


class LSTM:
    """A bidirectional LSTM with attention pooling (Hochreiter and Schmidhuber 1997; Yang et al. 2016).

    Args:
        embedding_size: Numbers in a word's vector.
        hidden_size: Numbers in the LSTM's state, for each direction.
        max_length: Words read of a text.
        epochs: Passes over all gold and distilled examples, whatever the mixture draws of them.
        batch_size: Examples in an optimiser step.
        learning_rate: The highest learning rate of AdamW.
        dropout: The share of a text's numbers that is left out in training, for vectors and for the pooled text.
        word_dropout: The share of words made unknown in training.
        seed: Decides the first weights, the order of the examples, and dropout.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    def __init__(
        self,
        *,
        embedding_size: PositiveInt = 128,
        hidden_size: PositiveInt = 64,
        max_length: PositiveInt = 256,
        epochs: Positive = 8,
        batch_size: PositiveInt = 32,
        learning_rate: Positive = 1e-2,
        dropout: Dropout = 0.2,
        word_dropout: Dropout = 0.1,
        seed: Count = 0,
    ) -> None:
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
        """Find out whether this student could be trained here, before anything is spent on its training data.

        Raises:
            MissingExtra: torch is not installed.
        """
        need("torch", "the lstm student")

    def fit(self, mixture: Mixture, validation: Sequence[Example], task: Task, progress: Progress) -> Fit:
        """Learn from the mixture; the weights that score best on validation are kept."""
        self.check_available()
        from understudy.students import classifying
        from understudy.training.loop import Optimisation, best_device, seeded

        how = Optimisation(
            steps=mixture.steps(self.epochs, self.batch_size), learning_rate=self.learning_rate, bf16=False
        )
        with seeded(self.seed):
            words = Vocabulary.of((example.text for example in mixture.examples), _WORDS)
            self._adopt(self._network(words, task).to(best_device()), words, task)
            return classifying.fit(
                self._classifier, mixture, validation, self._task, how, self.batch_size, self.seed, progress
            )

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The most probable label of each text."""
        return self._classifier.predict(texts)

    def count_parameters(self) -> int:
        """How many learned numbers there are, word vectors included."""
        return sum(parameter.numel() for parameter in self._classifier.network.parameters())

    def save(self, folder: Path) -> None:
        """Write vocabulary and weights."""
        from safetensors.torch import save_file

        with model_folder(folder, self, self._task, self._classifier.decoder.temperature) as part:
            write_json(part / _VOCABULARY, self._words.words)
            save_file(self._classifier.network.state_dict(), part / _WEIGHTS)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        torch = need("torch", "the lstm student")
        from safetensors.torch import load_file

        from understudy.students.networks import check_finite
        from understudy.training.loop import best_device

        with reading(folder) as manifest:
            student = cls(**manifest.settings)
            words = Vocabulary.from_json(json.loads((folder / _VOCABULARY).read_text(encoding="utf-8")))
            weights = {name: tensor.float() for name, tensor in load_file(folder / _WEIGHTS).items()}
            check_finite(weights, folder)
            with torch.device("meta"):  # without memory, of which a hostile manifest may ask for more than there is
                network = student._network(words, manifest.task)
            network.load_state_dict(weights, assign=True)
            student._adopt(network.to(best_device()).eval(), words, manifest.task)
            student._classifier.decoder.temperature = manifest.temperature
        return student

    def _network(self, words: Vocabulary, task: Task) -> "LSTMClassifier":
        """A fresh network for a vocabulary and a task's labels."""
        from understudy.students.networks import LSTMClassifier

        return LSTMClassifier(
            words=len(words),
            labels=len(labels_of(task)),
            embedding_size=self.embedding_size,
            hidden_size=self.hidden_size,
            dropout=self.dropout,
            word_dropout=self.word_dropout,
        )

    def _adopt(self, network: "LSTMClassifier", words: Vocabulary, task: Task) -> None:
        """Make a network this student's own."""
        from understudy.students.classifying import Classifier

        self._words, self._task = words, task
        self._classifier = Classifier(network, self._encode, PADDING, LabelDecoder.of(task))

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._words.encode(text, self.max_length) for text in texts]
