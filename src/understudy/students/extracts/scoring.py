"""From documents to what the network reads of them, and back from it to a score for each sentence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from understudy.example import Example
from understudy.students.extracts.documents import document
from understudy.students.extracts.networks import ExtractingEncoder
from understudy.students.extracts.oracle import oracle
from understudy.students.extracts.selection import MOST
from understudy.students.networks import device_of
from understudy.tasks.free_text import as_text
from understudy.training.batching import pad
from understudy.training.loop import Batch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

Tokens = Sequence[Sequence[int]]
"""Token ids of each sentence of a document."""

_LEARNED = 512
"""Tokens of a document that are learned from, so that a step's memory is bounded; all of it is read to be answered."""
_AT_ONCE = 32
"""Documents that are ranked together."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A document to learn from.

    Attributes:
        tokens: Those of its sentences, as far as they are learned from.
        count: How many sentences it has.
        wanted: 1 for each of the sentences learned from that the oracle takes, else 0.
        weight: How much it counts.
    """

    tokens: Tokens
    count: int
    wanted: Tensor
    weight: float


@dataclass(frozen=True, slots=True)
class Scorer:
    """A network that scores sentences, and what turns documents into its input.

    Attributes:
        network: From documents to the logit of each sentence's being taken.
        encode: From sentences to the token ids of each.
        filler: The id that pads shorter sentences.
    """

    network: ExtractingEncoder
    encode: Callable[[Sequence[str]], list[list[int]]]
    filler: int

    def scores(self, documents: Sequence[Sequence[str]]) -> list["Floats"]:
        """The logits of the sentences of each document, shape (sentences,)."""
        with torch.inference_mode():
            logits = self.rank(self.vectors([self.tokens(sentences) for sentences in documents]))
        return [row[: len(sentences)] for row, sentences in zip(logits, documents, strict=True)]

    def tokens(self, sentences: Sequence[str]) -> Tokens:
        """What is read of a document: its sentences, or an empty one if it has none."""
        return self.encode(sentences or [""])

    def vectors(self, documents: Sequence[Tokens]) -> list[Tensor]:
        """What the encoder makes of the sentences of each document, shape (sentences, hidden size + 1)."""
        ids, mask = pad([sentence for tokens in documents for sentence in tokens], self.filler)
        device = device_of(self.network)
        found = self.network.vectors(ids.to(device), mask.to(device)).cpu()
        return list(torch.split(found, [len(tokens) for tokens in documents]))

    def rank(self, vectors: Sequence[Tensor]) -> list["Floats"]:
        """The logits of the sentences of each document, from what the encoder makes of them."""
        device, found = device_of(self.network), list["Floats"]()
        for start in range(0, len(vectors), _AT_ONCE):
            group = list(vectors[start : start + _AT_ONCE])
            counts = torch.tensor([len(each) for each in group])
            padded = pad_sequence(group, batch_first=True).to(device)
            logits = self.network.ranker(padded, up_to(counts).to(device), counts.to(device)).float().cpu()
            found += [row[:count].numpy() for row, count in zip(logits, counts.tolist(), strict=True)]
        return found

    def lesson(self, example: Example) -> Lesson:
        """What there is to learn from an example: whole sentences from its beginning."""
        sentences = document(example.text)
        tokens = self.tokens(sentences)
        learned = max(1, sum(length <= _LEARNED for length in accumulate(map(len, tokens))))
        wanted = torch.zeros(learned)
        wanted[oracle(sentences[:learned], as_text(example.target), MOST)] = 1.0
        return Lesson(tokens[:learned], len(tokens), wanted, example.weight)

    def batch(self, lessons: Sequence[Lesson]) -> Batch:
        """What the network learns from; ``ids`` and where they are ``tokens``: shape (documents, sentences, tokens)."""
        counts = [len(lesson.tokens) for lesson in lessons]
        ids, tokens = pad([sentence for lesson in lessons for sentence in lesson.tokens], self.filler)
        by_document = {"ids": torch.split(ids, counts), "tokens": torch.split(tokens, counts)}
        return wanted(lessons) | {
            name: pad_sequence(list(parts), batch_first=True) for name, parts in by_document.items()
        }


def wanted(lessons: Sequence[Lesson]) -> dict[str, Tensor]:
    """What should come out: ``wanted``, and ``mask`` for where sentences are, of shape (documents, sentences)."""
    return {
        "wanted": pad_sequence([lesson.wanted for lesson in lessons], batch_first=True),
        "mask": up_to(torch.tensor([len(lesson.wanted) for lesson in lessons])),
        "counts": torch.tensor([lesson.count for lesson in lessons]),
        "weight": torch.tensor([lesson.weight for lesson in lessons]),
    }


def up_to(counts: Tensor) -> Tensor:
    """Where sentences are, shape (documents, sentences), bool."""
    return torch.arange(int(counts.max()))[None, :] < counts[:, None]
