"""Holm's correction: among many comparisons, some come out well by chance alone."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of a family of comparisons, raised so that all of them can be held against 0.05 at once.

    The chance that even one comparison without a real difference is then called significant is at most 5 %, however
    the comparisons hang together (Holm 1979).

    Args:
        p_values: One for each comparison, in any order, each in [0, 1].
    """
    family = len(p_values)
    adjusted = [0.0] * family
    least = 0.0
    for rank, place in enumerate(sorted(range(family), key=lambda place: p_values[place])):
        least = max(least, min(1.0, (family - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted
