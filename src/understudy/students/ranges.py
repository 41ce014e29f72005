"""What students' settings may be, as types: recipes and model folders are checked against the constructors' hints."""

from typing import Annotated

from pydantic import Field

Count = Annotated[int, Field(ge=0)]
"""A whole number, 0 among them."""

PositiveInt = Annotated[int, Field(gt=0)]
"""A whole number from 1."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""A finite number above 0."""

Dropout = Annotated[float, Field(ge=0, lt=1)]
"""A share that may be nothing, but not all."""

Fraction = Annotated[float, Field(gt=0, le=1)]
"""A share that may be all, but not nothing."""
