"""Temperature: one number, learned on validation, that makes a student's confidence mean what it says."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Bools = NDArray[np.bool_]

_LOWEST, _HIGHEST = 0.05, 20.0
_DOUBT = 1e-9
"""No answer is surer than one less this, so that one that is wrong does not cost infinitely much."""


def fit_temperature(log_probabilities: "Floats", wanted: "Floats") -> float:
    """The temperature by which to divide logits, so that validation becomes most probable (Guo et al. 2017).

    Targets are smoothed as in Platt (1999), as if one more example had been answered wrongly: a student that is right
    on all of a few validation examples must not become sure of everything.

    Args:
        log_probabilities: What the student says of the validation examples, shape (examples, labels).
        wanted: The distributions that they should get, likewise.

    Returns:
        1 where there is no validation to learn from.
    """
    import numpy as np

    count, labels = wanted.shape
    if count == 0:
        return 1.0
    smoothed = (wanted * (count + 1) + 1 / labels) / (count + 2)
    logits = np.asarray(log_probabilities, dtype=np.float64)

    return _best(lambda temperature: float(-(smoothed * log_softmax(logits / temperature)).sum() / count))


def fit_answer_temperature(log_probabilities: "Callable[[float], Floats]", right: "Bools") -> float:
    """The temperature at which answers of many parts, such as all tags of a text, are right as often as they say.

    Whether an answer is right is what it says something of, and targets are smoothed, as in Platt (1999).

    Args:
        log_probabilities: From a temperature to the logarithm of each validation answer's probability, shape
            (answers,).
        right: Whether each is right as a whole, shape (answers,).

    Returns:
        1 where there is no validation to learn from.
    """
    import numpy as np

    if not len(right):
        return 1.0
    wanted = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))

    def loss(temperature: float) -> float:
        sure = np.minimum(log_probabilities(temperature), -_DOUBT)
        return float(-(wanted * sure + (1 - wanted) * np.log(-np.expm1(sure))).mean())

    return _best(loss)


def log_softmax(logits: "Floats") -> "Floats":
    """The logarithms of the probabilities that logits stand for, shape (examples, labels)."""
    import numpy as np

    shifted = logits - logits.max(axis=1, keepdims=True)
    logs: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs


def _best(loss: "Callable[[float], float]") -> float:
    """The temperature with the lowest loss, sought by its logarithm."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    bounds = (np.log(_LOWEST), np.log(_HIGHEST))
    found = minimize_scalar(lambda logarithm: loss(float(np.exp(logarithm))), bounds=bounds, method="bounded")
    return float(np.exp(found.x))
