"""What every student of classification needs of its examples: target distributions, weights, and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.errors import ModelError
from understudy.example import Example, Prediction
from understudy.students.temperature import fit_temperature, log_softmax
from understudy.tasks.task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def labels_of(task: Task) -> list[str]:
    """The labels that a task chooses from, in their fixed order.

    Raises:
        ModelError: It is not a task of labels.
    """
    labels = getattr(task, "labels", None)
    if not labels:
        raise ModelError(f"the task {type(task).__name__} has no labels to choose from; expected a classification")
    return list(labels)


def target_distributions(examples: Sequence[Example], labels: Sequence[str]) -> "NDArray[np.float32]":
    """Each example's probabilities over the labels, shape (examples, labels): the teacher's soft ones, else one-hot."""
    import numpy as np

    place = {label: index for index, label in enumerate(labels)}
    distributions = np.zeros((len(examples), len(labels)), dtype=np.float32)
    for row, example in enumerate(examples):
        for label, probability in (example.soft or {str(example.target): 1.0}).items():
            distributions[row, place[label]] = probability
    distributions /= distributions.sum(axis=1, keepdims=True)
    return distributions


def weights(examples: Sequence[Example]) -> "NDArray[np.float32]":
    """How much each example counts, shape (examples,)."""
    import numpy as np

    return np.array([example.weight for example in examples], dtype=np.float32)


@dataclass(slots=True)
class LabelDecoder:
    """From logits to answers, with a confidence that means what it says.

    Attributes:
        labels: The labels, in the order of the logits.
        temperature: What logits are divided by; above 1 for a student that is surer than it should be.
    """

    labels: list[str]
    temperature: float = 1.0

    @classmethod
    def of(cls, task: Task, temperature: float = 1.0) -> "LabelDecoder":
        """The decoder for a task's labels.

        Raises:
            ModelError: It is not a task of labels.
        """
        return cls(labels_of(task), temperature)

    def calibrate(self, logits: "NDArray[np.floating]", examples: Sequence[Example]) -> None:
        """Learn the temperature from the logits of validation examples, shape (examples, labels)."""
        self.temperature = fit_temperature(logits, target_distributions(examples, self.labels))

    def predictions(self, logits: "NDArray[np.floating]") -> list[Prediction]:
        """The most probable label of each text, and its probability; logits have shape (texts, labels)."""
        import numpy as np

        best = logits.argmax(axis=1)
        confidence = np.exp(log_softmax(logits / self.temperature)[np.arange(len(logits)), best])
        return [Prediction(self.labels[label], float(sure)) for label, sure in zip(best, confidence, strict=True)]
