"""What is kept out of training, as a recipe says it."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

ABOUT_LABELS = ("label_errors", "max_per_label", "seed")
"""The settings that matter only once there are labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """What is kept out of training.

    Attributes:
        min_chars: Texts of fewer characters, white space at the ends aside, are left out.
        max_chars: Texts of so many characters or more are left out (2,048 in Ding et al. 2024).
        near_duplicates: The Jaccard similarity of their character shingles from which two texts count as the same; None
            leaves only texts that are equal but for case and white space.
        decontaminate: Leave out texts that equal, or nearly equal, a text of test or validation: what is learned
            cannot judge. To be turned off only to show what leaks are worth.
        degenerate: Leave out texts that hold next to no language, and generated ones that are no text of the kind.
        language: The texts' language by its ISO 639-1 code, such as ``en``; others are left out. None takes all.
        label_errors: Leave out labels that a student, trained on the others, holds to be wrong.
        max_per_label: The most rows of any one label, drawn at random; None for no limit.
        seed: Decides the folds of ``label_errors`` and the draw of ``max_per_label``.
    """

    min_chars: Annotated[int, Field(gt=0)] = 1
    max_chars: Annotated[int, Field(gt=0)] = 2048
    near_duplicates: Annotated[float, Field(ge=0.5, le=1)] | None = 0.8
    decontaminate: bool = True
    degenerate: bool = True
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] | None = None
    label_errors: bool = False
    max_per_label: Annotated[int, Field(gt=0)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0
