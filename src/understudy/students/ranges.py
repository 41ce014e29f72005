"""What students' settings may be, as types: recipes and model folders are checked against the constructors' hints.

A setting that should differ from task to task is None unless it is given; `suited` fills it in. A path in a recipe is
taken from the folder that the recipe lies in, which a validation is told as its context.
"""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, ValidationInfo

from understudy.data.files import is_folder, located

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

BUNDLED, SCRATCH = "bundled", "scratch"
"""What models there are without a folder or a name: the package's own weights, and random ones."""

T = TypeVar("T")


def suited(given: T | None, usual: T) -> T:
    """A setting as given, or what suits the task where it was left open."""
    return usual if given is None else given


def recipes_folder(folder: Path) -> dict[str, Path]:
    """The context in which settings are validated that stand in a recipe of this folder."""
    return {"folder": folder}


def _located(path: str, info: ValidationInfo) -> str:
    return str(located(path, info.context["folder"])) if info.context else path


def _located_folder(name: str, info: ValidationInfo) -> str:
    found = _located(name, info)
    return found if name.strip() and name not in {BUNDLED, SCRATCH} and is_folder(found) else name


PathText = Annotated[str, AfterValidator(_located)]
"""The path of a file."""

ModelName = Annotated[str, AfterValidator(_located_folder)]
"""The path of a folder, or else the name of a model."""
