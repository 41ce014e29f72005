"""Texts are tagged sentence by sentence: cut up to be learned from and to be tagged, and stitched together again."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from understudy.example import Example, Prediction, Span
from understudy.segments import Bounds, sentences, words
from understudy.students.spans.tags import Tags

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LONGEST = 128
"""Words in a passage; a sentence that is longer is cut."""
_start, _end = attrgetter("start"), attrgetter("end")


class Tagged(NamedTuple):
    """What a tagger says of a passage.

    Attributes:
        tags: The tag of each word.
        log_probability: The logarithm of the probability of all of them together.
    """

    tags: Sequence[int]
    log_probability: float


def passages_of(example: Example) -> list[Example]:
    """An example cut up into passages with the spans in each, which stand in order; what one spans is never cut.

    A passage without a word is left out.
    """
    spans = example.target if isinstance(example.target, tuple) else ()
    parts = []
    for number, (start, end) in enumerate(_joined(_passages(example.text), spans)):
        inside = spans[bisect_left(spans, start, key=_start) : bisect_right(spans, end, key=_end)]
        target = tuple(Span(span.start - start, span.end - start, span.type) for span in inside)
        parts.append(replace(example, id=f"{example.id}/{number}", text=example.text[start:end], target=target))
    return parts


def texts_of(passages: Sequence[Example]) -> "NDArray[np.int64]":
    """The number of the text that each passage was cut from, shape (passages,)."""
    import numpy as np

    numbers: dict[str, int] = {}
    ids = (passage.id.rpartition("/")[0] for passage in passages)
    return np.array([numbers.setdefault(id_, len(numbers)) for id_ in ids], dtype=np.int64)


def tagged(texts: Sequence[str], tags: Tags, tag: Callable[[list[str]], Sequence[Tagged]]) -> list[Prediction]:
    """The entities of each text, found passage by passage; the confidence is the probability of all tags of a text.

    Args:
        texts: Of any length.
        tags: What the numbers of tags mean.
        tag: From passages, each with at least one word, to the tags of their `words`.
    """
    places = [(number, bounds) for number, text in enumerate(texts) for bounds in _passages(text)]
    found = tag([texts[number][start:end] for number, (start, end) in places])
    spans: list[list[Span]] = [[] for _ in texts]
    sure = [0.0] * len(texts)
    for (number, (start, end)), answer in zip(places, found, strict=True):
        for span in tags.decode(words(texts[number][start:end]), answer.tags):
            spans[number].append(Span(span.start + start, span.end + start, span.type))
        sure[number] += min(0.0, answer.log_probability)
    return [Prediction(tuple(found), math.exp(log)) for found, log in zip(spans, sure, strict=True)]


def _passages(text: str) -> list[Bounds]:
    """Sentences, and the pieces of very long ones, as far as there are words in them."""
    parts = []
    for start, end in sentences(text):
        found = words(text[start:end])
        for first in range(0, len(found), _LONGEST):
            piece = found[first : first + _LONGEST]
            parts.append((start + piece[0][0], start + piece[-1][1]))
    return parts


def _joined(parts: Sequence[Bounds], spans: Sequence[Span]) -> list[Bounds]:
    """Neighbouring passages as one where an entity spans both."""
    joined: list[Bounds] = []
    for start, end in parts:
        last = bisect_left(spans, joined[-1][1], key=_start) - 1 if joined else -1
        if last >= 0 and start < spans[last].end:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
