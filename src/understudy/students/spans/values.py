"""The values of features that were seen often enough to learn something about, and their numbers."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.data.files import write_json
from understudy.errors import ModelError
from understudy.students.spans.features import KINDS, columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int32]

_VALUES = "values.json"
_AT_ONCE = 1_000
"""Passages whose values are held in memory together."""


class Values:
    """The most frequent values of each kind of feature.

    Args:
        most: The most values of a kind.
        fewest: The fewest words that a value must have been seen with.
    """

    def __init__(self, most: int, fewest: int) -> None:
        self._most, self._fewest = most, fewest
        self._numbers: dict[str, dict[str, int]] = {}

    @property
    def size(self) -> int:
        """How many values there are of all kinds together."""
        return sum(map(len, self._numbers.values()))

    def fit(self, passages: Sequence[str]) -> "Integers":
        """Learn the values from passages; returns their words' numbers as `numbers` does."""
        self._numbers = _numbered({kind: self._frequent(column) for kind, column in columns(passages)})
        return self.numbers(passages)

    def numbers(self, passages: Sequence[str]) -> "Integers":
        """The number of each word's value of each kind, shape (words, kinds); `size` stands for an unknown value."""
        import numpy as np

        starts = range(0, max(1, len(passages)), _AT_ONCE)
        return np.concatenate([self._numbers_of(passages[start : start + _AT_ONCE]) for start in starts])

    def save(self, folder: Path) -> None:
        """Write the values as JSON."""
        write_json(folder / _VALUES, {kind: list(numbers) for kind, numbers in self._numbers.items()})

    def load(self, folder: Path) -> None:
        """Read back what `save` wrote.

        Raises:
            ModelError: It is not different values of each kind.
        """
        known = json.loads((folder / _VALUES).read_text(encoding="utf-8"))
        if not isinstance(known, dict) or tuple(known) != KINDS or not all(map(_are_different_texts, known.values())):
            raise ModelError(f"{folder / _VALUES}: expected the different values of each of {len(KINDS)} features")
        self._numbers = _numbered(known)

    def _numbers_of(self, passages: Sequence[str]) -> "Integers":
        """The numbers for so few passages that memory holds the spellings of all their values."""
        import numpy as np

        unknown = self.size
        return np.stack(
            [
                np.fromiter((self._numbers[kind].get(value, unknown) for value in column), np.int32, len(column))
                for kind, column in columns(passages)
            ],
            axis=1,
        )

    def _frequent(self, column: Sequence[str]) -> list[str]:
        """The most frequent values, equally frequent ones in alphabetical order."""
        counts = Counter(column)
        often = [value for value, seen in counts.items() if seen >= self._fewest]
        return sorted(often, key=lambda value: (-counts[value], value))[: self._most]


def _numbered(known: Mapping[str, Iterable[str]]) -> dict[str, dict[str, int]]:
    """The values of each kind with their numbers, which go on from kind to kind."""
    following = count()
    return {kind: {value: next(following) for value in values} for kind, values in known.items()}


def _are_different_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(v, str) for v in values) and len(set(values)) == len(values)
