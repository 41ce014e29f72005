"""Which examples: those held out of training, so that there is something to stop by, and a few instead of many."""

import math
import random
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TypeVar

from understudy.data.load import text_key
from understudy.example import Example

T = TypeVar("T")


def hold_out(
    examples: Sequence[Example], share: float, seed: int, *, alike: bool = True
) -> tuple[list[Example], list[Example]]:
    """Split examples into those to train on and those to validate on.

    Equal texts (but for case and white space) stay together: what is learned cannot judge.

    Args:
        examples: The gold examples.
        share: The share to hold out, in [0, 1); of every target about that share, and one at least stays in training.
            What the rarest targets cannot give is not taken from the others.
        seed: Decides which.
        alike: Whether both are to be alike in their targets, as labels can be; free text hardly comes twice.

    Returns:
        The examples to train on and the held-out ones, each in their former order.
    """
    equal: dict[bytes, list[int]] = defaultdict(list)  # by place: a written text may have the id of a team's own
    for place, example in enumerate(examples):
        equal[text_key(example.text)].append(place)
    groups: dict[Hashable, list[list[int]]] = defaultdict(list)
    for same in equal.values():
        groups[examples[same[0]].target if alike else None].append(same)
    rng = random.Random(seed)  # noqa: S311 - a split, not a secret
    shuffled = [rng.sample(group, len(group)) for group in groups.values()]
    rng.shuffle(shuffled)
    held_out: set[int] = set()
    due = 0.0
    for group in shuffled:
        size = sum(map(len, group))
        due += share * size
        room = min(round(due) - len(held_out), math.ceil(share * size), size - 1)
        for same in group:
            if len(same) <= room:
                held_out.update(same)
                room -= len(same)
    kept = [example for place, example in enumerate(examples) if place not in held_out]
    return kept, [examples[place] for place in sorted(held_out)]


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many of the items, in their order and evenly spaced; all of them where they are no more."""
    count = min(len(items), most)
    return [items[place * len(items) // count] for place in range(count)]
