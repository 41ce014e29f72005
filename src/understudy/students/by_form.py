"""A student of every task: one model for each form that targets can take."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol, Self, get_args

from understudy.example import Example, Prediction
from understudy.extras import need
from understudy.progress import Progress
from understudy.students.student import Fit, model_folder, reading
from understudy.tasks.task import Form, Task
from understudy.training.mixtures import Mixture


class Model(Protocol):
    """What a student learns for one task: built with the task and the settings that matter to it, then fitted or read.

    Attributes:
        temperature: What logits are divided by for a confidence that means what it says; kept in the manifest.
    """

    temperature: float

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Learn from the mixture; validation may decide when to stop, and is never trained on."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction for each text, in order."""

    def count_parameters(self) -> int:
        """How many learned numbers it holds."""

    def write(self, folder: Path) -> None:
        """Write its parts into a model folder."""

    def read(self, folder: Path) -> None:
        """Read the parts back, ready to predict.

        Raises:
            ModelError: They are not parts of such a model, or do not fit together.
        """


class ByForm(ABC):
    """A student that hands its work to a classifier, a tagger or a writer, whichever the task's targets ask for.

    Attributes:
        packages: Those beyond the core that it computes with.
    """

    forms: ClassVar[frozenset[Form]] = frozenset(get_args(Form))
    control: ClassVar[bool] = False
    copies: ClassVar[bool] = False
    packages: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def classifier(self, task: Task) -> Model:
        """The model for targets that are labels."""

    @abstractmethod
    def tagger(self, task: Task) -> Model:
        """The model for targets that are spans."""

    @abstractmethod
    def writer(self, task: Task) -> Model:
        """The model for targets that are texts."""

    def fit(self, mixture: Mixture, validation: Sequence[Example], task: Task, progress: Progress) -> Fit:
        """Learn from the mixture; validation may decide when to stop, and is never trained on."""
        self._need_packages()
        self._task, self._model = task, self._new_model(task)
        return self._model.fit(mixture, validation, progress)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction for each text, in order."""
        return self._model.predict(texts)

    def count_parameters(self) -> int:
        """How many learned numbers the fitted student holds."""
        return self._model.count_parameters()

    def save(self, folder: Path) -> None:
        """Write the fitted student as a folder, whole or not at all."""
        with model_folder(folder, self, self._task, self._model.temperature) as part:
            self._model.write(part)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back a student that predicts exactly as it did when it was saved.

        Raises:
            ModelError: The folder does not hold one, or its parts do not fit together.
        """
        with reading(folder) as manifest:
            student = cls(**manifest.settings)
            student._need_packages()
            student._task, student._model = manifest.task, student._new_model(manifest.task)
            student._model.read(folder)
            student._model.temperature = manifest.temperature
        return student

    def check_available(self) -> None:
        """Find out whether it can be trained here, before anything is spent on what to train it on.

        Raises:
            MissingExtra: A package is not installed.
            ModelError: Pretrained weights cannot be had.
        """
        self._need_packages()

    def _need_packages(self) -> None:
        for package in self.packages:
            need(package, f"the {type(self).__name__.lower()} student")

    def _new_model(self, task: Task) -> Model:
        return {"label": self.classifier, "spans": self.tagger, "text": self.writer}[task.form](task)
