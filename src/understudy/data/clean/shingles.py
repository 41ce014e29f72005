"""How alike two texts are: the overlap of their character shingles, and MinHash signatures that find likely pairs."""

from functools import cached_property
from typing import TYPE_CHECKING

from understudy.data.load import folded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint32]
    Digests = NDArray[np.uint64]

WIDTH = 5
"""Characters in a shingle: some tell two texts of the same language apart, and they need no notion of a word."""
_PERMUTATIONS = 96
_AT_A_TIME = 65_536
"""Shingles that are permuted at a time, so that a text of many megabytes does not take many gigabytes."""
_RECALL = 0.97


def shingles(text: str) -> "Hashes":
    """The hashes of all strings of five characters in a text, case and white space aside: sorted, each once."""
    import numpy as np

    codes = np.frombuffer(folded(text).ljust(WIDTH).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    windows = len(codes) - WIDTH + 1
    hashes = np.zeros(windows, dtype=np.uint32)
    for place in range(WIDTH):
        hashes *= np.uint32(0x01000193)
        hashes += codes[place : place + windows]
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):  # the finaliser of MurmurHash3: every bit counts
        hashes ^= hashes >> np.uint32(shift)
        hashes *= np.uint32(factor)
    return np.unique(hashes ^ (hashes >> np.uint32(16)))


def jaccard(one: "Hashes", other: "Hashes") -> float:
    """The share of all shingles of two texts that both hold, in [0, 1]."""
    import numpy as np

    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)


class MinHash:
    """Signatures that two texts share in part as often as they share shingles (Broder 1997), cut into bands.

    Two texts as alike as the threshold have at least one band in common with a probability of 97 % or more; the more
    alike, the more surely (Leskovec, Rajaraman and Ullman 2014, section 3.4).

    Args:
        threshold: The Jaccard similarity from which two texts are to be found.
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._rows = next(rows for rows in range(_PERMUTATIONS, 0, -1) if self._recall(rows) >= _RECALL)

    def bands(self, hashes: "Hashes") -> list[bytes]:
        """The signature's bands, each as a digest of eight bytes."""
        import numpy as np

        factors, offsets, weights = self._draws
        signature = np.full(_PERMUTATIONS, np.iinfo(np.uint32).max, dtype=np.uint32)
        for start in range(0, len(hashes), _AT_A_TIME):
            permuted = factors * hashes[start : start + _AT_A_TIME] + offsets
            np.minimum(signature, permuted.min(axis=1), out=signature)
        count = _PERMUTATIONS // self._rows
        rows = (signature * weights)[: count * self._rows].reshape(count, self._rows)
        return [digest.tobytes() for digest in rows.sum(axis=1)]

    def _recall(self, rows: int) -> float:
        """How surely two texts at the threshold share a band of so many rows."""
        return 1 - (1 - self.threshold**rows) ** (_PERMUTATIONS // rows)

    @cached_property
    def _draws(self) -> "tuple[Hashes, Hashes, Digests]":
        """Factors (odd, so that hashes stay different) and offsets, shape (permutations, 1); the weights of digests."""
        import numpy as np

        rng = np.random.default_rng(0)
        factors, offsets = rng.integers(2**32, size=(2, _PERMUTATIONS, 1), dtype=np.uint32)
        return factors | np.uint32(1), offsets, rng.integers(2**64, size=_PERMUTATIONS, dtype=np.uint64)
