"""Balance: no label so often that the others are hardly heard."""

import heapq
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator

from understudy.data.clean.rejection import is_exempt, rejected
from understudy.data.clean.spool import Spool
from understudy.example import Example, Target


def reject_surplus(examples: Iterable[Example], max_per_label: int, seed: int) -> Iterator[Example]:
    """Reject of every label what goes beyond so many rows; which ones stay is drawn at random.

    Args:
        examples: Read once and put aside on the disk.
        max_per_label: How many rows of a label stay.
        seed: Decides which.
    """
    with Spool(examples) as rows:
        drawn = _drawn(rows, max_per_label, seed)
        for number, example in enumerate(rows):
            stays = number in drawn or is_exempt(example)
            yield example if stays else rejected(example, "more than max_per_label")


def _drawn(examples: Iterable[Example], max_per_label: int, seed: int) -> set[int]:
    """The numbers of the rows that stay: of each label those that drew the highest lots."""
    rng = random.Random(seed)  # noqa: S311 - a draw, not a secret
    best: dict[Target | None, list[tuple[float, int]]] = defaultdict(list)
    for number, example in enumerate(examples):
        if is_exempt(example):
            continue
        lots = best[example.target]
        if len(lots) < max_per_label:
            heapq.heappush(lots, (rng.random(), number))
        else:
            heapq.heappushpop(lots, (rng.random(), number))
    return {number for lots in best.values() for _, number in lots}
