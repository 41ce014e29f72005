"""What the students that write have in common, whatever their architecture."""

from typing import ClassVar, Literal

from understudy.errors import ModelError
from understudy.students import pretrained
from understudy.students.by_form import ByForm, Model
from understudy.students.pretrained import Kind
from understudy.students.ranges import BUNDLED, SCRATCH, suited
from understudy.students.sequences import scratch
from understudy.students.sequences.settings import GREEDY, USUAL_SIZES, Search, Setup, Sizes
from understudy.tasks.task import Task
from understudy.training.regimen import Regimen


class SequenceStudent(ByForm):
    """An encoder-decoder for every task; the settings are its subclasses'.

    Attributes:
        family: Its architecture.
        kind: What it may start from.
        hub_learning_rate: What suits weights from the hub.
    """

    packages: ClassVar[tuple[str, ...]] = pretrained.PACKAGES
    family: ClassVar[Literal["t5", "bart"]]
    kind: ClassVar[Kind]
    hub_learning_rate: ClassVar[float]

    model: str
    scratch: Sizes | None
    max_source: int | None
    max_target: int
    search: Search | None
    rationale_weight: float
    epochs: float | None
    batch_size: int
    accumulate: int
    learning_rate: float | None
    patience: int | None
    seed: int

    def check_available(self) -> None:
        """Find out whether there is something to start from, before anything is spent on training data.

        Raises:
            MissingExtra: A package is not installed.
            ModelError: The weights cannot be had, or there are sizes that do not go together, or with them.
        """
        if self.model == SCRATCH:
            super().check_available()
            scratch.check_sizes(self.scratch or {})
        elif self.scratch is not None:
            raise ModelError(f"scratch: sizes for a start from nothing, but model is {self.model}; use model: scratch")
        else:
            pretrained.locate(self.model, self.kind)

    def fingerprint(self) -> dict[str, str]:
        """What tells the weights that it starts from apart from others."""
        return {} if self.model == SCRATCH else pretrained.fingerprint(self.model)

    def classifier(self, task: Task) -> Model:
        """The likeliest label, each spelt out."""
        from understudy.students.sequences.classifier import SequenceClassifier

        return SequenceClassifier(task, self._setup(task, max_source=256))

    def tagger(self, task: Task) -> Model:
        """Entities written down sentence by sentence, and looked up."""
        from understudy.students.sequences.tagger import SequenceTagger

        return SequenceTagger(task, self._setup(task, max_source=256))

    def writer(self, task: Task) -> Model:
        """The text that is asked for."""
        from understudy.students.sequences.writer import SequenceWriter

        return SequenceWriter(task, self._setup(task, max_source=512))

    def _prefix(self, task: Task) -> str:
        """What stands before every text of a task."""
        return ""

    def _setup(self, task: Task, *, max_source: int) -> Setup:
        return Setup(
            family=self.family,
            kind=self.kind,
            model=self.model,
            sizes={**USUAL_SIZES, **(self.scratch or {})},
            prefix=self._prefix(task),
            max_source=suited(self.max_source, max_source),
            max_target=self.max_target,
            search={**GREEDY, **(self.search or {})},
            rationale_weight=self.rationale_weight,
            accumulate=self.accumulate,
            regimen=self._regimen(),
        )

    def _regimen(self) -> Regimen:
        """How it is trained, where the recipe does not say otherwise: the less it knows, the longer and the faster."""
        epochs, learning_rate = {SCRATCH: (20, 1e-3), BUNDLED: (4, 2e-4)}.get(self.model, (3, self.hub_learning_rate))
        return Regimen(
            epochs=suited(self.epochs, epochs),
            batch_size=self.batch_size,
            learning_rate=suited(self.learning_rate, learning_rate),
            seed=self.seed,
            patience=self.patience,
        )
