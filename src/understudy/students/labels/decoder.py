"""What every student of classification needs of its examples: target distributions, weights, and answers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.errors import DataError, ModelError
from understudy.example import Example, Prediction
from understudy.registry import unknown
from understudy.students.temperature import fit_temperature, log_softmax
from understudy.tasks.task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROUNDING = 0.01
"""By so much the probabilities that a person or a teacher wrote down may miss 1."""
_SHOWN = 100
"""A value in a message is cut here."""


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
    """Each example's probabilities over the labels, shape (examples, labels): the teacher's soft ones, else one-hot.

    Raises:
        DataError: A label is not on the list, or soft ones are no probabilities.
    """
    import numpy as np

    place = {label: index for index, label in enumerate(labels)}
    distributions = np.zeros((len(examples), len(labels)), dtype=np.float32)
    for row, example in enumerate(examples):
        for label, probability in _distribution(example).items():
            if label not in place:
                raise DataError(f"the row {example.id!r}: {unknown('label', label, labels)}")
            distributions[row, place[label]] = probability
    distributions /= distributions.sum(axis=1, keepdims=True)
    return distributions


def _distribution(example: Example) -> Mapping[str, float]:
    """The probability of each label as the example gives it: checked, since a person may have edited it."""
    soft = example.soft
    if not soft:
        return {str(example.target): 1.0}
    if not isinstance(soft, Mapping) or not all(map(_is_probability, soft.values())):
        raise DataError(f"the row {example.id!r}: soft is {str(soft)[:_SHOWN]}; expected a probability for each label")
    if not math.isclose(total := sum(soft.values()), 1, abs_tol=_ROUNDING):
        raise DataError(f"the row {example.id!r}: the soft probabilities sum to {total:g}; expected 1")
    return soft


def _is_probability(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 + _ROUNDING


def weights(examples: Sequence[Example]) -> "NDArray[np.float32]":
    """How much each example counts, shape (examples,)."""
    import numpy as np

    return np.array([example.weight for example in examples], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class LabelDecoder:
    """From logits to answers, with a confidence that means what it says.

    Attributes:
        labels: The labels, in the order of the logits.
    """

    labels: list[str]

    @classmethod
    def of(cls, task: Task) -> "LabelDecoder":
        """The decoder for a task's labels.

        Raises:
            ModelError: It is not a task of labels.
        """
        return cls(labels_of(task))

    def temperature_for(self, logits: "NDArray[np.floating]", examples: Sequence[Example]) -> float:
        """The temperature at which the labels of validation examples get the probabilities that they should.

        Args:
            logits: What is said of the examples, shape (examples, labels).
            examples: As many, with the labels that they should get.

        Returns:
            What logits are divided by: above 1 for a student that is surer than it should be.
        """
        return fit_temperature(logits, target_distributions(examples, self.labels))

    def predictions(self, logits: "NDArray[np.floating]", temperature: float = 1.0) -> list[Prediction]:
        """The most probable label of each text, and its probability; logits have shape (texts, labels)."""
        import numpy as np

        best = logits.argmax(axis=1)
        confidence = np.exp(log_softmax(logits / temperature)[np.arange(len(logits)), best])
        return [Prediction(self.labels[label], float(sure)) for label, sure in zip(best, confidence, strict=True)]
