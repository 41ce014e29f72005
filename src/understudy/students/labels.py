"""What every student of classification needs of its examples: target distributions, weights, and answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from understudy.errors import ModelError
from understudy.example import Example, Prediction
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


def predictions(probabilities: "NDArray[np.floating]", labels: Sequence[str]) -> list[Prediction]:
    """The most probable label of each row of probabilities, shape (texts, labels), and its probability."""
    best = probabilities.argmax(axis=1)
    return [
        Prediction(labels[label], float(row[label])) for row, label in zip(probabilities, best.tolist(), strict=True)
    ]
