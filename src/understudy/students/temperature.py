"""Temperature: one number, learned on validation, that makes a student's confidence mean what it says."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

_LOWEST, _HIGHEST = 0.05, 20.0


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
    from scipy.optimize import minimize_scalar

    count, labels = wanted.shape
    if count == 0:
        return 1.0
    smoothed = (wanted * (count + 1) + 1 / labels) / (count + 2)
    logits = np.asarray(log_probabilities, dtype=np.float64)

    def loss(log_temperature: float) -> float:
        return float(-(smoothed * log_softmax(logits / np.exp(log_temperature))).sum() / count)

    found = minimize_scalar(loss, bounds=(np.log(_LOWEST), np.log(_HIGHEST)), method="bounded")
    return float(np.exp(found.x))


def log_softmax(logits: "Floats") -> "Floats":
    """The logarithms of the probabilities that logits stand for, shape (examples, labels)."""
    import numpy as np

    shifted = logits - logits.max(axis=1, keepdims=True)
    logs: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs
