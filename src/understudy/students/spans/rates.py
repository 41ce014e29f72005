"""How often each tag stands at a value: what trees see of the value, in place of the value itself."""

from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.integer]
    Floats = NDArray[np.floating]

_RATES = "rates.safetensors"
PARTS = 10
"""So many parts of the texts take turns in being encoded by the others."""
_STRENGTH = 2.0
"""A value's rates are drawn to the overall ones as if so many more words had been seen with it."""


class TagRates:
    """Target encoding (Micci-Barreca 2001): a column for each kind of value and each tag.

    A word that is learned from is encoded by what was counted in other texts: by its own, which names the same things
    again and again, a rare value would give the word's tag away.

    Args:
        kinds: How many kinds of values there are.
        tags: How many tags there are.
    """

    def __init__(self, kinds: int, tags: int) -> None:
        self._kinds, self._tags = kinds, tags

    @property
    def columns(self) -> int:
        """How many columns a word is encoded in."""
        return self._kinds * self._tags

    @property
    def size(self) -> int:
        """How many rates there are."""
        return int(self._rates.size)

    def fit(self, numbers: "Integers", values: int, tags: "Integers", weights: "Floats", text: "Integers") -> "Floats":
        """Count tags; returns the encoding of the words that were counted, shape (words, columns).

        Args:
            numbers: The numbers of each word's values, shape (words, kinds); ``values`` stands for an unknown one.
            values: How many values there are.
            tags: The tag of each word, shape (words,).
            weights: How much each word counts, shape (words,).
            text: The number of each word's text, shape (words,).
        """
        import numpy as np

        overall = np.bincount(tags, weights, self._tags)
        share = overall / max(overall.sum(), 1e-9)

        def counted(rows: "Integers") -> "Floats":
            return self._counts(numbers[rows], values, tags[rows], weights[rows])

        parts = [np.flatnonzero(text % PARTS == part) for part in range(PARTS)]
        counts = reduce(np.add, map(counted, parts))
        encoded = np.empty((len(tags), self.columns), dtype=np.float32)
        for rows in parts:
            encoded[rows] = _encoded(numbers[rows], _smoothed(counts - counted(rows), share))
        self._rates = _smoothed(counts, share)
        return encoded

    def encode(self, numbers: "Integers") -> "Floats":
        """The encoding of words, shape (words, columns), from the numbers of their values, shape (words, kinds)."""
        return _encoded(numbers, self._rates)

    def write(self, folder: Path) -> None:
        """Write the rates into a model folder."""
        from safetensors.numpy import save_file

        save_file({"rates": self._rates}, folder / _RATES)

    def read(self, folder: Path, values: int) -> None:
        """Read the rates back.

        Raises:
            ModelError: They are not rates of so many values, or not numbers.
        """
        import numpy as np
        from safetensors.numpy import load_file

        self._rates = load_file(folder / _RATES)["rates"]
        expected = (values + 1, self._tags)
        if self._rates.shape != expected:
            raise ModelError(f"{folder}: rates of shape {self._rates.shape}; expected {expected}")
        if not np.isfinite(self._rates).all():
            raise ModelError(f"{folder}: a rate is not a number")

    def _counts(self, numbers: "Integers", values: int, tags: "Integers", weights: "Floats") -> "Floats":
        """How much each tag weighs at each value, shape (values + 1, tags); nothing at the last, the unknown ones."""
        import numpy as np

        cells = numbers * np.int64(self._tags) + tags[:, None]
        flat = np.bincount(cells.ravel(), np.repeat(weights, self._kinds), (values + 1) * self._tags)
        counts: Floats = flat.reshape(values + 1, self._tags).astype(np.float64, copy=False)
        counts[values] = 0.0
        return counts


def _encoded(numbers: "Integers", rates: "Floats") -> "Floats":
    """The rates at each word's values, side by side."""
    words, kinds = numbers.shape
    encoded: Floats = rates[numbers].reshape(words, kinds * rates.shape[1])
    return encoded


def _smoothed(counts: "Floats", share: "Floats") -> "Floats":
    """Rates of tags at each value, shape (values, tags), drawn to their shares of all words."""
    import numpy as np

    rates: Floats = (counts + _STRENGTH * share) / (counts.sum(axis=1, keepdims=True) + _STRENGTH)
    return rates.astype(np.float32)
