"""The learning curve: what more of the teacher's labels would be expected to bring.

Error is taken to fall as a power of the number of examples (Hestness et al. 2017): log(1 - metric) is a straight
line in log(n). The line is fitted to every bootstrap resample, so that the forecast carries an interval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from understudy import words
from understudy.evaluation.bootstrap import Distribution

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEAST_ERROR = 1e-3
"""A resample without a single mistake has no logarithm."""


def learning_curve(scores: Mapping[int, Distribution], student: str, metric: str) -> dict[str, Any]:
    """The curve as JSON: its points, what twice and four times the labels would be expected to bring, and a sentence.

    Args:
        scores: The metric at each number of examples, at least two, smallest first.
        student: Whose curve it is.
        metric: The metric's name.
    """
    sizes = list(scores)
    full = sizes[-1]
    expected = {factor * full: forecast(sizes, list(scores.values()), factor * full) for factor in (2, 4)}
    now, then = scores[full].estimate(), expected[2 * full].estimate()
    gain = expected[2 * full].minus(scores[full])
    verdict = "would be expected to help" if gain.low > 0 else "cannot be said to help"
    return {
        "points": [{"size": size, **asdict(score.estimate())} for size, score in scores.items()],
        "forecast": [{"size": size, **asdict(score.estimate())} for size, score in expected.items()],
        "sentence": (
            f"Twice the teacher's labels ({2 * full:,}) {verdict}: {student} might go from {now.mean:.3f} to about "
            f"{then.mean:.3f} {words.metric(metric).name}, by {words.signed(gain.difference)} "
            f"[{words.signed(gain.low)}, {words.signed(gain.high)}] (a power law through {len(sizes)} sizes)."
        ),
    }


def forecast(sizes: Sequence[int], scores: Sequence[Distribution], size: int) -> Distribution:
    """The metric expected at another number of examples.

    The fitted line gives the slope; the forecast sets out from the last measured point, so that a line that does not
    quite fit is not mistaken for progress.

    Args:
        sizes: The numbers of examples that were tried, at least two different ones, smallest first.
        scores: The metric at each, in [0, 1], over the same resamples.
        size: The number of examples in question.
    """
    import numpy as np

    values = np.stack([np.append(score.resampled, score.value) for score in scores])
    errors = np.maximum(1 - values, _LEAST_ERROR)
    slopes = _slopes(np.log(sizes), np.log(errors))
    predicted = np.clip(1 - errors[-1] * (size / sizes[-1]) ** slopes, 0.0, 1.0)
    return Distribution(float(predicted[-1]), predicted[:-1])


def _slopes(x: "NDArray[np.float64]", log_errors: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """The slope of the least-squares line through (x, log error), one for each column."""
    centred = x - x.mean()
    slopes: NDArray[np.float64] = centred @ (log_errors - log_errors.mean(axis=0)) / (centred @ centred)
    return slopes
