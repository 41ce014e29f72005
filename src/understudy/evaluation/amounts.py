"""Amounts that a person has given: times, sizes, sums of money."""

import math
from dataclasses import fields
from typing import Any

from understudy.errors import DataError


def check_amounts(record: Any) -> None:
    """Check the fields of a dataclass, each a number or None.

    Raises:
        DataError: One of them is negative, or no finite number.
    """
    for field in fields(record):
        value = getattr(record, field.name)
        if value is not None and not 0 <= value < math.inf:
            raise DataError(f"{field.name.replace('_', ' ')}: expected a number from 0 on (found {value:g})")
