"""Runs of n symbols, which ROUGE counts over words and chrF over characters."""

from collections import Counter
from collections.abc import Sequence


def n_grams(symbols: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    """How often each run of n neighbouring symbols occurs."""
    return Counter(zip(*(symbols[start:] for start in range(n)), strict=False))
