"""The design of a set of texts: which label and which values of the attributes each of them is to have, in balance.

It is worked out before anything is asked, from the attributes and a seed alone, so that a run that is taken up again
asks the same questions.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_WEIGHT_OF_LABEL = 3
"""It nearly halves how unevenly values fall on labels, and costs little of how evenly they fall on each other."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A property in which texts differ, such as their length or their subtopic (Yu et al. 2023).

    Attributes:
        name: What it is called.
        values: What it can be.
        by_label: What it can be instead, for labels that have values of their own.
    """

    name: str
    values: tuple[str, ...] = ()
    by_label: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Assignment(NamedTuple):
    """What one request asks for: a label, where the task has any, and a value for each attribute by its name."""

    label: str | None
    values: Mapping[str, str]


class _Level(NamedTuple):
    """One value of one attribute; of one label, where the label has values of its own."""

    attribute: str
    label: str | None
    value: str


def design(attributes: Sequence[Attribute], labels: Sequence[str], count: int, seed: int) -> Iterator[Assignment]:
    """A balanced sample of the combinations, drawn one at a time; a longer one begins with the shorter.

    At any point the labels are used equally often, but for one, and so are the values of each attribute (within a
    label, where it has its own). Among the values whose turn it is, the one comes next that was seen least with what
    is chosen already, and above all with the label, so that no style comes to stand for a label.

    Args:
        attributes: What the texts shall differ in.
        labels: The task's labels; none where it has none.
        count: How many combinations.
        seed: Decides between equally good ones.
    """
    balance = _Balance(seed)
    for _ in range(count):
        chosen: list[_Level] = []
        label = balance.choose([_Level("", None, label) for label in labels], chosen).value if labels else None
        for attribute in attributes:
            balance.choose(_levels(attribute, label), chosen)
        yield Assignment(label, {level.attribute: level.value for level in chosen if level.attribute})


def _levels(attribute: Attribute, label: str | None) -> list[_Level]:
    if label is not None and label in attribute.by_label:
        return [_Level(attribute.name, label, value) for value in attribute.by_label[label]]
    return [_Level(attribute.name, None, value) for value in attribute.values]


class _Balance:
    """How often each level was used, and each pair of levels together."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)  # noqa: S311 - a choice that can be made again, not a secret
        self._alone = Counter[_Level]()
        self._together = Counter[tuple[_Level, _Level]]()

    def choose(self, levels: Sequence[_Level], chosen: list[_Level]) -> _Level:
        """The level whose turn it is, which is added to those chosen for the same text."""
        level = min(levels, key=lambda level: (self._alone[level], self._company(level, chosen), self._draw.random()))
        self._alone[level] += 1
        self._together.update((other, level) for other in chosen)
        chosen.append(level)
        return level

    def _company(self, level: _Level, chosen: Sequence[_Level]) -> int:
        """How often the level was used with those chosen; the first of them, the label, has more weight."""
        return sum(
            (_WEIGHT_OF_LABEL if place == 0 else 1) * self._together[other, level] for place, other in enumerate(chosen)
        )
