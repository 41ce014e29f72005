"""Multinomial logistic regression over sparse features, learned along the course of a mixture."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import ModelError
from understudy.progress import Progress
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

_WEIGHTS = "weights.safetensors"
_DIVERGED = "the training diverged: its loss or weights are no longer numbers; expected a moderate c above 0"


class Logistic:
    """A weight for each feature and label, and a bias for each label.

    The problem is convex, so that the order of examples has no meaning in itself. A mixture whose share of distilled
    examples changes is therefore learned in segments, each regularised towards the weights of the one before instead
    of towards zero (Chelba and Acero 2004, adaptation of maximum entropy models).

    Args:
        c: Inverse strength of the regularisation.
        iterations: The most iterations of L-BFGS over the whole training, shared among its segments.
        labels: How many labels there are.
    """

    def __init__(self, *, c: float, iterations: int, labels: int) -> None:
        self.c, self.iterations, self.labels = c, iterations, labels
        self._weights: Any = None

    def fit(
        self,
        features: Any,
        targets: "Floats",
        mixture: Mixture,
        importance: "Callable[[Floats], Floats]",
        progress: Progress,
    ) -> int:
        """Learn along the mixture; returns the iterations taken.

        Args:
            features: Shape (rows, features), sparse.
            targets: The wanted distributions, shape (rows, labels).
            mixture: Whose segments are learned one after another.
            importance: From how much each of the mixture's examples counts in a segment to how much each row does.
            progress: Told of every segment.

        Raises:
            ModelError: The training diverged.
        """
        import numpy as np

        weights, steps = np.zeros((features.shape[1] + 1, self.labels)), 0
        segments = mixture.segments()
        with progress.bar("linear", len(segments)) as bar:
            for segment in segments:
                emphasis = importance(mixture.emphasis(segment))
                iterations = max(1, round(self.iterations * segment.fraction))
                weights, taken = _fit_segment(features, targets, emphasis, weights, self.c, iterations)
                steps += taken
                bar.advance()
        self._weights = weights.astype(np.float32)
        if not np.isfinite(self._weights).all():
            raise ModelError(_DIVERGED)
        return steps

    def logits(self, features: Any) -> Any:
        """Shape (rows, labels)."""
        return features @ self._weights[:-1] + self._weights[-1]

    def count_parameters(self) -> int:
        """One weight for each feature and label, and a bias for each label."""
        return int(self._weights.size)

    def write(self, folder: Path) -> None:
        """Write the weights into a model folder."""
        from safetensors.numpy import save_file

        save_file({"weights": self._weights}, folder / _WEIGHTS)

    def read(self, folder: Path, features: int) -> None:
        """Read the weights back.

        Raises:
            ModelError: They are not weights of so many features, or not numbers.
        """
        import numpy as np
        from safetensors.numpy import load_file

        self._weights = load_file(folder / _WEIGHTS)["weights"]
        expected = (features + 1, self.labels)
        if self._weights.shape != expected:
            raise ModelError(f"{folder}: weights of shape {self._weights.shape}; expected {expected}")
        if not np.isfinite(self._weights).all():
            raise ModelError(f"{folder}: a weight is not a number")


def _fit_segment(
    features: Any, targets: "Floats", emphasis: "Floats", start: "Floats", c: float, iterations: int
) -> "tuple[Floats, int]":
    """Weighted cross-entropy plus ||W - start||^2 / 2c, minimised by L-BFGS; returns the weights and iterations taken.

    Args:
        features: Shape (examples, features), sparse.
        targets: Shape (examples, labels).
        emphasis: Shape (examples,); examples of emphasis 0 are left out.
        start: Shape (features + 1, labels), the last row being the biases, which are not regularised.
        c: Inverse strength of the regularisation.
        iterations: The most iterations.

    Raises:
        ModelError: The loss is no longer a number.
    """
    import numpy as np
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    used = np.flatnonzero(emphasis)
    if not len(used):
        return start, 0
    x, y, weight = features[used].astype(np.float64), targets[used], emphasis[used, None]
    penalty = 1 / (c * weight.sum())
    weight = weight / weight.sum()
    transposed = x.T.tocsr()

    def loss_and_gradient(flat: "Floats") -> "tuple[float, Floats]":
        w = flat.reshape(start.shape)
        probabilities = _softmax(x @ w[:-1] + w[-1])
        moved = w - start
        moved[-1] = 0.0
        loss = -(weight * y * np.log(probabilities + 1e-300)).sum() + penalty * (moved**2).sum() / 2
        error = weight * (probabilities - y)
        gradient = np.vstack([transposed @ error, error.sum(axis=0)]) + penalty * moved
        return loss, gradient.ravel()

    options = {"maxiter": iterations, "gtol": 1e-5}
    with threadpool_limits(1):  # its vectors are so short that threads only wait for each other
        found = minimize(loss_and_gradient, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    if not np.isfinite(found.fun):
        raise ModelError(_DIVERGED)
    return found.x.reshape(start.shape), int(found.nit)


def _softmax(logits: "Floats") -> "Floats":
    import numpy as np

    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Floats = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities
