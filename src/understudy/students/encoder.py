"""The encoder student: a pretrained transformer encoder (the BERT family), fine-tuned."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import Field

from understudy.example import Example, Prediction, is_whole
from understudy.progress import Progress
from understudy.students import pretrained
from understudy.students.labels import LabelDecoder
from understudy.students.ranges import Count, Dropout, Positive, PositiveInt
from understudy.students.student import Fit, model_folder, reading
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    from understudy.students.networks import EncoderClassifier

_WEIGHTS = "model.safetensors"


class Encoder:
    """A pretrained encoder, mean-pooled, with a linear head (Devlin et al. 2019; Reimers and Gurevych 2019).

    The head is fitted to the encoder as it stands before both are fine-tuned (Kumar et al. 2022), so that one pass
    over the examples does what takes several from a random head.

    Args:
        model: ``bundled`` (all-MiniLM-L6-v2), a name on the hub, or a local folder in the hub's layout.
        max_length: Tokens read of a text, the marks at its beginning and end among them.
        epochs: Passes over all gold and distilled examples, whatever the mixture draws of them.
        batch_size: Examples in an optimiser step.
        learning_rate: The highest learning rate of AdamW.
        dropout: The share of the pooled text's numbers that is left out in training.
        frozen_layers: So many of the lowest layers, and the embeddings under them, stay as they are; 0 freezes the
            embeddings only, -1 nothing.
        patience: Stop after so many looks at validation without a better score; None, never, keeps arms comparable.
        seed: Decides the order of the examples, and dropout.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    def __init__(
        self,
        *,
        model: str = pretrained.BUNDLED,
        max_length: Annotated[int, Field(ge=3)] = 192,
        epochs: Positive = 1,
        batch_size: PositiveInt = 16,
        learning_rate: Positive = 1e-4,
        dropout: Dropout = 0.1,
        frozen_layers: Annotated[int, Field(ge=-1)] = 0,
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

    def fit(self, mixture: Mixture, validation: Sequence[Example], task: Task, progress: Progress) -> Fit:
        """Learn from the mixture; the weights that score best on validation are kept."""
        start = pretrained.pretrained(self.model)
        from understudy.students import classifying
        from understudy.students.networks import freeze, plain_attention
        from understudy.training.loop import Optimisation, seeded

        how = Optimisation(
            steps=mixture.steps(self.epochs, self.batch_size),
            learning_rate=self.learning_rate,
            patience=self.patience,
            look_first=True,
        )
        start.tokenizer.enable_truncation(min(self.max_length, start.longest))
        with seeded(self.seed):
            network = self._assemble(start.backbone, start.tokenizer, task)
            freeze(network.backbone, self.frozen_layers)
            with plain_attention(network):
                classifying.start_head(self._classifier, network, mixture)
                return classifying.fit(
                    self._classifier, mixture, validation, task, how, self.batch_size, self.seed, progress
                )

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The most probable label of each text."""
        return self._classifier.predict(texts)

    def count_parameters(self) -> int:
        """How many learned numbers there are, token embeddings and frozen layers included."""
        return sum(parameter.numel() for parameter in self._network.parameters())

    def save(self, folder: Path) -> None:
        """Write the backbone's configuration, the tokenizer, and the weights of backbone and head."""
        from safetensors.torch import save_file

        with model_folder(folder, self, self._task, self._classifier.decoder.temperature) as part:
            self._network.backbone.config.save_pretrained(part)
            self._tokenizer.save(str(part / pretrained.TOKENIZER))
            save_file({name: value.contiguous() for name, value in self._network.state_dict().items()}, part / _WEIGHTS)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote, from these files alone."""
        pretrained.need_packages()
        from safetensors.torch import load_file

        from understudy.students.networks import check_finite

        with reading(folder) as manifest:
            student = cls(**manifest.settings)
            weights = load_file(folder / _WEIGHTS)
            check_finite(weights, folder)
            backbone = pretrained.unlearned(folder, weights)
            network = student._assemble(backbone, pretrained.tokenizer_for(backbone, folder), manifest.task)
            network.load_state_dict(weights)
            network.eval()
            student._classifier.decoder.temperature = manifest.temperature
        return student

    def _assemble(self, backbone: Any, tokenizer: Any, task: Task) -> "EncoderClassifier":
        """Put a fresh head for the task's labels on a backbone."""
        from understudy.students.classifying import Classifier
        from understudy.students.networks import EncoderClassifier
        from understudy.training.loop import best_device

        decoder = LabelDecoder.of(task)
        network = EncoderClassifier(backbone, len(decoder.labels), self.dropout).to(best_device())
        self._network, self._tokenizer, self._task = network, tokenizer, task
        self._classifier = Classifier(network, self._encode, backbone.config.pad_token_id or 0, decoder)
        return network

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        whole = [text if is_whole(text) else _without_halves(text) for text in texts]
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(whole)]


def _without_halves(text: str) -> str:
    """The text with a replacement character for each half of one (a lone surrogate), which no tokenizer takes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
