"""Calibration: whether a predictor that is 80 % sure is right four times in five.

An answer is right as a whole or not at all: spans are right where every one of them is, and none is too many. Free text
has no one right answer, and so no calibration.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from understudy.tasks.task import Tally

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10


def calibration_tally(confidences: Sequence[float], correct: Sequence[bool]) -> Tally:
    """What each item adds to the expected calibration error (Naeini et al. 2015), over ten bins of equal width.

    Args:
        confidences: Each item's confidence, in [0, 1].
        correct: Whether its whole answer was right.
    """
    import numpy as np

    confidence = np.asarray(confidences, dtype=np.float64)
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    in_bin = (place[:, None] == np.arange(BINS)).astype(np.float64)
    surplus = in_bin * (confidence - np.asarray(correct, dtype=np.float64))[:, None]
    return Tally(np.hstack([surplus, in_bin]), _expected_calibration_error)


def _expected_calibration_error(sums: "Floats") -> "dict[str, Floats]":
    import numpy as np

    surplus, count = sums[..., :BINS], sums[..., BINS:]
    return {"ece": np.abs(surplus).sum(axis=-1) / count.sum(axis=-1)}
