"""Mixtures: how gold and distilled examples share the training of a student, over its course.

Which share is a function of progress, s(u, m), as `shares` has them. Every student honours it: gradient learners batch
by batch, boosted trees round by round. All arms of a comparison take the same number of optimiser steps, whatever
their mixture, so that none wins by training longer.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from understudy.errors import DataError
from understudy.example import Example
from understudy.registry import find
from understudy.training.shares import Share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

_BUCKET = 16
"""How many batches are drawn together and sorted by length: enough to make lengths alike, few enough to keep s(u)."""
_LOOKS, _JUMP = 1_000, 0.1
"""Into how many stretches the course is cut to look for jumps, and a change within one of them that is a jump."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of training over which the share of distilled examples is taken as constant.

    Attributes:
        fraction: How much of the training it is, in (0, 1].
        share: The share of distilled examples in it, in [0, 1].
    """

    fraction: float
    share: float


@dataclass(frozen=True)
class Mixture:
    """Gold and distilled examples, and the function by which they share the training.

    Attributes:
        gold: All human-labelled training examples of the run, whether this mixture uses them or not.
        distilled: All examples labelled or written by the teacher, likewise.
        name: The mixture's name, for messages.
        share: The function s(u, m).
        stand_for: How many gold ones a gold example stands for, and how many distilled ones a distilled one: more
            than one each where these are but some of all.
        repeats: How many times an epoch goes over all examples: more than once where they are but some of more, so that
            learning from few takes as many steps as learning from all.

    Raises:
        DataError: The mixture draws on a source that has no examples.
    """

    gold: Sequence[Example]
    distilled: Sequence[Example]
    name: str
    share: Share
    stand_for: tuple[float, float] = (1.0, 1.0)
    repeats: float = 1.0

    @classmethod
    def named(cls, name: str, gold: Sequence[Example], distilled: Sequence[Example], repeats: float = 1.0) -> "Mixture":
        """The registered mixture of that name over these examples."""
        return cls(gold, distilled, name, find("mixture", name), repeats=repeats)

    def __post_init__(self) -> None:
        for source, examples, used in (
            ("gold", self.gold, self._uses_gold),
            ("distilled", self.distilled, self._uses_distilled),
        ):
            if used and not examples:
                raise DataError(f"the mixture {self.name!r} draws on {source} examples, but there are none")

    def split(self, into: Callable[[Example], Iterable[Example]]) -> "Mixture":
        """The same mixture over the parts of its examples, such as their sentences.

        Raises:
            DataError: A source that it draws on has none, since its texts hold no word.
        """
        gold, distilled = ([part for example in some for part in into(example)] for some in (self.gold, self.distilled))
        for source, parts, used in (("gold", gold, self._uses_gold), ("distilled", distilled, self._uses_distilled)):
            if used and not parts:
                raise DataError(f"not one of the {source} texts to learn from holds a word; expected texts of words")
        return replace(self, gold=gold, distilled=distilled)

    def thinned(self, choose: Callable[[Sequence[Example]], Sequence[Example]]) -> "Mixture":
        """The same mixture over some of the examples of each source, which stand for all: m stays as it was."""
        chosen = choose(self.gold), choose(self.distilled)
        sizes = zip((self.gold, self.distilled), chosen, self.stand_for, strict=True)
        gold, distilled = (each * len(some) / max(1, len(few)) for some, few, each in sizes)
        return replace(self, gold=chosen[0], distilled=chosen[1], stand_for=(gold, distilled))

    @cached_property
    def examples(self) -> list[Example]:
        """The examples that this mixture ever draws, distilled before gold: what its batches' indices point into."""
        return [*self._used_distilled, *(self.gold if self._uses_gold else ())]

    @cached_property
    def m(self) -> float:
        """The distilled share of all examples."""
        gold, distilled = len(self.gold) * self.stand_for[0], len(self.distilled) * self.stand_for[1]
        return distilled / (gold + distilled)

    def s(self, u: float) -> float:
        """The share of distilled examples at progress u."""
        return self.share(u, self.m)

    def steps(self, epochs: float, batch_size: int) -> int:
        """Optimiser steps in so many passes over *all* examples: the same for every mixture of a run."""
        return max(1, math.ceil(epochs * self.repeats * (len(self.gold) + len(self.distilled)) / batch_size))

    def batches(
        self, steps: int, batch_size: int, seed: int, lengths: Sequence[int] | None = None
    ) -> Iterator["Integers"]:
        """Batches of indices into `examples`, each with the share of distilled examples that s(u) asks for.

        Each source is drawn from in shuffled passes, without end. Counts are rounded so that the error never
        accumulates.

        Args:
            steps: How many batches.
            batch_size: Examples in each.
            seed: Decides the order.
            lengths: One for each of `examples`; where given, a batch holds examples of like length.
        """
        import numpy as np

        rng = np.random.default_rng(seed)
        first_gold = len(self._used_distilled)
        draw_distilled = _Passes(np.arange(first_gold), rng)
        draw_gold = _Passes(np.arange(first_gold, len(self.examples)), rng)
        counts = _distilled_counts([self.s((step + 0.5) / steps) for step in range(steps)], batch_size)
        bucket = 1 if lengths is None else _BUCKET
        for distilled_counts in _buckets(counts, batch_size, bucket, (first_gold, len(self.examples) - first_gold)):
            gold_counts = [batch_size - count for count in distilled_counts]
            from_distilled = draw_distilled.take(sum(distilled_counts))
            from_gold = draw_gold.take(sum(gold_counts))
            order = rng.permutation(len(distilled_counts))
            slices = zip(
                _cut(from_distilled, distilled_counts, order, lengths),
                _cut(from_gold, gold_counts, order, lengths),
                strict=True,
            )
            yield from (np.concatenate(parts) for parts in slices)

    def segments(self, count: int = 10) -> list[Segment]:
        """The course of s(u) in at most so many stretches of constant share, for learners without batches.

        A jump of s(u) falls between two stretches; neighbours of equal share are one.
        """
        bounds = sorted({*(i / count for i in range(count + 1)), *self._jumps()})
        stretches: list[tuple[float, float, float]] = []
        for low, high in pairwise(bounds):
            share = self.s((low + high) / 2)
            if stretches and math.isclose(stretches[-1][2], share):
                stretches[-1] = (stretches[-1][0], high, share)
            else:
                stretches.append((low, high, share))
        return [Segment(high - low, share) for low, high, share in stretches]

    def emphasis(self, segment: Segment) -> "NDArray[np.float64]":
        """How much each of `examples` counts in a segment, shape (examples,): their sources share it as it says.

        The mean over the examples that count at all is 1, as if they were simply trained on.
        """
        import numpy as np

        distilled = len(self._used_distilled)
        sizes = [distilled, len(self.examples) - distilled]
        shares = [segment.share, 1.0 - segment.share]
        counted = sum(size for size, share in zip(sizes, shares, strict=True) if share > 0)
        each = [share * counted / size if size else 0.0 for size, share in zip(sizes, shares, strict=True)]
        return np.repeat(each, sizes)

    def _jumps(self) -> list[float]:
        """Where s(u) jumps, found by halving the stretches in which it changes by much."""
        stretches = pairwise(i / _LOOKS for i in range(_LOOKS + 1))
        return [self._jump(low, high) for low, high in stretches if self._changes(low, high)]

    def _jump(self, low: float, high: float) -> float:
        while high - low > 1e-12:
            middle = (low + high) / 2
            low, high = (low, middle) if self._changes(low, middle) else (middle, high)
        return high

    def _changes(self, low: float, high: float) -> bool:
        return abs(self.s(low) - self.s(high)) > _JUMP

    @cached_property
    def _shares(self) -> list[float]:
        """Shares along the course, its very ends included: a small source may be drawn from only there."""
        return [self.s(u) for u in (1e-9, *(i / _LOOKS for i in range(1, _LOOKS)), 1 - 1e-9)]

    @property
    def _uses_gold(self) -> bool:
        return bool(self.gold or self.distilled) and min(self._shares) < 1

    @property
    def _uses_distilled(self) -> bool:
        return bool(self.gold or self.distilled) and max(self._shares) > 0

    @property
    def _used_distilled(self) -> Sequence[Example]:
        return self.distilled if self._uses_distilled else ()


class _Passes:
    """Endless shuffled passes over some indices."""

    def __init__(self, indices: "Integers", rng: "np.random.Generator") -> None:
        self._indices, self._rng = indices, rng
        self._left = indices[:0]

    def take(self, count: int) -> "Integers":
        import numpy as np

        taken = [self._left]
        missing = count - len(self._left)
        while missing > 0:
            taken.append(self._rng.permutation(self._indices))
            missing -= len(self._indices)
        drawn = np.concatenate(taken)
        self._left = drawn[count:]
        return drawn[:count]


def _distilled_counts(shares: Sequence[float], batch_size: int) -> list[int]:
    """How many distilled examples each batch gets: rounded sums, so that the realised share follows the asked one."""
    sums = [0]
    total = 0.0
    for share in shares:
        total += share * batch_size
        sums.append(round(total))
    return [high - low for low, high in pairwise(sums)]


def _buckets(
    distilled_counts: Sequence[int], batch_size: int, most: int, sizes: tuple[int, int]
) -> Iterator[list[int]]:
    """Cut the batches into runs that are drawn and sorted together, each given by its batches' distilled counts.

    A run draws no source's examples more than about once: sorted by length, the copies of an example would come to
    stand side by side in one batch.
    """
    bucket: list[int] = []
    for count in distilled_counts:
        longer = [*bucket, count]
        drawn = (sum(longer), batch_size * len(longer) - sum(longer))
        if bucket and (len(bucket) == most or any(n > size for n, size in zip(drawn, sizes, strict=True))):
            yield bucket
            longer = [count]
        bucket = longer
    if bucket:
        yield bucket


def _cut(
    drawn: "Integers", counts: Sequence[int], order: "Integers", lengths: Sequence[int] | None
) -> list["Integers"]:
    """Cut drawn indices into batches of the given counts; by length, walking the batches in a random order."""
    if lengths is not None:
        drawn = drawn[sorted(range(len(drawn)), key=lambda place: lengths[int(drawn[place])])]
    batches: list[Integers] = [drawn[:0]] * len(counts)
    start = 0
    for place in order:
        batches[place] = drawn[start : start + counts[place]]
        start += counts[place]
    return batches
