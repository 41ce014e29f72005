"""s(u, m): the share of distilled examples in the batch at progress u of training.

u runs from 0 to 1, and m is the distilled share of all examples. Huang et al. 2024 name simple mix and the decays by a
sigmoid and by a power, and give no formulas: these, and their constants, are ours. The linear and the cosine decay are
common schedules, and `needle` has the stages of Jiang et al. 2021.
"""

import math
from collections.abc import Callable

Share = Callable[[float, float], float]

_STEEPNESS, _MIDDLE = 10.0, 0.5
"""Of the sigmoid: from 0.99 to 0.01, half-way through training at one half."""
_POWER = 2.0


def gold(u: float, m: float) -> float:
    """Human labels only: the control that every other mixture has to beat."""
    return 0.0


def distilled(u: float, m: float) -> float:
    """The teacher's labels only."""
    return 1.0


def union(u: float, m: float) -> float:
    """Both together, shuffled."""
    return m


def simple_mix(u: float, m: float) -> float:
    """Distilled first, then gold (the "simple mix" of Huang et al. 2024)."""
    return 1.0 if u < m else 0.0


def reversed_mix(u: float, m: float) -> float:
    """Gold first, then distilled: simple mix the other way round, which tells whether its order matters."""
    return 0.0 if u < 1 - m else 1.0


def linear(u: float, m: float) -> float:
    """From distilled to gold in a straight line."""
    return 1 - u


def cosine(u: float, m: float) -> float:
    """From distilled to gold along half a cosine wave: slowly at both ends."""
    return (1 + math.cos(math.pi * u)) / 2


def sigmoid(u: float, m: float) -> float:
    """From distilled to gold quickly about half-way: the sigmoid decay of Huang et al. 2024, with our constants."""
    return 1 / (1 + math.exp(_STEEPNESS * (u - _MIDDLE)))


def power(u: float, m: float) -> float:
    """From distilled to gold, fast at first: the power decay of Huang et al. 2024, with our exponent."""
    return float((1 - u) ** _POWER)


def needle(u: float, m: float) -> float:
    """Gold to start from, distilled in between, gold to finish with: the stages of Jiang et al. 2021."""
    return 1.0 if (1 - m) / 2 <= u < (1 + m) / 2 else 0.0
