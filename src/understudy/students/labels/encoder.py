"""Texts to labels by a pretrained encoder, mean-pooled, that is fine-tuned."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students.finetuned import FineTuned
from understudy.students.labels.decoder import LabelDecoder
from understudy.students.student import Fit
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture
from understudy.training.regimen import Regimen

if TYPE_CHECKING:
    from understudy.students.labels.classifying import Classifier
    from understudy.students.labels.networks import PooledEncoder


class EncoderClassifier:
    """A pretrained encoder with a linear head over the mean of its states (Reimers and Gurevych 2019).

    The head is fitted to the encoder as it stands before both are fine-tuned (Kumar et al. 2022), so that one pass
    over the examples does what takes several from a random head.

    Args:
        task: A task of labels.
        model: As `pretrained.locate` takes it.
        max_length: Tokens read of a text.
        dropout: The share of the pooled text's numbers that is left out in training.
        frozen_layers: As `networks.freeze` takes it.
        regimen: How it is trained.
    """

    def __init__(
        self, task: Task, *, model: str, max_length: int, dropout: float, frozen_layers: int, regimen: Regimen
    ) -> None:
        self._task, self._dropout, self._regimen = task, dropout, regimen
        self._decoder, self.temperature = LabelDecoder.of(task), 1.0
        self._encoder = FineTuned(self._with_head, model=model, max_length=max_length, frozen_layers=frozen_layers)

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Learn from the mixture; the weights that score best on validation are kept."""
        from understudy.students.labels import classifying
        from understudy.students.networks import plain_attention
        from understudy.training.loop import Optimisation, seeded

        regimen = self._regimen
        how = Optimisation.of(regimen, mixture, look_first=True)
        with seeded(regimen.seed), plain_attention(self._encoder.start()) as network:
            classifying.start_head(self._classifier, network, mixture)
            fit = classifying.fit(self._classifier, mixture, validation, self._task, how, regimen, progress)
        self.temperature = self._classifier.temperature_for(validation)
        return fit

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The most probable label of each text."""
        return self._classifier.predict(texts, self.temperature)

    def count_parameters(self) -> int:
        """How many learned numbers there are, token embeddings and frozen layers included."""
        return self._encoder.count_parameters()

    def write(self, folder: Path) -> None:
        """Write the backbone's configuration, the tokenizer, and the weights of backbone and head."""
        self._encoder.write(folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote, from these files alone."""
        self._encoder.read(folder)

    def _with_head(self, backbone: Any) -> "PooledEncoder":
        """A backbone with a fresh head for the task's labels."""
        from understudy.students.labels.networks import PooledEncoder

        return PooledEncoder(backbone, len(self._decoder.labels), self._dropout)

    @property
    def _classifier(self) -> "Classifier":
        from understudy.students.labels.classifying import Classifier

        encoder = self._encoder
        return Classifier(encoder.network, encoder.encode, encoder.filler, self._decoder)
