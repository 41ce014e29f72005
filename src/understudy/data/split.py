"""Holding gold examples out of training, so that there is something to stop by."""

import math
import random
from collections import defaultdict
from collections.abc import Hashable, Sequence

from understudy.example import Example


def hold_out(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Split examples into those to train on and those to validate on, alike in their targets.

    Args:
        examples: The gold examples.
        share: The share to hold out, in [0, 1); of every target about that share, and one at least stays in training.
            What the rarest targets cannot give is not taken from the others.
        seed: Decides which.

    Returns:
        The examples to train on and the held-out ones, each in their former order.
    """
    groups: dict[Hashable, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.target if isinstance(example.target, str) else ""].append(example)
    rng = random.Random(seed)  # noqa: S311 - a split, not a secret
    shuffled = [rng.sample(group, len(group)) for group in groups.values()]
    rng.shuffle(shuffled)
    held_out: set[str] = set()
    due = 0.0
    for group in shuffled:
        due += share * len(group)
        count = max(0, min(round(due) - len(held_out), math.ceil(share * len(group)), len(group) - 1))
        held_out.update(example.id for example in group[:count])
    kept = [example for example in examples if example.id not in held_out]
    return kept, [example for example in examples if example.id in held_out]
