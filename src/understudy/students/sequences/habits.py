"""How targets are written, and answers therefore too: how long they are, and whether they say things again."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from understudy.errors import ModelError

_SHORT = 0.05
"""The share of targets that may be shorter than any answer."""

_STUTTER, _REPEAT = 0.05, 0.5
"""What a smaller share of the targets does, no answer does: an unsure network says the same over and over.

Prose comes back to three pieces in a row now and then, and is better without; structured text, such as JSON, has to.
"""


class Habits(NamedTuple):
    """What the targets that were learned from have in common.

    Attributes:
        shortest: Pieces that nearly all of them have, at least 1.
        longest: Pieces that none of them exceeds, the end among them.
        stutters: Whether a piece may come right after itself.
        repeats: Whether three pieces in a row may come again.
    """

    shortest: int
    longest: int
    stutters: bool = False
    repeats: bool = False

    @classmethod
    def of(cls, targets: Iterable[Sequence[str]]) -> "Habits":
        """The habits of targets, of which there is at least one, each as its pieces."""
        lengths: list[int] = []
        stuttering = repeating = 0
        for pieces in targets:
            lengths.append(max(len(pieces), 1))
            stuttering += any(piece == after for piece, after in pairwise(pieces))
            repeating += _repeats(pieces)
        count = len(lengths)
        lengths.sort()
        return cls(
            lengths[int(_SHORT * count)], lengths[-1] + 1, stuttering >= _STUTTER * count, repeating >= _REPEAT * count
        )

    @classmethod
    def from_json(cls, value: object, longest: int) -> "Habits":
        """The habits in a model folder.

        Args:
            value: What `to_json` gave.
            longest: Pieces that no answer may exceed.

        Raises:
            ModelError: It is something else.
        """
        match value:
            case {
                "shortest": int(least),
                "longest": int(most),
                "stutters": bool(stutters),
                "repeats": bool(repeats),
            } if 1 <= least < most <= longest:
                return cls(least, most, stutters, repeats)
        raise ModelError("the habits of answers are not two lengths, the shortest and the longest, and two yes or no")

    def to_json(self) -> dict[str, Any]:
        """The habits as a JSON object."""
        return self._asdict()


def _repeats(pieces: Sequence[str]) -> bool:
    """Whether three pieces in a row come again."""
    triples = list(zip(pieces, pieces[1:], pieces[2:], strict=False))
    return len(set(triples)) < len(triples)
