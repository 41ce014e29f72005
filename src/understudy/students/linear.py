"""Linear: TF-IDF into logistic regression, the baseline that every engineer tries first and that is hard to beat."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from understudy.errors import ModelError
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students.labels import LabelDecoder, target_distributions, weights
from understudy.students.ranges import Count, Positive, PositiveInt
from understudy.students.student import Fit, model_folder, reading
from understudy.students.tfidf import TfIdf
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_WEIGHTS = "weights.safetensors"
_DIVERGED = "the training diverged: its loss or weights are no longer numbers; expected a moderate c above 0"


class Linear:
    """Multinomial logistic regression over TF-IDF features.

    The problem is convex, so that the order of examples has no meaning in itself. A mixture whose share of distilled
    examples changes is therefore learned in segments, each regularised towards the weights of the one before instead
    of towards zero (Chelba and Acero 2004, adaptation of maximum entropy models).

    Args:
        c: Inverse strength of the regularisation; large, because TF-IDF features of short texts carry little each.
        words: The longest word n-gram.
        chars: The longest character n-gram (from 3 up); 0 for none.
        max_features: The most features of each kind.
        iterations: The most iterations of L-BFGS over the whole training, shared among its segments.
        seed: Orders the rows; being convex, the problem has one solution, and seeds agree up to rounding.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    def __init__(
        self,
        *,
        c: Positive = 100.0,
        words: PositiveInt = 1,
        chars: Count = 0,
        max_features: PositiveInt = 50_000,
        iterations: PositiveInt = 200,
        seed: Count = 0,
    ) -> None:
        self.c = c
        self.words = words
        self.chars = chars
        self.max_features = max_features
        self.iterations = iterations
        self.seed = seed
        self._features = TfIdf(words=words, chars=chars, max_features=max_features)
        self._weights: Any = None

    def check_available(self) -> None:
        """Nothing beyond the core is needed."""

    def fit(self, mixture: Mixture, validation: Sequence[Example], task: Task, progress: Progress) -> Fit:
        """Learn from the mixture; validation only sets the confidence."""
        import numpy as np

        self._task, self._decoder = task, LabelDecoder.of(task)
        order = np.random.default_rng(self.seed).permutation(len(mixture.examples))
        examples = [mixture.examples[i] for i in order]
        importance = weights(examples)
        features = self._features.fit([example.text for example in examples])
        targets = target_distributions(examples, self._decoder.labels).astype(np.float64)
        self._weights = np.zeros((features.shape[1] + 1, len(self._decoder.labels)))
        segments = mixture.segments()
        steps = 0
        with progress.bar("linear", len(segments)) as bar:
            for segment in segments:
                emphasis = mixture.emphasis(segment)[order] * importance
                iterations = max(1, round(self.iterations * segment.fraction))
                self._weights, taken = _fit_segment(features, targets, emphasis, self._weights, self.c, iterations)
                steps += taken
                bar.advance()
        self._weights = self._weights.astype(np.float32)
        if not np.isfinite(self._weights).all():
            raise ModelError(_DIVERGED)
        self._decoder.calibrate(self._logits([example.text for example in validation]), validation)
        return Fit(steps=steps)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The most probable label of each text."""
        return self._decoder.predictions(self._logits(texts))

    def count_parameters(self) -> int:
        """One weight for each feature and label, and a bias for each label."""
        return int(self._weights.size)

    def save(self, folder: Path) -> None:
        """Write the vocabulary, the weights and the manifest."""
        from safetensors.numpy import save_file

        with model_folder(folder, self, self._task, self._decoder.temperature) as part:
            self._features.save(part)
            save_file({"weights": self._weights}, part / _WEIGHTS)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back a saved student.

        Raises:
            ModelError: The folder does not hold one, or its parts do not fit together.
        """
        import numpy as np
        from safetensors.numpy import load_file

        with reading(folder) as manifest:
            student = cls(**manifest.settings)
            student._task, student._decoder = manifest.task, LabelDecoder.of(manifest.task, manifest.temperature)
            student._features.load(folder)
            student._weights = load_file(folder / _WEIGHTS)["weights"]
            expected = (student._features.transform([""]).shape[1] + 1, len(student._decoder.labels))
            if student._weights.shape != expected:
                raise ModelError(f"{folder}: weights of shape {student._weights.shape}; expected {expected}")
            if not np.isfinite(student._weights).all():
                raise ModelError(f"{folder}: a weight is not a number")
        return student

    def _logits(self, texts: Sequence[str]) -> Any:
        """Shape (texts, labels)."""
        import numpy as np

        if not texts:
            return np.zeros((0, len(self._decoder.labels)), dtype=np.float32)
        return self._features.transform(texts) @ self._weights[:-1] + self._weights[-1]


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
