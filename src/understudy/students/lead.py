"""Lead: a text's own beginning, the control that papers on summarisation compare with."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from understudy.data.files import write_json
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students.extracts.documents import document
from understudy.students.extracts.selection import Joint, joint_of, judged_by
from understudy.students.ranges import Count, PositiveInt
from understudy.students.student import Fit, model_folder, reading
from understudy.tasks.free_text import as_text
from understudy.tasks.task import Form, Task
from understudy.training.mixtures import Mixture

_BEGINNING = "beginning.json"
_TRIED = range(1, 6)


class _Beginning(BaseModel):
    """How many sentences are taken over, and what stands between them."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    sentences: PositiveInt
    joint: Joint

    def of(self, sentences: Sequence[str]) -> str:
        """The beginning of a document."""
        return self.joint.join(sentences[: self.sentences])


class Lead:
    """The first sentences of a text, which in news say most of it: what a summary has to be better than.

    Args:
        sentences: How many; None is as many, from 1 to 5, as score highest on validation and training examples.
        seed: Decides nothing: there is no chance in it.
    """

    forms: ClassVar[frozenset[Form]] = frozenset({"text"})
    control: ClassVar[bool] = True
    copies: ClassVar[bool] = True

    def __init__(self, *, sentences: PositiveInt | None = None, seed: Count = 0) -> None:
        self.sentences = sentences
        self.seed = seed

    def check_available(self) -> None:
        """It needs nothing."""

    def fit(self, mixture: Mixture, validation: Sequence[Example], task: Task, progress: Progress) -> Fit:
        """Find the length that scores highest in the task's headline metric on validation and training."""
        examples = judged_by(mixture, validation)
        documents = [document(example.text) for example in examples]
        wanted = [as_text(example.target) for example in examples]
        joint = joint_of(wanted)

        def quality(beginning: _Beginning) -> float:
            answers = [beginning.of(sentences) for sentences in documents]
            return task.tally(wanted, answers, [example.text for example in examples]).scores()[task.headline]

        lengths = [self.sentences] if self.sentences else _TRIED
        self._task = task
        self._beginning = max((_Beginning(sentences=length, joint=joint) for length in lengths), key=quality)
        return Fit(steps=len(lengths))

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The beginning of each text, without a confidence: nothing tells it a good beginning from a bad one."""
        return [Prediction(self._beginning.of(document(text))) for text in texts]

    def count_parameters(self) -> int:
        """One: how many sentences."""
        return 1

    def save(self, folder: Path) -> None:
        """Write the fitted student as a folder, whole or not at all."""
        with model_folder(folder, self, self._task) as part:
            write_json(part / _BEGINNING, self._beginning.model_dump())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back a student that predicts exactly as it did when it was saved.

        Raises:
            ModelError: The folder does not hold one.
        """
        with reading(folder) as manifest:
            student = cls(**manifest.settings)
            student._task = manifest.task
            written = json.loads((folder / _BEGINNING).read_text(encoding="utf-8"))
            student._beginning = _Beginning.model_validate(written)
        return student
