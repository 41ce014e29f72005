"""The encoder student: a pretrained transformer encoder (the BERT family), fine-tuned."""

from typing import Annotated, ClassVar

from pydantic import Field

from understudy.students import pretrained
from understudy.students.by_form import ByForm, Model
from understudy.students.ranges import BUNDLED, Count, Dropout, ModelName, Positive, PositiveInt, suited
from understudy.students.spans.encoder import Subwords
from understudy.tasks.task import Task
from understudy.training.regimen import Regimen

Length = Annotated[int, Field(ge=3)]
Layers = Annotated[int, Field(ge=-1)]


class Encoder(ByForm):
    """A pretrained encoder (Devlin et al. 2019) with a head on top: for a text, for each word, or for each sentence.

    A setting of None is what suits the task.

    Args:
        model: ``bundled`` (all-MiniLM-L6-v2), a name on the hub, or a local folder in the hub's layout.
        max_length: Tokens read of a text, the marks at its beginning and end among them (192 for labels; of each
            sentence 256 for entities and 128 for texts).
        epochs: Passes over all gold and distilled examples, whatever the mixture draws of them (1 for labels and texts,
            3 for entities).
        batch_size: Examples in an optimiser step.
        learning_rate: The highest learning rate of AdamW (1e-4 for labels and texts, 3e-4 for entities).
        dropout: The share of the head's input that is left out in training (0.1; 0.5 for texts).
        frozen_layers: So many of the lowest layers, and the embeddings under them, stay as they are; 0 freezes the
            embeddings only, -1 nothing.
        subwords: For entities: which of a word's subwords speak for it, the ``first`` or the ``mean`` of all.
        crf: For entities: whether what tag follows what is learned (Lafferty et al. 2001), rather than only allowed.
        patience: Stop after so many looks at validation without a better score; None, never, keeps arms comparable.
        seed: Decides the order of the examples, and dropout.
    """

    copies: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = pretrained.PACKAGES

    def __init__(  # noqa: PLR0913 - settings, each by its name
        self,
        *,
        model: ModelName = BUNDLED,
        max_length: Length | None = None,
        epochs: Positive | None = None,
        batch_size: PositiveInt = 16,
        learning_rate: Positive | None = None,
        dropout: Dropout | None = None,
        frozen_layers: Layers = 0,
        subwords: Subwords = "first",
        crf: bool = False,
        patience: PositiveInt | None = None,
        seed: Count = 0,
    ) -> None:
        self.model = model
        self.max_length = max_length
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.frozen_layers = frozen_layers
        self.subwords = subwords
        self.crf = crf
        self.patience = patience
        self.seed = seed

    def check_available(self) -> None:
        """Find out whether the pretrained weights can be had, before anything is spent on training data.

        Raises:
            MissingExtra: A package is not installed.
            ModelError: The weights cannot be had.
        """
        pretrained.locate(self.model)

    def fingerprint(self) -> dict[str, str]:
        """What tells the weights that it starts from apart from others."""
        return pretrained.fingerprint(self.model)

    def classifier(self, task: Task) -> Model:
        """A head over the mean of a text's states."""
        from understudy.students.labels.encoder import EncoderClassifier

        return EncoderClassifier(
            task,
            model=self.model,
            max_length=suited(self.max_length, 192),
            dropout=suited(self.dropout, 0.1),
            frozen_layers=self.frozen_layers,
            regimen=self._regimen(epochs=1, learning_rate=1e-4),
        )

    def tagger(self, task: Task) -> Model:
        """A head over each word's state."""
        from understudy.students.spans.encoder import EncoderTagger

        return EncoderTagger(
            task,
            model=self.model,
            max_length=suited(self.max_length, 256),
            subwords=self.subwords,
            crf=self.crf,
            dropout=suited(self.dropout, 0.1),
            frozen_layers=self.frozen_layers,
            regimen=self._regimen(epochs=3, learning_rate=3e-4),
        )

    def writer(self, task: Task) -> Model:
        """A head over each sentence's states: the most telling sentences are taken over."""
        from understudy.students.extracts.encoder import EncoderExtractor

        return EncoderExtractor(
            task,
            model=self.model,
            max_length=suited(self.max_length, 128),
            dropout=suited(self.dropout, 0.5),
            frozen_layers=self.frozen_layers,
            regimen=self._regimen(epochs=1, learning_rate=1e-4),
        )

    def _regimen(self, *, epochs: float, learning_rate: float) -> Regimen:
        """How it is trained, where the recipe does not say otherwise."""
        return Regimen(
            epochs=suited(self.epochs, epochs),
            batch_size=self.batch_size,
            learning_rate=suited(self.learning_rate, learning_rate),
            seed=self.seed,
            patience=self.patience,
        )
