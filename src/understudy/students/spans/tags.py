"""From spans of characters to a tag for each word, and back: BIO2 (Ramshaw and Marcus 1995; Tjong Kim Sang 2002)."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from understudy.errors import ModelError
from understudy.example import Span
from understudy.segments import Bounds
from understudy.tasks.task import Task, types_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OUTSIDE = 0
"""The number of the tag of a word in no entity."""


class Tags:
    """The tags for some entity types: ``O`` first, then for each type ``B-`` (its first word) and ``I-`` (the others).

    Args:
        types: The entity types, in their fixed order.
    """

    def __init__(self, types: Sequence[str]) -> None:
        self.types = list(types)
        self.names = ["O", *(f"{mark}-{type_}" for type_ in self.types for mark in "BI")]

    @classmethod
    def of(cls, task: Task) -> "Tags":
        """The tags for a task's entity types.

        Raises:
            ModelError: It is not a task of entities.
        """
        types = types_of(task)
        if not types:
            raise ModelError(f"the task {type(task).__name__} has no entity types; expected one of spans")
        return cls(list(types))

    def __len__(self) -> int:
        """How many tags there are."""
        return len(self.names)

    def encode(self, words: Sequence[Bounds], spans: Sequence[Span]) -> list[int]:
        """The tag of each word; a word belongs to the first span that it touches.

        Args:
            words: The words' bounds, in the order of the text.
            spans: In the order of the text, none over another.
        """
        tags = [OUTSIDE] * len(words)
        first = 0
        for span in spans:
            while first < len(words) and words[first][1] <= span.start:
                first += 1
            tag = self.begin(span.type)
            for place in range(first, len(words)):
                if words[place][0] >= span.end:
                    break
                if tags[place] == OUTSIDE:
                    tags[place] = tag
                    tag = self.begin(span.type) + 1
        return tags

    def decode(self, words: Sequence[Bounds], tags: Sequence[int]) -> tuple[Span, ...]:
        """The spans that tags stand for; an ``I-`` that continues nothing begins a span."""
        spans: list[Span] = []
        before = OUTSIDE
        for (start, end), tag in zip(words, tags, strict=True):
            if tag != OUTSIDE:
                type_ = self.types[(tag - 1) // 2]
                if self.allowed[before, tag] and tag % 2 == 0:
                    spans[-1] = spans[-1]._replace(end=end)
                else:
                    spans.append(Span(start, end, type_))
            before = tag
        return tuple(spans)

    def begin(self, type_: str) -> int:
        """The number of a type's ``B-`` tag; the ``I-`` tag's is one more."""
        return 1 + 2 * self.types.index(type_)

    @cached_property
    def allowed(self) -> "NDArray[np.bool_]":
        """Which tag may follow which, shape (tags, tags): ``I-`` only what is of its type.

        What may follow ``O`` may also come first.
        """
        import numpy as np

        follows = np.ones((len(self), len(self)), dtype=bool)
        for tag in range(2, len(self), 2):
            follows[:, tag] = False
            follows[[tag - 1, tag], tag] = True
        return follows

    def best_path(self, scores: "NDArray[np.floating]") -> list[int]:
        """The allowed sequence of tags with the greatest sum of scores (Viterbi 1967).

        Args:
            scores: Shape (words, tags).
        """
        import numpy as np

        if not len(scores):
            return []
        moves = np.where(self.allowed, 0.0, -np.inf)
        best = scores[0] + moves[OUTSIDE]
        came_from = np.zeros(scores.shape, dtype=np.int64)
        for place in range(1, len(scores)):
            ways = best[:, None] + moves
            came_from[place] = ways.argmax(axis=0)
            best = ways[came_from[place], np.arange(len(self))] + scores[place]
        path = [int(best.argmax())]
        for place in range(len(scores) - 1, 0, -1):
            path.append(int(came_from[place, path[-1]]))
        return path[::-1]
