"""Division of summed counts, the last step of every metric."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.tasks.task import Floats

UNDEFINED = math.nan
"""What a metric is of which nothing can be said, such as a share of no names at all."""


def ratio(part: "Floats", whole: "Floats", undefined: float = 0.0) -> "Floats":
    """Part over whole, element by element.

    Args:
        part: Any shape.
        whole: The same shape.
        undefined: What stands where the whole is nothing.
    """
    import numpy as np

    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    quotient: Floats = np.divide(part, whole, out=np.full(whole.shape, undefined), where=whole > 0)
    return quotient
